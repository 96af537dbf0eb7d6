"""Loads what one router should have, as the plain values of `reconcile.intent`. Reads only, and makes no models."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from imsys.fleet import questions as sql
from imsys.network.blocks import Block, blocked_by
from imsys.network.windows import is_open
from imsys.reconcile.fights import Fight
from imsys.reconcile.intent import Ghost, Intent, PackageIntent, RouterIntent, SubscriberIntent, SuspendBy
from imsys.reconcile.kinds import HOTSPOT_USER, LOGINS, QUEUE, SECRET
from imsys.reconcile.scope import REFERRING
from imsys.routeros.endpoint import Endpoint
from imsys.timeline.holding import STANDING, Standing

Connection = AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class RouterRow:
    """A router with what is due on it, as of one look.

    singles: who is enforced though the router is only observed. is_open: its window is.
    quarantined: logins that nobody owns and that were last seen shut, as they are to be.
    """

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
    window: str
    window_zone: str
    unmanaged: str
    has_unmanaged: bool
    unmanaged_decided_at: datetime | None
    quarantined: list[str]
    is_frozen: bool
    singles: list[str]
    condition: str
    known_serial: str
    next_attempt_at: datetime | None
    resync_due_at: datetime | None
    resync_asked_at: datetime | None
    has_holds: bool
    caps: dict[str, int]
    has_fights: bool
    next_due_at: datetime | None
    unsynced: int
    other_services: list[str]
    uses_list: bool
    has_ghosts: bool
    has_departures: bool
    is_open: bool = True

    @property
    def may_be_written(self) -> bool:
        """May anything be, be it the rows of single subscribers?"""
        return self.blocked_by(is_enforced=True) is None

    @property
    def is_enforced(self) -> bool:
        """May all that is ours here be written now?"""
        return self.blocked_by() is None

    def blocked_by(self, *, is_enforced: bool = False) -> Block | None:
        """What keeps us from writing to all that is ours here, or to the rows of one who is enforced."""
        return blocked_by(self.mode, is_frozen=self.is_frozen, is_open=self.is_open, is_enforced=is_enforced)

    def enforced_of(self, subscribers: Sequence[SubscriberIntent]) -> frozenset[int] | None:
        """Whose rows may be written now; None: everybody's, and the router's own."""
        if self.is_enforced:
            return None
        return frozenset(s.subscriber_id for s in subscribers if s.is_enforced and self.may_be_written)

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
        way = (self.mode, self.may_be_written, self.suspend_by, self.suspend_profile, self.suspend_list)
        unmanaged = (self.unmanaged, self.unmanaged_decided_at)
        return (*way, *unmanaged, *self.other_services, self.uses_list, *self.singles)

    @property
    def access(self) -> tuple[object, ...]:
        """What a connection depends on."""
        login = (self.username, bytes(self.password_sealed), self.tls, self.tls_fingerprint)
        return (self.host, self.port, *login, self.pace_per_s)


async def look(connection: Connection, router_id: int, *, now: datetime) -> RouterRow | None:
    """The router's row and what is due on it; None when it was removed."""
    async with connection.cursor(row_factory=class_row(RouterRow)) as cursor:
        await cursor.execute(sql.LOOK, (router_id,))
        row = await cursor.fetchone()
    if row is None or not row.window:
        return row
    return replace(row, is_open=is_open(row.window, row.window_zone, now))


async def may_still_write(connection: Connection, router: RouterRow, *, now: datetime) -> bool:
    """Asked before each flight of writes: has nobody stopped us, or said otherwise, since the router was looked at?"""
    parameters = {
        "router": router.router_id,
        "mode": router.mode,
        "unmanaged": router.unmanaged,
        "caps": json.dumps(router.caps),
        "decided_at": router.unmanaged_decided_at,
    }
    row = await (await connection.execute(sql.STANCE, parameters)).fetchone()
    if row is None:
        return False
    window, zone, is_frozen, is_the_same, singles = row
    return is_the_same and not is_frozen and set(singles) >= set(router.singles) and is_open(window, zone, now)


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
    return await _intent(connection, router, sql.DUE, parameters)


async def load_all(connection: Connection, router: RouterRow, *, now: datetime, wait_s: float) -> Intent:
    return await _intent(connection, router, sql.ALL, {"router": router.router_id, "now": now, "wait_s": wait_s})


async def _intent(connection: Connection, router: RouterRow, query: str, parameters: dict[str, object]) -> Intent:
    """All of it as of one moment: what commits meanwhile is in all of the answers or in none."""
    async with connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        return await _as_of_now(connection, router, query, parameters)


async def _as_of_now(connection: Connection, router: RouterRow, query: str, parameters: dict[str, object]) -> Intent:
    rows = await (await connection.execute(query, parameters)).fetchall()
    subscribers = [SubscriberIntent(*row) for row in rows]
    if router.has_departures:
        held = {row[0] for row in await (await connection.execute(sql.HELD_BACK, parameters)).fetchall()}
        subscribers = [replace(s, is_held_back=True) if s.subscriber_id in held else s for s in subscribers]
    ghosts, shared = await _unowned(connection, router, with_gone=query is sql.ALL)
    return Intent(
        router.intent,
        await _packages(connection, subscribers),
        subscribers,
        ghosts,
        await _placed(connection, router, [s.subscriber_id for s in subscribers if not s.is_synced]),
        shared,
        router.uses_list,
        await _known(connection, router, ghosts),
    )


async def _packages(connection: Connection, subscribers: Sequence[SubscriberIntent]) -> dict[int, PackageIntent]:
    ids = sorted({subscriber.package_id for subscriber in subscribers})
    if not ids:
        return {}
    found = await (await connection.execute(sql.PACKAGES, (ids,))).fetchall()
    return {row[0]: PackageIntent(*row) for row in found}


async def _unowned(
    connection: Connection, router: RouterRow, *, with_gone: bool
) -> tuple[list[Ghost], list[tuple[str, str]]]:
    """Ghosts, those whose rows are gone only where all is read, and the rows that are the router's own."""
    if not (router.has_ghosts or router.uses_list or with_gone):
        return [], []
    rows = await (await connection.execute(sql.UNOWNED, {"router": router.router_id})).fetchall()
    ghosts = [
        Ghost(menu, key, is_gone=gone, package_id=package_id, mark=mark, is_asked=is_asked)
        for menu, key, is_shared, gone, package_id, mark, is_asked in rows
        if not is_shared
    ]
    ghosts = [ghost for ghost in ghosts if with_gone or not ghost.is_gone]
    if router.has_departures:
        left = await (await connection.execute(sql.LEFT, (router.router_id,))).fetchall()
        ghosts += [Ghost(*row) for row in left]
    return ghosts, [(menu, key) for menu, key, is_shared, *_ in rows if is_shared]


async def _known(connection: Connection, router: RouterRow, ghosts: Sequence[Ghost]) -> frozenset[tuple[str, str]]:
    """Rows that are somebody's here, also of subscribers who are not due, or have left and are not made elsewhere."""
    menus = sorted({REFERRING[ghost.menu] for ghost in ghosts if ghost.menu in REFERRING and not ghost.is_gone})
    if not menus:
        return frozenset()
    rows = await (await connection.execute(sql.OWNED_IN, (router.router_id, menus))).fetchall()
    return frozenset((menu, key) for menu, key in rows)


async def _placed(
    connection: Connection, router: RouterRow, ids: Sequence[int]
) -> dict[int, frozenset[tuple[str, str]]]:
    """What these are known to have on the router; everybody asked for has an entry."""
    if not ids:
        return {}
    places: dict[int, set[tuple[str, str]]] = {i: set() for i in ids}
    for i, menu, key in await (await connection.execute(sql.PLACED_OF, (router.router_id, list(ids)))).fetchall():
        places[i].add((menu, key))
    return {i: frozenset(found) for i, found in places.items()}


async def suspended_lines(connection: Connection, router_id: int) -> list[SubscriberIntent]:
    """Who is suspended there: as much of them as says how they are cut off."""
    rows = await (await connection.execute(sql.SUSPENDED, (router_id,))).fetchall()
    return [
        SubscriberIntent(i, name, 0, 0, package, address=address, is_suspended=True, service=service, mac=mac)
        for i, name, package, address, service, mac in rows
    ]


async def decided_strays(connection: Connection, router_id: int) -> dict[tuple[str, str], str]:
    """By place, what a person decided about rows that nobody owns."""
    rows = await (await connection.execute(sql.DECIDED, (router_id,))).fetchall()
    return {(menu, key): decision for menu, key, decision in rows}


async def owned_logins(connection: Connection, router_id: int) -> set[tuple[str, str]]:
    """Logins that are somebody's here, also of those who have left and are not made elsewhere yet."""
    menus = [kind.menu for kind in LOGINS]
    parameters = {"router": router_id, "menus": menus, "secrets": SECRET.menu, "hotspot": HOTSPOT_USER.menu}
    rows = await (await connection.execute(sql.OWNED_LOGINS, parameters)).fetchall()
    return {(menu, key) for menu, key in rows}


async def places_of_others(
    connection: Connection, router_id: int, places: Collection[tuple[str, str]], ids: Collection[int]
) -> set[tuple[str, str]]:
    """Of these places, those that are known to be subscribers' who are not among `ids`."""
    columns = {"menus": [menu for menu, _ in places], "keys": [key for _, key in places]}
    parameters = {"router": router_id, "ids": list(ids), **columns}
    return set(await (await connection.execute(sql.OF_OTHERS, parameters)).fetchall())


async def standing_holds(connection: Connection, router: RouterRow) -> list[Standing]:
    """What is held on the router, or was decided on and is not over."""
    if not router.has_holds:
        return []
    rows = await (await connection.execute(STANDING, {"router": router.router_id, "kind": "steps"})).fetchall()
    return [Standing(hold_id, state, frozenset(marks), *why) for hold_id, state, marks, *why in rows]


async def fights(connection: Connection, router: RouterRow) -> list[Fight]:
    """Fields of the router that were put back lately."""
    if not router.has_fights:
        return []
    rows = await (await connection.execute(sql.FIGHTS, (router.router_id,))).fetchall()
    return [Fight(menu, key, name, tuple(repaired_at), *rest) for menu, key, name, repaired_at, *rest in rows]


async def placed_rows(connection: Connection, router_id: int) -> dict[str, int]:
    """By menu, how many rows we know to have put or seen there and still want."""
    return dict(await (await connection.execute(sql.PLACED, (router_id,))).fetchall())


async def customers_rows(connection: Connection, router_id: int) -> tuple[int, int]:
    """How many logins or lines we know on the router, of people who are here and of people who are gone.

    And how many were taken away lately without a person's word: a slip that comes row by row is one slip.
    """
    menus = [kind.menu for kind in (*LOGINS, QUEUE)]
    rows = await (await connection.execute(sql.CUSTOMERS, (router_id, menus))).fetchone()
    recent = await (await connection.execute(sql.RECENT, (router_id, menus))).fetchone()
    return (rows or (0,))[0], (recent or (0,))[0]


async def sealed_passwords(connection: Connection, subscriber_ids: Sequence[int]) -> dict[int, bytes]:
    if not subscriber_ids:
        return {}
    rows = await (await connection.execute(sql.PASSWORDS, (sorted(subscriber_ids),))).fetchall()
    return {row[0]: bytes(row[1]) for row in rows}


async def due_routers(connection: Connection, mine: Sequence[int], *, now: datetime) -> list[int]:
    """Of `mine`, the routers with something due: one query for a whole worker."""
    rows = await (await connection.execute(sql.DUE_ROUTERS, {"mine": sorted(mine), "now": now})).fetchall()
    return [row[0] for row in rows]


async def entitled_among(
    connection: Connection, router_id: int, names: Sequence[str], addresses: Sequence[str]
) -> set[str]:
    """Of these names and addresses, the usernames of this router's subscribers who are not suspended."""
    if not names and not addresses:
        return set()
    parameters = (router_id, list(names), list(addresses))
    return {row[0] for row in await (await connection.execute(sql.ENTITLED, parameters)).fetchall()}
