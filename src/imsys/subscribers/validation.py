"""What a value must look like. Pure: whether a name is taken is asked elsewhere."""

import ipaddress
import re
from decimal import Decimal, InvalidOperation

from imsys.kit.errors import InputError
from imsys.kit.units import Mac, RateLimit, format_duration, parse_duration
from imsys.subscribers.models import MAX_USERNAME, Apply, Cause, Service

MOST_MONEY = Decimal("9999999999.99")
MOST_SHARED = 1_000
MOST_BYTES = 10**18
MOST_UPTIME_S = 3_660 * 86_400
BUILT_IN_PROFILES = ("default", "default-encryption")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_BYTES = re.compile(r"([0-9]{1,18})([kMGT]?)")
_FACTOR = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_NOBODYS_MACS = ("00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF")


def check_username(username: str, *, exact: bool = False) -> str:
    """The username, byte for byte. Blanks at its ends are an error unless `exact` says that they are meant."""
    check_text("username", username)
    if not username.strip():
        raise InputError("A username is empty.")
    if len(username) > MAX_USERNAME:
        raise InputError(f"The username {username[:20]!r}... is longer than {MAX_USERNAME} characters.")
    if not exact and username != username.strip():
        raise InputError(
            f"The username {username!r} begins or ends with a blank.", remedy="Leave the blank out, or say it is meant."
        )
    return username


def check_text(field: str, text: str) -> str:
    """Any text that a router can hold and a line can show."""
    if _CONTROL.search(text):
        raise InputError(f"The {field.replace('_', ' ')} holds a control character: {text[:40]!r}.")
    if not is_storable(text):
        raise InputError(f"The {field.replace('_', ' ')} is not UTF-8: {text[:40]!r}.")
    return text


def is_storable(text: str) -> bool:
    """Whether the database can hold it: bytes that are not UTF-8 reach us as surrogates, and it takes no zero byte."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def check_password(password: str) -> str:
    """The error does not quote it."""
    if _CONTROL.search(password):
        raise InputError("The password holds a control character.", remedy="A line break at the end is one.")
    return password


def check_address(text: str) -> str:
    """The address in its usual spelling; empty for none. A pool, a network or an IPv6 address cannot be assigned."""
    if not text:
        return ""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise InputError(
            f"{text!r} is not an IPv4 address.",
            remedy="Write one address such as 10.0.0.7; a pool belongs in the profile.",
        ) from None
    if address.is_unspecified or int(address) == 2**32 - 1:
        raise InputError(f"{text!r} is no address of one line.", remedy="Write one such as 10.0.0.7.")
    return str(address)


def check_mac(text: str) -> str:
    """In RouterOS's own form; empty for none."""
    if not text:
        return ""
    mac = str(Mac.parse(text))
    if mac in _NOBODYS_MACS:
        raise InputError(f"{text!r} is no device's MAC address.", remedy="Write it like 00:0C:42:1A:2B:3C.")
    return mac


def check_email(text: str) -> str:
    if text and not _EMAIL.fullmatch(text):
        raise InputError(f"{text!r} is not an e-mail address.")
    return text


def check_service(text: str) -> str:
    if text not in Service.values:
        raise InputError(f"{text!r} is not a service.", remedy=f"Use one of: {', '.join(Service.values)}.")
    return text


def check_line(service: str, address: str) -> None:
    """What a service asks of the fields together."""
    if service == Service.STATIC and not address:
        raise InputError(
            "A static line needs its address.", remedy="Give it with --address, such as --address 10.0.0.7."
        )
    if service == Service.HOTSPOT and address:
        raise InputError(
            f"A hotspot line has no address of its own, and {address} was given.",
            remedy='Leave it out, or clear it: --address "". A device that needs no login is named with --mac.',
        )


def check_rate_limit(text: str) -> str:
    """As typed; empty for no limit."""
    if text:
        RateLimit.parse(text)
    return text


def check_apply(text: str) -> str:
    if text not in Apply.values:
        raise InputError(f"{text!r} is no time to apply a change.", remedy=f"Use one of: {', '.join(Apply.values)}.")
    return text


def check_shared_users(count: int) -> int:
    if not 1 <= count <= MOST_SHARED:
        raise InputError(f"A hotspot login is shared by 1 to {MOST_SHARED} devices, not {count}.")
    return count


def check_limit_uptime(text: str) -> str:
    """In RouterOS's own form; empty for none, which a zero means too."""
    seconds = parse_duration(text) if text.strip() else 0
    if seconds != int(seconds) or seconds > MOST_UPTIME_S:
        raise InputError(
            f"{text!r} is no limit of time: it is in whole seconds, and at most {MOST_UPTIME_S // 86_400} days.",
            remedy="Write it like 30d, 12h or 1d12h.",
        )
    return format_duration(seconds) if seconds else ""


def check_limit_bytes(limit: int | str) -> int:
    """As a number; 0 for none. In a text k, M, G and T count in thousands, as in rates."""
    match = _BYTES.fullmatch(str(limit).strip() or "0")
    count = int(match[1]) * _FACTOR[match[2]] if match else -1
    if not 0 <= count <= MOST_BYTES:
        raise InputError(f"{limit!r} is no number of bytes.", remedy="Write it like 10G, 500M or 0 for no limit.")
    return count


def check_price(price: Decimal | int | str) -> Decimal:
    try:
        amount = Decimal(price)
    except (InvalidOperation, ValueError):
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0 or amount > MOST_MONEY or amount != round(amount, 2):
        raise InputError(f"{price!r} is not a price.", remedy="Write it like 20 or 19.99.")
    return amount


def check_days(days: int) -> int:
    if not 1 <= days <= 3660:
        raise InputError(f"A package lasts 1 to 3660 days, not {days}.")
    return days


def check_package_name(name: str, *, profile: str) -> str:
    check_text("package name", name)
    if not name or name != name.strip():
        raise InputError(f"A package name is empty, or begins or ends with a blank: {name!r}.")
    if not profile and name in BUILT_IN_PROFILES:
        raise InputError(
            f"The package {name!r} would own RouterOS's built-in profile of that name.",
            remedy=f"Choose another name, or refer to the profile: --profile {name}",
        )
    return name


def parse_reason(text: str) -> tuple[Cause, str]:
    """The cause and the note that somebody's reason means: one of the causes, or a text of their own."""
    return (Cause(text), "") if text in Cause.values else (Cause.OTHER, check_text("reason", text))
