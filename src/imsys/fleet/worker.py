"""One worker process: holds its share of the routers and a keeper for each, and passes wake-ups on to them.

Once a second it renews its leases, counts the live workers, and takes or gives up routers until it holds its share.
A notification wakes keepers at once; the sweep finds what a lost one would have told.
"""

import asyncio
import contextlib
import logging
import random
import socket
import uuid
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from imsys.fleet import intake
from imsys.fleet.clock import DatabaseClock
from imsys.fleet.errors import LeaseLost
from imsys.fleet.gate import Gate
from imsys.fleet.keeper import Keeper
from imsys.fleet.leases import Lease, Leases, Renewal
from imsys.fleet.records import Pool
from imsys.fleet.timing import Timing
from imsys.routeros.dial import Dial
from imsys.routeros.endpoint import Endpoint, Limits

log = logging.getLogger(__name__)

CHANNEL = "imsys_wake"
AGAIN_S = 0.5
FINISH_S = 3.0
CANCEL_AGAIN_S = 0.2


def _pool(dsn: str, *, max_size: int) -> Pool:
    return AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=max_size,
        open=False,
        kwargs={"autocommit": True},
        configure=_look_up_by_index,
        reconnect_timeout=5,
    )


async def _look_up_by_index(connection: AsyncConnection[TupleRow]) -> None:
    """All that a keeper asks is about one router, or about rows by their ids.

    A plan that was made while a table was small reads it whole ever after, until the server has analysed it.
    """
    await connection.execute("set enable_seqscan = off")


@dataclass(slots=True)
class Kept:
    keeper: Keeper
    task: asyncio.Task[None]


class Worker:
    """`only`: keep just these routers, as the commands do when no worker runs. `dial` and `seed` are for tests."""

    def __init__(
        self,
        dsn: str,
        *,
        unseal: Callable[[bytes, str], str],
        fingerprint: Callable[[str], bytes],
        timing: Timing | None = None,
        only: list[int] | None = None,
        dial: Callable[[Endpoint], Dial] | None = None,
        limits: Limits | None = None,
        seed: int | None = None,
    ) -> None:
        self.dsn, self.timing, self.only = dsn, timing or Timing(), only
        self.clock = DatabaseClock()
        self.chance = random.Random(seed)  # noqa: S311 (jitter)
        self.id = uuid.uuid4()
        self.pool = _pool(dsn, max_size=6)
        self._lease_pool = _pool(dsn, max_size=1)  # of its own, so that renewals never queue behind the keepers
        self.gate = Gate(self.timing.heavy_at_once, self.timing.heavy_holds_s)
        self.leases = Leases(owner=self.id, name=socket.gethostname(), clock=self.clock, timing=self.timing)
        self.kept: dict[int, Kept] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unseal, self._fingerprint, self._dial, self._limits = unseal, fingerprint, dial, limits

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish the turns in progress and give up the leases."""
        await self.pool.open()
        await self._lease_pool.open()
        loops = [asyncio.create_task(loop()) for loop in (self._tick_loop, self._listen_loop, self._sweep_loop)]
        ended = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*loops, ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            results = await end([*loops, ended])
            await self._leave()
            await self._lease_pool.close()
            await self.pool.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    # -- leases

    async def _tick_loop(self) -> None:
        while True:
            try:
                await self.tick()
            except (psycopg.Error, TimeoutError) as error:  # PoolTimeout is an OperationalError
                log.warning("leases not renewed", extra={"reason": type(error).__name__})
                with contextlib.suppress(psycopg.Error):
                    await self._lease_pool.check()
                    await self.pool.check()
            await asyncio.sleep(self.timing.tick_s)

    async def tick(self) -> None:
        """Renew, then take or give up routers until this worker holds its share."""
        async with self._lease_pool.connection(timeout=2) as connection:
            asked_at = self.clock.monotonic()
            renewal = await self.leases.renew(connection)
            self.clock.adjust(renewal.database_now, asked_at=asked_at)
            self._beside(self._stop([router_id for router_id in self.kept if router_id not in self.leases.held]))
            unkept = [router_id for router_id in renewal.held if router_id not in self.leases.held]
            await self.leases.release(connection, unkept)  # whose keepers ended: anyone may start anew
            share = self._share(renewal)
            if len(self.kept) < share:
                for lease in await self.leases.claim(connection, share - len(self.kept), only=self.only):
                    self._start(lease)
            elif len(self.kept) > share and self.only is None:
                self._beside(self._retire(sorted(self.kept)[share:]))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it without holding up the renewals."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _retire(self, router_ids: list[int]) -> None:
        """Stop first, free the leases after."""
        await self._stop(router_ids)
        with contextlib.suppress(psycopg.Error, TimeoutError):  # else they run out by themselves
            async with self.pool.connection(timeout=2) as connection:
                await self.leases.release(connection, router_ids)

    def _share(self, renewal: Renewal) -> int:
        if self.only is not None:
            return len(self.only)
        return -(-renewal.routers // renewal.workers)

    def _start(self, lease: Lease) -> None:
        keeper = Keeper(
            lease,
            pool=self.pool,
            clock=self.clock,
            chance=random.Random(self.chance.random()),  # noqa: S311 (jitter)
            timing=self.timing,
            gate=self.gate,
            unseal=self._unseal,
            fingerprint=self._fingerprint,
            dial=self._dial,
            limits=self._limits,
        )
        task = asyncio.create_task(self._keep(keeper), name=f"keeper {lease.router_id}")
        self.kept[lease.router_id] = Kept(keeper, task)

    async def _keep(self, keeper: Keeper) -> None:
        router_id = keeper.lease.router_id
        try:
            await keeper.keep()
        except LeaseLost:
            log.warning("lease lost", extra={"router": router_id})
        except Exception:  # a defect on one router must not stop the others; the lease is given up and it starts anew
            log.exception("keeper failed", extra={"router": router_id})
            await asyncio.sleep(AGAIN_S)
        finally:
            keeper.lease.valid_until = 0.0
            self.leases.held.pop(router_id, None)

    async def _stop(self, router_ids: Iterable[int]) -> None:
        """Let the keepers end their turns. One that takes over FINISH_S is cut off; what it did will be read again."""
        stopping = [self.kept.pop(router_id) for router_id in list(router_ids) if router_id in self.kept]
        for kept in stopping:
            kept.keeper.finish()
        if not stopping:
            return
        tasks = [kept.task for kept in stopping]
        await asyncio.wait(tasks, timeout=FINISH_S)
        await end(tasks)

    async def _leave(self) -> None:
        await self._stop(list(self.kept))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(psycopg.Error, TimeoutError):
            async with self.pool.connection(timeout=1) as connection:
                await self.leases.leave(connection)

    # -- waking

    async def _listen_loop(self) -> None:
        while True:
            try:
                async with await AsyncConnection.connect(self.dsn, autocommit=True, connect_timeout=5) as connection:
                    await connection.execute(f"listen {CHANNEL}")
                    self.wake("all")  # what was said while nobody listened
                    while True:
                        async for notification in connection.notifies(timeout=self.timing.sweep_s):
                            self.wake(notification.payload)
                        await connection.execute("select 1")
            except psycopg.Error as error:
                log.warning("not listening", extra={"reason": type(error).__name__})
            await asyncio.sleep(AGAIN_S)

    def wake(self, payload: str) -> None:
        """`payload`: router ids with commas between, or "all"."""
        if payload in ("all", ""):
            for kept in self.kept.values():
                kept.keeper.wake()
            return
        for word in payload.split(","):
            kept_one = self.kept.get(int(word)) if word.isdecimal() else None
            if kept_one is not None:
                kept_one.keeper.wake()

    async def _sweep_loop(self) -> None:
        while True:
            await asyncio.sleep(self.timing.sweep_s)
            try:
                async with self.pool.connection(timeout=2) as connection:
                    due = await intake.due_routers(connection, list(self.kept), now=self.clock.now())
            except (psycopg.Error, TimeoutError) as error:
                log.warning("sweep failed", extra={"reason": type(error).__name__})
                continue
            for router_id in due:
                kept = self.kept.get(router_id)
                if kept is not None and not kept.keeper.is_queued:  # it looks when its turn comes
                    kept.keeper.wake()


async def end(tasks: Sequence[asyncio.Task[Any]]) -> list[Any]:
    """Cancel until all have ended; what each returned or raised.

    Once may not be enough: before Python 3.12 `asyncio.wait_for`, which the connection pool uses, loses a cancellation
    that arrives together with what it waited for.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
    return await asyncio.gather(*tasks, return_exceptions=True)
