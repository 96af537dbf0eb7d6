"""One API connection to a simulated router, whatever carries it: login, commands, tags, cancel, listen.

Tagged commands run at the same time, each with its own latency; those without a tag run one after the other. When
nothing has to be waited for, a command is answered as it arrives, without a task.
"""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from imsys.kit.units import parse_duration
from imsys.routeros.errors import ProtocolError
from imsys.routeros.protocol import FATAL, Command, Reply, challenge_response, encode_reply, parse_command
from imsys.routeros.wire import SentenceReader
from imsys.sim import traps
from imsys.sim.accounts import Actor
from imsys.sim.answers import (
    Answer,
    Listening,
    answer,
    begin_listening,
    done,
    encode_traps,
    is_listening_command,
    split_path,
)
from imsys.sim.fault import Fault, LinkGone, Moment
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

MAX_BUFFERED_BYTES = 64 * 1024 * 1024
HIGH_WATER_BYTES = 1024 * 1024


class Session(asyncio.Protocol):
    """The router's end of a connection."""

    def __init__(self, router: "SimRouter", via: str = "api") -> None:
        self.router = router
        self.via = via
        self.actor: Actor | None = None
        self.peer = ""
        self._reader = SentenceReader()
        self._transport: asyncio.Transport | None = None
        self._is_mute = False
        self._challenge = ""
        self._failed_logins = 0
        self._active_id: int | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._untagged: deque[Command] = deque()
        self._untagged_task: asyncio.Task[None] | None = None
        self._listens: dict[str, Listening] = {}
        self._can_write = asyncio.Event()
        self._can_write.set()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if peer else "127.0.0.1"
        router = self.router
        router.counters.connections += 1
        others = len(router.sessions)
        router.sessions.add(self)
        if not router.is_listening:
            self.abort()
        elif router.faults.swallows:
            self.mute()
        elif router.faults.is_over_limit(others) or not router.gate.admits(self.peer, self.via):
            transport.close()
        elif others >= router.gate.max_sessions(self.via):
            if router.behaviour.over_max_sessions == "hang":
                self.mute()
            else:
                transport.close()

    def data_received(self, data: bytes) -> None:
        self.router.counters.bytes_in += len(data)
        if self._is_deaf():
            return
        self._reader.receive_data(data)
        try:
            while (words := self._reader.next_sentence()) is not None:
                self._handle(parse_command(words))
                if self._is_deaf():
                    return
        except ProtocolError:
            self.abort()

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    # Link (faults.Link)

    def send(self, data: bytes) -> None:
        if self._transport is None or self._is_deaf() or not data:
            return
        self.router.counters.bytes_out += len(data)
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_BUFFERED_BYTES:
            self.abort()  # a peer that listens and never reads

    async def drained(self) -> None:
        """Wait until the peer has taken most of what was sent. Raises: LinkGone."""
        await self._can_write.wait()
        if self._is_closing:
            raise LinkGone

    def abort(self) -> None:
        """Reset the connection."""
        if self._transport is not None:
            reset(self._transport)
        self._end()

    def finish(self) -> None:
        """Close after what was sent has gone out."""
        if self._transport is not None:
            self._transport.close()

    def mute(self) -> None:
        """Never answer again, and keep the connection."""
        self._is_mute = True
        self._stop_work()

    def _is_deaf(self) -> bool:
        return self._is_mute or self._is_closing

    @property
    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _end(self) -> None:
        self.router.sessions.discard(self)
        self._stop_work()
        self._can_write.set()
        if self._active_id is not None:
            active_id, self._active_id = self._active_id, None
            self.router.gate.leave(active_id)

    def _stop_work(self) -> None:
        for listening in self._listens.values():
            listening.stop()
        self._listens.clear()
        self._untagged.clear()
        for task in tuple(self._tasks):
            task.cancel()

    # Commands

    def _handle(self, command: Command) -> None:
        self.router.counters.commands[command.path] += 1
        if self.actor is None and not self._may_go_on(command):
            return
        if command.path == "/quit":
            self._fatal(traps.SESSION_TERMINATED)
        elif command.path == "/cancel":
            self._cancel(command)
        elif not command.tag and self._untagged_task is not None:
            self._untagged.append(command)
        elif self._is_quick(command):
            self._reply_now(command)
        elif command.tag:
            task = self._spawn(self._work(command))
            self._running[command.tag] = task
            task.add_done_callback(lambda _task: self._forget(command.tag, task))
        else:
            self._untagged.append(command)
            self._untagged_task = self._spawn(self._work_untagged())

    def _may_go_on(self, command: Command) -> bool:
        if command.path != "/login" and command.path != "/quit":
            self._fatal(traps.NOT_LOGGED_IN)
            return False
        if self._failed_logins >= self.router.behaviour.failed_logins_before_fatal:
            self._fatal(traps.TOO_MANY_COMMANDS)
            return False
        return True

    def _is_quick(self, command: Command) -> bool:
        """Whether nothing has to be waited for before, during and after the answer."""
        return (
            self.router.latency.is_none
            and not self.router.faults
            and self._can_write.is_set()
            and "interval" not in command.attributes
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _forget(self, tag: str, task: asyncio.Task[None]) -> None:
        if self._running.get(tag) is task:
            del self._running[tag]

    async def _work_untagged(self) -> None:
        try:
            while self._untagged:
                await self._work(self._untagged.popleft())
        finally:
            self._untagged_task = None

    async def _work(self, command: Command) -> None:
        """A command with everything that may be waited for: latency, faults, a slow reader."""
        with contextlib.suppress(LinkGone):
            menu, verb = split_path(command.path)
            moment = Moment(menu, verb, _count_ids(command), command.tag)
            await self._pause(self.router.latency.command_s)
            faults = self.router.faults.take(moment)
            reply = await self._answer_with(command, moment, faults)
            await self._pause(self.router.latency.row_s * reply.rows)
            await self.drained()
            data = b"".join(reply.chunks)
            for fault in faults:
                data = await fault.reply(self, data)
            self.send(data)
            await self._repeat(command)

    async def _answer_with(self, command: Command, moment: Moment, faults: list[Fault]) -> Answer:
        try:
            for fault in faults:
                await fault.before(self, moment)
        except SimTrap as trap:
            return self._refusal(command, trap)
        limits = [limit for fault in faults if (limit := fault.row_limit()) is not None]
        reply = self._answer(command, min(limits, default=None))
        if reply.outcome is not None:
            try:
                for fault in faults:
                    await fault.after_write(self, moment, reply.outcome)
            except SimTrap as trap:
                return self._refusal(command, trap)
        return reply

    async def _repeat(self, command: Command) -> None:
        """A print with `=interval=` comes again until it is cancelled."""
        if (interval := command.attributes.get("interval")) is None or not command.path.endswith(("/print", "/getall")):
            return
        pause_s = max(0.01, parse_duration(interval))
        while True:
            await self.router.clock.sleep(pause_s)
            await self.drained()
            self.send(b"".join(self._answer(command, None).chunks))

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self.router.clock.sleep(seconds)

    def _reply_now(self, command: Command) -> None:
        try:
            self.send(b"".join(self._answer(command, None).chunks))
        except LinkGone:
            return

    def _answer(self, command: Command, max_rows: int | None) -> Answer:
        """The answer to a command, carried out now. Traps are answers. Raises: LinkGone."""
        try:
            if command.path == "/login":
                return self._login(command)
            assert self.actor is not None
            if is_listening_command(command):
                return self._listen(command)
            reply = answer(self.router, command, self.actor, max_rows)
        except SimTrap as trap:
            return self._refusal(command, trap)
        self.router.counters.rows += reply.rows
        return reply

    def _refusal(self, command: Command, trap: SimTrap) -> Answer:
        self.router.counters.traps[trap.traps[0][1]] += 1
        return Answer([*encode_traps(trap, command.tag), done(command.tag)])

    def _fatal(self, message: str) -> None:
        self.send(encode_reply(Reply(FATAL, message=message)))
        self.finish()

    # Login

    def _login(self, command: Command) -> Answer:
        name, attributes, router = command.attributes.get("name", ""), command.attributes, self.router
        if router.version.has_challenge_login:
            if "response" not in attributes:
                self._challenge = router.random.randbytes(16).hex()
                return Answer([done(command.tag, ret=self._challenge)])
            given = attributes["response"]
            actor = router.gate.authenticate(
                name, lambda password: challenge_response(password, self._challenge) == given, self.peer, self.via
            )
        else:
            given = attributes.get("password", "")
            actor = router.gate.authenticate(name, lambda password: password == given, self.peer, self.via)
        if actor is None:
            self._failed_logins += 1
            router.counters.failed_logins += 1
            router.log.login_failure(name, self.peer, self.via)
            old = router.version.has_challenge_login
            return self._refusal(command, SimTrap(traps.LOGIN_REFUSED_OLD if old else traps.LOGIN_REFUSED))
        router.counters.logins += 1
        if self._active_id is not None:
            router.gate.leave(self._active_id)
        self.actor = actor
        self._active_id = router.gate.enter(name, self.via, self.peer)
        return Answer([done(command.tag)])

    # Listen and cancel

    def _listen(self, command: Command) -> Answer:
        assert self.actor is not None
        listening, first = begin_listening(self.router, command, self.actor, self.send)
        if (old := self._listens.pop(command.tag, None)) is not None:
            old.stop()
        self._listens[command.tag] = listening
        return first

    def _cancel(self, command: Command) -> None:
        own, wanted = command.tag, command.attributes.get("tag")
        tags = [wanted] if wanted is not None else [tag for tag in (*self._listens, *self._running) if tag != own]
        ended = [tag for tag in tags if self._stop(tag)]
        if wanted is not None and not ended and self.router.behaviour.cancel_unknown_tag == "trap":
            self.send(b"".join(encode_traps(SimTrap(traps.NO_SUCH_ITEM), own)))
        interrupted = SimTrap(traps.INTERRUPTED, traps.CATEGORY_INTERRUPTED)
        for tag in ended:
            self.send(b"".join(encode_traps(interrupted, tag)))
        self.send(done(own))
        for tag in ended:
            self.send(done(tag))

    def _stop(self, tag: str) -> bool:
        if (listening := self._listens.pop(tag, None)) is not None:
            listening.stop()
            return True
        if (task := self._running.pop(tag, None)) is not None:
            task.cancel()
            return True
        return False


def reset(transport: asyncio.Transport) -> None:
    """Close a connection so that the peer sees a reset, not an orderly end."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _count_ids(command: Command) -> int:
    reference = command.attributes.get(".id", command.attributes.get("numbers", ""))
    return reference.count(",") + 1 if reference else 0
