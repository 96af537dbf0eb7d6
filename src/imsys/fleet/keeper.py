"""One router's keeper: owns its connection, sleeps until woken, runs the cycle, and works only under a valid lease.

Each turn looks at the rows anew and does one piece of work; what woke it is forgotten. Clock, chance and dial are
arguments.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg

from imsys.fleet import intake
from imsys.fleet.cycle import Cycle, Hands
from imsys.fleet.entries import Happening, RunRecord
from imsys.fleet.errors import LeaseLost
from imsys.fleet.executor import Key
from imsys.fleet.gate import Gate
from imsys.fleet.glance import facts, glance, suspects
from imsys.fleet.intake import RouterRow
from imsys.fleet.leases import Lease
from imsys.fleet.link import Link
from imsys.fleet.lookups import LookUps
from imsys.fleet.observer import ASKED_AT_MOST
from imsys.fleet.records import REFUSED_AT_WORK, Pool, Records
from imsys.fleet.timing import Timing
from imsys.fleet.whole import read_whole
from imsys.kit.clock import Clock
from imsys.kit.errors import ImsysError
from imsys.network.windows import next_change
from imsys.reconcile import guard
from imsys.reconcile.desired import desired
from imsys.reconcile.scope import scope_of
from imsys.routeros.client import Client
from imsys.routeros.dial import Dial
from imsys.routeros.endpoint import Endpoint, Limits

log = logging.getLogger(__name__)

DATABASE_AWAY_S = 0.5
IDLE_S = 3600.0
MOST_GHOST_WAIT_S = 60.0
"""What cannot be taken away yet, such as a profile that a row still names, is looked at ever less often, to this."""
SLOW_GLANCE = 20.0
"""A router that takes long to answer a glance is glanced at the less: at most this share of its time is ours."""


class Keeper:
    """Keeps one router. `dial`: how to reach it, None for TCP. `unseal` opens a password by its context."""

    def __init__(
        self,
        lease: Lease,
        *,
        pool: Pool,
        clock: Clock,
        chance: random.Random,
        timing: Timing,
        gate: Gate,
        unseal: Callable[[bytes, str], str],
        fingerprint: Callable[[str], bytes],
        dial: Callable[[Endpoint], Dial] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.lease, self.pool, self.clock, self.chance, self.timing = lease, pool, clock, chance, timing
        self.records = Records(pool, lease)
        self.gate = gate
        self.link = Link(
            lease,
            self.records,
            clock=clock,
            chance=chance,
            timing=timing,
            unseal=unseal,
            fingerprint=fingerprint,
            dial=dial,
            limits=limits or Limits(),
        )
        self._woken = asyncio.Event()
        self.is_queued = False
        self._is_finishing = False
        self._suspects: set[str] = set()
        self._alone: set[Key] = set()
        self._look_ups = LookUps()
        self._glance_at = 0.0
        self._ghosts_at = self._ghosts_wait_s = 0.0
        self._wants_resync = False
        self._was_open = False
        self._rows: int | None = None
        self._proved: tuple[object, ...] | None = None
        self._last_whole = RunRecord("resync", clock.now())

    def wake(self) -> None:
        """Something may have changed: look."""
        self._woken.set()

    def finish(self) -> None:
        """End after the turn in progress, so that a flight of writes is read back and recorded."""
        self._is_finishing = True
        self._woken.set()

    async def keep(self) -> None:
        """Run until cancelled, until the router is removed, or until the lease is lost (LeaseLost)."""
        try:
            while not self._is_finishing:
                self._woken.clear()
                wait_s = await self._turn_or_wait()
                if wait_s is None:
                    return
                await self._rest(wait_s)
        finally:
            await self._hang_up()

    async def _rest(self, wait_s: float) -> None:
        if wait_s <= 0 or self._is_finishing:
            return
        waits: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._woken.wait()),
            asyncio.create_task(self._sleep(wait_s)),
        ]
        if self.link.hands is not None:
            waits.append(asyncio.create_task(self.link.hands.observer.client.closed.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _sleep(self, wait_s: float) -> None:
        await self.clock.sleep(wait_s)

    async def _turn_or_wait(self) -> float | None:
        """Seconds until the next turn; None when there is no such router any more."""
        router: RouterRow | None = None
        try:
            router = await self._look()
            if router is None or not self._is_heavy(router):
                return await self._turn(router) if router is not None else None
            if not await self._queue():
                return 0.0
            with self.gate.inside():
                router = await self._look()  # much may have changed while it waited
                return await self._turn(router) if router is not None else None
        except LeaseLost:
            raise
        except psycopg.Error as error:
            log.warning("database away", extra={"router": self.lease.router_id, "reason": type(error).__name__})
            return DATABASE_AWAY_S
        except ImsysError as error:
            assert router is not None
            self._proved = None
            return await self.link.failed(router, error)

    async def _queue(self) -> bool:
        """Wait for a place among those that work; False when woken before."""
        self.is_queued = True
        try:
            return await self.gate.enter(unless=self._woken)
        finally:
            self.is_queued = False

    async def _look(self) -> RouterRow | None:
        self._suspects |= self._look_ups.due(self.clock.monotonic())
        async with self.pool.connection() as connection:
            return await intake.look(connection, self.lease.router_id, now=self.clock.now())

    def _is_heavy(self, router: RouterRow) -> bool:
        """Will the turn read whole tables, as far as can be seen?"""
        if self.link.hands is None or router.mode == "paused":
            return False
        now = self.clock.now()
        is_due = router.next_due_at is not None and router.next_due_at <= now
        if is_due or self._suspects:
            return len(self._suspects) + router.unsynced > ASKED_AT_MOST
        return self._wants_resync or (router.resync_due_at is not None and router.resync_due_at <= now)

    async def _turn(self, router: RouterRow) -> float:
        now = self.clock.now()
        if router.mode == "paused":
            await self._hang_up()
            return IDLE_S
        if self.link.is_stale(router):
            await self._hang_up()
        if self.link.hands is None:
            if wait_s := self.link.waits_s(router, now):
                return wait_s
            was_lost = await self.link.connect(router)
            self._proved, self._glance_at = None, 0.0
            self._wants_resync = self._wants_resync or was_lost
            return 0.0
        self.link.set_pace(router)
        wait_s = await self._work(router, self.link.hands, now)
        self.link.worked()
        return wait_s

    async def _hang_up(self) -> None:
        self._proved = None
        await self.link.hang_up()

    async def _work(self, router: RouterRow, hands: Hands, now: datetime) -> float:
        """Do the most urgent piece of work, or tell how long there is none."""
        mono = self.clock.monotonic()
        if router.window and router.is_open and not self._was_open:
            self._wants_resync = True
        self._was_open = router.is_open
        has_ghosts = router.has_ghosts and router.is_enforced and mono >= self._ghosts_at
        if self._suspects or has_ghosts or (router.next_due_at is not None and router.next_due_at <= now):
            await self._run_due(router, hands)
            return 0.0
        if self._wants_resync or (router.resync_due_at is not None and router.resync_due_at <= now):
            await self._run_resync(router, hands)
            return 0.0
        if mono >= self._glance_at:
            await self._glance(router, hands)
            return 0.0
        waits = [self._glance_at - mono]
        waits += [(at - now).total_seconds() for at in (router.next_due_at, router.resync_due_at) if at is not None]
        waits += [self._look_ups.next_at - mono] if self._look_ups.next_at is not None else []
        waits += [self._ghosts_at - mono] if router.has_ghosts and router.is_enforced else []
        flips_at = next_change(router.window, router.window_zone, now) if router.window else None
        waits += [(flips_at - now).total_seconds()] if flips_at is not None else []
        return max(min(waits), 0.001)

    # -- runs

    async def _run_due(self, router: RouterRow, hands: Hands) -> None:
        names, self._suspects = sorted(self._suspects), set()
        started = self.clock.now()
        wait_s = self.timing.old_router_s
        async with self.pool.connection() as connection:
            intent = await intake.load_due(connection, router, now=started, wait_s=wait_s, names=names)
        if not (intent.subscribers or intent.ghosts or router.has_ghosts):
            return
        before = _counts(hands.observer.client)
        wanted = desired(intent)
        scope = scope_of(intent, wanted)
        whole = not hands.settling.has_settled(scope.menus)
        tables = await hands.observer.tables(scope, whole=whole)
        if whole:
            hands.settling.saw(tables)
        cycle = Cycle(hands, router, RunRecord("due", started), intent, wanted, tables, alone=self._alone)
        await cycle.decide()
        if cycle.braking.needs_all:
            await self._run_resync(router, hands)
        else:
            await self._finish(cycle, before)

    async def _run_resync(self, router: RouterRow, hands: Hands) -> None:
        started = self.clock.now()
        before = _counts(hands.observer.client)
        is_quiet = self._proved == router.settings and not router.unsynced and not router.has_ghosts
        if is_quiet and await hands.observer.is_unchanged():
            run = RunRecord("resync", started, subscribers=self._last_whole.subscribers)
            run.unmanaged, run.note = self._last_whole.unmanaged, self._last_whole.note
            run.result = "ok" if router.is_enforced else "observed"
            _count(run, hands.observer.client, before)
            await self.records.finish(
                run,
                router_name=router.name,
                now=self.clock.now(),
                next_resync=self._next_resync(),
                asked_at=router.resync_asked_at,
            )
            self._wants_resync = False
            return
        cycle, proof = await read_whole(hands, router, started=started)
        await self._finish(cycle, before)
        self._wants_resync = cycle.is_cut_short
        if cycle.is_clean and hands.settling.has_settled(cycle.tables):
            hands.observer.proof, self._proved, self._last_whole = proof, router.settings, cycle.run

    async def _finish(self, cycle: Cycle, before: tuple[int, int, int]) -> None:
        """Run the cycle and record it whole."""
        hands, router, run = cycle.hands, cycle.router, cycle.run
        await cycle.go()
        self._alone = cycle.alone if cycle.is_cut_short else set()
        if not cycle.is_clean:
            self._forget_proof(hands)
        _count(run, hands.observer.client, before)
        is_resync = run.kind == "resync"
        if is_resync and router.condition in REFUSED_AT_WORK:
            log.info("router back", extra={"router": router.name})
            run.happenings.append(Happening("router-up"))
        await self.records.finish(
            run,
            router_name=router.name,
            now=self.clock.now(),
            outcomes=cycle.outcomes,
            forgotten=cycle.forgotten,
            marks=cycle.told_by(),
            next_resync=self._next_resync() if is_resync else None,
            asked_at=router.resync_asked_at,
            hides_passwords=cycle.hides_secrets if is_resync else None,
            condition=cycle.router_condition() if is_resync else None,
            holds=cycle.braking.holding(cycle.plan, cycle.intent, is_settled=cycle.has_settled) if is_resync else None,
            is_exchanged=is_resync and cycle.braking.is_exchanged(cycle.plan),
            sightings=cycle.sightings(),
            fought=cycle.fought,
            serial=hands.serial,
            is_worth_keeping=is_resync or run.writes > 0,
            has_departures=router.has_departures,
        )
        if is_resync or run.writes:
            took = (self.clock.now() - run.started_at).total_seconds()
            keys = {"router": router.name, "kind": run.kind, "reason": run.result, "writes": run.writes}
            log.info("run done", extra={**keys, "duration_ms": round(took * 1000)})
        mono = self.clock.monotonic()
        self._look_ups.plan(cycle.to_look_up_again(), [mono + after_s for after_s in self.timing.look_again_s])
        if cycle.braking.has_something_new(cycle.plan) and not is_resync:
            self._wants_resync = True
        if router.has_ghosts:
            is_stuck = not (cycle.has_changed_something or cycle.forgotten)
            self._ghosts_wait_s = min(self._ghosts_wait_s * 2, MOST_GHOST_WAIT_S) if is_stuck else 0.0
            self._ghosts_wait_s = max(self._ghosts_wait_s, self.timing.settle_gap_s)
            self._ghosts_at = self.clock.monotonic() + self._ghosts_wait_s
        if run.writes:
            self._rows = None  # ours to begin with, so no sign of anybody else
            if cycle.has_changed_something:
                self._glance_at = 0.0

    def _forget_proof(self, hands: Hands) -> None:
        hands.observer.proof, self._proved = {}, None

    def _next_resync(self) -> datetime:
        spread = self.chance.uniform(1 - self.timing.resync_spread, 1)
        return self.clock.now() + timedelta(seconds=self.timing.resync_s * spread)

    async def _glance(self, router: RouterRow, hands: Hands) -> None:
        began = self.clock.monotonic()
        seen = await glance(hands.observer, router)
        took_s = self.clock.monotonic() - began
        async with self.pool.connection() as connection:
            suspended = await intake.suspended_lines(connection, router.router_id)
            cut = (seen.cut_names, seen.cut_addresses)
            entitled = await intake.entitled_among(connection, router.router_id, *cut)
        found = facts(seen, suspended=suspended, entitled=entitled, by=router.intent)
        await self.records.facts(found, now=self.clock.now())
        self._glance_at = self.clock.monotonic() + max(self.timing.glance_s, took_s * SLOW_GLANCE)
        are_others = self._rows not in (None, seen.rows)
        self._rows = seen.rows
        is_believed = router.is_enforced and router.condition not in guard.DOUBTS
        is_let_in = is_believed and not seen.shut >= set(router.quarantined)
        if are_others or is_let_in:  # a whole read, which also tells whether to believe it
            self._wants_resync = True
            return
        at_large = suspects(seen, suspended=suspended, entitled=entitled, by=router.intent)
        if router.may_be_written:
            self._suspects |= at_large if router.mode == "enforce" else at_large.intersection(router.singles)


def _counts(client: Client) -> tuple[int, int, int]:
    return client.stats.commands, client.stats.writes, client.stats.rows


def _count(run: RunRecord, client: Client, before: tuple[int, int, int]) -> None:
    after = _counts(client)
    run.commands, run.writes, run.rows = (now - then for now, then in zip(after, before, strict=True))
