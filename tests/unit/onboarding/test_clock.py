"""How far a router's clock is off, in the form of date that its version prints."""

from datetime import UTC, datetime

import pytest

from imsys.onboarding.check import parse_clock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("date", ["2026-11-23", "nov/23/2026"])
def test_trap_40_a_clock_is_read_in_the_dates_of_both_generations(date: str) -> None:
    assert parse_clock({"date": date, "time": "15:00:00", "gmt-offset": "+03:00"}) == NOON
    assert parse_clock({"date": date, "time": "07:30:00", "gmt-offset": "-04:30"}) == NOON


def test_trap_40_a_clock_that_was_never_set_is_read_as_what_it_says_and_nonsense_as_nothing() -> None:
    unset = parse_clock({"date": "jan/02/1970", "time": "00:00:30"})
    assert unset == datetime(1970, 1, 2, 0, 0, 30, tzinfo=UTC)
    assert parse_clock({"date": "sometime", "time": "never"}) is None
    assert parse_clock({}) is None
