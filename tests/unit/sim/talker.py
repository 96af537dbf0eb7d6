"""A bare API user for tests of the simulator: words in, replies out, over memory. It knows nothing of our client."""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

from imsys.routeros.protocol import Reply, parse_reply
from imsys.routeros.wire import SentenceReader, encode_sentence
from imsys.sim import SimRouter

BOUND_S = 5.0


class Talker(asyncio.Protocol):
    """One connection. Replies are kept per tag as they come; `say` waits for the `!done` of what it said."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.raw = bytearray()
        self.is_lost = False
        self.error: Exception | None = None
        self._reader = SentenceReader()
        self._news = asyncio.Event()
        self._tags = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.raw += data
        self._reader.receive_data(data)
        self.replies += [parse_reply(words) for words in self._reader.sentences()]
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost, self.error = True, exc
        self._news.set()

    def send(self, path: str, *words: str, tag: str = "") -> str:
        """Send a sentence without waiting; the tag it got, "" for none."""
        sentence = [path, *words, *([f".tag={tag}"] if tag else [])]
        self.transport.write(encode_sentence([word.encode("utf-8", "surrogateescape") for word in sentence]))
        return tag

    async def say(self, path: str, *words: str) -> list[Reply]:
        """All replies to a command, `!done` last."""
        self._tags += 1
        tag = self.send(path, *words, tag=f"t{self._tags}")
        await self.until(lambda: any(r.kind == "!done" for r in self.of(tag)))
        return self.of(tag)

    async def rows(self, path: str, *words: str) -> list[dict[str, str]]:
        return [dict(reply.attributes) for reply in await self.say(path, *words) if reply.kind == "!re"]

    async def trap(self, path: str, *words: str) -> str:
        """The text of the first trap that a command gets; fails when there is none."""
        traps = [reply for reply in await self.say(path, *words) if reply.kind == "!trap"]
        assert traps, "the router did not refuse"
        return traps[0].message

    async def ret(self, path: str, *words: str) -> str:
        replies = await self.say(path, *words)
        assert not [reply for reply in replies if reply.kind == "!trap"], replies[0].message
        return replies[-1].attributes.get("ret", "")

    def of(self, tag: str) -> list[Reply]:
        return [reply for reply in self.replies if reply.tag == tag]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a state of this connection. Fails when the connection goes first."""
        async with asyncio.timeout(BOUND_S):
            while not condition():
                assert not self.is_lost, "the connection was lost"
                await self._news.wait()
                self._news.clear()

    async def until_lost(self) -> None:
        async with asyncio.timeout(BOUND_S):
            while not self.is_lost:
                await self._news.wait()
                self._news.clear()


async def connect(router: SimRouter) -> Talker:
    talker = Talker()
    await router.dial()(lambda: talker)
    return talker


async def login(router: SimRouter, name: str = "admin", password: str = "") -> Talker:
    talker = await connect(router)
    replies = await talker.say("/login", f"=name={name}", f"=password={password}")
    assert replies[-1].kind == "!done", replies
    assert len(replies) == 1, replies
    return talker


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state of the world, giving the loop to others meanwhile."""
    async with asyncio.timeout(BOUND_S):
        while not condition():  # noqa: ASYNC110 - anything may bring it about
            await asyncio.sleep(0)


class ManualClock:
    """Time that passes when a test says so."""

    def __init__(self, start: datetime = datetime(2026, 3, 9, 12, 0, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._passed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        return self._passed_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._passed_s + seconds, self._count, future))
        await future

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[Any]:
        return nullcontext()

    @property
    def sleepers(self) -> int:
        return sum(not future.done() for *_, future in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking sleepers in their order; each gets to run before the next."""
        end = self._passed_s + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._passed_s, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
            await settle()
        self._passed_s = end
        await settle()


async def settle(turns: int = 30) -> None:
    """Let everything that is ready run."""
    for _ in range(turns):
        await asyncio.sleep(0)
