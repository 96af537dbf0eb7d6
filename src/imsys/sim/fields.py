"""Kinds of property: what RouterOS accepts as input, how the value is kept, how it is printed and ordered.

A value that is printed as it is kept needs no function for that; references are kept as the id of the row they point
to, so that a rename is followed and a deleted target leaves `*N` behind.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from imsys.kit.errors import InputError
from imsys.kit.units import Mac, format_duration, parse_duration
from imsys.sim import traps
from imsys.sim.accounts import POLICIES

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

Value = str | int | float | None
Show = Callable[[Value], str | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """Text: kept and printed as typed."""

    is_volatile: ClassVar[bool] = False  # whether the printed text changes although nobody writes

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        return text

    def merge(self, old: Value, new: Value, text: str) -> Value:
        """What is kept when a row that had `old` is given `text`, which alone would be `new`."""
        return new

    def show(self, router: "SimRouter") -> Show | None:
        """How a kept value is printed; None: as it is."""
        return None

    def sort_key(self, text: str) -> Any:
        return text


Text = Kind


@dataclass(frozen=True, slots=True)
class Name(Kind):
    """The name of a row: at least one character."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if not text:
            raise traps.bad_argument(name)
        return text


@dataclass(frozen=True, slots=True)
class Optional(Kind):
    """Text whose empty value means none: the property is then absent."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        return text or None


@dataclass(frozen=True, slots=True)
class Flag(Kind):
    """Accepts yes, no, true, false; prints true or false."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if text in ("yes", "true"):
            return "true"
        if text in ("no", "false"):
            return "false"
        raise traps.ambiguous(name) if not text else traps.no_match(name)


@dataclass(frozen=True, slots=True)
class Enum(Kind):
    """One of some words, by its exact spelling or by a prefix that only one has."""

    words: tuple[str, ...]

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        return match_word(text, self.words, name, prefix=router.behaviour.prefix_match)


@dataclass(frozen=True, slots=True)
class EnumList(Kind):
    words: tuple[str, ...]

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        prefix = router.behaviour.prefix_match
        return ",".join(match_word(word, self.words, name, prefix=prefix) for word in text.split(",") if word)


@dataclass(frozen=True, slots=True)
class Integer(Kind):
    low: int = 0
    high: int = 2**64 - 1
    words: tuple[str, ...] = ()

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if text in self.words:
            return text
        if not re.fullmatch(r"-?[0-9]+", text):
            raise traps.bad_argument(name)
        if not self.low <= int(text) <= self.high:
            raise traps.argument(f"value of {name} out of range ({self.low}..{self.high})")
        return str(int(text))

    def sort_key(self, text: str) -> Any:
        return int(text)


@dataclass(frozen=True, slots=True)
class Duration(Kind):
    """Accepts 300, 5m, 00:05:00; prints the unit form. Some slots also take words such as none."""

    words: tuple[str, ...] = ()

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if text in self.words:
            return text
        try:
            return format_duration(parse_duration(text))
        except InputError as exc:
            raise traps.argument(f"invalid time value for argument {name}") from exc

    def sort_key(self, text: str) -> Any:
        try:
            return parse_duration(text)
        except InputError as exc:
            raise ValueError(text) from exc


@dataclass(frozen=True, slots=True)
class Address(Kind):
    """One IPv4 address. Empty is refused; unset needs `=!name=`."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if (address := parse_address(text)) is None:
            raise traps.bad_argument(name, router.behaviour.address_error_colon)
        return address

    def sort_key(self, text: str) -> Any:
        return int(ipaddress.IPv4Address(text))


@dataclass(frozen=True, slots=True)
class PrefixList(Kind):
    """IP prefixes separated by commas; a bare address is printed with its length. Empty means any."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        try:
            return ",".join(str(ipaddress.ip_network(part, strict=False)) for part in text.split(",") if part)
        except ValueError as exc:
            raise traps.bad_argument(name) from exc


@dataclass(frozen=True, slots=True)
class Ipv6Prefix(Kind):
    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        try:
            return str(ipaddress.IPv6Network(text, strict=False))
        except ValueError as exc:
            raise traps.bad_argument(name) from exc


@dataclass(frozen=True, slots=True)
class Ranges(Kind):
    """Address ranges of a pool: `10.0.0.2-10.0.0.254`, a prefix or an address, several with commas."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        parts = [part for part in text.split(",") if part]
        if not parts or any(range_bounds(part) is None for part in parts):
            raise traps.argument(f"value of {name} expects range of ip addresses")
        return ",".join(parts)


@dataclass(frozen=True, slots=True)
class MacAddress(Kind):
    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        try:
            return str(Mac.parse(text))
        except InputError as exc:
            raise traps.argument(f"invalid value of {name}, mac address required") from exc


@dataclass(frozen=True, slots=True)
class Reference(Kind):
    """A row of another menu, given as exact name, unique prefix of a name, or id; kept as its id."""

    menu: str
    words: tuple[str, ...] = ()
    unmatched: Callable[[str], traps.SimTrap] = field(default=traps.no_match)

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if text in self.words:
            return text
        table = router.table(self.menu)
        if re.fullmatch(r"\*[0-9A-Fa-f]+", text):
            if int(text[1:], 16) not in table:
                raise self.unmatched(name)
            return int(text[1:], 16)
        if (row_id := table.id_of(text)) is not None:
            return row_id
        found = table.ids_with_prefix(text) if router.behaviour.prefix_match or not text else []
        if len(found) == 1:
            return found[0]
        raise traps.ambiguous(name) if found else self.unmatched(name)

    def show(self, router: "SimRouter") -> Show | None:
        table = router.table(self.menu)

        def shown(value: Value) -> str | None:
            if isinstance(value, int):
                return table.name_of(value) or f"*{value:X}"
            return value if isinstance(value, str) else None

        return shown


@dataclass(frozen=True, slots=True)
class AddressOrPool(Reference):
    """An IPv4 address or a pool."""

    menu: str = "/ip/pool"
    unmatched: Callable[[str], traps.SimTrap] = field(default=traps.bad_argument)

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if not text:
            raise traps.bad_argument(name, router.behaviour.address_error_colon)
        return parse_address(text) or Reference.parse(self, text, name, router)


@dataclass(frozen=True, slots=True)
class Date(Kind):
    """A router-local time, kept as ISO text and printed as the version does."""

    def show(self, router: "SimRouter") -> Show | None:
        if router.version.has_iso_dates:
            return None
        return lambda value: old_date(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Since(Kind):
    """Time passed since an instant of the router's monotonic clock: another text at every print."""

    is_volatile: ClassVar[bool] = True

    def show(self, router: "SimRouter") -> Show | None:
        return lambda value: format_duration(int(max(0.0, router.clock.monotonic() - value)))  # type: ignore[operator]

    def sort_key(self, text: str) -> Any:
        return parse_duration(text)


@dataclass(frozen=True, slots=True)
class Computed(Kind):
    """A value that the router works out when it is asked."""

    is_volatile: ClassVar[bool] = True

    compute: Callable[["SimRouter"], str] = field(default=lambda router: "")

    def show(self, router: "SimRouter") -> Show | None:
        return lambda _value: self.compute(router)

    def sort_key(self, text: str) -> Any:
        return int(text)


@dataclass(frozen=True, slots=True)
class Policies(Kind):
    """The policies of a group: printed in full with `!` before those not granted; input changes only those named."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        granted = [word for word in text.split(",") if word and not word.startswith("!")]
        for word in text.split(","):
            if word and word.removeprefix("!") not in POLICIES:
                raise traps.no_match(name)
        return ",".join(word if word in granted else f"!{word}" for word in POLICIES)

    def merge(self, old: Value, new: Value, text: str) -> Value:
        granted = {word for word in str(old).split(",") if not word.startswith("!")}
        for word in text.split(","):
            granted = granted - {word[1:]} if word.startswith("!") else granted | {word}
        return ",".join(word if word in granted else f"!{word}" for word in POLICIES)


def match_word(text: str, words: Sequence[str], name: str, *, prefix: bool) -> str:
    """The word that `text` names as the console would take it. Raises: SimTrap."""
    if text in words:
        return text
    found = [word for word in words if word.startswith(text)] if prefix or not text else []
    if len(found) == 1:
        return found[0]
    raise traps.ambiguous(name) if found else traps.no_match(name)


def parse_address(text: str) -> str | None:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        return None


def range_bounds(text: str) -> tuple[int, int] | None:
    """First and last address of a range, as numbers; None when it is none."""
    try:
        if "-" in text:
            first, last = (int(ipaddress.IPv4Address(part)) for part in text.split("-", 1))
            return (first, last) if first <= last else None
        network = ipaddress.IPv4Network(text, strict=False)
        return int(network.network_address), int(network.broadcast_address)
    except ValueError:
        return None


def canonical_range(text: str) -> str | None:
    """How a host, prefix or range is printed; None when it is none."""
    if (bounds := range_bounds(text)) is None:
        return None
    first, last = (ipaddress.IPv4Address(number) for number in bounds)
    networks = list(ipaddress.summarize_address_range(first, last))
    return str(networks[0]).removesuffix("/32") if len(networks) == 1 else f"{first}-{last}"


def old_date(iso: str) -> str:
    """`may/01/2023 20:52:13`, as versions before 7.10 print."""
    return datetime.fromisoformat(iso).strftime("%b/%d/%Y %H:%M:%S").lower()
