"""Rates, rate limits, durations, MAC addresses and flags as values that compare by meaning.

RouterOS spells one value in many ways, and some of its menus print a text back as it was typed. Whoever compares two
of its texts parses both with this module first. Words that stand in a value's place (`never`, `none`) are the caller's.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

from imsys.kit.errors import InputError

_RATE = re.compile(r"([0-9]{1,15})([kMG]?)")
_FACTOR = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_MAC = re.compile(r"[0-9A-F]{12}")
_MAC_FORMS = re.compile(
    r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}|[0-9A-F]{2}(?:-[0-9A-F]{2}){5}|[0-9A-F]{4}(?:\.[0-9A-F]{4}){2}|[0-9A-F]{12}"
)
_DURATION = re.compile(
    r"(?:(?P<w>[0-9]{1,6})w)?(?:(?P<d>[0-9]{1,7})d)?"
    r"(?:(?P<hours>[0-9]{1,8}):(?P<minutes>[0-5][0-9]):(?P<seconds>[0-5][0-9])(?:\.(?P<fraction>[0-9]{1,6}))?"
    r"|(?:(?P<h>[0-9]{1,8})h)?(?:(?P<m>[0-9]{1,10})m)?(?:(?P<s>[0-9]{1,12})s)?"
    r"(?:(?P<ms>[0-9]{1,15})ms)?(?:(?P<us>[0-9]{1,15})us)?)"
)
_MICROSECONDS = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_CLOCK_UNITS = {"hours": "h", "minutes": "m", "seconds": "s"}


def parse_flag(text: str) -> bool:
    """The meaning of a yes/no property. For such fields alone: an enum may have a `yes` that is no flag."""
    if text in ("true", "yes"):
        return True
    if text in ("false", "no"):
        return False
    raise InputError(f"{text!r} is neither true nor false.", remedy="Write yes or no.", code="BadFlag")


class Mac(str):
    """A MAC address in the one form that RouterOS prints: upper case, with colons."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        upper = text.strip().upper()
        digits = re.sub(r"[:.-]", "", upper)
        if not _MAC_FORMS.fullmatch(upper) or not _MAC.fullmatch(digits):
            raise InputError(
                f"{text!r} is not a MAC address.", remedy="Write it like 00:0C:42:1A:2B:3C.", code="BadMac"
            )
        return cls(":".join(digits[i : i + 2] for i in range(0, 12, 2)))


class Rate(NamedTuple):
    """Bits per second in RouterOS's order: what the subscriber sends, then what the subscriber gets. 0 is no limit."""

    upload_bps: int
    download_bps: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`10M/5M`, `512k`, `10000000/5000000`; k, M and G count in thousands, and one value stands for both halves."""
        halves = text.strip().split("/")
        if len(halves) > 2:
            raise _bad_rate(text)
        return cls(_parse_bps(halves[0], text), _parse_bps(halves[-1], text))

    def __str__(self) -> str:
        """With k and M alone, which every version takes."""
        return f"{_render_bps(self.upload_bps)}/{_render_bps(self.download_bps)}"


def _parse_bps(half: str, text: str) -> int:
    if not (match := _RATE.fullmatch(half)):
        raise _bad_rate(text)
    return int(match[1]) * _FACTOR[match[2]]


def _render_bps(bps: int) -> str:
    for suffix in ("M", "k"):
        if bps and bps % _FACTOR[suffix] == 0:
            return f"{bps // _FACTOR[suffix]}{suffix}"
    return str(bps)


def _bad_rate(text: str) -> InputError:
    return InputError(
        f"{text!r} is not a rate.",
        remedy="Write upload/download in bits per second, with k, M or G: 10M/5M or 512k/2M.",
        code="BadRate",
    )


LOWEST_PRIORITY = 8


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What a `rate-limit` text means, with every blank filled in as RouterOS fills it; equal means equal.

    Make one with `of` or `parse`.  Source: RouterOS manual, "PPP AAA", property rate-limit.
    """

    rate: Rate
    burst: Rate
    threshold: Rate
    burst_time_s: tuple[int, int]
    priority: int
    minimum: Rate

    @classmethod
    def of(
        cls,
        rate: Rate,
        *,
        burst: Rate = Rate(0, 0),  # noqa: B008 - a tuple of two zeros: nothing about it can change
        threshold: Rate | None = None,
        burst_time_s: tuple[int, int] = (1, 1),
        priority: int = LOWEST_PRIORITY,
        minimum: Rate | None = None,
    ) -> Self:
        """A direction without a burst has no threshold and no burst time, whatever is given for them."""
        up, down = (bool(half) for half in burst)
        threshold = threshold or rate
        return cls(
            rate=rate,
            burst=burst,
            threshold=Rate(threshold.upload_bps * up, threshold.download_bps * down),
            burst_time_s=(burst_time_s[0] * up, burst_time_s[1] * down),
            priority=priority,
            minimum=minimum or rate,
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """`rate [burst [threshold [burst-time [priority [minimum]]]]]`; all but priority may be `upload/download`.

        An absent or empty rate-limit is no RateLimit: the caller asks for that first.
        """
        parts = text.split()
        if not 1 <= len(parts) <= 6:
            raise _bad_rate_limit(text, "it has 1 to 6 parts with spaces between them.")
        limit = cls.of(
            rate=Rate.parse(parts[0]),
            burst=Rate.parse(parts[1]) if len(parts) > 1 else Rate(0, 0),
            threshold=Rate.parse(parts[2]) if len(parts) > 2 else None,
            burst_time_s=_parse_burst_time(parts[3], text) if len(parts) > 3 else (1, 1),
            priority=_parse_priority(parts[4], text) if len(parts) > 4 else LOWEST_PRIORITY,
            minimum=Rate.parse(parts[5]) if len(parts) > 5 else None,
        )
        if any(rate and least > rate for least, rate in zip(limit.minimum, limit.rate, strict=True)):
            raise _bad_rate_limit(text, "its last part, the minimum, may not exceed its first, the rate.")
        return limit

    def render(self) -> str:
        """The shortest canonical text with this meaning."""
        upload_s, download_s = self.burst_time_s
        parts = [self.rate, self.burst, self.threshold, f"{upload_s}/{download_s}", self.priority, self.minimum]
        # What a shorter text leaves to the router depends on what it keeps: the parser knows, so ask it.
        texts = (" ".join(map(str, parts[:length])) for length in range(1, 7))
        return next(text for text in texts if RateLimit.parse(text) == self)


def _parse_priority(part: str, text: str) -> int:
    if part not in ("1", "2", "3", "4", "5", "6", "7", "8"):
        raise _bad_rate_limit(text, "its fifth part is a priority, from 1 (served first) to 8.")
    return int(part)


def _parse_burst_time(part: str, text: str) -> tuple[int, int]:
    halves = part.split("/")
    if len(halves) > 2:
        raise _bad_rate_limit(text, "its fourth part is a burst time such as 8/8.")
    seconds = [parse_duration(half) for half in halves]
    if any(s != int(s) for s in seconds):
        raise _bad_rate_limit(text, "its burst time is in whole seconds.")
    return int(seconds[0]), int(seconds[-1])


def _bad_rate_limit(text: str, why: str) -> InputError:
    return InputError(
        f"{text!r} is not a rate limit: {why}",
        remedy="The simplest is upload/download, like 10M/5M.",
        code="BadRateLimit",
    )


def parse_duration(text: str) -> float:
    """Seconds. `300`, `300s`, `5m`, `1w2d3h`, `00:05:00`, `1d02:15:30`, `100ms`; as exact as a microsecond."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return float(text)
    match = _DURATION.fullmatch(text)
    if not text or not match:
        raise InputError(
            f"{text!r} is not a duration.", remedy="Write it like 300, 5m, 1d12h or 00:05:00.", code="BadDuration"
        )
    parts = match.groupdict()
    microseconds = int((parts.pop("fraction") or "0").ljust(6, "0"))
    microseconds += sum(
        int(count) * _MICROSECONDS[_CLOCK_UNITS.get(unit, unit)] for unit, count in parts.items() if count
    )
    return microseconds / 1_000_000


def format_duration(seconds: float) -> str:
    """RouterOS's own form: `1w2d3h4m5s`, parts that are zero left out, `0s` for none; rounded to the microsecond."""
    rest = round(seconds * 1_000_000)
    if rest < 0:
        raise ValueError("a duration is not negative")
    text = ""
    for unit, size in _MICROSECONDS.items():  # largest first
        count, rest = divmod(rest, size)
        if count:
            text += f"{count}{unit}"
    return text or "0s"
