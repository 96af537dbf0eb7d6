"""The in-memory twin of a TCP connection: the same protocol objects, joined by a pair of transports."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from imsys.sim.session import Session

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

Factory = Callable[[], asyncio.BaseProtocol]
DEFAULT_HIGH_BYTES = 64 * 1024


class MemoryTransport(asyncio.Transport):
    """One end. Bytes reach the other end's protocol in the next turn of the loop, unless that one paused reading."""

    def __init__(self, protocol: asyncio.BaseProtocol, peername: tuple[str, int]) -> None:
        super().__init__({"peername": peername})
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._other: MemoryTransport | None = None
        self._waiting = bytearray()  # written, not yet taken by the other end
        self._is_scheduled = False
        self._is_reading = True
        self._is_closing = False
        self._is_lost = False
        self._is_paused = False
        self._high_bytes = DEFAULT_HIGH_BYTES

    @staticmethod
    def pair(one: asyncio.BaseProtocol, other: asyncio.BaseProtocol) -> "tuple[MemoryTransport, MemoryTransport]":
        left, right = MemoryTransport(one, ("127.0.0.1", 8728)), MemoryTransport(other, ("127.0.0.1", 50000))
        left._other, right._other = right, left
        return left, right

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if self._is_closing:
            return
        self._waiting += data
        if len(self._waiting) > self._high_bytes and not self._is_paused:
            self._is_paused = True
            if isinstance(self._protocol, asyncio.Protocol | asyncio.BufferedProtocol):
                self._protocol.pause_writing()
        self._schedule()

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        """End after what was written has arrived."""
        if not self._is_closing:
            self._is_closing = True
            self._schedule()

    def abort(self) -> None:
        """Reset: what has not arrived is lost at both ends."""
        self._is_closing = True
        self._waiting.clear()
        self._loop.call_soon(self._lose, None)
        if self._other is not None:
            self._other._is_closing = True
            self._loop.call_soon(self._other._lose, ConnectionResetError("reset by the peer"))

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True
        if self._other is not None:
            self._other._schedule()

    def is_reading(self) -> bool:
        return self._is_reading and not self._is_closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high_bytes = DEFAULT_HIGH_BYTES if high is None else high

    def get_write_buffer_size(self) -> int:
        return len(self._waiting)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._is_scheduled = False
        other = self._other
        if other is None or other._is_lost:
            return
        if self._waiting:
            if not other._is_reading:
                return
            data = bytes(self._waiting)
            self._waiting.clear()
            other._take(data)
        if self._is_paused:
            self._is_paused = False
            if isinstance(self._protocol, asyncio.Protocol | asyncio.BufferedProtocol):
                self._protocol.resume_writing()
        if self._is_closing and not self._waiting:
            other._finish()
            self._lose(None)

    def _take(self, data: bytes) -> None:
        protocol = self._protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            while data:
                buffer = memoryview(protocol.get_buffer(len(data))).cast("B")
                size = min(len(buffer), len(data))
                buffer[:size] = data[:size]
                protocol.buffer_updated(size)
                data = data[size:]
        elif isinstance(protocol, asyncio.Protocol):
            protocol.data_received(data)

    def _finish(self) -> None:
        """The other end closed."""
        if self._is_lost:
            return
        protocol = self._protocol
        if isinstance(protocol, asyncio.Protocol | asyncio.BufferedProtocol):
            protocol.eof_received()
        self._is_closing = True
        self._lose(None)

    def _lose(self, exc: Exception | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._protocol.connection_lost(exc)


def memory_dial(router: "SimRouter") -> Callable[[Factory], Awaitable[asyncio.Transport]]:
    """What `SimRouter.dial` returns. Raises when called: ConnectionRefusedError while the router does not listen."""

    async def dial(factory: Factory) -> asyncio.Transport:
        if not router.is_listening:
            raise ConnectionRefusedError(f"{router.name} refuses connections")
        router.cpes.wake()
        router.alarms.wake()
        client = factory()
        session = Session(router)
        ours, theirs = MemoryTransport.pair(client, session)
        client.connection_made(ours)
        session.connection_made(theirs)
        return ours

    return dial
