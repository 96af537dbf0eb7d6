"""The client over TCP against peers that are broken, hostile or something else: one clear error, in bounded time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from imsys.kit.clock import SystemClock
from imsys.kit.errors import ImsysError
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.routeros.errors import (
    CommandTimeout,
    ConnectFailed,
    ConnectionLost,
    LoginRefused,
    NotRouterOS,
    ProtocolError,
    ReplyTooLarge,
    TlsFailed,
)
from imsys.routeros.protocol import Reply, encode_reply, parse_command
from imsys.routeros.wire import SentenceReader, encode_length
from imsys.sim.router import SimRouter
from imsys.sim.server import SimServer

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LIMITS = Limits(connect_s=1.0, login_s=0.5, command_s=0.5, idle_s=0.5, max_reply_bytes=200_000)


@asynccontextmanager
async def serving(peer: Peer) -> AsyncIterator[int]:
    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await peer(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close


def endpoint(port: int, **options: str) -> Endpoint:
    return Endpoint("127.0.0.1", port, "admin", "pw-4711", **options)  # type: ignore[arg-type]


async def connect(port: int, **options: str) -> Client:
    return await Client.connect(endpoint(port, **options), clock=SystemClock(), limits=LIMITS)


def logged_in(answer: Callable[[str, asyncio.StreamWriter], Awaitable[None]]) -> Peer:
    """A peer that takes any login and then does `answer(tag, writer)` for each command."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sentences = SentenceReader()
        while data := await reader.read(65536):
            sentences.receive_data(data)
            for words in sentences.sentences():
                command = parse_command(words)
                if command.path == "/login":
                    writer.write(encode_reply(Reply("!done", command.tag)))
                elif command.path != "/cancel":
                    await answer(command.tag, writer)

    return peer


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def speaks_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


async def speaks_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"\x15\x03\x01\x00\x02\x02\x46")
    await writer.drain()


async def greets_as_ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    await writer.drain()
    await reader.read()


@pytest.mark.parametrize(
    ("peer", "error"),
    [
        (says_nothing, ConnectFailed),
        (speaks_http, NotRouterOS),
        (hangs_up, ConnectFailed),
        (speaks_tls, NotRouterOS),
        (greets_as_ssh, NotRouterOS),
    ],
)
async def test_who_is_no_router_is_told_apart_at_the_login(peer: Peer, error: type[ImsysError]) -> None:
    async with serving(peer) as port:
        with pytest.raises(error) as caught:
            await connect(port)
    assert caught.value.remedy
    assert "pw-4711" not in str(caught.value)


async def test_a_port_where_nobody_listens() -> None:
    async with serving(says_nothing) as port:
        pass
    with pytest.raises(ConnectFailed, match=str(port)):
        await connect(port)


async def test_a_wrong_password() -> None:
    router = SimRouter("r1")
    async with await SimServer.start([router]) as server:
        with pytest.raises(LoginRefused, match="invalid user name or password"):
            await connect(server.port(router))


async def test_tls_asked_of_a_plain_port() -> None:
    async with serving(speaks_http) as port:
        with pytest.raises(TlsFailed):
            await connect(port, tls="anonymous")


async def stream_rows(tag: str, writer: asyncio.StreamWriter) -> None:
    row = encode_reply(Reply("!re", tag, {"name": "x" * 200}))
    while True:
        writer.write(row * 50)
        await writer.drain()


async def promise_a_huge_word(tag: str, writer: asyncio.StreamWriter) -> None:
    writer.write(encode_length(0xFFFFFFF) + b"=")
    await writer.drain()


async def never_end_the_sentence(tag: str, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\x05=a=bc" * 1000)
        await writer.drain()


async def send_a_control_byte(tag: str, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\xf8\x01\x02")
    await writer.drain()


async def stop_in_the_middle(tag: str, writer: asyncio.StreamWriter) -> None:
    writer.write(encode_reply(Reply("!re", tag, {"name": "ann"})) + b"\x03!re\x05=na")
    await writer.drain()
    writer.close()


async def answer_another_tag(tag: str, writer: asyncio.StreamWriter) -> None:
    writer.write(encode_reply(Reply("!re", "somebody-else", {"name": "ann"})))
    await writer.drain()


async def trickle(tag: str, writer: asyncio.StreamWriter) -> None:
    for byte in encode_reply(Reply("!re", tag, {"name": "a" * 2000})):
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0.01)


async def be_silent(tag: str, writer: asyncio.StreamWriter) -> None:
    pass


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (stream_rows, ReplyTooLarge),
        (promise_a_huge_word, ProtocolError),
        (never_end_the_sentence, ProtocolError),
        (send_a_control_byte, ProtocolError),
        (stop_in_the_middle, ConnectionLost),
        (answer_another_tag, ProtocolError),
        (trickle, CommandTimeout),
        (be_silent, (CommandTimeout, ConnectionLost)),
    ],
)
async def test_a_broken_answer_is_one_error_and_never_a_short_table(
    answer: Callable[[str, asyncio.StreamWriter], Awaitable[None]], error: type[ImsysError]
) -> None:
    async with serving(logged_in(answer)) as port:
        client = await connect(port)
        with pytest.raises(error):
            await client.print("/ppp/secret")
        await client.close()


async def test_after_a_timeout_the_connection_serves_on() -> None:
    router = SimRouter("r1", users=None)
    from imsys.sim.faults import Hang

    async with await SimServer.start([router]) as server:
        client = await Client.connect(
            Endpoint("127.0.0.1", server.port(router), "admin"), clock=SystemClock(), limits=LIMITS
        )
        fault = Hang(menu="/ppp/secret", verb="print")
        router.faults.arm(fault)
        with pytest.raises(CommandTimeout):
            await client.print("/ppp/secret", timeout_s=0.1)
        assert fault.fired == 1
        assert await client.print("/ppp/secret") == []
        assert client.stats.logins == 1
        await client.close()
