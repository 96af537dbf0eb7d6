"""Which packets a filter rule means."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from imsys.sim.dynamics import ADDRESS_LIST
from imsys.sim.fields import Value, range_bounds
from imsys.sim.menu import Row
from imsys.sim.menus.firewall import NOT_MATCHERS, UNMODELLED

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

WAN = "ether1"
DEFAULT_INSIDE = "ether2"
_IMPOSSIBLE = tuple(name for name in (*UNMODELLED, "tos", "src-mac-address") if name not in NOT_MATCHERS)


@dataclass(frozen=True)
class Packet:
    """One packet of a flow, as a chain sees it."""

    router: "SimRouter"
    source: str
    target: str
    source_port: int
    target_port: int
    protocol: str
    state: str
    is_up: bool

    @cached_property
    def inside(self) -> int | None:
        """The interface of the subscriber."""
        return inside_of(self.router, self.source if self.is_up else self.target)

    @cached_property
    def outside(self) -> int | None:
        return self.router.table("/interface").id_of(WAN)

    def interface(self, *, is_in: bool) -> int | None:
        return self.inside if is_in == self.is_up else self.outside


def matches(table: "Table", row: Row, packet: Packet) -> bool:
    """Whether a packet is one that a rule means."""
    value = table.shape.value
    if any(value(row, name) is not None for name in _IMPOSSIBLE):
        return False
    return all(test(packet, wanted) for name, test in _TESTS.items() if (wanted := value(row, name)) is not None)


def _bang(wanted: Value) -> tuple[bool, str]:
    text = str(wanted)
    return (True, text[1:]) if text.startswith("!") else (False, text)


def _test(test: Callable[[Packet, str], bool]) -> Callable[[Packet, Value], bool]:
    """A test that `!` before the wanted value turns round."""

    def tested(packet: Packet, wanted: Value) -> bool:
        is_not, text = _bang(wanted)
        return test(packet, text) is not is_not

    return tested


def in_range(address: str, text: str) -> bool:
    first, last = range_bounds(text) or (1, 0)
    return first <= int(ipaddress.IPv4Address(address)) <= last


def _has_port(port: int, text: str) -> bool:
    for part in text.split(","):
        first, _, last = part.partition("-")
        if int(first) <= port <= int(last or first):
            return True
    return False


def _is_interface(packet: Packet, text: str, *, is_in: bool) -> bool:
    row_id = packet.interface(is_in=is_in)
    if text.isdigit():
        return row_id == int(text)
    table = packet.router.table("/interface")
    row = None if row_id is None else table.get(row_id)
    kind = "" if row is None else str(table.shape.value(row, "type"))
    return {"all-ethernet": kind == "ether", "all-ppp": kind.startswith("ppp"), "all-vlan": kind == "vlan"}.get(
        text, False
    )


def _in_interface_list(packet: Packet, text: str, *, is_in: bool) -> bool:
    row_id = packet.interface(is_in=is_in)
    if row_id is None or not text.isdigit():
        return False
    lists, members = packet.router.table("/interface/list"), packet.router.table("/interface/list/member")
    name = lists.name_of(int(text))
    if name in ("all", "dynamic", "static"):
        row = packet.router.table("/interface").get(row_id)
        is_dynamic = row is not None and packet.router.table("/interface").shape.value(row, "dynamic") == "true"
        return name == "all" or (name == "dynamic") is is_dynamic
    value = members.shape.value
    return any(
        value(row, "list") == int(text) and value(row, "interface") == row_id and value(row, "disabled") != "true"
        for _, row in members.items()
    )


_TESTS: dict[str, Callable[[Packet, Value], bool]] = {
    "connection-state": _test(lambda packet, text: packet.state in text.split(",")),
    "connection-nat-state": _test(lambda packet, text: "srcnat" in text.split(",")),
    "src-address": _test(lambda packet, text: in_range(packet.source, text)),
    "dst-address": _test(lambda packet, text: in_range(packet.target, text)),
    "src-address-list": _test(lambda packet, text: is_listed(packet.router, text, packet.source)),
    "dst-address-list": _test(lambda packet, text: is_listed(packet.router, text, packet.target)),
    "protocol": _test(lambda packet, text: packet.protocol == text),
    "src-port": _test(lambda packet, text: _has_port(packet.source_port, text)),
    "dst-port": _test(lambda packet, text: _has_port(packet.target_port, text)),
    "port": _test(lambda packet, text: _has_port(packet.source_port, text) or _has_port(packet.target_port, text)),
    "in-interface": _test(lambda packet, text: _is_interface(packet, text, is_in=True)),
    "out-interface": _test(lambda packet, text: _is_interface(packet, text, is_in=False)),
    "in-interface-list": _test(lambda packet, text: _in_interface_list(packet, text, is_in=True)),
    "out-interface-list": _test(lambda packet, text: _in_interface_list(packet, text, is_in=False)),
}


def is_listed(router: "SimRouter", list_name: str, address: str) -> bool:
    """Whether an enabled entry of an address list has this address: by itself, by a prefix, or by a range."""
    table = router.table(ADDRESS_LIST)
    value = table.shape.value
    number = ipaddress.IPv4Address(address)
    candidates = [*table.ids_where("address", str(number))]
    for length in range(32):
        prefix = ipaddress.IPv4Network((int(number) >> 32 - length << 32 - length, length))
        candidates += table.ids_where("address", str(prefix))
    candidates += [
        row_id
        for row_id in table.ids_where("span", "range")
        if (row := table.get(row_id)) is not None and in_range(address, str(value(row, "address")))
    ]
    rows = [row for row_id in candidates if (row := table.get(row_id)) is not None]
    return any(value(row, "list") == list_name and value(row, "disabled") != "true" for row in rows)


def inside_of(router: "SimRouter", address: str) -> int | None:
    """The interface by which an address is reached: its PPP session's, its DHCP server's, or the first inside."""
    for session in router.ppp.sessions.values():
        if session.address == address:
            return session.interface_id
    if (leases := router.peek("/ip/dhcp-server/lease")) is not None:
        servers = router.table("/ip/dhcp-server")
        for row_id in leases.ids_where("address", address):
            row = leases.get(row_id)
            server_id = None if row is None else leases.shape.value(row, "active-server")
            server = servers.get(server_id) if isinstance(server_id, int) else None
            if server is not None and isinstance(found := servers.shape.value(server, "interface"), int):
                return found
    return router.table("/interface").id_of(DEFAULT_INSIDE)
