"""A small ISP for tests: real database, simulated routers, a worker. Tests are plain functions; the loop runs beside.

The routers are spoken to over memory unless `tcp` is asked for. Services run in the test's own thread, as the CLI does.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

from django.db import transaction

from imsys.conf.database import dsn
from imsys.conf.secrets import vault
from imsys.fleet.timing import Timing
from imsys.fleet.worker import Worker, end
from imsys.network.models import Router
from imsys.network.services import add_router, ask_resync
from imsys.network.wake import wake
from imsys.reconcile.fights import Rules
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.sim.router import SimRouter
from imsys.sim.server import SimServer
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber, SyncState
from imsys.subscribers.services.rows import bump

T = TypeVar("T")
CLERK = "test:clerk"
QUICK = Timing(
    lease_s=5.0,
    tick_s=0.1,
    sweep_s=0.5,
    glance_s=0.3,
    settle_gap_s=0.2,
    look_again_s=(0.2, 0.5),
    down_first_s=0.02,
    down_soon_s=0.1,
    down_late_s=0.2,
    refused_s=0.3,
    retry_first_s=0.05,
    error_first_s=0.5,
    error_cap_s=2.0,
    fights=Rules(first_s=0.2, cap_s=0.8, restricting_s=0.1),
)
UNHURRIED = Limits(burst=100_000, command_s=5.0, idle_s=4.0, connect_s=2.0, login_s=2.0)
SECRET = "/ppp/secret"


class World:
    """`timing` and `limits` are those of the worker."""

    def __init__(self, *, timing: Timing = QUICK, limits: Limits = UNHURRIED, seed: int = 1) -> None:
        self.timing, self.limits, self.seed = timing, limits, seed
        self.routers: dict[str, SimRouter] = {}
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="world", daemon=True)
        self._thread.start()
        self._workers: list[tuple[Worker, asyncio.Event, Future[None]]] = []
        self._servers: list[SimServer] = []

    # -- the loop

    def do(self, work: Coroutine[Any, Any, T], timeout_s: float = 20.0) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def call(self, function: Callable[[], T]) -> T:
        """Run it on the loop, where the routers live."""

        async def run() -> T:
            return function()

        return self.do(run())

    def until(self, holds: Callable[[], object], what: str = "", timeout_s: float = 15.0) -> None:
        """Wait for a level, with a bound."""
        end = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"not within {timeout_s:g} s: {what or holds}\n{self.story()}")
            time.sleep(0.01)

    def story(self) -> str:
        lines = [f"{name}: {router.counters}" for name, router in self.routers.items()]
        query = SyncState.objects.exclude(sync_status="synced").values_list(
            "subscriber__username", "sync_status", "error_code", "sync_error", "generation", "applied_generation"
        )
        return "\n".join([*lines, *map(str, query[:10])])

    # -- things in it

    def add_router(
        self,
        name: str = "r1",
        *,
        mode: str = "enforce",
        sim: SimRouter | None = None,
        tcp: bool = False,
        **options: Any,
    ) -> SimRouter:
        """A simulated router, and the row that says we keep it."""
        router = sim or SimRouter(name, seed=self.seed)
        self.routers[name] = router
        host, port = name, 8728
        if tcp:
            server = self.do(SimServer.start([router]))
            self._servers.append(server)
            host, port = "127.0.0.1", server.port(router)
        add_router(name=name, host=host, port=port, username="admin", password="", mode=mode, actor=CLERK, **options)
        return router

    def add_subscribers(
        self, usernames: Iterable[str], *, router: str = "r1", package: str = "home", **options: Any
    ) -> None:
        """With a password each; the package is made when it is not there."""
        from imsys.subscribers.models import Package

        if not Package.objects.filter(name=package).exists():
            services.add_package(name=package, rate_limit="10M/10M", price=20, actor=CLERK)
        for name in usernames:
            given = {"password": f"secret-{name}", **options}
            services.add_subscriber(username=name, router=router, package=package, actor=CLERK, **given)

    def start_worker(self, *, timing: Timing | None = None) -> Worker:
        worker = Worker(
            dsn(),
            unseal=lambda sealed, context: vault().open(sealed, context=context),
            fingerprint=vault().fingerprint,
            timing=timing or self.timing,
            dial=self._dial,
            limits=self.limits,
            seed=self.seed,
        )
        stop = self.call(asyncio.Event)
        future = asyncio.run_coroutine_threadsafe(worker.run(stop), self.loop)
        self._workers.append((worker, stop, future))
        return worker

    def _dial(self, endpoint: Endpoint) -> Any:
        if endpoint.host in self.routers:
            return self.routers[endpoint.host].dial()
        from imsys.kit.clock import SystemClock
        from imsys.routeros.dial import tcp_dial

        return tcp_dial(endpoint, clock=SystemClock(), limits=self.limits)

    def stop_workers(self) -> None:
        for _, stop, future in self._workers:
            self.loop.call_soon_threadsafe(stop.set)
            future.result(20)
        self._workers.clear()

    def crash_worker(self, worker: Worker) -> None:
        """What kill -9 leaves: its tasks gone, its connections cut, its leases standing until they run out."""
        for entry in [entry for entry in self._workers if entry[0] is worker]:
            self._workers.remove(entry)
            self.do(_crash(worker, entry[2]))

    # -- what is so

    def statuses(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for status in SyncState.objects.values_list("sync_status", flat=True):
            counts[status] = counts.get(status, 0) + 1
        return counts

    def until_synced(self, timeout_s: float = 15.0) -> None:
        self.until(lambda: not SyncState.objects.exclude(sync_status="synced").exists(), "all synced", timeout_s)

    def resync(self, name: str = "r1") -> None:
        """A whole resync, and its end."""
        row = Router.objects.get(name=name)
        ask_resync([row.pk])
        self.until(lambda: Router.objects.get(pk=row.pk).state.resync_asked_at is None, f"resync of {name}")

    def glances(self, count: int = 3, name: str = "r1") -> None:
        """So many looks at who is online, one after the other: time enough for whatever a keeper does by itself."""
        from imsys.facts.models import RouterFacts

        for _ in range(count):
            seen = RouterFacts.objects.filter(router__name=name).values_list("read_at", flat=True)
            before = seen.first()
            self.until(lambda seen=seen, before=before: seen.first() != before, "another glance")

    def row(self, username: str, router: str = "r1") -> dict[str, str] | None:
        return self.call(lambda: self.routers[router].table(SECRET).find(name=username))

    def rows(self, router: str = "r1", menu: str = SECRET) -> list[dict[str, str]]:
        return self.call(lambda: list(self.routers[router].table(menu).rows))

    def disabled(self, router: str = "r1") -> set[str]:
        return {row["name"] for row in self.rows(router) if row["disabled"] == "true"}

    def online(self, router: str = "r1") -> set[str]:
        return {row["name"] for row in self.rows(router, "/ppp/active")}

    def writes(self, router: str = "r1") -> int:
        return self.call(lambda: self.routers[router].counters.writes)

    def close(self) -> None:
        try:
            self.stop_workers()
            for server in self._servers:
                self.do(server.close())
            for router in self.routers.values():
                self.do(router.close())
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)
            self.loop.close()


async def _crash(worker: Worker, future: Future[None]) -> None:
    # what a dead process no longer does: finish its turns, give up its leases
    async def nothing(*_: object) -> None: ...

    worker._leave = nothing  # type: ignore[method-assign]
    future.cancel()
    while not worker.pool.closed:  # noqa: ASYNC110 - then its loops have ended, and nothing starts a keeper any more
        await asyncio.sleep(0.001)
    await end([kept.task for kept in worker.kept.values()])
    await asyncio.gather(*worker._tasks, return_exceptions=True)
    worker.kept.clear()


@transaction.atomic
def leave_address(username: str, address: str) -> None:
    """An address that intake takes no more, as an older version may have left it in the database."""
    subscriber = Subscriber.objects.get(username=username)
    Subscriber.objects.filter(pk=subscriber.pk).update(address=address)
    bump([subscriber.pk])
    wake([subscriber.router_id])
