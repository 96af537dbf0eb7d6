"""Instants as people write them. Inside, an instant is always in UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from imsys.kit.errors import InputError
from imsys.kit.units import parse_duration

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOCAL_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?")


def parse_time(text: str, *, zone: tzinfo, now: datetime) -> datetime:
    """The instant, in UTC: `2026-03-31`, `2026-03-31 18:00`, `2026-03-31T18:00:00+03:00`, or `+30d` from now.

    A bare date is the end of that day, 24:00 in `zone`; a time without an offset is in `zone`; days of `+30d` are
    calendar days there.
    """
    text = text.strip()
    try:
        if _DATE.fullmatch(text):
            return _midnight(date.fromisoformat(text) + timedelta(days=1), zone)
        if match := _LOCAL_TIME.fullmatch(text):
            at = datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3] or ''}")
            return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        if text.startswith("+"):
            return _later(now, text[1:], zone)
    except (ValueError, OverflowError, InputError) as exc:
        raise _bad(text) from exc
    raise _bad(text)


def _later(now: datetime, duration: str, zone: tzinfo) -> datetime:
    days, rest = divmod(timedelta(seconds=parse_duration(duration)), timedelta(days=1))
    local = now.astimezone(zone)
    moved = datetime.combine(local.date() + timedelta(days=days), local.time(), zone)
    return moved.astimezone(UTC) + rest


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _bad(text: str) -> InputError:
    return InputError(
        f"{text!r} is not a time.",
        remedy="Write 2026-03-31 (the end of that day), '2026-03-31 18:00' or +30d.",
        code="BadTime",
    )
