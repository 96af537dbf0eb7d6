"""Writing to the timeline, one event or one per row of a statement, and forgetting what is older than retention keeps.

Events are written in the transaction of what they tell. `before` and `after` hold what changed, and never a secret.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction

from imsys.conf.sql import execute, in_batches
from imsys.timeline.models import Event

PRUNE_BATCH = 5_000

# For statements that record an event per row: follow it with a select of these columns.
INSERT_EVENTS = """
insert into timeline_event (actor, what, subscriber_id, username, router_id, router, before, after, cause, note)
"""

# The same for those that may be a part of a change: its id is the last column, or null.
INSERT_EVENTS_OF_CHANGE = INSERT_EVENTS.replace("note)", "note, change_id)")


def record(
    what: str,
    *,
    actor: str,
    subscriber_id: int | None = None,
    username: str = "",
    router_id: int | None = None,
    router: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    cause: str = "",
    note: str = "",
    change_id: int | None = None,
) -> Event:
    return Event.objects.create(
        what=what,
        actor=actor,
        subscriber_id=subscriber_id,
        username=username,
        router_id=router_id,
        router=router,
        before=before,
        after=after,
        cause=cause,
        note=note,
        change_id=change_id,
    )


def prune(*, keep: timedelta) -> int:
    """The number of events deleted. In small transactions, so that nothing waits and no long snapshot is held."""
    return in_batches(lambda: _prune_batch(keep))


@transaction.atomic
def _prune_batch(keep: timedelta) -> int:
    execute("set local imsys.retention = 'on'")
    oldest = "select id from timeline_event where at < now() - %s order by id limit %s"
    return execute(f"delete from timeline_event where id in ({oldest})", [keep, PRUNE_BATCH])  # noqa: S608 - no input
