"""Simulated routers on real TCP ports of this machine, api and api-ssl."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterable
from typing import Self

from imsys.sim.router import SimRouter
from imsys.sim.session import Session
from imsys.sim.tls import server_context

BACKLOG = 128


class Listener:
    """One port of one router. While the router refuses, the port is kept but not listened on."""

    def __init__(self, router: SimRouter, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self.router = router
        self._host = host
        self._context = context
        self._server: asyncio.Server | None = None
        if port:
            _bound(host, port, shared=False).close()  # a port of somebody else's is taken
        self._socket = _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def follow(self) -> None:
        """Listen exactly when the router does, from now on."""
        await self._adapt()
        self.router.watch_listening(self._changed)

    async def close(self) -> None:
        self.router.unwatch_listening(self._changed)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        self._socket.close()

    def _changed(self) -> None:
        if not self.router.is_listening and self._server is not None:
            self._stop()
        task = asyncio.get_running_loop().create_task(self._adapt())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _adapt(self) -> None:
        async with self._lock:
            if self.router.is_listening and self._server is None:
                via = "api" if self._context is None else "api-ssl"
                self._server = await asyncio.get_running_loop().create_server(
                    lambda: Session(self.router, via), sock=self._socket, ssl=self._context, backlog=BACKLOG
                )

    def _stop(self) -> None:
        """A socket that is bound and does not listen keeps the port and refuses connections."""
        assert self._server is not None
        keeper = _bound(self._host, self.port)
        self._server.close()
        self._server = None
        self._socket = keeper


class SimServer:
    """Many routers, a port each (two with TLS)."""

    def __init__(self, routers: Iterable[SimRouter]) -> None:
        self.routers = {router.name: router for router in routers}
        self.host = ""
        self._listeners: dict[tuple[str, bool], Listener] = {}

    @classmethod
    async def start(
        cls, routers: Iterable[SimRouter], host: str = "127.0.0.1", base_port: int = 0, tls_base_port: int = 0
    ) -> Self:
        """Listen for all of them: at `base_port` and following ones, or, when 0, at any free ports."""
        server = cls(routers)
        server.host = host
        raise_file_limit()
        try:
            for number, router in enumerate(server.routers.values()):
                await server._open(router, base_port and base_port + number, None)
                if router.tls is not None:
                    context = server_context(router.tls)
                    await server._open(router, tls_base_port and tls_base_port + number, context)
                router.cpes.wake()
                router.alarms.wake()
        except OSError:
            await server.close()
            raise
        return server

    async def _open(self, router: SimRouter, port: int, context: ssl.SSLContext | None) -> None:
        listener = Listener(router, self.host, port, context)
        self._listeners[router.name, context is not None] = listener
        await listener.follow()

    def port(self, router: SimRouter | str) -> int:
        return self._listeners[_name(router), False].port

    def tls_port(self, router: SimRouter | str) -> int:
        """Raises: KeyError when the router has no TLS."""
        return self._listeners[_name(router), True].port

    async def close(self) -> None:
        for listener in self._listeners.values():
            await listener.close()
        for router in self.routers.values():
            await router.close()
        await asyncio.sleep(0)  # aborted transports tell their sessions

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


def raise_file_limit() -> None:
    """A thousand routers need more open sockets than the usual soft limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _bound(host: str, port: int, *, shared: bool = True) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio has TCP send at once if it is named
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _name(router: SimRouter | str) -> str:
    return router if isinstance(router, str) else router.name
