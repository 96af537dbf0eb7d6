"""How many sessions may be ended now of those that will dial in again, so that not all do at once."""

from imsys.kit.clock import Clock


class Allowance:
    """So many a second, and no more than that at once. What is not taken does not add up."""

    def __init__(self, per_s: float, *, clock: Clock) -> None:
        self.per_s, self._clock = per_s, clock
        self._left, self._at = per_s, clock.monotonic()

    def take(self, wanted: int) -> int:
        """How many of `wanted` may go now."""
        now = self._clock.monotonic()
        self._left = min(self.per_s, self._left + (now - self._at) * self.per_s)
        self._at = now
        taken = min(wanted, int(self._left))
        self._left -= taken
        return taken
