"""When a router may be written to, by the wall clock of its zone, through every change of the clocks."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from imsys.kit.errors import InputError
from imsys.network.windows import SEARCHED, check_window, is_open, next_change

NIGHT = "* 2-5 * * *"
NAIROBI, BERLIN = "Africa/Nairobi", "Europe/Berlin"
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def flips(window: str, zone: str, start: datetime, count: int) -> list[str]:
    """The next changes, as the wall clock shows them."""
    shown = []
    for _ in range(count):
        change = next_change(window, zone, start)
        assert change is not None
        assert is_open(window, zone, change) is not is_open(window, zone, start)
        shown.append(f"{change.astimezone(ZoneInfo(zone)):%d %H:%M}")
        start = change
    return shown


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("01:59:59", False), ("02:00:00", True), ("05:59:59", True), ("06:00:00", False), ("14:00:00", False)],
)
def test_its_edges_are_those_of_its_minutes(clock: str, expected: bool) -> None:
    assert is_open(NIGHT, NAIROBI, at(NAIROBI, f"2027-03-01T{clock}")) is expected


def test_the_zone_counts_and_not_how_the_instant_is_written() -> None:
    assert is_open(NIGHT, NAIROBI, utc("2027-03-01T23:00:00"))
    assert not is_open(NIGHT, "UTC", utc("2027-03-01T23:00:00"))
    assert is_open(NIGHT, "UTC", at(NAIROBI, "2027-03-01T05:00:00"))


def test_the_next_change_is_in_utc_and_later() -> None:
    change = next_change(NIGHT, NAIROBI, at(NAIROBI, "2027-03-01T01:59:59.999999"))
    assert (change, change and change.tzinfo) == (utc("2027-02-28T23:00:00"), UTC)
    assert next_change(NIGHT, NAIROBI, at(NAIROBI, "2027-03-01T02:00:00")) == utc("2027-03-01T03:00:00")


def test_over_midnight() -> None:
    for window in ("* 22-23,0-4 * * *", "* 22-4 * * *"):
        assert is_open(window, NAIROBI, at(NAIROBI, "2027-03-01T00:00:00"))
        assert flips(window, NAIROBI, at(NAIROBI, "2027-03-01T12:00:00"), 3) == ["01 22:00", "02 05:00", "02 22:00"]


def test_days_of_the_week() -> None:
    friday = at(NAIROBI, "2027-03-05T12:00:00")
    assert flips("* * * * sat,sun", NAIROBI, friday, 3) == ["06 00:00", "08 00:00", "13 00:00"]
    assert flips("* * * * SAT-SUN", NAIROBI, friday, 2) == ["06 00:00", "08 00:00"]
    assert flips("30-59 23 * * 1-5", NAIROBI, friday, 3) == ["05 23:30", "06 00:00", "08 23:30"]


def test_days_of_the_month_and_of_the_week_mean_either() -> None:
    """As in cron. The 1st of March 2027 is a Monday."""
    days = ["01 00:00", "02 00:00", "03 00:00", "04 00:00"]
    assert flips("* * 3 * mon", "UTC", utc("2027-02-28T12:00:00"), 4) == days


class TestWhenClocksAreSet:
    """In Berlin from 02:00 to 03:00 on 28 March 2027, and from 03:00 back to 02:00 on 31 October 2027."""

    def test_a_window_that_spans_it_is_an_hour_shorter_or_longer(self) -> None:
        spring = at(BERLIN, "2027-03-28T00:00:00")
        opened, closed = utc("2027-03-28T00:00:00"), utc("2027-03-28T03:00:00")
        assert next_change("* 1-4 * * *", BERLIN, spring) == opened
        assert next_change("* 1-4 * * *", BERLIN, opened) == closed
        opened, closed = utc("2027-10-30T23:00:00"), utc("2027-10-31T04:00:00")
        assert next_change("* 1-4 * * *", BERLIN, at(BERLIN, "2027-10-31T00:00:00")) == opened
        assert next_change("* 1-4 * * *", BERLIN, opened) == closed

    def test_an_hour_that_is_skipped_does_not_open(self) -> None:
        assert flips("* 2 * * *", BERLIN, at(BERLIN, "2027-03-27T12:00:00"), 2) == ["29 02:00", "29 03:00"]

    def test_what_would_open_in_the_skipped_hour_opens_after_it(self) -> None:
        assert next_change("30-59 2,3 * * *", BERLIN, at(BERLIN, "2027-03-28T00:00:00")) == utc("2027-03-28T01:30:00")
        assert next_change(NIGHT, BERLIN, at(BERLIN, "2027-03-28T00:00:00")) == utc("2027-03-28T01:00:00")

    def test_an_hour_that_is_there_twice_is_open_twice(self) -> None:
        start = at(BERLIN, "2027-10-31T00:00:00")
        assert next_change("* 2 * * *", BERLIN, start) == utc("2027-10-31T00:00:00")
        assert next_change("* 2 * * *", BERLIN, utc("2027-10-31T00:00:00")) == utc("2027-10-31T02:00:00")
        half = "30-59 2 * * *"
        assert flips(half, BERLIN, start, 4) == ["31 02:30", "31 02:00", "31 02:30", "31 03:00"]

    def test_it_closes_where_the_skipped_hour_would_have_been_its_end(self) -> None:
        assert next_change("* 1-2 * * *", BERLIN, utc("2027-03-28T00:30:00")) == utc("2027-03-28T01:00:00")


def test_always_open() -> None:
    for window in ("", "* * * * *", "*/1 0-23 * * *", "* * * 1-12 0-7", "* * 1-31 * mon"):
        check_window(window, BERLIN)
        assert is_open(window, BERLIN, utc("2027-03-01T00:00:00"))
        assert next_change(window, BERLIN, utc("2027-03-01T00:00:00")) is None


def test_it_may_be_years_until_it_opens() -> None:
    assert next_change("0 0 29 2 *", "UTC", utc("2096-02-29T00:01:00")) == utc("2104-02-29T00:00:00")
    assert utc("2104-02-29T00:00:00") - utc("2096-02-29T00:01:00") < SEARCHED


@pytest.mark.parametrize("window", ["* * 31 2 *", "* 2-5 30 feb *", "0 0 31 apr,jun,sep,nov *"])
def test_one_that_never_opens_is_refused(window: str) -> None:
    with pytest.raises(InputError, match=r"never opens.*Pause the router"):
        check_window(window, NAIROBI)


@pytest.mark.parametrize(
    "window",
    [
        *("night", "2-5", "* 2-5 * *", "* 2-5 * * * *", "@daily", "60 * * * *", "* 24 * * *", "* * 0 * *"),
        *("* * * 13 *", "* * * * 8", "* * L * *", "* * * * 5#2", "* * ? * *", "H * * * *", "R * * * *"),
        *("* 5-5 * * *", "* * 05-5 * *", "* * * * sun-sun", "* * * * mon-1", "* * * * 7-0", "* jan * * *"),
        *("* * * mon *", "* *,1 * * *", "* 1,,2 * * *", "*/0 * * * *", "* 1-2-3 * * *", "* -1 * * *"),
        *("* 1- * * *", "* */ * * *", "* ٣ * * *"),
    ],
)
def test_one_that_cannot_be_read_is_refused_with_an_example(window: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read\. Write five fields of cron, such as '\* 2-5 \* \* \*'"):
        check_window(window, NAIROBI)


@pytest.mark.parametrize("zone", ["", "Nairobi", "Africa", "../etc/passwd", "UTC+3", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(InputError, match=r"is not a time zone\. Use a name such as Africa/Nairobi"):
        check_window(NIGHT, zone)


def test_it_needs_no_django() -> None:
    code = "import sys, imsys.network.windows; print('django' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
