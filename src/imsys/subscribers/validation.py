"""What a value must look like. Pure: whether a name is taken is asked elsewhere."""

import ipaddress
import re
from decimal import Decimal, InvalidOperation

from imsys.kit.errors import InputError
from imsys.kit.units import RateLimit
from imsys.subscribers.models import MAX_USERNAME, Cause, Service

MOST_MONEY = Decimal("9999999999.99")
BUILT_IN_PROFILES = ("default", "default-encryption")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


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
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise InputError(
            f"{text!r} is not an IPv4 address.",
            remedy="Write one address such as 10.0.0.7; a pool belongs in the profile.",
        ) from None


def check_email(text: str) -> str:
    if text and not _EMAIL.fullmatch(text):
        raise InputError(f"{text!r} is not an e-mail address.")
    return text


def check_service(text: str) -> str:
    if text in (Service.STATIC, Service.HOTSPOT):
        raise InputError(f"The service {text!r} is not supported yet.", remedy="Use pppoe.")
    if text != Service.PPPOE:
        raise InputError(f"{text!r} is not a service.", remedy="Use pppoe.")
    return text


def check_rate_limit(text: str) -> str:
    """As typed; empty for no limit."""
    if text:
        RateLimit.parse(text)
    return text


def same_rate_limit(one: str, other: str) -> bool:
    """Whether two texts mean the same to a router."""
    return one == other or (bool(one) and bool(other) and RateLimit.parse(one) == RateLimit.parse(other))


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
