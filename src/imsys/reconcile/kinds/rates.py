"""How RouterOS writes speeds and times, for the kinds that have them."""

from imsys.kit.errors import InputError
from imsys.kit.units import Rate, RateLimit, format_duration, parse_duration
from imsys.reconcile.kinds.base import Value


def rate_limit(printed: str | None) -> Value:
    """Compared by meaning: 5M/10M equals 5000k/10000k. What RouterOS takes and we cannot read stays text."""
    if not printed:
        return None
    try:
        return RateLimit.parse(printed)
    except InputError:
        return printed


def sent_rate_limit(value: Value) -> str | None:
    """What we could not read is sent as it stands, and refused by the router in its own words."""
    return value.render() if isinstance(value, RateLimit) else (value if isinstance(value, str) else None)


def rate(printed: str | None) -> Value:
    """A pair of a queue, upload and download; absent is no limit."""
    if not printed:
        return Rate(0, 0)
    try:
        return Rate.parse(printed)
    except InputError:
        return printed


def sent_rate(value: Value) -> str | None:
    return f"{value.upload_bps}/{value.download_bps}" if isinstance(value, Rate) else sent_word(value)


def durations(printed: str | None) -> Value:
    """A pair of durations as whole seconds, `8/8`; both spellings of none are 0."""
    if not printed:
        return "0/0"
    try:
        halves = [f"{parse_duration(half):g}" for half in printed.split("/")]
    except InputError:
        return printed
    return f"{halves[0]}/{halves[-1]}"


def seconds(printed: str | None) -> Value:
    """A limit of time in whole seconds; absent and 0s are none."""
    if not printed:
        return 0
    try:
        return int(parse_duration(printed))
    except InputError:
        return printed


def sent_seconds(value: Value) -> str | None:
    return format_duration(value) if isinstance(value, int) else sent_word(value)


def number(printed: str | None) -> Value:
    """A plain integer; absent is 0. A word such as `unlimited` stays text."""
    if not printed:
        return 0
    return int(printed) if printed.isdecimal() else printed


def sent_word(value: Value) -> str | None:
    return str(value)
