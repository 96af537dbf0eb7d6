"""/ip/firewall: address lists, filter rules and tracked connections. How packets meet them is in imsys.sim.firewall."""

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from imsys.kit.units import format_duration, parse_duration
from imsys.sim import traps
from imsys.sim.behaviour import Behaviour
from imsys.sim.fields import (
    Duration,
    Enum,
    Flag,
    Kind,
    MacAddress,
    Name,
    Optional,
    Reference,
    Show,
    Text,
    Value,
    match_word,
    range_bounds,
)
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu, Row, with_defaults
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

CONNECTION_STATES = ("established", "invalid", "new", "related", "untracked")
NAT_STATES = ("dstnat", "srcnat")
CONNECTION_FIRST_ID = 0x1000
_ACTIONS = (
    *("accept", "add-dst-to-address-list", "add-src-to-address-list", "drop", "fasttrack-connection", "jump", "log"),
    *("passthrough", "reject", "return", "tarpit"),
)
_PROTOCOLS = tuple(
    "icmp igmp ggp ip-encap st tcp egp pup udp hmp xns-idp rdp iso-tp4 dccp xtp ddp idpr-cmtp ipv6-encap rsvp gre"
    " ipsec-esp ipsec-ah rspf vmtp ospf ipip etherip encap pim vrrp l2tp sctp udp-lite".split()
)


# Address lists


class ListAddress(Kind):
    """An address, prefix, range or DNS name; hosts are printed bare, an aligned range as a prefix."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if not text:
            raise traps.bad_argument(name)
        if re.fullmatch(r"[0-9.]+-[0-9.]+|[0-9.]+(/[0-9.]*)?", text):
            if (shown := canonical_range(text)) is None:
                raise traps.bad_argument(name)
            return shown
        if ":" in text:
            try:
                return str(ipaddress.IPv6Network(text, strict=False))
            except ValueError as exc:
                raise traps.bad_argument(name) from exc
        return text


def canonical_range(text: str) -> str | None:
    """How a host, prefix or range is printed; None when it is none."""
    if (bounds := range_bounds(text)) is None:
        return None
    first, last = (ipaddress.IPv4Address(number) for number in bounds)
    networks = list(ipaddress.summarize_address_range(first, last))
    return str(networks[0]).removesuffix("/32") if len(networks) == 1 else f"{first}-{last}"


@dataclass(frozen=True, slots=True)
class TimeLeft(Duration):
    """Kept as the instant at which it is over, printed as the time until then."""

    is_volatile: ClassVar[bool] = True

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        return router.clock.monotonic() + parse_duration(str(Duration.parse(self, text, name, router)))

    def show(self, router: "SimRouter") -> Show | None:
        return lambda value: format_duration(int(max(0.0, float(value or 0) - router.clock.monotonic())))


def _adapt_list(menu: Menu, behaviour: Behaviour) -> Menu:
    if not behaviour.list_timeout_counts_down:
        return menu
    columns = [replace(column, kind=TimeLeft()) if column.name == "timeout" else column for column in menu.columns]
    return replace(menu, columns=tuple(columns))


def _prepare_entry(table: Table, row: Row) -> Row:
    shape = table.shape
    is_dynamic = shape.value(row, "timeout") is not None or shape.value(row, "dynamic") == "true"
    return shape.changed(
        row,
        creation_time=table.router.local_text(),
        dynamic="true" if is_dynamic else "false",
        span=_span(shape.value(row, "address")),
    )


def _span(address: Value) -> Value:
    """Marks what cannot be found by an address or its prefixes: an uneven range."""
    return "range" if "-" in str(address) and range_bounds(str(address)) is not None else None


def _check_entry(table: Table, row: Row, row_id: int | None) -> None:
    """Unique by list and address, timed or not; a disabled twin does not count."""
    value = table.shape.value
    old = None if row_id is None else table.get(row_id)
    if old is not None and value(old, "timeout") is not None and value(row, "timeout") is None:
        raise traps.bad_argument("timeout")  # the wording is not known; no way to make an entry permanent is
    if value(row, "disabled") == "true":
        return
    for other in table.ids_where("address", value(row, "address")):
        twin = table.get(other)
        if other == row_id or twin is None:
            continue
        if value(twin, "list") == value(row, "list") and value(twin, "disabled") != "true":
            raise SimTrap("failure: already have such entry")


def _entry_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    if new is None:
        return
    value = table.shape.value
    if old is not None and value(old, "address") != value(new, "address"):
        table.amend(row_id, is_quiet=True, span=_span(value(new, "address")))
    timeout = value(new, "timeout")
    if timeout is None or (old is not None and value(old, "timeout") == timeout):
        return
    clock = table.router.clock
    due_at = timeout if isinstance(timeout, float) else clock.monotonic() + parse_duration(str(timeout))
    table.amend(row_id, is_quiet=True, due_at=due_at, dynamic="true")
    table.router.alarms.at(due_at, lambda: _expire(table, row_id))


def _expire(table: Table, row_id: int) -> None:
    row = table.get(row_id)
    if row is None or not isinstance(due_at := table.shape.value(row, "due-at"), float):
        return
    if due_at <= table.router.clock.monotonic():
        table.delete(row_id)


ADDRESS_LIST = Menu(
    "/ip/firewall/address-list",
    (
        Column("list", Name(), required=True),
        Column("address", ListAddress(), required=True, diverse=True),
        Column("creation-time", Text(), read_only=True, diverse=True),
        Column("timeout", Duration()),
        Column("dynamic", Flag(), "false"),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional(), diverse=True),
        Column("due-at", hidden=True, read_only=True),
        Column("span", hidden=True, read_only=True),
    ),
    verbs=(ROW_VERBS | SWITCH_VERBS) - {"unset"},
    indexes=("address", "span"),
    noun="address list entry",
    prepare=_prepare_entry,
    check=_check_entry,
    after_change=_entry_changed,
    adapt=_adapt_list,
)


# Filter rules


@dataclass(frozen=True, slots=True)
class AddressMatch(Kind):
    """A host, prefix or range, possibly with `!` before it."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        bang, rest = _split_bang(text)
        if (shown := canonical_range(rest)) is None:
            raise traps.argument("value of range expects range of ip addresses")
        return bang + shown


@dataclass(frozen=True, slots=True)
class WordMatch(Kind):
    """One word of some, possibly with `!` before it; `is_list`: several with commas. Numbers pass when `max_number`."""

    words: tuple[str, ...]
    is_list: bool = False
    max_number: int = -1

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        bang, rest = _split_bang(text)
        parts = rest.split(",") if self.is_list else [rest]
        return bang + ",".join(self._word(part, name, router) for part in parts)

    def _word(self, text: str, name: str, router: "SimRouter") -> str:
        if text.isascii() and text.isdigit() and int(text) <= self.max_number:
            return text
        return match_word(text, self.words, name, prefix=router.behaviour.prefix_match)


@dataclass(frozen=True, slots=True)
class PortMatch(Kind):
    """Ports and ranges of ports with commas, possibly with `!` before them."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        bang, rest = _split_bang(text)
        for part in rest.split(","):
            match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", part)
            if match is None or not int(match[1]) <= int(match[2] or match[1]) <= 65535:
                raise traps.bad_argument(name)
        return bang + rest


@dataclass(frozen=True, slots=True)
class RowMatch(Reference):
    """A row of another menu, possibly with `!` before it: `5` is kept for row 5, `!5` for any but row 5."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        bang, rest = _split_bang(text)
        value = Reference.parse(self, rest, name, router)
        return f"!{value}" if bang else value

    def show(self, router: "SimRouter") -> Show | None:
        table = router.table(self.menu)

        def shown(value: Value) -> str | None:
            bang, rest = _split_bang(str(value))
            return bang + ((table.name_of(int(rest)) or f"*{int(rest):X}") if rest.isdigit() else rest)

        return shown


def _split_bang(text: str) -> tuple[str, str]:
    return ("!", text[1:]) if text.startswith("!") else ("", text)


def _no_interface(_name: str) -> SimTrap:
    return traps.no_match("interface")


def _no_interface_list(_name: str) -> SimTrap:
    return traps.no_match("interface-list")


def _adapt_filter(menu: Menu, behaviour: Behaviour) -> Menu:
    if behaviour.filter_prints_defaults:
        menu = with_defaults(menu, disabled="false", log="false", log_prefix="")
    return menu


_INTERFACE = RowMatch("/interface", ("all-ethernet", "all-ppp", "all-vlan", "all-wireless"), _no_interface)
_INTERFACE_LIST = RowMatch("/interface/list", (), _no_interface_list)
# Matchers that are kept and printed; a rule that has one never matches a packet of the simulation.
UNMODELLED = (
    *("address-list", "address-list-timeout", "connection-bytes", "connection-limit", "connection-mark"),
    *("connection-rate", "connection-type", "content", "dscp", "dst-address-type", "dst-limit", "fragment", "hotspot"),
    *("icmp-options", "in-bridge-port", "in-bridge-port-list", "ingress-priority", "ipsec-policy", "ipv4-options"),
    *("layer7-protocol", "limit", "nth", "out-bridge-port", "out-bridge-port-list", "p2p", "packet-mark"),
    *("packet-size", "per-connection-classifier", "priority", "psd", "random", "realm", "routing-mark"),
    *("src-address-type", "tcp-flags", "tcp-mss", "time", "tls-host", "ttl"),
)
# Of these, what an action needs and no packet is compared with.
NOT_MATCHERS = frozenset({"address-list", "address-list-timeout"})

FILTER = Menu(
    "/ip/firewall/filter",
    (
        Column("chain", Name(), required=True),
        Column("action", Enum(_ACTIONS), "accept"),
        Column("hw-offload", Flag(), since=(7,), until=(7, 21)),
        Column("jump-target", Optional()),
        Column("reject-with", Optional()),
        Column("connection-state", WordMatch(CONNECTION_STATES, is_list=True)),
        Column("connection-nat-state", WordMatch(NAT_STATES, is_list=True)),
        Column("src-address", AddressMatch()),
        Column("dst-address", AddressMatch()),
        Column("src-address-list", Optional()),
        Column("dst-address-list", Optional()),
        Column("src-mac-address", MacAddress()),
        Column("protocol", WordMatch(_PROTOCOLS, max_number=255)),
        Column("src-port", PortMatch()),
        Column("dst-port", PortMatch()),
        Column("port", PortMatch()),
        Column("in-interface", _INTERFACE),
        Column("out-interface", _INTERFACE),
        Column("in-interface-list", _INTERFACE_LIST),
        Column("out-interface-list", _INTERFACE_LIST),
        *(Column(name, Optional()) for name in UNMODELLED),
        Column("tos", Optional(), since=(7, 21)),
        Column("log", Flag()),
        Column("log-prefix", Text()),
        Column("bytes", Text(), "0", read_only=True),
        Column("packets", Text(), "0", read_only=True),
        Column("invalid", Flag(), "false", read_only=True),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("disabled", Flag()),
        Column("comment", Optional(), diverse=True),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS | {"move", "reset-counters"},
    noun="filter rule",
    is_ordered=True,
    adapt=_adapt_filter,
)


# Connections

CONNECTION = Menu(
    "/ip/firewall/connection",
    (
        Column("protocol", Text(), "tcp", read_only=True),
        Column("src-address", Text(), read_only=True, diverse=True),
        Column("dst-address", Text(), read_only=True, diverse=True),
        Column("reply-src-address", Text(), read_only=True, diverse=True),
        Column("reply-dst-address", Text(), read_only=True, diverse=True),
        Column("connection-mark", Text(), read_only=True),
        Column("tcp-state", Text(), read_only=True),
        Column("timeout", Text(), read_only=True),
        Column("orig-packets", Text(), "0", read_only=True),
        Column("orig-bytes", Text(), "0", read_only=True),
        Column("orig-fasttrack-packets", Text(), "0", read_only=True),
        Column("orig-fasttrack-bytes", Text(), "0", read_only=True),
        Column("repl-packets", Text(), "0", read_only=True),
        Column("repl-bytes", Text(), "0", read_only=True),
        Column("repl-fasttrack-packets", Text(), "0", read_only=True),
        Column("repl-fasttrack-bytes", Text(), "0", read_only=True),
        Column("orig-rate", Text(), "0", read_only=True),
        Column("repl-rate", Text(), "0", read_only=True),
        Column("expected", Flag(), "false", read_only=True),
        Column("seen-reply", Flag(), "true", read_only=True),
        Column("assured", Flag(), "true", read_only=True),
        Column("confirmed", Flag(), "true", read_only=True),
        Column("dying", Flag(), "false", read_only=True),
        Column("fasttrack", Flag(), "false", read_only=True),
        Column("hw-offload", Flag(), "false", read_only=True, since=(7,)),
        Column("srcnat", Flag(), "true", read_only=True),
        Column("dstnat", Flag(), "false", read_only=True),
        Column("source", hidden=True, read_only=True),
    ),
    verbs=frozenset({"print", "getall", "get", "remove"}),
    indexes=("source",),
    is_dynamic=True,
    first_id=CONNECTION_FIRST_ID,
)

MENUS = [ADDRESS_LIST, FILTER, CONNECTION]
