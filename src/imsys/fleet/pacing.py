"""How many sessions may be ended now of those that will dial in again, so that not all do at once."""

from collections import deque

from imsys.kit.clock import Clock

SPAN_S = 1.0


class Allowance:
    """At most `per_s` within any second. What is not taken does not add up."""

    def __init__(self, per_s: int, *, clock: Clock) -> None:
        self.per_s, self._clock = per_s, clock
        self._used: deque[float] = deque()
        self._unspent = 0

    def take(self, wanted: int) -> int:
        """How many of `wanted` may go now."""
        now = self._clock.monotonic()
        while self._used and self._used[0] <= now - SPAN_S:
            self._used.popleft()
        taken = min(wanted, max(0, self.per_s - len(self._used)))
        self._used.extend([now] * taken)
        self._unspent = taken
        return taken

    def spent(self) -> None:
        """What was taken last has been used by now: its second begins only here, however long the way there was."""
        now = self._clock.monotonic()
        for _ in range(self._unspent):
            self._used.pop()
        self._used.extend([now] * self._unspent)
        self._unspent = 0

    def turns(self, waiting: int) -> list[float]:
        """In how many seconds each of those who wait may go, in their order."""
        now, when = self._clock.monotonic(), list(self._used)
        for _ in range(waiting):
            when.append(max(now, when[-self.per_s] + SPAN_S) if len(when) >= self.per_s else now)
        return [at - now for at in when[len(self._used) :]]
