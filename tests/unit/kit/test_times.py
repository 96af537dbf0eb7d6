"""Instants as people write them, in the ISP's zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from imsys.kit.errors import InputError
from imsys.kit.nearest import did_you_mean, first_few
from imsys.kit.times import parse_time

NAIROBI, BERLIN = ZoneInfo("Africa/Nairobi"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "at"),
    [
        ("2026-03-31", NAIROBI, datetime(2026, 3, 31, 21, tzinfo=UTC)),
        ("2026-12-31", UTC, datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-03-28", BERLIN, datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-29", BERLIN, datetime(2026, 3, 29, 22, tzinfo=UTC)),  # that day is an hour short
        ("2026-03-31 18:00", NAIROBI, datetime(2026, 3, 31, 15, tzinfo=UTC)),
        ("2026-03-31T18:00:30", NAIROBI, datetime(2026, 3, 31, 15, 0, 30, tzinfo=UTC)),
        ("2026-03-31T18:00Z", NAIROBI, datetime(2026, 3, 31, 18, tzinfo=UTC)),
        (" 2026-03-31T18:00:00+01:00 ", NAIROBI, datetime(2026, 3, 31, 17, tzinfo=UTC)),
        ("+30d", NAIROBI, datetime(2026, 4, 27, 12, tzinfo=UTC)),
        ("+1d", BERLIN, datetime(2026, 3, 29, 11, tzinfo=UTC)),  # the same time by the clock on the wall
        ("+90m", UTC, datetime(2026, 3, 28, 13, 30, tzinfo=UTC)),
    ],
)
def test_means(text: str, zone: ZoneInfo, at: datetime) -> None:
    assert parse_time(text, zone=zone, now=NOW) == at


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "31/12/2026", "2026-02-30", "2026-03-31 25:00", "20260331", "+", "9999-12-31"]
)
def test_anything_else_is_told_what_is_meant(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a time\. Write 2026-03-31"):
        parse_time(text, zone=UTC, now=NOW)


def test_what_somebody_may_have_meant() -> None:
    assert did_you_mean("RT-1", ["rt-1", "core"]) == "Did you mean 'rt-1'?"
    assert did_you_mean("x", ["rt-1", "core"]) == ""


def test_a_long_list_is_cut_short() -> None:
    assert first_few(["a", "b"]) == "'a', 'b'"
    assert first_few((f"u{n}" for n in range(45)), shown=2) == "'u0', 'u1' and 43 more"
