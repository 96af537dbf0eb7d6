"""Loads what one router should have, as the plain values of `reconcile.intent`. Reads only, and makes no models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from imsys.reconcile.intent import Ghost, Intent, PackageIntent, RouterIntent, SubscriberIntent, SuspendBy
from imsys.routeros.endpoint import Endpoint

Connection = AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class RouterRow:
    """A router with what is due on it, as of one look."""

    router_id: int
    name: str
    host: str
    port: int
    username: str
    password_sealed: bytes
    tls: str
    tls_fingerprint: str
    mode: str
    suspend_by: str
    suspend_profile: str
    suspend_list: str
    pace_per_s: int
    kicks_per_s: int
    condition: str
    known_serial: str
    next_attempt_at: datetime | None
    resync_due_at: datetime | None
    resync_asked_at: datetime | None
    accepts_reappearance: bool
    next_due_at: datetime | None
    unsynced: int
    other_services: list[str]
    uses_list: bool
    has_ghosts: bool
    has_departures: bool

    @property
    def intent(self) -> RouterIntent:
        by: SuspendBy = self.suspend_by  # type: ignore[assignment]  # a check constraint keeps it to the three words
        return RouterIntent(self.router_id, by, self.suspend_profile, self.suspend_list)

    def endpoint(self, password: str) -> Endpoint:
        return Endpoint(
            host=self.host,
            port=self.port,
            username=self.username,
            password=password,
            tls=self.tls,  # type: ignore[arg-type]  # a check constraint keeps it to the four words
            fingerprint=self.tls_fingerprint,
        )

    @property
    def settings(self) -> tuple[object, ...]:
        """What a proof of cleanness depends on besides the subscribers."""
        way = (self.mode, self.suspend_by, self.suspend_profile, self.suspend_list)
        return (*way, *self.other_services, self.uses_list)

    @property
    def access(self) -> tuple[object, ...]:
        """What a connection depends on."""
        login = (self.username, bytes(self.password_sealed), self.tls, self.tls_fingerprint)
        return (self.host, self.port, *login, self.pace_per_s)


# `has_ghosts`: there is something to take away now. What a subscriber left behind may go once it is made elsewhere.
LOOK = """
select r.id as router_id, r.name, r.host, r.port, r.username, r.password_sealed, r.tls, r.tls_fingerprint, r.mode,
       r.suspend_by, r.suspend_profile, r.suspend_list, r.pace_per_s, r.kicks_per_s,
       s.condition, s.serial as known_serial, s.next_attempt_at, s.resync_due_at, s.resync_asked_at,
       exists (select 1 from fleet_acceptance a where a.router_id = r.id) as accepts_reappearance,
       d.next_due_at, d.unsynced, o.other_services, l.uses_list,
       exists (select 1 from fleet_placement p
               where p.router_id = r.id and p.subscriber_id is null and p.package_id is null
                 and (not p.is_shared or not l.uses_list or p.key <> r.suspend_list))
       or exists (select 1 from subscribers_departure e
                  join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
                  join subscribers_subscriber u on u.id = e.subscriber_id
                  where e.router_id = r.id and (y.made_at is not null or u.is_suspended)) as has_ghosts,
       exists (select 1 from subscribers_departure) as has_departures
from network_router r join network_routerstate s on s.router_id = r.id,
lateral (select min(y.next_attempt_at) as next_due_at, count(*) as unsynced from subscribers_syncstate y
         where y.router_id = r.id and y.sync_status <> 'synced') d,
lateral (select array(select distinct u.service from subscribers_subscriber u
                      where u.router_id = r.id and u.service <> 'pppoe' order by 1) as other_services) o,
lateral (select 'static' = any(o.other_services)
                or (r.suspend_by = 'address-list'
                    and exists (select 1 from subscribers_subscriber u where u.router_id = r.id)) as uses_list) l
where r.id = %s
"""

# By way of the subscribers, whose router is indexed: the other way reads the states of every router.
ALL = """
select s.id, s.username, y.generation, y.applied_generation, s.package_id, s.address, s.is_suspended,
       s.password_mac, y.kick_owed, y.attempts, y.sync_status = 'synced',
       y.error_code, y.applied_mac, s.service, s.mac, y.has_lock, y.applied_at
from subscribers_subscriber s join subscribers_syncstate y on y.subscriber_id = s.id
where s.router_id = %(router)s
"""
# The ids as one array, found by indexes, so that no plan can begin anywhere else.
AMONG_THE_DUE = """
and s.id = any(array(
    select d.subscriber_id from subscribers_syncstate d
    where d.router_id = %(router)s and d.sync_status <> 'synced' and d.next_attempt_at <= %(now)s
    union
    select n.id from subscribers_subscriber n where n.router_id = %(router)s and n.username = any(%(names)s)
))
order by s.id limit %(limit)s
"""
DUE = ALL + AMONG_THE_DUE

PACKAGES = """
select p.id, case when p.profile = '' then p.name else p.profile end, p.profile = '', p.rate_limit,
       p.shared_users, p.limit_uptime, p.limit_bytes
from subscribers_package p where p.id = any(%s)
"""

UNOWNED = """
select menu, key, is_shared from fleet_placement
where router_id = %s and subscriber_id is null and package_id is null order by menu, key
"""

# What subscribers who moved away have left here, once they are made elsewhere or may be online nowhere.
LEFT = """
select p.menu, p.key, p.subscriber_id
from subscribers_departure e
join fleet_placement p on p.router_id = e.router_id and p.subscriber_id = e.subscriber_id
join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
join subscribers_subscriber u on u.id = e.subscriber_id
where e.router_id = %s and (y.made_at is not null or u.is_suspended) order by p.menu, p.key
"""

PLACED_OF = """
select subscriber_id, menu, key from fleet_placement where router_id = %s and subscriber_id = any(%s)
"""

# Who may still be online on the router that they left: it can be worked on, and has had little time to let them go.
HELD_BACK = """
select distinct e.subscriber_id
from subscribers_departure e
join subscribers_subscriber u on u.id = e.subscriber_id and u.router_id = %(router)s
join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
join network_router r on r.id = e.router_id and r.mode = 'enforce'
join network_routerstate t on t.router_id = e.router_id and t.is_reachable and t.failures = 0
where exists (select 1 from fleet_placement p
              where p.router_id = e.router_id and p.subscriber_id = e.subscriber_id)
  and (y.made_at is null or y.made_at > %(now)s - make_interval(secs => %(wait_s)s))
"""

SUSPENDED = """
select id, username, package_id, address, service, mac from subscribers_subscriber
where router_id = %s and is_suspended
"""

# An address means somebody only where the list is how they are cut off.
ENTITLED = """
select u.username from subscribers_subscriber u join network_router r on r.id = u.router_id
where u.router_id = %s and not u.is_suspended
  and (u.username = any(%s)
       or (u.address = any(%s) and (u.service = 'static' or r.suspend_by = 'address-list')))
"""
PLACED = """
select menu, count(*) from fleet_placement
where router_id = %s and (subscriber_id is not null or package_id is not null) group by menu
"""
PASSWORDS = """
select id, password_sealed from subscribers_subscriber where id = any(%s) and password_sealed is not null
"""

DUE_ROUTERS = """
select distinct y.router_id from subscribers_syncstate y
where y.sync_status <> 'synced' and y.next_attempt_at <= %(now)s and y.router_id = any(%(mine)s)
union select router_id from network_routerstate where resync_due_at <= %(now)s and router_id = any(%(mine)s)
union select router_id from fleet_placement
      where subscriber_id is null and package_id is null and not is_shared and router_id = any(%(mine)s)
union select e.router_id from subscribers_departure e
      join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
      join subscribers_subscriber u on u.id = e.subscriber_id
      where e.router_id = any(%(mine)s) and (y.made_at is not null or u.is_suspended)
"""


async def look(connection: Connection, router_id: int) -> RouterRow | None:
    """The router's row and what is due on it; None when it was removed."""
    async with connection.cursor(row_factory=class_row(RouterRow)) as cursor:
        await cursor.execute(LOOK, (router_id,))
        return await cursor.fetchone()


async def load_due(
    connection: Connection,
    router: RouterRow,
    *,
    now: datetime,
    wait_s: float,
    names: Sequence[str] = (),
    limit: int = 20_000,
) -> Intent:
    """The subscribers that are due, and those in `names` whether due or not.

    `wait_s`: how long one who moves here is held back for the sake of the router that they left.
    """
    parameters = {"router": router.router_id, "now": now, "names": list(names), "limit": limit, "wait_s": wait_s}
    return await _intent(connection, router, DUE, parameters)


async def load_all(connection: Connection, router: RouterRow, *, now: datetime, wait_s: float) -> Intent:
    return await _intent(connection, router, ALL, {"router": router.router_id, "now": now, "wait_s": wait_s})


async def _intent(connection: Connection, router: RouterRow, query: str, parameters: dict[str, object]) -> Intent:
    rows = await (await connection.execute(query, parameters)).fetchall()
    subscribers = [SubscriberIntent(*row) for row in rows]
    if router.has_departures:
        held = {row[0] for row in await (await connection.execute(HELD_BACK, parameters)).fetchall()}
        subscribers = [replace(s, is_held_back=True) if s.subscriber_id in held else s for s in subscribers]
    ghosts, shared = await _unowned(connection, router)
    return Intent(
        router.intent,
        await _packages(connection, subscribers),
        subscribers,
        ghosts,
        await _placed(connection, router, [s.subscriber_id for s in subscribers if not s.is_synced]),
        shared,
        router.uses_list,
    )


async def _packages(connection: Connection, subscribers: Sequence[SubscriberIntent]) -> dict[int, PackageIntent]:
    ids = sorted({subscriber.package_id for subscriber in subscribers})
    if not ids:
        return {}
    found = await (await connection.execute(PACKAGES, (ids,))).fetchall()
    return {row[0]: PackageIntent(*row) for row in found}


async def _unowned(connection: Connection, router: RouterRow) -> tuple[list[Ghost], list[tuple[str, str]]]:
    """Ghosts, and the rows that are the router's own."""
    if not (router.has_ghosts or router.uses_list):
        return [], []
    rows = await (await connection.execute(UNOWNED, (router.router_id,))).fetchall()
    ghosts = [Ghost(menu, key) for menu, key, is_shared in rows if not is_shared]
    if router.has_departures:
        left = await (await connection.execute(LEFT, (router.router_id,))).fetchall()
        ghosts += [Ghost(*row) for row in left]
    return ghosts, [(menu, key) for menu, key, is_shared in rows if is_shared]


async def _placed(
    connection: Connection, router: RouterRow, ids: Sequence[int]
) -> dict[int, frozenset[tuple[str, str]]]:
    """What these are known to have on the router; everybody asked for has an entry."""
    if not ids:
        return {}
    places: dict[int, set[tuple[str, str]]] = {i: set() for i in ids}
    for i, menu, key in await (await connection.execute(PLACED_OF, (router.router_id, list(ids)))).fetchall():
        places[i].add((menu, key))
    return {i: frozenset(found) for i, found in places.items()}


async def suspended_lines(connection: Connection, router_id: int) -> list[SubscriberIntent]:
    """Who is suspended there: as much of them as says how they are cut off."""
    rows = await (await connection.execute(SUSPENDED, (router_id,))).fetchall()
    return [
        SubscriberIntent(i, name, 0, 0, package, address=address, is_suspended=True, service=service, mac=mac)
        for i, name, package, address, service, mac in rows
    ]


async def placed_rows(connection: Connection, router_id: int) -> dict[str, int]:
    """By menu, how many rows we know to have put or seen there and still want."""
    return dict(await (await connection.execute(PLACED, (router_id,))).fetchall())


async def sealed_passwords(connection: Connection, subscriber_ids: Sequence[int]) -> dict[int, bytes]:
    if not subscriber_ids:
        return {}
    rows = await (await connection.execute(PASSWORDS, (sorted(subscriber_ids),))).fetchall()
    return {row[0]: bytes(row[1]) for row in rows}


async def due_routers(connection: Connection, mine: Sequence[int], *, now: datetime) -> list[int]:
    """Of `mine`, the routers with something due: one query for a whole worker."""
    rows = await (await connection.execute(DUE_ROUTERS, {"mine": sorted(mine), "now": now})).fetchall()
    return [row[0] for row in rows]


async def entitled_among(
    connection: Connection, router_id: int, names: Sequence[str], addresses: Sequence[str]
) -> set[str]:
    """Of these names and addresses, the usernames of this router's subscribers who are not suspended."""
    if not names and not addresses:
        return set()
    parameters = (router_id, list(names), list(addresses))
    return {row[0] for row in await (await connection.execute(ENTITLED, parameters)).fetchall()}
