"""A listen as an async iterator: the changes of one menu, as the router sends them."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from imsys.routeros.connection import Connection
from imsys.routeros.errors import ListenOverrun, RouterError
from imsys.routeros.exchange import Exchange
from imsys.routeros.protocol import Command, Row


class Listening:
    """Rows as they change; a removed one has only `.id` and `.dead`. Closing it cancels the listen on the router.

    The listen begins with `start()`, with entering the block, or else with the first row asked for. Begin it before
    the full read that it is to complete, and nothing falls in between. It ends (`StopAsyncIteration`) when the router
    ends it; it raises what a command would raise, and ListenOverrun when rows came faster than they were taken.
    """

    def __init__(self, connection: Connection, command: Command) -> None:
        self._connection = connection
        self._command = command
        self._rows: deque[Row] = deque()
        self._exchange: Exchange | None = None
        self._overrun: RouterError | None = None
        self._is_closed = False
        self._news = asyncio.Event()

    @property
    def tag(self) -> str:
        """The listen's tag on the connection; empty before it begins."""
        return self._exchange.tag if self._exchange is not None else ""

    async def start(self) -> None:
        """Send the listen, once."""
        if self._exchange is None and not self._is_closed:
            self._exchange = await self._connection.open_stream(self._command, self._take)
            self._exchange.answered.add_done_callback(lambda _: self._news.set())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Row:
        await self.start()
        while not self._rows:
            self._raise_if_over()
            self._news.clear()
            await self._news.wait()
        return self._rows.popleft()

    async def aclose(self) -> None:
        """End the listen and cancel it on the router. Does not wait for the router."""
        self._is_closed = True
        self._rows.clear()
        self._news.set()
        if self._exchange is not None:
            self._connection.abandon(self._exchange)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _take(self, rows: list[Row]) -> None:
        if len(self._rows) + len(rows) > self._connection.limits.max_unread_rows:
            self._rows.clear()
            self._overrun = ListenOverrun(f"More than {self._connection.limits.max_unread_rows} changes wait unread.")
            if self._exchange is not None:
                self._connection.abandon(self._exchange)
        else:
            self._rows.extend(rows)
        self._news.set()

    def _raise_if_over(self) -> None:
        if self._is_closed or self._exchange is None:
            raise StopAsyncIteration
        if self._overrun is not None:
            raise self._overrun
        if self._exchange.answered.done():
            self._exchange.answered.result()
            if (error := self._exchange.error) is not None:
                raise error
            raise StopAsyncIteration
