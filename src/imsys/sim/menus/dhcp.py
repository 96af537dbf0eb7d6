"""/ip/dhcp-server and its leases. How clients get and lose them is in imsys.sim.dhcp."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from imsys.kit.units import format_duration
from imsys.sim import traps
from imsys.sim.fields import (
    Address,
    AddressOrPool,
    Duration,
    Enum,
    Flag,
    Integer,
    Kind,
    MacAddress,
    Name,
    Optional,
    Reference,
    Show,
    Text,
    Value,
)
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu, Row
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

SERVERS = "/ip/dhcp-server"
LEASES = "/ip/dhcp-server/lease"
NEVER = "never"


def _no_pool(_name: str) -> SimTrap:
    return traps.no_match("address-pool")


def _name_server(table: Table, row: Row) -> Row:
    slot, number = table.shape.key_slot, 1
    if row[slot] is not None:
        return row
    while table.id_of(f"dhcp{number}") is not None:
        number += 1
    return (*row[:slot], f"dhcp{number}", *row[slot + 1 :])


SERVER = Menu(
    SERVERS,
    (
        Column("name", Name()),
        Column("interface", Reference("/interface"), required=True),
        Column("relay", Address()),
        Column("address-pool", Reference("/ip/pool", ("static-only",), _no_pool), "static-only"),
        Column("lease-time", Duration(), "30m"),
        Column("add-arp", Flag()),
        Column("always-broadcast", Flag()),
        Column("authoritative", Enum(("after-10sec-delay", "after-2sec-delay", "no", "yes")), "yes"),
        Column("bootp-support", Enum(("dynamic", "none", "static")), "static"),
        Column("bootp-lease-time", Duration(("forever", "lease-time")), "forever"),
        Column("client-mac-limit", Integer(words=("unlimited",))),
        Column("conflict-detection", Flag()),
        Column("delay-threshold", Duration(("none",))),
        Column("dhcp-option-set", Optional()),
        Column("insert-queue-before", Optional()),
        Column("parent-queue", Optional()),
        Column("allow-dual-stack-queue", Flag()),
        Column("lease-script", Text(), ""),
        Column("server-address", Address()),
        Column("use-framed-as-classless", Flag(), "true"),
        Column("use-radius", Enum(("accounting", "no", "yes")), "no"),
        Column("address-lists", Text(), "", since=(7, 18)),
        Column("use-reconfigure", Flag(), "false", since=(7, 20)),
        Column("dynamic-lease-identifiers", Optional(), since=(7, 21)),
        Column("support-broadband-tr101", Flag(), since=(7, 21)),
        Column("add-dns-entries", Optional(), since=(7, 24)),
        Column("add-dns-entries-suffix", Optional(), since=(7, 24)),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("invalid", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional()),
    ),
    verbs=(ROW_VERBS | SWITCH_VERBS) - {"unset"},
    key="name",
    duplicate="failure: server with such name already exists",
    noun="dhcp server",
    prepare=_name_server,
)


# Leases


@dataclass(frozen=True, slots=True)
class LeaseServer(Reference):
    """A server; `all` is kept as none and not printed."""

    menu: str = SERVERS

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        return None if text == "all" else Reference.parse(self, text, name, router)


@dataclass(frozen=True, slots=True)
class ClientId(Kind):
    """`1:b8:88:e3:0:1:2`: lower case and no leading zeros when it is made of bytes, else as typed."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if not text:
            return None
        try:
            return ":".join(f"{int(part, 16):x}" for part in text.split(":")) if ":" in text else text
        except ValueError:
            return text


@dataclass(frozen=True, slots=True)
class LeaseMac(MacAddress):
    """Empty means none: the lease is then known by its client-id."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        return MacAddress.parse(self, text, name, router) if text else None


@dataclass(frozen=True, slots=True)
class Until(Kind):
    """The time until an instant of the router's monotonic clock."""

    is_volatile: ClassVar[bool] = True

    def show(self, router: "SimRouter") -> Show | None:
        return lambda value: format_duration(int(max(0.0, float(value or 0) - router.clock.monotonic())))


@dataclass(frozen=True, slots=True)
class LastSeen(Kind):
    """The time since an instant, or `never`."""

    is_volatile: ClassVar[bool] = True

    def show(self, router: "SimRouter") -> Show | None:
        def shown(value: Value) -> str:
            if isinstance(value, str):
                return value
            return format_duration(int(max(0.0, router.clock.monotonic() - float(value or 0))))

        return shown


def _check_lease(table: Table, row: Row, row_id: int | None) -> None:
    """MAC unique per server, `all` meeting every server; address unique whatever the server. Only static ones count."""
    value = table.shape.value
    if value(row, "dynamic") == "true":
        return
    is_off = value(row, "disabled") == "true"
    if (mac := value(row, "mac-address")) is not None and not is_off:
        server = value(row, "server")
        for twin in _static_twins(table, "mac-address", mac, row_id):
            meets = server is None or value(twin, "server") in (None, server)
            if meets and value(twin, "disabled") != "true":
                raise SimTrap("failure: already have static lease for this client")
    frees = table.router.behaviour.disabled_lease_frees_address
    if not isinstance(address := value(row, "address"), str) or (frees and is_off):
        return
    for twin in _static_twins(table, "address", address, row_id):
        if not (frees and value(twin, "disabled") == "true"):
            raise SimTrap("failure: already have static lease with this IP address")


def _static_twins(table: Table, name: str, wanted: Value, row_id: int | None) -> list[Row]:
    rows = [row for other in table.ids_where(name, wanted) if other != row_id and (row := table.get(other)) is not None]
    return [row for row in rows if table.shape.value(row, "dynamic") != "true"]


def _check_edit(table: Table, row_id: int) -> None:
    row = table.get(row_id)
    is_dynamic = row is not None and table.shape.value(row, "dynamic") == "true"
    if is_dynamic and table.router.behaviour.dynamic_lease_edit == "refused":
        raise SimTrap(traps.DYNAMIC_ROW)


def _lease_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    table.router.dhcp.leases.changed(row_id, old, new)


def _make_static(table: Table, row_id: int) -> bool:
    return table.router.dhcp.leases.make_static(row_id)


def _check_status(table: Table, row_id: int) -> bool:
    return table.router.dhcp.leases.check_status(row_id)


LEASE = Menu(
    LEASES,
    (
        Column("address", AddressOrPool(), required=True, diverse=True),
        Column("mac-address", LeaseMac(), diverse=True),
        Column("client-id", ClientId(), diverse=True),
        Column("address-lists", Text(), ""),
        Column("server", LeaseServer()),
        Column("lease-time", Duration()),
        Column("rate-limit", Optional()),
        Column("block-access", Flag()),
        Column("always-broadcast", Flag()),
        Column("use-src-mac", Flag()),
        Column("allow-dual-stack-queue", Flag()),
        Column("insert-queue-before", Optional()),
        Column("parent-queue", Optional()),
        Column("queue-type", Optional()),
        Column("routes", Optional()),
        Column("dhcp-option", Text(), ""),
        Column("dhcp-option-set", Optional()),
        Column("agent-circuit-id", Text(), "", since=(7, 21)),
        Column("agent-remote-id", Text(), "", since=(7, 21)),
        Column("status", Text(), "waiting", read_only=True),
        Column("expires-after", Until(), read_only=True),
        Column("last-seen", LastSeen(), NEVER, read_only=True),
        Column("active-address", Text(), read_only=True, diverse=True),
        Column("active-mac-address", Text(), read_only=True, diverse=True),
        Column("active-client-id", Text(), read_only=True, diverse=True),
        Column("active-server", Reference(SERVERS), read_only=True),
        Column("host-name", Text(), read_only=True, diverse=True),
        Column("radius", Flag(), "false", read_only=True),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("blocked", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional(), diverse=True),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS | {"make-static", "check-status"},
    indexes=("mac-address", "address"),
    noun="dhcp lease",
    keeps_dynamic=True,
    check=_check_lease,
    check_edit=_check_edit,
    after_change=_lease_changed,
    active_queries=("?status=bound",),
    actions=(("make-static", _make_static), ("check-status", _check_status)),
)

MENUS = [SERVER, LEASE]
