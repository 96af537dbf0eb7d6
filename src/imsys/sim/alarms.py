"""What happens to a router by the clock: timed entries expire, leases run out.

An alarm goes off in the background while a loop runs, and at the latest when somebody looks at a table: nobody sees a
row that should be gone.
"""

import asyncio
import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter


class Alarms:
    """All alarms of one router. There is no cancelling: an action looks at whether it still has to be done."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self._sleeping_until = 0.0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at an instant of the router's monotonic clock."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, action))
        self.wake()

    def run_due(self) -> None:
        """Do all whose time has come."""
        while self._heap and self._heap[0][0] <= self._router.clock.monotonic():
            heapq.heappop(self._heap)[2]()

    def wake(self) -> None:
        """Run the background task while something is set; without a running loop, wait for one."""
        if not self._heap:
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
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while self._heap:
            self._sleeping_until = self._heap[0][0]
            await self._router.clock.sleep(max(0.0, self._sleeping_until - self._router.clock.monotonic()))
            self.run_due()
