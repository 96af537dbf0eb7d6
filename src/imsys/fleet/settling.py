"""After a boot a router may answer before it has loaded its tables: until it has settled, absence proves nothing."""

from collections.abc import Collection

from imsys.fleet.timing import Timing
from imsys.kit.clock import Clock


class Settling:
    """Settled once uptime passes the bound, or when two whole reads far enough apart list the same keys."""

    def __init__(self, uptime_s: float, *, clock: Clock, timing: Timing) -> None:
        self._clock, self._timing = clock, timing
        self._booted = clock.monotonic() - uptime_s
        self._is_settled = False
        self._keys: frozenset[tuple[str, str]] | None = None
        self._since = 0.0

    @property
    def is_settled(self) -> bool:
        if self._clock.monotonic() - self._booted >= self._timing.settle_uptime_s:
            self._is_settled = True
        return self._is_settled

    def saw(self, keys: Collection[tuple[str, str]]) -> None:
        """A whole read listed `keys`."""
        if self.is_settled:
            return
        now, listed = self._clock.monotonic(), frozenset(keys)
        if listed != self._keys:
            self._keys, self._since = listed, now
        elif now - self._since >= self._timing.settle_gap_s:
            self._is_settled = True
