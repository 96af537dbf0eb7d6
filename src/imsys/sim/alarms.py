"""What happens to a router by the clock: timed entries expire, leases run out.

An alarm goes off in the background while a loop runs, and at the latest when somebody looks at a table: nobody sees a
row that should be gone.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from imsys.sim.agenda import Agenda

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter


class Alarms:
    """All alarms of one router."""

    def __init__(self, router: "SimRouter") -> None:
        self._agenda: Agenda[Callable[[], None]] = Agenda(router.clock, self.run_due)
        self.wake, self.stop = self._agenda.wake, self._agenda.stop

    def __len__(self) -> int:
        return len(self._agenda)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at an instant of the router's monotonic clock."""
        self._agenda.put(when, action)

    def run_due(self) -> None:
        """Do all whose time has come."""
        for action in self._agenda.due():
            action()
