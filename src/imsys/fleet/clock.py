"""PostgreSQL's time, told by this process's monotonic clock: the one clock of all workers."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta


class DatabaseClock:
    """Keeps the offset that each lease renewal measures; between renewals it runs with the monotonic clock."""

    def __init__(self) -> None:
        self._base = datetime.now(UTC)
        self._at = time.monotonic()

    def adjust(self, database_now: datetime, *, asked_at: float) -> None:
        """`asked_at`: monotonic, just before the statement that answered `database_now`; half its trip is past."""
        self._base = database_now
        self._at = (asked_at + time.monotonic()) / 2

    def now(self) -> datetime:
        return self._base + timedelta(seconds=time.monotonic() - self._at)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)
