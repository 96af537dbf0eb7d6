"""The same subscriber under another username, or on another router."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from imsys.conf.sql import execute, fetch
from imsys.network import selectors as network
from imsys.network.models import Router
from imsys.network.wake import wake
from imsys.subscribers.errors import AlreadyThere, address_taken, mac_taken
from imsys.subscribers.models import Subscriber
from imsys.subscribers.services.rows import BUMP, bump, lock_named, tell
from imsys.subscribers.services.taken import check_username_free, taken
from imsys.subscribers.validation import check_username
from imsys.timeline.services import INSERT_EVENTS


@dataclass(frozen=True, slots=True)
class Moved:
    """Who was moved, and how many were on that router already."""

    moved: list[str]
    already: int


@transaction.atomic
def rename_subscriber(old: str, new: str, *, exact: bool = False, actor: str) -> Subscriber:
    """The same subscriber under another username, with all that is known of them. `exact`: see add_subscriber."""
    (pk,) = lock_named([old]).ids
    subscriber = Subscriber.objects.select_related("package", "router").get(pk=pk)
    subscriber.username = check_username(new, exact=exact)
    if subscriber.username == old:
        return subscriber
    check_username_free(subscriber, exact=exact)
    with taken(subscriber):
        subscriber.save(update_fields=["username"])
    execute("update subscribers_subscriber set updated_at = statement_timestamp() where id = %s", [pk])
    tell("renamed", subscriber, actor=actor, before={"username": old}, after={"username": new})
    bump([pk])
    wake([subscriber.router_id])
    return subscriber


@transaction.atomic
def move_subscribers(usernames: Iterable[str], router: str, *, actor: str) -> Moved:
    """Have these lines served by another router; whoever is there already stays as they are.

    The rows on the router that they leave are taken away when it can be reached; until then a Departure says so.

    Raises: UnknownSubscriber, AlreadyThere (an address or a device is taken there), and then nobody was moved.
    """
    target = network.get_router(router)
    locked = lock_named(usernames)
    leaving = [(pk, old) for pk, old in zip(locked.ids, locked.router_ids, strict=True) if old != target.pk]
    ids = [pk for pk, _ in leaving]
    if not ids:
        return Moved([], already=len(locked))
    _check_room(ids, target)
    _tell_moved(ids, target, actor)
    try:
        with transaction.atomic():
            execute(_MOVE, {"ids": ids, "router": target.pk})
    except IntegrityError as exc:
        raise AlreadyThere(
            f"While they were moved, somebody on the router {target.name!r} was given an address or a MAC of theirs; "
            "nobody was moved.",
            remedy="Run the move again: it names them.",
        ) from exc
    execute(_START_ANEW, {"ids": ids, "router": target.pk})
    execute(_DEPART, {"ids": ids, "left": [old for _, old in leaving]})
    execute(
        "delete from subscribers_departure where router_id = %s and subscriber_id = any(%s::bigint[])",
        [target.pk, ids],
    )
    wake({target.pk, *(old for _, old in leaving)})
    names = dict(zip(locked.ids, locked.usernames, strict=True))
    return Moved(sorted(names[pk] for pk in ids), already=len(locked) - len(ids))


_MOVE = """
update subscribers_subscriber set router_id = %(router)s, updated_at = now() where id = any(%(ids)s::bigint[])
"""

_HAS_NOT_LET_GO = (
    "exists (select 1 from subscribers_departure e "
    "where e.subscriber_id = s.subscriber_id and e.router_id = %(router)s)"
)
# What is known of the rows on the old router says nothing of the new one. Back on a router that has not let go yet,
# a row may stand with a lock of ours, and a session that owes a kick.
_START_ANEW = BUMP.format(concerned="(select unnest(%(ids)s::bigint[]) as id) changed").replace(
    "wanted_at = now()",
    "wanted_at = now(), router_id = %(router)s, made_at = null, applied_at = null, applied_mac = null, "
    f"kick_owed = s.kick_owed and {_HAS_NOT_LET_GO}, has_lock = {_HAS_NOT_LET_GO}",
)

_DEPART = """
insert into subscribers_departure (subscriber_id, router_id)
select v.subscriber_id, v.router_id
from unnest(%(ids)s::bigint[], %(left)s::bigint[]) as v(subscriber_id, router_id) order by v.subscriber_id
on conflict (subscriber_id, router_id) do update set since = excluded.since
"""

# Another line there has the address, or another device the MAC; or two that are moved from different routers share one.
_IN_THE_WAY = """
with moving as (
    select id, username, address, mac, service from subscribers_subscriber where id = any(%(ids)s::bigint[])
), there as (
    select id, username, address, mac, service from subscribers_subscriber where router_id = %(router)s
    union all select * from moving
)
(select m.address, '', m.username, t.username from moving m join there t on t.address = m.address and t.id <> m.id
 where m.address <> '' order by m.id limit 1)
union all
(select '', m.mac, m.username, t.username from moving m join there t on t.mac = m.mac and t.id <> m.id
 where m.mac <> '' and m.service <> 'pppoe' and t.service <> 'pppoe' order by m.id limit 1)
"""


def _check_room(ids: list[int], router: Router) -> None:
    for address, mac, mover, other in fetch(_IN_THE_WAY, {"ids": ids, "router": router.pk}):
        taken = address_taken(address, router.name, other) if address else mac_taken(mac, router.name, other)
        raise AlreadyThere(
            f"{mover!r} cannot move, and nobody was moved. {taken.message}",
            remedy="Change one of the two first, with: imsys subscriber set",
        )


def _tell_moved(ids: list[int], router: Router, actor: str) -> None:
    """Before they move: the event names where they were."""
    execute(
        f"""
        {INSERT_EVENTS}
        select %(actor)s, 'moved', s.id, s.username, %(router)s, %(name)s,
            jsonb_build_object('router', r.name), jsonb_build_object('router', %(name)s::text), '', ''
        from subscribers_subscriber s join network_router r on r.id = s.router_id
        where s.id = any(%(ids)s::bigint[]) order by s.id
        """,  # noqa: S608 - a constant of ours
        {"actor": actor, "router": router.pk, "name": router.name, "ids": ids},
    )
