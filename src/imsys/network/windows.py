"""When a router may be written to: a cron expression that matches the open minutes of the wall clock in a zone.

Five fields: minute, hour, day of the month, month, day of the week; with lists, ranges (also round the end, `22-4`),
steps, and English names of months and days in three letters. As in cron, days of the month and of the week that are
both given mean either. croniter reads the fields; of its extensions none is taken, so that a window means the same to
whoever knows cron. When clocks are set back an hour is there twice, and open or closed twice; an hour that is skipped
never comes. Blank is always open.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter

from imsys.kit.errors import InputError

# A window that opens at all does so in this time: the 29th of February comes after eight years at the latest.
SEARCHED = timedelta(days=8 * 366)
MINUTE = timedelta(minutes=1)
MINUTES_PER_DAY = 24 * 60
EXAMPLE = "Write five fields of cron, such as '* 2-5 * * *': every minute from 02:00 to 05:59."

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    {name: number for number, name in enumerate(_MONTHS, 1)},
    {name: number for number, name in enumerate(_DAYS)},
)
_PART = re.compile(r"([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/[0-9]{1,2})?")
_EVERY = re.compile(r"\*(?:/[0-9]{1,2})?")
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_open(window: str, zone: str, at: datetime) -> bool:
    """Whether the router may be written to in the minute of the instant `at`. The window is one that was checked."""
    if not window:
        return True
    here = at.astimezone(ZoneInfo(zone))
    return bool(_rule(window).on(here.date())[_minute(here)])


def next_change(window: str, zone: str, at: datetime) -> datetime | None:
    """The first instant after `at` from which `is_open` says otherwise, in UTC; None when it never does."""
    if not window or _rule(window).never_closes:
        return None
    rule, place = _rule(window), ZoneInfo(zone)
    here = at.astimezone(place)
    other = not is_open(window, zone, at)
    moment = (at - timedelta(seconds=here.second, microseconds=here.microsecond)).astimezone(UTC)
    last = moment + SEARCHED
    while moment < last:  # a day at a time, or until the clocks are set
        here = moment.astimezone(place)
        minute = _minute(here)
        found = rule.on(here.date()).find(other, minute)
        then = moment + MINUTE * ((found if found >= 0 else MINUTES_PER_DAY) - minute)
        if then.astimezone(place).utcoffset() != here.utcoffset():
            moment = _clocks_set(place, moment, then)
        elif found >= 0:
            return then
        else:
            moment = then
    return None


def check_window(window: str, zone: str) -> None:
    """Raises: InputError, when the window or the zone cannot be read, or the window never opens. Blank is right."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise InputError(f"{zone!r} is not a time zone.", remedy="Use a name such as Africa/Nairobi or UTC.") from exc
    if window and not _rule(window).opens:
        raise InputError(
            f"The window {window!r} never opens: those days are in no month.", remedy="Pause the router, or " + EXAMPLE
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """`opens_at` has a byte for each minute of a day that matches, 1 where it is open."""

    opens_at: bytes
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    """Days of the month, 1 to 31, and of the week, 0 for Sunday; None for all of them."""

    def on(self, day: date) -> bytes:
        return self.opens_at if self._matches(day) else _CLOSED

    def _matches(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        if self.days is None:
            return self.weekdays is None or day.isoweekday() % 7 in self.weekdays
        return day.day in self.days or (self.weekdays is not None and day.isoweekday() % 7 in self.weekdays)

    @property
    def opens(self) -> bool:
        if self.days is None or self.weekdays is not None:
            return True
        return any(min(self.days) <= _DAYS_OF_MONTH[month - 1] for month in self.months)

    @property
    def never_closes(self) -> bool:
        all_days = len(self.days) == 31 if self.days is not None else self.weekdays is None
        return 0 not in self.opens_at and len(self.months) == 12 and all_days


_CLOSED = bytes(MINUTES_PER_DAY)


@lru_cache(maxsize=1024)
def _rule(window: str) -> _Rule:
    """Raises: InputError."""
    fields = window.lower().split()
    if len(fields) != 5 or not all(map(_is_plain, fields, _NAMES)):
        raise InputError(f"The window {window!r} cannot be read.", remedy=EXAMPLE)
    try:
        read, _ = croniter.expand(" ".join(fields))
    except (CroniterError, ValueError, KeyError) as exc:
        raise InputError(f"The window {window!r} cannot be read.", remedy=EXAMPLE) from exc
    minutes, hours, days, months, weekdays = (_numbers(field) for field in read)
    opens_at = bytearray(MINUTES_PER_DAY)
    for hour in hours or range(24):
        for minute in minutes or range(60):
            opens_at[hour * 60 + minute] = 1
    return _Rule(bytes(opens_at), days, months or frozenset(range(1, 13)), weekdays)


def _numbers(field: Iterable[int | str]) -> frozenset[int] | None:
    """None for all."""
    return None if "*" in field else frozenset(map(int, field))


def _is_plain(field: str, names: dict[str, int]) -> bool:
    """Whether every cron would read it alike. croniter takes a range of one, `5-5`, for everything."""
    return bool(_EVERY.fullmatch(field)) or all(_is_plain_part(part, names) for part in field.split(","))


def _is_plain_part(part: str, names: dict[str, int]) -> bool:
    match = _PART.fullmatch(part)
    if match is None:
        return False
    words = [word for word in match.groups() if word is not None]
    if any(word.isalpha() and word not in names for word in words):
        return False
    ends = [names.get(word, -1) if word.isalpha() else int(word) for word in words]
    is_sunday = "sun" in names and ends == [7, 0]
    return len(ends) == 1 or (ends[0] != ends[1] and not is_sunday)


def _minute(here: datetime) -> int:
    return here.hour * 60 + here.minute


def _clocks_set(place: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first minute with the offset of `after`; it is at most a day after `before`, which has another."""
    offset = before.astimezone(place).utcoffset()
    low, high = 0, (after - before) // MINUTE
    while high - low > 1:
        middle = (low + high) // 2
        if (before + MINUTE * middle).astimezone(place).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + MINUTE * high
