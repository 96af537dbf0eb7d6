"""Loads what one router should have, as the plain values of `reconcile.intent`. Reads only, and makes no models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from imsys.reconcile.intent import Ghost, Intent, PackageIntent, RouterIntent, SubscriberIntent
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
    pace_per_s: int
    condition: str
    known_serial: str
    next_attempt_at: datetime | None
    resync_due_at: datetime | None
    resync_asked_at: datetime | None
    accepts_reappearance: bool
    next_due_at: datetime | None
    unsynced: int
    has_ghosts: bool

    @property
    def intent(self) -> RouterIntent:
        return RouterIntent(
            self.router_id, "profile" if self.suspend_by == "profile" else "disable", self.suspend_profile
        )

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
        return (self.mode, self.suspend_by, self.suspend_profile)

    @property
    def access(self) -> tuple[object, ...]:
        """What a connection depends on."""
        login = (self.username, bytes(self.password_sealed), self.tls, self.tls_fingerprint)
        return (self.host, self.port, *login, self.pace_per_s)


LOOK = """
select r.id as router_id, r.name, r.host, r.port, r.username, r.password_sealed, r.tls, r.tls_fingerprint, r.mode,
       r.suspend_by, r.suspend_profile, r.pace_per_s,
       s.condition, s.serial as known_serial, s.next_attempt_at, s.resync_due_at, s.resync_asked_at,
       exists (select 1 from fleet_acceptance a where a.router_id = r.id) as accepts_reappearance,
       d.next_due_at, d.unsynced,
       exists (select 1 from fleet_placement p
               where p.router_id = r.id and p.subscriber_id is null and p.package_id is null) as has_ghosts
from network_router r join network_routerstate s on s.router_id = r.id,
lateral (select min(y.next_attempt_at) as next_due_at, count(*) as unsynced from subscribers_syncstate y
         where y.router_id = r.id and y.sync_status <> 'synced') d
where r.id = %s
"""

# By way of the subscribers, whose router is indexed: the other way reads the states of every router.
ALL = """
select s.id, s.username, y.generation, y.applied_generation, s.package_id, s.address, s.is_suspended,
       s.password_mac, y.kick_owed, y.attempts, y.sync_status = 'synced',
       y.error_code, y.applied_mac
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
select p.id, case when p.profile = '' then p.name else p.profile end, p.profile = '', p.rate_limit
from subscribers_package p where p.id = any(%s)
"""

GHOSTS = """
select menu, key from fleet_placement
where router_id = %s and subscriber_id is null and package_id is null order by menu, key
"""

SUSPENDED = "select username from subscribers_subscriber where router_id = %s and is_suspended"
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
      where subscriber_id is null and package_id is null and router_id = any(%(mine)s)
"""


async def look(connection: Connection, router_id: int) -> RouterRow | None:
    """The router's row and what is due on it; None when it was removed."""
    async with connection.cursor(row_factory=class_row(RouterRow)) as cursor:
        await cursor.execute(LOOK, (router_id,))
        return await cursor.fetchone()


async def load_due(
    connection: Connection, router: RouterRow, *, now: datetime, names: Sequence[str] = (), limit: int = 20_000
) -> Intent:
    """The subscribers that are due, and those in `names` whether due or not."""
    parameters = {"router": router.router_id, "now": now, "names": list(names), "limit": limit}
    return await _intent(connection, router, DUE, parameters)


async def load_all(connection: Connection, router: RouterRow) -> Intent:
    return await _intent(connection, router, ALL, {"router": router.router_id})


async def _intent(connection: Connection, router: RouterRow, query: str, parameters: dict[str, object]) -> Intent:
    rows = await (await connection.execute(query, parameters)).fetchall()
    subscribers = [SubscriberIntent(*row) for row in rows]
    ids = sorted({subscriber.package_id for subscriber in subscribers})
    packages = {}
    if ids:
        found = await (await connection.execute(PACKAGES, (ids,))).fetchall()
        packages = {row[0]: PackageIntent(*row) for row in found}
    ghosts: list[Ghost] = []
    if router.has_ghosts:
        ghosts = [Ghost(*row) for row in await (await connection.execute(GHOSTS, (router.router_id,))).fetchall()]
    return Intent(router.intent, packages, subscribers, ghosts)


async def suspended_names(connection: Connection, router_id: int) -> set[str]:
    return {row[0] for row in await (await connection.execute(SUSPENDED, (router_id,))).fetchall()}


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


async def entitled_among(connection: Connection, router_id: int, names: Sequence[str]) -> set[str]:
    """Of `names`, the subscribers of this router who are not suspended."""
    if not names:
        return set()
    query = (
        "select username from subscribers_subscriber where router_id = %s and not is_suspended and username = any(%s)"
    )
    return {row[0] for row in await (await connection.execute(query, (router_id, list(names)))).fetchall()}
