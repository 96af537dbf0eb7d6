"""Simulated routers on real ports with a loop of their own, for clients that block."""

import asyncio
import threading
from collections.abc import Callable
from typing import Self, TypeVar

from imsys.sim import SimRouter, SimServer

T = TypeVar("T")
BOUND_S = 10.0


class SimThread:
    """A context manager. `call` runs a function in the simulator's thread."""

    def __init__(self, *routers: SimRouter) -> None:
        self.router = routers[0]
        self._routers = routers
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._server: SimServer
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with await SimServer.start(self._routers) as self._server:
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(BOUND_S), "the simulator did not start"
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(BOUND_S)

    @property
    def port(self) -> int:
        return self._server.port(self.router)

    @property
    def tls_port(self) -> int:
        return self._server.tls_port(self.router)

    def call(self, function: Callable[[], T]) -> T:
        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(BOUND_S)
