"""After a boot a router may answer before it has loaded its tables: until one has settled, absence proves nothing."""

from collections.abc import Iterable, Mapping

from imsys.fleet.timing import Timing
from imsys.kit.clock import Clock
from imsys.reconcile.observed import Table


class Settling:
    """All has settled once uptime passes the bound; a menu by itself when whole reads far enough apart are the same.

    The same means the same keys. A menu that was not read yet has not settled, however often another one was.
    """

    def __init__(self, uptime_s: float, *, clock: Clock, timing: Timing) -> None:
        self._clock, self._timing = clock, timing
        self._booted = clock.monotonic() - uptime_s
        self._settled: set[str] = set()
        self._seen: dict[str, tuple[frozenset[str], float]] = {}

    def has_settled(self, menus: Iterable[str]) -> bool:
        is_long_ago = self._clock.monotonic() - self._booted >= self._timing.settle_uptime_s
        return is_long_ago or self._settled.issuperset(menus)

    def saw(self, tables: Mapping[str, Table]) -> None:
        """These were read from end to end."""
        now = self._clock.monotonic()
        for menu, table in tables.items():
            listed = frozenset(table.rows)
            keys, since = self._seen.get(menu, (None, now))
            if listed != keys:
                self._seen[menu] = listed, now
            elif now - since >= self._timing.settle_gap_s:
                self._settled.add(menu)
