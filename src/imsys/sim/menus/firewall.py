"""/ip/firewall: filter rules and tracked connections. How packets meet them is in imsys.sim.firewall."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsys.sim import traps
from imsys.sim.behaviour import Behaviour
from imsys.sim.fields import (
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
    canonical_range,
    match_word,
)
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu, with_defaults
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

_KNOWN_NUMBERS = {"1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "47": "gre"}


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
            return _KNOWN_NUMBERS.get(text, text)
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

MENUS = [FILTER, CONNECTION]
