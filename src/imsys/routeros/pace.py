"""A router's pace: a token bucket in the order of asking, so that bulk work does not choke its one API core."""

from imsys.kit.clock import Clock


class Pace:
    """Lets `burst` through at once, then `per_s` a second; unused room grows back up to `burst`."""

    def __init__(self, clock: Clock, *, per_s: float, burst: int) -> None:
        self._clock = clock
        self._per_s = per_s
        self._burst = float(burst)
        self._tokens = float(burst)  # below zero: so many are waiting
        self._counted_at = clock.monotonic()

    def spend(self) -> float:
        """Take one token and return how many seconds to wait until it is there."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._counted_at) * self._per_s)
        self._counted_at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_s)

    def give_back(self) -> None:
        """Return a token that was not used after all."""
        self._tokens += 1

    async def wait(self) -> None:
        """Return when one more command may go."""
        wait_s = self.spend()
        if not wait_s:
            return
        try:
            await self._clock.sleep(wait_s)
        except BaseException:
            self.give_back()
            raise
