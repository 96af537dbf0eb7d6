"""A peer in memory whose answers a test writes: what a client sends is parsed and handed to one function."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from imsys.kit.clock import Clock
from imsys.routeros.client import Client
from imsys.routeros.connection import Connection
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.routeros.protocol import DONE, RE, TRAP, Command, Reply, encode_reply, parse_command
from imsys.routeros.wire import SentenceReader
from tests.unit.routeros.clock import ManualClock

Answers = Iterable[Reply | bytes]
Script = Callable[[Command], Answers]


def done(command: Command, ret: str | None = None) -> Reply:
    return Reply(DONE, command.tag, {} if ret is None else {"ret": ret})


def row(command: Command, **fields: str) -> Reply:
    return Reply(RE, command.tag, fields)


def trap(command: Command, message: str, category: str = "") -> Reply:
    return Reply(TRAP, command.tag, {"category": category, "message": message} if category else {"message": message})


def encode(answers: Answers) -> bytes:
    return b"".join(answer if isinstance(answer, bytes) else encode_reply(answer) for answer in answers)


class Peer(asyncio.Transport):
    """The client's transport, and all that is behind it. `/login`, `/cancel` and heartbeats are answered by default."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.script = script
        self.commands: list[Command] = []
        self.sent = b""
        self.is_mute = False
        self._reader = SentenceReader()
        self._protocol: asyncio.Protocol | None = None
        self._closing = False

    async def dial(self, factory: Callable[[], asyncio.BaseProtocol]) -> asyncio.Transport:
        protocol = factory()
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol
        protocol.connection_made(self)
        return self

    def paths(self) -> list[str]:
        return [command.path for command in self.commands]

    def last(self, path: str) -> Command:
        return next(command for command in reversed(self.commands) if command.path == path)

    def say(self, *answers: Reply | bytes) -> None:
        """Send these now."""
        assert self._protocol is not None
        if not self._closing:
            self._protocol.data_received(encode(answers))

    def hang_up(self, exc: Exception | None = None) -> None:
        self._lose(exc)

    # --- asyncio.Transport

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.sent += data
        self._reader.receive_data(data)
        for words in self._reader.sentences():
            command = parse_command(words)
            self.commands.append(command)
            if not self.is_mute:
                asyncio.get_running_loop().call_soon(self._answer, command)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(self._lose, None)

    def _lose(self, exc: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            assert self._protocol is not None
            self._protocol.connection_lost(exc)

    def _answer(self, command: Command) -> None:
        answers = self.script(command)
        if answers is DEFAULT:
            answers = _by_default(command)
        data = encode(answers)
        if data and not self._closing:
            assert self._protocol is not None
            self._protocol.data_received(data)


DEFAULT: Answers = (b"",)


def _by_default(command: Command) -> Answers:
    if command.path == "/cancel":
        cancelled = Command("", {}, (), command.attributes["tag"])
        return [trap(cancelled, "interrupted", "2"), done(command), done(cancelled)]
    return [done(command)]


def by_default(_: Command) -> Answers:
    return DEFAULT


def script(**by_last_part: Answers | Script) -> Script:
    """Answers by the last part of a command's path, `tag` being filled in; the rest is answered by default."""

    def answer(command: Command) -> Answers:
        found = by_last_part.get(command.path.rpartition("/")[2].replace("-", "_"))
        if found is None or command.path == "/system/identity/print":
            return DEFAULT
        return found(command) if callable(found) else found

    return answer


ENDPOINT = Endpoint("192.0.2.1", username="api", password="wonderland")


@asynccontextmanager
async def connected(
    answers: Script = by_default,
    *,
    limits: Limits | None = None,
    clock: Clock | None = None,
    fence: Callable[[], None] | None = None,
) -> AsyncIterator[tuple[Client, Peer]]:
    peer = Peer(answers)
    client = await Client.connect(ENDPOINT, clock=clock or ManualClock(), dial=peer.dial, limits=limits, fence=fence)
    try:
        yield client, peer
    finally:
        await client.close()


def exchanges_of(client: Client) -> dict[str, object]:
    """What the client still waits for."""
    connection: Connection = client._connection
    return dict(connection._exchanges)
