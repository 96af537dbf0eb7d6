"""PostgreSQL's time, told by this process's monotonic clock: the one clock of all workers."""

import time
from datetime import UTC, datetime, timedelta

from imsys.kit.clock import SystemClock


class DatabaseClock(SystemClock):
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
