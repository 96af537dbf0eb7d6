"""`imsys sync` and `reconcile`: ask, then wait until it is so. (`plan` only reads: see planning.)

Where workers run, they do the work and these only watch. Where none does, the routers in scope are kept in this
process, under the same leases, for as long as the command takes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from imsys.conf.database import dsn
from imsys.conf.sql import fetch
from imsys.fleet.planning import plan, scope_of
from imsys.fleet.process import make_worker
from imsys.fleet.selectors import LEFT_OVER, live_workers
from imsys.kit.clock import SystemClock
from imsys.kit.errors import ImsysError
from imsys.network.blocks import blocked_by
from imsys.network.selectors import get_router
from imsys.network.services import ask_resync
from imsys.network.windows import is_open
from imsys.reconcile import guard
from imsys.subscribers.services import ask_sync

__all__ = ["SyncOutcome", "plan", "reconcile", "sync"]

T = TypeVar("T")
Progress = Callable[[dict[str, Any]], None]
Connection = AsyncConnection[TupleRow]

POLL_S = 0.05
BLOCKS = ("observe", "paused", "window", "frozen", "held", "fight", "down", "refused")

EXIT_SYNCED, EXIT_ERRORS, EXIT_TIMED_OUT, EXIT_BLOCKED = 0, 1, 2, 3

# Of whom nothing is known but their router and how they stand: columns of Group.
ROUTER_COLUMNS = """
r.mode, r.window, r.window_zone, exists (select 1 from network_freeze) as is_frozen, s.is_reachable,
(s.condition <> '' and s.next_attempt_at > %(asked_at)s) as is_tried
"""
SCOPE = f"""
select {ROUTER_COLUMNS}, u.is_enforced, y.sync_status,
       (y.next_attempt_at is null or y.next_attempt_at > now()) as is_waiting, y.error_code, count(*)
from subscribers_syncstate y join network_router r on r.id = y.router_id
join network_routerstate s on s.router_id = r.id
join subscribers_subscriber u on u.id = y.subscriber_id
where (%(router)s::bigint is null or r.id = %(router)s)
  and (%(names)s::text[] is null or u.username = any(%(names)s))
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""  # noqa: S608 - a constant of ours

# What subscribers who are gone from a router have left there.
GHOSTS = f"""
select {ROUTER_COLUMNS}, false, 'pending', true, case when h.is_held then '{guard.TOO_MANY}' else '' end, count(*)
from {LEFT_OVER} g
join network_router r on r.id = g.router_id join network_routerstate s on s.router_id = g.router_id,
lateral (
    select exists (
        select 1 from timeline_hold h, jsonb_array_elements(h.steps) e
        where h.router_id = g.router_id and h.kind = 'steps' and h.state in ('waiting', 'rejected')
          and e ->> 'menu' = g.menu and e ->> 'key' = g.key
    ) as is_held
) h
where %(router)s::bigint is null or r.id = %(router)s
group by 1, 2, 3, 4, 5, 6, 10
"""  # noqa: S608 - a constant of ours


@dataclass(slots=True)
class SyncOutcome:
    """What `imsys sync` found. `blocked`: by reason, how many wait for a person or for a router."""

    synced: int = 0
    pending: int = 0
    error: int = 0
    blocked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BLOCKS, 0))
    seconds: float = 0.0
    timed_out: bool = False

    @property
    def exit_code(self) -> int:
        if self.pending:
            return EXIT_TIMED_OUT
        if self.error:
            return EXIT_ERRORS
        return EXIT_BLOCKED if any(self.blocked.values()) else EXIT_SYNCED

    def as_dict(self) -> dict[str, Any]:
        counts = {"synced": self.synced, "pending": self.pending, "error": self.error}
        return {**counts, "blocked": self.blocked, "seconds": round(self.seconds, 3)}


def sync(
    usernames: list[str] | None = None,
    router: str | None = None,
    *,
    timeout_s: float = 120.0,
    on_progress: Progress | None = None,
) -> SyncOutcome:
    """Wait until nothing in scope is pending on enforced routers, ghosts included."""
    router_id = get_router(router).pk if router is not None else None
    ask_sync(usernames) if usernames is not None else ask_sync(router=router)
    asked_at = fetch("select now()")[0][0]  # later than what the request wrote: only a later attempt answers it
    parameters = {"router": router_id, "names": usernames, "asked_at": asked_at}
    up = live_workers() > 0
    router_ids = scope_of(router_id, usernames)
    return asyncio.run(_sync(parameters, router_ids, up, timeout_s, on_progress))


def reconcile(router: str | None = None, *, timeout_s: float = 300.0) -> list[dict[str, Any]]:
    """A whole resync now; a report for each router."""
    ids = scope_of(get_router(router).pk if router is not None else None, None)
    ask_resync(ids)
    asked_at = fetch("select now()")[0][0]
    return asyncio.run(_reconcile(ids, asked_at, live_workers() > 0, timeout_s))


@asynccontextmanager
async def _hands(router_ids: list[int], *, are_workers_up: bool) -> AsyncIterator[None]:
    """Keep the routers in this process while no worker is there to do it."""
    if are_workers_up or not router_ids:
        yield
        return
    stop = asyncio.Event()
    task = asyncio.create_task(make_worker(only=router_ids).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def _until(
    look: Callable[[Connection], Coroutine[Any, Any, T]], is_done: Callable[[T], bool], timeout_s: float
) -> tuple[T, bool]:
    """What `look` says once `is_done` holds, or when the time is over (False)."""
    end = time.monotonic() + timeout_s
    async with await AsyncConnection.connect(dsn(), autocommit=True) as connection:
        while True:
            found = await look(connection)
            if is_done(found):
                return found, True
            if time.monotonic() >= end:
                return found, False
            await asyncio.sleep(POLL_S)


async def _sync(
    parameters: dict[str, Any], router_ids: list[int], up: bool, timeout_s: float, on_progress: Progress | None
) -> SyncOutcome:
    started = time.monotonic()
    queries = [SCOPE] if parameters["names"] is not None else [SCOPE, GHOSTS]

    async def look(connection: Connection) -> SyncOutcome:
        outcome = SyncOutcome(seconds=time.monotonic() - started)
        for query in queries:
            for row in await (await connection.execute(query, parameters)).fetchall():
                _count(outcome, Group(*row), now=SystemClock().now())
        if on_progress is not None:
            on_progress(outcome.as_dict())
        return outcome

    async with _hands(router_ids, are_workers_up=up):
        outcome, in_time = await _until(look, lambda found: found.pending == 0, timeout_s)
    outcome.timed_out = not in_time
    return outcome


class Group(NamedTuple):
    """`number` subscribers who stand alike, or rows that are left of such."""

    mode: str
    window: str
    window_zone: str
    is_frozen: bool
    is_reachable: bool | None
    is_tried: bool | None
    is_enforced: bool
    status: str
    is_waiting: bool
    error_code: str
    number: int


def _count(outcome: SyncOutcome, group: Group, *, now: datetime) -> None:
    """Sort them into synced, pending, error or blocked."""
    if group.status == "synced":
        outcome.synced += group.number
    elif group.status == "error" and group.is_waiting and group.mode != "paused" and not group.is_tried:
        outcome.error += group.number
    elif (reason := _blocked_by(group, now)) is not None:
        outcome.blocked[reason] += group.number
    else:
        outcome.pending += group.number


def _blocked_by(group: Group, now: datetime) -> str | None:
    if group.mode == "paused":
        return "paused"
    if group.is_tried:
        return "down" if group.is_reachable is False else "refused"
    if not group.is_waiting:
        return None
    opened = is_open(group.window, group.window_zone, now)
    block = blocked_by(group.mode, is_frozen=group.is_frozen, is_open=opened, is_enforced=group.is_enforced)
    if block is not None:
        return block
    if group.error_code == "OnlyObserved":
        return "observe"
    if group.error_code == "Fight":
        return "fight"
    return "held" if group.error_code in guard.HELD else None


REPORT = """
select r.name, r.mode, s.condition, s.is_reachable, (s.condition <> '' and s.next_attempt_at > %(asked_at)s),
       s.resync_asked_at is null, u.subscribers, u.drifted, u.repaired, u.unmanaged, u.commands, u.writes, u.rows,
       extract(epoch from u.ended_at - u.started_at)::float, u.note, u.result
from network_router r join network_routerstate s on s.router_id = r.id
left join lateral (
    select * from fleet_run where router_id = r.id and kind = 'resync' order by id desc limit 1
) u on true
where r.id = any(%(ids)s) order by r.name
"""
COUNTS = ("subscribers", "drifted", "repaired", "unmanaged", "commands", "writes", "rows", "seconds")
TOLD = (*COUNTS, "note")


async def _reconcile(router_ids: list[int], asked_at: Any, up: bool, timeout_s: float) -> list[dict[str, Any]]:
    parameters = {"ids": router_ids, "asked_at": asked_at}

    async def look(connection: Connection) -> list[dict[str, Any] | None]:
        return [_report(*row) for row in await (await connection.execute(REPORT, parameters)).fetchall()]

    async with _hands(router_ids, are_workers_up=up):
        reports, in_time = await _until(look, lambda found: all(found), timeout_s)
    if not in_time:
        missing = sum(1 for report in reports if report is None)
        raise ImsysError(
            f"{missing} of {len(reports)} routers were not read within {timeout_s:g} s.",
            remedy="Give it more time with --timeout, or see imsys status for what holds them up.",
            code="TimedOut",
        )
    return [report for report in reports if report is not None]


def _report(
    name: str,
    mode: str,
    condition: str,
    is_reachable: bool | None,
    is_tried: bool | None,
    is_answered: bool,
    *told: Any,
) -> dict[str, Any] | None:
    """A router's line; None while its resync is still to come."""
    blank = {**dict.fromkeys(COUNTS, 0), "note": ""}
    if mode == "paused":
        return {"router": name, **blank, "result": "paused"}
    if is_tried:
        result = "unreachable" if is_reachable is False else "refused"
        return {"router": name, **blank, "result": result, "condition": condition}
    if not is_answered or told[-1] is None:
        return None
    return {"router": name, **dict(zip(TOLD, told[:-1], strict=True)), "result": told[-1]}
