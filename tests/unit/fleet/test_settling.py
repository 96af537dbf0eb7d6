"""When what a router lists after a boot may be believed."""

from imsys.fleet.settling import Settling
from imsys.fleet.timing import Timing
from imsys.kit.clock import SystemClock
from imsys.reconcile.kinds import BINDING, SECRET, Kind
from imsys.reconcile.observed import Table, table

TIMING = Timing()


class Hands(SystemClock):
    """A clock that stands until it is moved."""

    now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


def read(kind: Kind, *names: str) -> dict[str, Table]:
    rows = [{".id": f"*{number}", kind.key_names[0]: name} for number, name in enumerate(names)]
    return {kind.menu: table(kind, rows, lambda text: text.encode())}


def test_two_equal_reads_settle_the_menu_that_was_read_and_no_other() -> None:
    clock = Hands()
    settling = Settling(1.0, clock=clock, timing=TIMING)
    settling.saw(read(SECRET, "ann"))
    settling.saw(read(SECRET, "ann", "bob"))
    clock.now_s += TIMING.settle_gap_s
    settling.saw(read(SECRET, "ann", "bob"))
    assert settling.has_settled([SECRET.menu])
    assert not settling.has_settled([SECRET.menu, BINDING.menu])


def test_reads_of_other_menus_between_do_not_put_it_off() -> None:
    clock = Hands()
    settling = Settling(1.0, clock=clock, timing=TIMING)
    for _ in range(2):
        settling.saw(read(SECRET, "ann"))
        settling.saw(read(BINDING, "4E:00:00:00:00:01"))
        clock.now_s += TIMING.settle_gap_s
    assert settling.has_settled([SECRET.menu, BINDING.menu])


def test_all_has_settled_long_after_the_boot() -> None:
    assert Settling(TIMING.settle_uptime_s, clock=Hands(), timing=TIMING).has_settled([BINDING.menu])
