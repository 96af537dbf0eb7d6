"""Writes down what a keeper did and saw. Every record carries the lease's epoch; a late one changes nothing.

Nothing here is intent: sync states, placements, runs, router states and facts only.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import MappingProxyType

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from imsys.fleet import statements as sql
from imsys.fleet.entries import Facts, Fought, Happening, Holding, Outcome, Placed, PlacedRow, RunRecord
from imsys.fleet.errors import LeaseLost, SameRouter
from imsys.fleet.greeting import Greeting
from imsys.fleet.leases import Lease
from imsys.kit.errors import ImsysError
from imsys.kit.text import storable
from imsys.network.wake import CHANNEL
from imsys.reconcile import guard
from imsys.reconcile.intent import Ghost
from imsys.reconcile.sessions import SESSION_KINDS
from imsys.reconcile.strays import Sighting
from imsys.routeros.errors import NotPermitted, ReplyTooLarge
from imsys.timeline.holding import endings, opening

Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]

PASSWORDS_HIDDEN = "PasswordsHidden"
NO_MARKS: Mapping[tuple[str, str], str] = MappingProxyType({})
GONE_FOR = timedelta(minutes=45)
"""So long a row that was removed may come back by an admin's safe mode: rather longer than two resyncs."""
REFUSED_AT_WORK = (NotPermitted.default_code, ReplyTooLarge.default_code)
"""Refusals that may come after a good login, which therefore proves nothing against them."""
LASTING = (*guard.HELD, PASSWORDS_HIDDEN, *REFUSED_AT_WORK)
"""Conditions that only a whole resync ends."""


class Records:
    """All that one keeper may write to the database, under its lease."""

    def __init__(self, pool: Pool, lease: Lease) -> None:
        self.pool, self.lease = pool, lease

    @property
    def router_id(self) -> int:
        return self.lease.router_id

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """A transaction in which the lease is ours, or LeaseLost."""
        async with self.pool.connection() as connection, connection.transaction():
            parameters = (self.router_id, self.lease.owner, self.lease.epoch)
            if await (await connection.execute(sql.FENCE, parameters)).fetchone() is None:
                raise LeaseLost(f"The lease on router {self.router_id} went to another worker.")
            yield connection

    async def place(
        self,
        rows: Sequence[PlacedRow],
        *,
        kicks: Sequence[int] = (),
        locks: Sequence[int] = (),
        logins: Sequence[PlacedRow] = (),
        heirs: Collection[int] = (),
        claims: Sequence[PlacedRow] = (),
    ) -> Placed:
        """Record rows before they are written, and what else must not be forgotten when the run ends early.

        kicks: whose session must end for it. locks: whose row gets a lock. logins: of the rows, those by whose right
        sessions live. claims: sessions whose name is theirs now; one that was known as somebody else's is to be ended.
        heirs: whose row stands there already, so that a lock on it counts as ours if the row was somebody else's.
        """
        if not (rows or kicks or locks or claims):
            return Placed()
        menus, keys, subscribers, packages = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
        async with self._transaction() as connection:  # placements before sync states, as removing a subscriber does
            taken_over = await self._of_others(connection, sql.TAKEN_OVER, logins)
            taken_over |= await self._of_others(connection, sql.CLAIM, claims)
            parameters = {"router": self.router_id, "menus": menus, "keys": keys}
            await connection.execute(sql.PLACE, {**parameters, "subscribers": subscribers, "packages": packages})
            inherited = taken_over.intersection(heirs)
            owed = {"kicks": sorted({*taken_over, *kicks}), "locks": sorted({*locks, *inherited})}
            if any(owed.values()):
                await connection.execute(sql.OWE, owed)
            ids = [[i for i in column if i is not None] for column in (subscribers, packages)]
            placed = await (await connection.execute(sql.PLACED_KEYS, (self.router_id, *ids))).fetchall()
        return Placed({(menu, key) for menu, key in placed}, taken_over, inherited)

    async def adopt(self, rows: Sequence[PlacedRow]) -> None:
        """Rows of subscribers who are only observed: theirs, so that a rename or a move does not lose them."""
        if rows:
            parameters = {
                "router": self.router_id,
                "menus": [row.menu for row in rows],
                "keys": [row.key for row in rows],
                "subscribers": [row.subscriber_id for row in rows],
            }
            async with self._transaction() as connection:
                await connection.execute(sql.ADOPT, parameters)

    async def _of_others(
        self, connection: AsyncConnection[TupleRow], statement: str, rows: Sequence[PlacedRow]
    ) -> set[int]:
        """Of those who are to have these rows, to whom one comes that was somebody else's."""
        if not rows:
            return set()
        columns = ([row.menu for row in rows], [row.key for row in rows], [row.subscriber_id for row in rows])
        found = await (await connection.execute(statement, (*columns, self.router_id))).fetchall()
        return {row[0] for row in found}

    async def finish(
        self,
        run: RunRecord,
        *,
        router_name: str,
        now: datetime,
        outcomes: Sequence[Outcome] = (),
        forgotten: Sequence[Ghost] = (),
        marks: Mapping[tuple[str, str], str] = NO_MARKS,
        next_resync: datetime | None = None,
        asked_at: datetime | None = None,
        hides_passwords: bool | None = None,
        condition: tuple[str, str, str] | None = None,
        holds: Holding | None = None,
        sightings: Sequence[Sighting] | None = None,
        fought: Fought | None = None,
        serial: str = "",
        is_exchanged: bool = False,
        is_worth_keeping: bool = True,
        has_departures: bool = False,
    ) -> None:
        """Record a run, whole or not at all.

        marks: of rows that this run removed, what they said; see `reconcile.observed.mark`.
        sightings: rows that nobody owns, all of them; None: they were not looked for.
        is_exchanged: `serial` is another than was known, and it is the one that is kept from now on.
        `next_resync` is given by a run that read everything; `asked_at` is the request that it answers: one made
        meanwhile stays due.
        """
        async with self._transaction() as connection:
            # what people decide on comes first, as where they decide: the router's state after it
            if sightings is not None:
                await self._see(connection, sightings, now)
            if holds is not None:
                await self._hold(connection, holds, router_name, now)
            if fought is not None:
                await self._fight(connection, fought)
            if forgotten or next_resync is not None:
                await self._forget(connection, forgotten, marks, now)
            if has_departures:
                ids = [o.subscriber_id for o in outcomes]
                await connection.execute(sql.LOCK_STATES, (ids, self.router_id))
            if outcomes:
                await connection.execute(sql.OUTCOMES, _columns(outcomes, now))
            if has_departures:
                await self._see_off(connection, [o.subscriber_id for o in outcomes])
            if run.happenings:
                await self._tell(connection, run.happenings, router_name, now)
            if is_worth_keeping:
                await connection.execute(sql.RUN, self._run_parameters(run, now))
            if next_resync is not None:
                asked = {"asked_at": asked_at, "next": next_resync, "hides": hides_passwords}
                known = {"serial": serial, "accepts": is_exchanged}
                await connection.execute(sql.RESYNCED, {"router": self.router_id, "now": now, **asked, **known})
            if condition is not None:
                code, text, remedy = condition
                parameters = {"router": self.router_id, "now": now, "code": code, "text": text, "remedy": remedy}
                await connection.execute(sql.CONDITION, parameters)

    async def _forget(
        self,
        connection: AsyncConnection[TupleRow],
        ghosts: Sequence[Ghost],
        marks: Mapping[tuple[str, str], str],
        now: datetime,
    ) -> None:
        """What was seen gone counts no more, and is remembered for a while all the same."""
        parameters = {
            "router": self.router_id,
            "now": now,
            "menus": [ghost.menu for ghost in ghosts],
            "keys": [ghost.key for ghost in ghosts],
            "subscribers": [ghost.subscriber_id for ghost in ghosts],
            "packages": [ghost.package_id for ghost in ghosts],
            "marks": [marks.get(ghost.place, "") for ghost in ghosts],
            "sessions": list(SESSION_KINDS),
            "keep_s": GONE_FOR.total_seconds(),
        }
        if ghosts:
            await connection.execute(sql.FORGET, parameters)
        await connection.execute(sql.FORGET_GONE, parameters)

    async def _see(self, connection: AsyncConnection[TupleRow], sightings: Sequence[Sighting], now: datetime) -> None:
        sightings = list({(seen.menu, storable(seen.key)): seen for seen in sightings}.values())
        parameters = {
            "router": self.router_id,
            "now": now,
            "menus": [seen.menu for seen in sightings],
            "keys": [storable(seen.key) for seen in sightings],
            "disabled": [seen.is_disabled for seen in sightings],
            "live": [seen.is_live for seen in sightings],
            "shown": [Jsonb(dict(seen.shown)) for seen in sightings],
            "keep_s": GONE_FOR.total_seconds(),
        }
        if sightings:
            await connection.execute(sql.SIGHTINGS, parameters)
        await connection.execute(sql.OUT_OF_SIGHT, parameters)
        await connection.execute(sql.FORGET_STRAYS, parameters)

    async def _fight(self, connection: AsyncConnection[TupleRow], fought: Fought) -> None:
        if fought.ended:
            columns = (list(column) for column in zip(*fought.ended, strict=True))
            await connection.execute(sql.END_FIGHTS, (*columns, self.router_id))
        if fought.fights:
            names = ("menu", "key", "field", "pauses", "paused_until", "begun_at", "who", "found", "wanted")
            values: dict[str, object] = {name: [getattr(fight, name) for fight in fought.fights] for name in names}
            values |= {
                name: [storable(getattr(fight, name)) for fight in fought.fights]
                for name in ("key", "who", "found", "wanted")
            }
            values["repaired_at"] = [_array(fight.repaired_at) for fight in fought.fights]
            values["over_at"] = [fight.over_at(fought.rules) for fight in fought.fights]
            await connection.execute(sql.FIGHTS, {**values, "router": self.router_id})

    async def _hold(
        self, connection: AsyncConnection[TupleRow], holds: Holding, router_name: str, now: datetime
    ) -> None:
        why = holds.why
        why_held = why or guard.Suspicion("", "", "")
        words = {"code": why_held.code, "text": why_held.text, "serial": why_held.serial}
        for statement, parameters in endings(holds.settled):
            await connection.execute(statement, parameters)
        opened = opening(holds.settled, kind="steps", router_id=self.router_id, router=router_name, **words)
        is_new = opened is not None and (await connection.execute(*opened)).rowcount > 0
        if is_new and why is not None and not holds.settled.is_growth:
            told = Happening("held", cause=why.code, note=f"{len(holds.settled.opened)} steps: {why.text}")
            await self._tell(connection, [told], router_name, now)

    async def kicked(self, subscriber_ids: Sequence[int]) -> None:
        """Their sessions were ended and seen gone: written down at once, so that no lost record ends them twice."""
        async with self._transaction() as connection:
            await connection.execute(sql.KICKED, (sorted(subscriber_ids),))

    async def let_go(self, ghosts: Sequence[Ghost]) -> None:
        """Rows that somebody else made again where ours were: theirs, from now on."""
        if ghosts:
            async with self._transaction() as connection:
                columns = ([ghost.menu for ghost in ghosts], [ghost.key for ghost in ghosts])
                await connection.execute(sql.FORGET_AT_ONCE, (*columns, self.router_id))

    async def _see_off(self, connection: AsyncConnection[TupleRow], subscriber_ids: Sequence[int]) -> None:
        """Who has nothing left here has left for good; and the routers that these have left may let them go by now."""
        cleared = await (await connection.execute(sql.CLEARED, {"router": self.router_id})).fetchall()
        left = await (await connection.execute(sql.LEFT_BY, (list(subscriber_ids),))).fetchall()
        routers = {row[0] for row in (*cleared, *left)} - {self.router_id}
        if routers:
            await connection.execute("select pg_notify(%s, %s)", (CHANNEL, ",".join(map(str, sorted(routers)))))

    def _run_parameters(self, run: RunRecord, now: datetime) -> dict[str, object]:
        names = ("kind", "started_at", "result", "note", "subscribers", "drifted", "repaired", "unmanaged", "commands")
        values = {name: getattr(run, name) for name in (*names, "writes", "rows")}
        return {**values, "router": self.router_id, "owner": self.lease.owner, "now": now}

    async def tell(self, happenings: Sequence[Happening], *, router_name: str, now: datetime) -> None:
        async with self._transaction() as connection:
            await self._tell(connection, happenings, router_name, now)

    async def _tell(
        self, connection: AsyncConnection[TupleRow], happenings: Sequence[Happening], router_name: str, now: datetime
    ) -> None:
        parameters = {
            "now": now,
            "router": self.router_id,
            "router_name": router_name,
            "actors": [storable(h.actor) for h in happenings],
            "whats": [h.what for h in happenings],
            "subscribers": [h.subscriber_id for h in happenings],
            "usernames": [storable(h.username) for h in happenings],
            "befores": [Jsonb(dict(h.before)) if h.before is not None else None for h in happenings],
            "afters": [Jsonb(dict(h.after)) if h.after is not None else None for h in happenings],
            "causes": [h.cause for h in happenings],
            "notes": [storable(h.note) for h in happenings],
        }
        await connection.execute(sql.EVENTS, parameters)

    async def reached(self, greeting: Greeting, *, now: datetime) -> None:
        """The router answered a login. Its serial is kept from the first time on, until a person takes another."""
        async with self._transaction() as connection:
            same = {"router": self.router_id, "serial": greeting.serial}
            other = await (await connection.execute(sql.SAME_SERIAL, same)).fetchone()
            if other is not None:
                raise SameRouter(
                    f"The router that answers is {other[0]}: its serial is {greeting.serial}.",
                    remedy=f"Remove the one of the two, or correct its address; pause {other[0]} to let it go.",
                )
            await connection.execute(
                sql.REACHED,
                {
                    "router": self.router_id,
                    "now": now,
                    "lasting": list(LASTING),
                    "identity": greeting.identity,
                    "version": greeting.version,
                    "board": greeting.board,
                    "serial": greeting.serial,
                    "booted_at": now - timedelta(seconds=greeting.uptime_s),
                },
            )

    async def failed(
        self,
        error: ImsysError,
        *,
        now: datetime,
        failures: int,
        retry_at: datetime,
        is_reachable: bool | None,
        happening: Happening | None,
        router_name: str,
    ) -> None:
        """The router could not be worked on; its subscribers stay as they are."""
        parameters = {
            "router": self.router_id,
            "now": now,
            "failures": failures,
            "retry_at": retry_at,
            "is_reachable": is_reachable,
            "code": error.code,
            "text": error.message,
            "remedy": error.remedy,
        }
        async with self._transaction() as connection:
            await connection.execute(sql.FAILED, parameters)
            if happening is not None:
                await self._tell(connection, [happening], router_name, now)

    async def facts(self, facts: Facts, *, now: datetime, unmanaged: int | None = None) -> None:
        async with self._transaction() as connection:
            parameters = {"router": self.router_id, "now": now, "unmanaged": unmanaged, "online": facts.online}
            gap = {"suspended_online": facts.suspended_online, "entitled_cut": facts.entitled_cut}
            await connection.execute(sql.FACTS, {**parameters, **gap})


def _array(instants: Sequence[datetime]) -> str:
    return "{" + ",".join(instant.isoformat() for instant in instants) + "}"


def _columns(outcomes: Sequence[Outcome], now: datetime) -> dict[str, object]:
    return {
        "ids": [o.subscriber_id for o in outcomes],
        "generations": [o.generation for o in outcomes],
        "statuses": [o.status for o in outcomes],
        "codes": [o.code for o in outcomes],
        "texts": [o.text for o in outcomes],
        "retries": [o.retry_at for o in outcomes],
        "applied": [o.is_applied for o in outcomes],
        "failed": [o.is_failure for o in outcomes],
        "made": [o.is_made for o in outcomes],
        "kicked": [o.is_kicked for o in outcomes],
        "locks": [o.has_lock for o in outcomes],
        "passwords": [o.password_mac for o in outcomes],
        "now": now,
    }
