"""Bounds how many keepers of a process do heavy work at once, so that the others and the leases get their turns.

A thousand routers read whole at the same time would each wait for all, hold their tables in memory meanwhile, and leave
the loop no time to renew the leases that the work is done under.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


class Gate:
    """`places` keepers may be inside. One that is inside for `holds_s` waits for its router, and counts no more."""

    def __init__(self, places: int, holds_s: float) -> None:
        self._free, self._holds_s = places, holds_s
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self, unless: asyncio.Event) -> bool:
        """Wait for a place, in order of arrival; False, and no place, when `unless` is set before there is one.

        Who has entered goes on in `inside()`, with no await between the two.
        """
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        unless_set = asyncio.create_task(unless.wait())
        is_in = False
        try:
            await asyncio.wait((turn, unless_set), return_when=asyncio.FIRST_COMPLETED)
            is_in = turn.done()
        finally:
            unless_set.cancel()
            if not is_in and not turn.cancel():  # admitted just when it was given up
                self._leave()
        return is_in

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Leave at the end of the block, or when the time is up."""
        with ExitStack() as place:
            place.callback(self._leave)
            timer = asyncio.get_running_loop().call_later(self._holds_s, place.close)
            try:
                yield
            finally:
                timer.cancel()

    def _leave(self) -> None:
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        while self._free and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._free -= 1
                turn.set_result(None)
