"""What is to be done at instants of a clock, and a background task that wakes for the next of them."""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from imsys.kit.clock import Clock

T = TypeVar("T")


class Agenda(Generic[T]):
    """Things by the time at which they are due. `act` is called then, and takes what is due with `due`.

    There is no cancelling: whoever acts looks at whether it still has to be done.
    """

    def __init__(self, clock: Clock, act: Callable[[], object]) -> None:
        self._clock, self._act = clock, act
        self._heap: list[tuple[float, int, T]] = []
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self._sleeping_until = 0.0
        self._is_stopped = False

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, when: float, thing: T) -> None:
        """`when` is an instant of the monotonic clock; at the same instant, what was put first comes first."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, thing))
        self.wake()

    def due(self) -> Iterator[T]:
        """Each thing whose time had come at the call, taken off as it is given."""
        now = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            yield heapq.heappop(self._heap)[2]

    def wake(self) -> None:
        """Run the background task while something is to be done; without a running loop, wait for one."""
        if not self._heap or self._is_stopped:
            return
        if self._task is not None and not self._task.done():
            if self._heap[0][0] >= self._sleeping_until:
                return
            if self._task is not asyncio.current_task():
                self._task.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run())

    def stop(self) -> None:
        """For good: nothing acts by itself any more."""
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while self._heap:
            self._sleeping_until = self._heap[0][0]
            await self._clock.sleep(max(0.0, self._sleeping_until - self._clock.monotonic()))
            self._act()
