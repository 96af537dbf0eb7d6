"""What the services share: locking subscribers by key, and bumping them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from imsys.conf.sql import execute, fetch
from imsys.network import selectors as network
from imsys.subscribers.errors import UnknownSubscriber
from imsys.subscribers.selectors import similar_usernames
from imsys.subscribers.validation import is_storable

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


def bump(ids: Sequence[int]) -> None:
    """Their intent has changed. In key order, so that bulk writers never deadlock."""
    if ids:
        execute("with changed (id) as (select unnest(%s::bigint[]))" + BUMP.format(concerned="changed"), [sorted(ids)])


def _lock(condition: str, value: object) -> Locked:
    """Its own statement: what the next one reads is then as fresh as the locks are."""
    rows = fetch(
        f"select id, username, router_id from subscribers_subscriber where {condition} order by id for no key update",  # noqa: S608 - one of the two above
        [value],
    )
    return Locked([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
