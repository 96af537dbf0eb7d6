"""What the services share: locking subscribers by key, bumping them, and telling the timeline of one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from imsys.conf.sql import execute, fetch
from imsys.network import selectors as network
from imsys.subscribers.errors import UnknownSubscriber
from imsys.subscribers.models import Subscriber
from imsys.subscribers.selectors import similar_usernames
from imsys.subscribers.validation import is_storable
from imsys.timeline import services as timeline

# In the place of `%(ids)s`, the subscribers whose intent has changed. What waits for a backoff waits no longer.
BUMP = """
update subscribers_syncstate s
set generation = s.generation + 1, sync_status = 'pending', sync_error = '', error_code = '', attempts = 0,
    next_attempt_at = now(), wanted_at = now()
from (
    select subscriber_id from subscribers_syncstate
    where subscriber_id in (select id from {concerned}) order by subscriber_id for update
) locked
where s.subscriber_id = locked.subscriber_id
"""

# The same where some of them feel the change with a new login only: `{kicked}` selects whose session is to be ended.
BUMP_AND_KICK = BUMP.replace(
    "wanted_at = now()", "wanted_at = now(), kick_owed = s.kick_owed or s.subscriber_id in (select id from {kicked})"
)


class Locked(NamedTuple):
    """Subscribers that nobody else changes until this transaction ends, by key. `router_ids` runs beside `ids`."""

    ids: list[int]
    usernames: list[str]
    router_ids: list[int]

    def __len__(self) -> int:
        return len(self.ids)


def lock_named(usernames: Iterable[str]) -> Locked:
    """Raises: UnknownSubscriber, when one or more are not there."""
    wanted = list(dict.fromkeys(usernames))
    found = _lock("username = any(%s::text[])", [name for name in wanted if is_storable(name)])
    if len(found.ids) < len(wanted):
        unknown = sorted(set(wanted) - set(found.usernames))
        alone = len(unknown) == 1 and is_storable(unknown[0])
        raise UnknownSubscriber(unknown, similar_usernames(unknown[0]) if alone else ())
    return found


def lock_of_router(router: str) -> Locked:
    return _lock("router_id = %s", network.get_router(router).pk)


def lock_ids(ids: Iterable[int]) -> Locked:
    """Those of them that are there."""
    return _lock("id = any(%s::bigint[])", sorted(ids))


def bump(ids: Sequence[int], *, kick: bool = False) -> None:
    """Their intent has changed; `kick`: and a session feels it with a new login only.

    In key order, so that bulk writers never deadlock.
    """
    if ids:
        statement = (BUMP_AND_KICK if kick else BUMP).format(concerned="changed", kicked="changed")
        execute("with changed (id) as (select unnest(%s::bigint[]))" + statement, [sorted(ids)])


def ask_removal(of: str, ids: Sequence[int]) -> None:
    """A person takes these away: what stands on the routers for them (`of`: subscriber or package) is to go.

    Not so on routers that are only observed, where they may have been taken in by mistake: there it is for the brake.
    """
    execute(
        f"""
        with asked as (
            select p.id from fleet_placement p join network_router r on r.id = p.router_id and r.mode <> 'observe'
            where p.{of}_id = any(%s::bigint[]) order by p.id for update of p
        )
        update fleet_placement p set is_asked = true from asked where p.id = asked.id
        """,  # noqa: S608 - one of two words of ours
        [list(ids)],
    )


def tell(
    what: str,
    subscriber: Subscriber,
    *,
    actor: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    timeline.record(
        what,
        actor=actor,
        subscriber_id=subscriber.pk,
        username=subscriber.username,
        router_id=subscriber.router_id,
        router=subscriber.router.name,
        before=before,
        after=after,
    )


def _lock(condition: str, value: object) -> Locked:
    """Its own statement: what the next one reads is then as fresh as the locks are."""
    rows = fetch(
        f"select id, username, router_id from subscribers_subscriber where {condition} order by id for no key update",  # noqa: S608 - one of those above
        [value],
    )
    return Locked([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
