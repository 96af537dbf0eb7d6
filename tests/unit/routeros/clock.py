"""A clock that a test moves: nothing passes by itself."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(50):
        await asyncio.sleep(0)


class ManualClock:
    def __init__(self) -> None:
        self._now_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._timeouts: list[tuple[float, asyncio.Timeout]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self._now_s)

    def monotonic(self) -> float:
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now_s + seconds, future))
        await future

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        block = asyncio.timeout(None)
        if seconds is not None:
            self._timeouts.append((self._now_s + seconds, block))
        return block

    async def advance(self, seconds: float, *, step_s: float = 1.0) -> None:
        """Let time pass, in steps, and what is due in it happen."""
        end = self._now_s + seconds
        while self._now_s < end:
            await settle()
            self._now_s = min(end, self._now_s + step_s)
            self._fire()
        await settle()

    def _fire(self) -> None:
        due = [future for at, future in self._sleepers if at <= self._now_s]
        self._sleepers = [(at, future) for at, future in self._sleepers if at > self._now_s]
        for future in due:
            if not future.done():
                future.set_result(None)
        over = [block for at, block in self._timeouts if at <= self._now_s]
        self._timeouts = [(at, block) for at, block in self._timeouts if at > self._now_s]
        for block in over:
            try:
                block.reschedule(asyncio.get_running_loop().time())
            except RuntimeError:  # its block has ended
                continue
