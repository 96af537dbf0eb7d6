"""Sessions that dial in again are ended at a pace, so that not all do at once."""

from imsys.fleet.pacing import Allowance
from imsys.kit.clock import SystemClock


class Hand(SystemClock):
    """Moved by hand."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds


def test_no_more_go_within_any_second_whenever_it_begins() -> None:
    clock = Hand()
    allowance, at = Allowance(4, clock=clock), list[float]()
    while len(at) < 40:
        at += [clock.monotonic()] * allowance.take(3)
        clock.move(0.09)
    assert max(sum(1 for one in at if start <= one < start + 1.0) for start in at) == 4


def test_what_was_not_taken_does_not_add_up() -> None:
    clock = Hand()
    allowance = Allowance(4, clock=clock)
    clock.move(60.0)
    assert (allowance.take(10), allowance.take(10)) == (4, 0)


def test_a_second_begins_when_what_was_taken_has_been_used() -> None:
    clock = Hand()
    allowance = Allowance(2, clock=clock)
    assert allowance.take(2) == 2
    clock.move(0.75)
    allowance.spent()
    clock.move(0.5)
    assert allowance.take(1) == 0
    clock.move(0.5)
    assert allowance.take(9) == 2


def test_turns_come_by_seconds() -> None:
    clock = Hand()
    allowance = Allowance(2, clock=clock)
    assert allowance.take(1) == 1
    assert allowance.turns(6) == [0.0, 1.0, 1.0, 2.0, 2.0, 3.0]
    clock.move(0.25)
    assert allowance.turns(2) == [0.0, 0.75]
