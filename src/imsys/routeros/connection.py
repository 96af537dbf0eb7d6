"""One session with a router: sends commands, routes replies to them, and ends with one stated reason.

A plain `asyncio.Protocol`, so any transport serves: TCP, TLS or one in memory. It knows tags and bytes but no menus.
"""

import asyncio
import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from imsys.kit.clock import Clock
from imsys.routeros import protocol
from imsys.routeros.dial import Dial, tcp_dial
from imsys.routeros.endpoint import Limits
from imsys.routeros.errors import (
    ConnectionLost,
    ConnectionLostInRead,
    ProtocolError,
    ReplyTooLarge,
    RouterError,
    Trap,
)
from imsys.routeros.exchange import Exchange, again, is_writing
from imsys.routeros.known import Watch
from imsys.routeros.pace import Pace
from imsys.routeros.protocol import Command, Reply, Row
from imsys.routeros.replies import Event, ReplyReader, Rows, Sentence

__all__ = ["Connection", "Dial", "Stats", "tcp_dial"]

log = logging.getLogger(__name__)

_REMEMBERED_TAGS = 64
_MAX_TRAPS = 16
_SHORTEST_SLEEP_S = 0.01


@dataclass(slots=True)
class Stats:
    """Counts since the session began."""

    commands: int = 0
    writes: int = 0
    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    logins: int = 0


class Connection(asyncio.Protocol):
    """Tagged commands in a bounded window at the router's pace; any breach of protocol or bound closes it."""

    def __init__(self, *, clock: Clock, limits: Limits, address: str, fence: Callable[[], None] | None = None) -> None:
        self.address = address
        self.limits = limits
        self.stats = Stats()
        self.closed = asyncio.Event()
        self.close_reason: RouterError | None = None
        self.first_bytes = b""
        self.fatal_message: str | None = None
        self._clock = clock
        self._fence = fence
        self._transport: asyncio.Transport | None = None
        self._reader = ReplyReader(limits.bounds)
        self._exchanges: dict[str, Exchange] = {}
        self._finished_late: deque[str] = deque(maxlen=_REMEMBERED_TAGS)
        self._tags = map(str, itertools.count(1))
        self._window = asyncio.Semaphore(limits.window)
        self._pace = Pace(clock, per_s=limits.pace_per_s, burst=limits.burst)
        self._writable = asyncio.Event()
        self._heard_at = clock.monotonic()
        self._heartbeat: asyncio.Task[None] | None = None

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        with contextlib.suppress(NotImplementedError):
            # Wait whenever bytes are left over, so that a fenced command's bytes leave when its fence was asked.
            self._transport.set_write_buffer_limits(high=0)
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        if self.close_reason is not None:
            return
        if len(self.first_bytes) < 16:
            self.first_bytes += data[:16]
        self.stats.bytes_in += len(data)
        self._heard_at = self._clock.monotonic()
        try:
            for event in self._reader.receive(data):
                self._route(event)
        except RouterError as exc:
            self.lose(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.close_reason is None:
            self._finish_reading()
        how = "closed the connection" if exc is None else f"was lost ({type(exc).__name__})"
        self.lose(ConnectionLost(f"{self.address} {how}."))
        self.closed.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # --- commands

    @property
    def is_open(self) -> bool:
        return self._transport is not None and self.close_reason is None

    async def run(self, command: Command, *, timeout_s: float | None = None, watch: Watch | None = None) -> Exchange:
        """Send the command and return its complete answer; raises the error that its traps amount to.

        The command's own tag is used when it has one that is free, else the next number. The timeout counts from when
        the command is sent. A caller who is cancelled, or times out, cancels the command on the router.
        """
        async with self._window:
            await self._wait_for_turn()
            exchange = self.send(command, watch=watch)
            bound_s = self.limits.command_s if timeout_s is None else timeout_s
            try:
                async with self._clock.timeout(bound_s):
                    await exchange.answered
            except TimeoutError as exc:
                if not is_answered(exchange):
                    self.abandon(exchange)
                    raise exchange.timed_out(bound_s) from exc
            except asyncio.CancelledError:
                self.abandon(exchange)
                raise
            exchange.answered.result()
        if (error := exchange.error) is not None:
            raise error
        return exchange

    async def open_stream(self, command: Command, on_rows: Callable[[list[Row]], None]) -> Exchange:
        """Send a command that goes on by itself, such as a listen; its rows are handed to `on_rows` as they come."""
        await self._wait_for_turn()
        return self.send(command, on_rows=on_rows)

    def send(
        self,
        command: Command,
        *,
        watch: Watch | None = None,
        on_rows: Callable[[list[Row]], None] | None = None,
        untagged: bool = False,
    ) -> Exchange:
        """Put the command's bytes on their way, at once and whatever the window and the pace say."""
        tag = "" if untagged else self._free_tag(command.tag)
        sent = Command(command.path, command.attributes, command.queries, tag)
        data = protocol.encode_command(sent)
        writing = is_writing(command.path)
        if self._transport is None or self.close_reason is not None:
            raise self._not_open()
        if writing and self._fence is not None:
            self._fence()
        exchange = Exchange(
            tag=tag,
            path=command.path,
            writing=writing,
            answered=asyncio.get_running_loop().create_future(),
            sent_at=self._clock.monotonic(),
            on_rows=on_rows,
        )
        self._exchanges[tag] = exchange
        if watch is not None:
            self._reader.watch(tag, watch)
        self.stats.commands += 1
        self.stats.writes += writing
        self.stats.bytes_out += len(data)
        self._transport.write(data)
        return exchange

    def abandon(self, exchange: Exchange) -> None:
        """Wait no more for that command: cancel it on the router and drop what still comes of it."""
        if exchange.is_abandoned or self._exchanges.get(exchange.tag) is not exchange or not self.is_open:
            return
        self._forget_answer(exchange)
        if sum(other.is_abandoned for other in self._exchanges.values()) > 2 * self.limits.window:
            self.lose(ConnectionLost(f"{self.address} does not finish the commands that were cancelled."))
            return
        cancel = self.send(Command("/cancel", {"tag": exchange.tag}))
        self._forget_answer(cancel)

    def is_under_way(self, tag: str) -> bool:
        return tag in self._exchanges

    # --- the end

    def lose(self, cause: RouterError) -> None:
        """End the session for that reason, which every command under way learns. The first reason stands."""
        if self.close_reason is not None:
            return
        self.close_reason = cause
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            if not exchange.answered.done():
                exchange.answered.set_exception(exchange.lost(cause))
                exchange.answered.exception()  # looked at: nobody may be waiting
        self._writable.set()
        if self._transport is None:
            self.closed.set()
        else:
            self._transport.abort()

    def keep_alive(self) -> None:
        """Begin to watch for silence; ends with the session."""
        self._heartbeat = asyncio.get_running_loop().create_task(self._watch_silence())

    async def _watch_silence(self) -> None:
        """Ask the router its name after some quiet; give the session up when it then stays silent."""
        limits = self.limits
        probe: Exchange | None = None
        while self.is_open:
            now = self._clock.monotonic()
            quiet_s = now - self._heard_at
            oldest = min((e.sent_at for e in self._exchanges.values() if e.on_rows is None), default=now)
            silent_s = min(quiet_s, now - oldest)
            if silent_s >= limits.idle_s:
                self.lose(ConnectionLost(f"{self.address} has said nothing for {silent_s:.0f} s."))
                return
            is_asking = probe is not None and self._exchanges.get(probe.tag) is probe
            if quiet_s >= limits.heartbeat_s and not is_asking:
                probe = self.send(Command("/system/identity/print"))
                self._forget_answer(probe)
                continue
            due_s = limits.idle_s - silent_s
            if not is_asking:
                due_s = min(due_s, limits.heartbeat_s - quiet_s)
            await self._clock.sleep(max(_SHORTEST_SLEEP_S, due_s))

    # --- inside

    async def _wait_for_turn(self) -> None:
        """Return when the pace lets one more command go and its bytes would leave at once."""
        if not self.is_open:
            raise self._not_open()
        await self._pace.wait()
        await self._writable.wait()

    def _free_tag(self, wanted: str) -> str:
        if wanted and wanted not in self._exchanges and wanted not in self._finished_late:
            return wanted
        return next(self._tags)

    def _not_open(self) -> RouterError:
        if self.close_reason is not None:
            return again(self.close_reason)
        return ConnectionLostInRead(f"The connection to {self.address} is not open.")

    def _forget_answer(self, exchange: Exchange) -> None:
        exchange.is_abandoned = True
        exchange.on_rows = None
        exchange.rows = []
        exchange.size = 0
        self._reader.unwatch(exchange.tag)

    def _finish_reading(self) -> None:
        try:
            for event in self._reader.finish():
                self._route(event)
        except RouterError as exc:
            self.lose(exc)

    def _route(self, event: Event) -> None:
        """Give one event to the command it answers."""
        tag = event.reply.tag if isinstance(event, Sentence) else event.tag
        if isinstance(event, Sentence) and event.reply.kind == protocol.FATAL:
            self.fatal_message = event.reply.message or "no reason given"
            raise ConnectionLost(f"{self.address} ended the session: {self.fatal_message}.")
        exchange = self._exchanges.get(tag)
        if exchange is None:
            if tag in self._finished_late:
                return
            raise ProtocolError(f"{self.address} answered a command that was not sent.")
        exchange.size += event.size
        if isinstance(event, Sentence):
            self._take_reply(exchange, event.reply)
        elif isinstance(event, Rows):
            self._take_rows(exchange, event.rows)
        else:
            exchange.unchanged_chunks = event.chunks
            self._complete(exchange)
        if exchange.size > self.limits.max_reply_bytes and exchange.on_rows is None:
            self._refuse_size(exchange)

    def _take_rows(self, exchange: Exchange, rows: list[Row]) -> None:
        self.stats.rows += len(rows)
        if exchange.is_abandoned:
            return
        if exchange.on_rows is not None:
            exchange.on_rows(rows)
        else:
            exchange.rows.extend(rows)

    def _take_reply(self, exchange: Exchange, reply: Reply) -> None:
        if reply.kind == protocol.TRAP:
            if len(exchange.traps) < _MAX_TRAPS:
                exchange.traps.append(_trap(reply))
        elif reply.kind == protocol.DONE:
            exchange.ret = reply.attributes.get("ret")
            self._complete(exchange)

    def _complete(self, exchange: Exchange) -> None:
        del self._exchanges[exchange.tag]
        self._reader.unwatch(exchange.tag)
        if exchange.is_abandoned:
            self._finished_late.append(exchange.tag)
        if not exchange.answered.done():
            exchange.answered.set_result(None)

    def _refuse_size(self, exchange: Exchange) -> None:
        if self._exchanges.get(exchange.tag) is not exchange:
            return
        if exchange.is_abandoned:
            raise ProtocolError(f"{self.address} goes on answering a command that was cancelled.")
        if not exchange.answered.done():
            error = ReplyTooLarge(f"The answer to {exchange.path} exceeds {self.limits.max_reply_bytes} bytes.")
            exchange.answered.set_exception(error)
        self.abandon(exchange)


def is_answered(exchange: Exchange) -> bool:
    return exchange.answered.done() and not exchange.answered.cancelled()


def _trap(reply: Reply) -> Trap:
    category = reply.attributes.get("category", "")
    return Trap(reply.message, int(category) if len(category) == 1 and category in "0123456789" else None)
