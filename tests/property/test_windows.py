"""Whatever the window: its changes are those that looking every minute finds, and it means what cron means by it."""

from datetime import UTC, datetime, timedelta

from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from imsys.network.windows import is_open, next_change

MINUTE = timedelta(minutes=1)
ZONES = (
    *("UTC", "Africa/Nairobi", "Europe/Berlin", "America/New_York"),
    *("Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham"),
)
# Days in which clocks are set in one or the other of these zones, and some beside them.
BEGINNINGS = (
    *("2027-03-13", "2027-03-27", "2027-04-03", "2027-07-01"),
    *("2027-09-25", "2027-10-02", "2027-10-30", "2027-11-06"),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).filter(lambda ends: ends[0] != ends[1]).map(lambda ends: f"{ends[0]}-{ends[1]}")
    parts = st.lists(number.map(str) | pair, min_size=1, max_size=3).map(",".join)
    return st.just("*") | st.integers(2, 12).map("*/{}".format) | parts


days = st.sampled_from(("*", "*", "1-15", "*/2", "28,31"))
weekdays = st.sampled_from(("*", "*", "sat,sun", "mon-fri", "0"))
windows = st.tuples(field(0, 59), field(0, 23), days, st.sampled_from(("*", "3-10", "10-3")), weekdays).map(" ".join)
starts = st.tuples(st.sampled_from(BEGINNINGS), st.integers(0, 2 * 86_400)).map(
    lambda chosen: utc(chosen[0]) + timedelta(seconds=chosen[1])
)


@given(windows, st.sampled_from(ZONES), starts)
def test_the_next_change_is_what_looking_every_minute_finds(window: str, zone: str, start: datetime) -> None:
    now = is_open(window, zone, start)
    minutes = (start.replace(second=0) + MINUTE * count for count in range(1, 3 * 24 * 60))
    scanned = next((minute for minute in minutes if is_open(window, zone, minute) is not now), None)
    change = next_change(window, zone, start)
    if scanned is None:
        assert change is None or change >= start.replace(second=0) + timedelta(days=3)
    else:
        assert change == scanned


@given(windows, st.integers(0, 14 * 365 * 86_400))
def test_a_minute_is_open_when_croniter_matches_it(window: str, seconds: int) -> None:
    moment = utc("2026-01-01") + timedelta(seconds=seconds)
    assert is_open(window, "UTC", moment) is croniter.match(window, moment)
