"""Writes down what a keeper did and saw. Every record carries the lease's epoch; a late one changes nothing.

Nothing here is intent: sync states, placements, runs, router states and facts only.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from imsys.fleet.errors import LeaseLost
from imsys.fleet.leases import Lease
from imsys.kit.errors import ImsysError
from imsys.reconcile.intent import Ghost

Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found of one subscriber, for the generation that it looked at.

    retry_at: when to look again; None: not until intent changes or a resync.
    is_applied: the router said yes to a write in this run.
    """

    subscriber_id: int
    generation: int
    status: str
    code: str = ""
    text: str = ""
    retry_at: datetime | None = None
    is_applied: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """One line for the timeline, of something that a router did or that we did to it."""

    what: str
    username: str = ""
    subscriber_id: int | None = None
    actor: str = "system"
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    cause: str = ""
    note: str = ""


@dataclass(slots=True)
class RunRecord:
    """Counts of one run. `result`: ok, observed, held, unreachable, refused or failed."""

    kind: str
    started_at: datetime
    result: str = "ok"
    note: str = ""
    subscribers: int = 0
    drifted: int = 0
    repaired: int = 0
    unmanaged: int = 0
    commands: int = 0
    writes: int = 0
    rows: int = 0
    happenings: list[Happening] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Facts:
    online: int
    suspended_online: int
    entitled_cut: int


FENCE = """
select 1 from fleet_lease where router_id = %s and owner = %s and epoch = %s and until > now() for share
"""

PLACE = """
insert into fleet_placement (router_id, menu, key, subscriber_id, package_id)
select %(router)s, v.menu, v.key, v.subscriber_id, v.package_id
from unnest(%(menus)s::text[], %(keys)s::text[], %(subscribers)s::bigint[], %(packages)s::bigint[])
     as v(menu, key, subscriber_id, package_id)
where (v.subscriber_id is null or exists (select 1 from subscribers_subscriber s where s.id = v.subscriber_id))
  and (v.package_id is null or exists (select 1 from subscribers_package p where p.id = v.package_id))
order by v.subscriber_id, v.package_id
on conflict (router_id, menu, key) do update
set subscriber_id = excluded.subscriber_id, package_id = excluded.package_id
where (fleet_placement.subscriber_id, fleet_placement.package_id)
      is distinct from (excluded.subscriber_id, excluded.package_id)
"""

PLACED_KEYS = """
select menu, key from fleet_placement
where router_id = %s and (subscriber_id = any(%s) or package_id = any(%s))
"""

OWE_KICK = """
update subscribers_syncstate y set kick_owed = true from unnest(%s::bigint[]) as v(id)
where y.subscriber_id = v.id and not y.kick_owed
"""

OUTCOMES = """
with v as (
    select * from unnest(%(ids)s::bigint[], %(generations)s::int[], %(statuses)s::text[], %(codes)s::text[],
                         %(texts)s::text[], %(retries)s::timestamptz[], %(applied)s::bool[])
             as v(id, generation, status, code, text, retry_at, is_applied)
), locked as (
    select y.subscriber_id from subscribers_syncstate y join v on v.id = y.subscriber_id
    order by y.subscriber_id for update of y
)
update subscribers_syncstate y set
    sync_status = v.status, error_code = v.code, sync_error = v.text, next_attempt_at = v.retry_at,
    applied_at = case when v.is_applied then %(now)s else y.applied_at end,
    attempts = case when v.status = 'synced' then 0 else y.attempts + 1 end,
    applied_generation = case when v.status = 'synced' then v.generation else y.applied_generation end,
    last_synced_at = case when v.status = 'synced' then %(now)s else y.last_synced_at end,
    kick_owed = case when v.status = 'synced' then false else y.kick_owed end
from v join locked on locked.subscriber_id = v.id
where y.subscriber_id = v.id and y.generation = v.generation
"""

FORGET = """
delete from fleet_placement p using unnest(%s::text[], %s::text[]) as v(menu, key)
where p.router_id = %s and p.menu = v.menu and p.key = v.key and p.subscriber_id is null and p.package_id is null
"""

EVENTS = """
insert into timeline_event (at, actor, what, subscriber_id, username, router_id, router, before, after, cause, note)
select %(now)s, v.actor, v.what, v.subscriber_id, v.username, %(router)s, %(router_name)s, v.before, v.after, v.cause,
       v.note
from unnest(%(actors)s::text[], %(whats)s::text[], %(subscribers)s::bigint[], %(usernames)s::text[],
            %(befores)s::jsonb[], %(afters)s::jsonb[], %(causes)s::text[], %(notes)s::text[])
     as v(actor, what, subscriber_id, username, before, after, cause, note)
"""

RUN = """
insert into fleet_run (router_id, kind, worker, started_at, ended_at, result, note, subscribers, drifted, repaired,
                       unmanaged, commands, writes, rows)
values (%(router)s, %(kind)s, %(owner)s, %(started_at)s, %(now)s, %(result)s, %(note)s, %(subscribers)s, %(drifted)s,
        %(repaired)s, %(unmanaged)s, %(commands)s, %(writes)s, %(rows)s)
"""

RESYNCED = """
update network_routerstate set last_resync_at = %(now)s, last_seen_at = %(now)s,
       is_reachable = true, failures = 0, next_attempt_at = null,
       hides_passwords = coalesce(%(hides)s, hides_passwords),
       resync_due_at = case when resync_asked_at is not distinct from %(asked_at)s then %(next)s else %(now)s end,
       resync_asked_at = case when resync_asked_at is not distinct from %(asked_at)s then null else resync_asked_at end
where router_id = %(router)s
"""

CONDITION = """
update network_routerstate set condition = %(code)s, condition_text = %(text)s, remedy = %(remedy)s,
       condition_since = case when condition = %(code)s then condition_since
                              when %(code)s = '' then null else %(now)s end
where router_id = %(router)s
"""

REACHED = """
update network_routerstate set is_reachable = true, failures = 0, next_attempt_at = null, last_seen_at = %(now)s,
       condition = %(code)s, condition_text = %(text)s, remedy = %(remedy)s,
       condition_since = case when condition = %(code)s then condition_since
                              when %(code)s = '' then null else %(now)s end,
       identity = %(identity)s, version = %(version)s, board = %(board)s, booted_at = %(booted_at)s,
       serial = case when serial = '' or %(accepts)s then %(serial)s else serial end
where router_id = %(router)s
"""

FAILED = """
update network_routerstate set is_reachable = %(is_reachable)s, failures = %(failures)s, next_attempt_at = %(retry_at)s,
       condition = %(code)s, condition_text = %(text)s, remedy = %(remedy)s,
       condition_since = case when condition = %(code)s then condition_since else %(now)s end
where router_id = %(router)s
"""

FACTS = """
insert into facts_routerfacts (router_id, read_at, online, suspended_online, entitled_cut, unmanaged)
values (%(router)s, %(now)s, %(online)s, %(suspended_online)s, %(entitled_cut)s, %(unmanaged)s)
on conflict (router_id) do update set read_at = excluded.read_at, online = excluded.online,
    suspended_online = excluded.suspended_online, entitled_cut = excluded.entitled_cut,
    unmanaged = coalesce(excluded.unmanaged, facts_routerfacts.unmanaged)
"""


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
            if await (await connection.execute(FENCE, parameters)).fetchone() is None:
                raise LeaseLost(f"The lease on router {self.router_id} went to another worker.")
            yield connection

    async def place(
        self, rows: Sequence[tuple[str, str, int | None, int | None]], *, kicks: Sequence[int] = ()
    ) -> set[tuple[str, str]]:
        """Record rows (menu, key, subscriber, package) before they are written, and kicks owed for them.

        Returns the keys that are placed: a subscriber removed in the meantime is not.
        """
        if not rows and not kicks:
            return set()
        menus, keys, subscribers, packages = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
        async with self._transaction() as connection:
            parameters = {"router": self.router_id, "menus": menus, "keys": keys}
            await connection.execute(PLACE, {**parameters, "subscribers": subscribers, "packages": packages})
            if kicks:
                await connection.execute(OWE_KICK, (sorted(kicks),))
            ids = [[i for i in column if i is not None] for column in (subscribers, packages)]
            placed = await (await connection.execute(PLACED_KEYS, (self.router_id, *ids))).fetchall()
        return {(menu, key) for menu, key in placed}

    async def finish(
        self,
        run: RunRecord,
        *,
        router_name: str,
        now: datetime,
        outcomes: Sequence[Outcome] = (),
        forgotten: Sequence[Ghost] = (),
        next_resync: datetime | None = None,
        asked_at: datetime | None = None,
        hides_passwords: bool | None = None,
        condition: tuple[str, str, str] | None = None,
        accepted: bool = False,
        is_worth_keeping: bool = True,
    ) -> None:
        """Record a run, whole or not at all.

        `next_resync` is given by a run that read everything; `asked_at` is the request that it answers: one made
        meanwhile stays due.
        """
        async with self._transaction() as connection:
            if outcomes:
                await connection.execute(OUTCOMES, _columns(outcomes, now))
            if forgotten:
                menus, keys = [g.menu for g in forgotten], [g.key for g in forgotten]
                await connection.execute(FORGET, (menus, keys, self.router_id))
            if run.happenings:
                await self._tell(connection, run.happenings, router_name, now)
            if is_worth_keeping:
                await connection.execute(RUN, self._run_parameters(run, now))
            if next_resync is not None:
                asked = {"asked_at": asked_at, "next": next_resync, "hides": hides_passwords}
                await connection.execute(RESYNCED, {"router": self.router_id, "now": now, **asked})
            if condition is not None:
                code, text, remedy = condition
                parameters = {"router": self.router_id, "now": now, "code": code, "text": text, "remedy": remedy}
                await connection.execute(CONDITION, parameters)
            if accepted:
                await connection.execute("delete from fleet_acceptance where router_id = %s", (self.router_id,))

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
            "actors": [h.actor for h in happenings],
            "whats": [h.what for h in happenings],
            "subscribers": [h.subscriber_id for h in happenings],
            "usernames": [h.username for h in happenings],
            "befores": [Jsonb(dict(h.before)) if h.before is not None else None for h in happenings],
            "afters": [Jsonb(dict(h.after)) if h.after is not None else None for h in happenings],
            "causes": [h.cause for h in happenings],
            "notes": [h.note for h in happenings],
        }
        await connection.execute(EVENTS, parameters)

    async def reached(
        self,
        *,
        now: datetime,
        identity: str,
        version: str,
        board: str,
        serial: str,
        uptime_s: float,
        accepts: bool,
        condition: tuple[str, str, str] = ("", "", ""),
    ) -> None:
        """The router answered a login. Its serial is kept from the first time on, until a person accepts another."""
        code, text, remedy = condition
        async with self._transaction() as connection:
            await connection.execute(
                REACHED,
                {
                    "router": self.router_id,
                    "now": now,
                    "code": code,
                    "text": text,
                    "remedy": remedy,
                    "identity": identity,
                    "version": version,
                    "board": board,
                    "serial": serial,
                    "accepts": accepts,
                    "booted_at": now - timedelta(seconds=uptime_s),
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
            await connection.execute(FAILED, parameters)
            if happening is not None:
                await self._tell(connection, [happening], router_name, now)

    async def facts(self, facts: Facts, *, now: datetime, unmanaged: int | None = None) -> None:
        async with self._transaction() as connection:
            parameters = {"router": self.router_id, "now": now, "unmanaged": unmanaged, "online": facts.online}
            gap = {"suspended_online": facts.suspended_online, "entitled_cut": facts.entitled_cut}
            await connection.execute(FACTS, {**parameters, **gap})


def _columns(outcomes: Sequence[Outcome], now: datetime) -> dict[str, object]:
    return {
        "ids": [o.subscriber_id for o in outcomes],
        "generations": [o.generation for o in outcomes],
        "statuses": [o.status for o in outcomes],
        "codes": [o.code for o in outcomes],
        "texts": [o.text for o in outcomes],
        "retries": [o.retry_at for o in outcomes],
        "applied": [o.is_applied for o in outcomes],
        "now": now,
    }
