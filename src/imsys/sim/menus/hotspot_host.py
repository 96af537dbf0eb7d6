"""/ip/hotspot: bindings of devices, and who is there. What devices do is in imsys.sim.hotspot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsys.sim import traps
from imsys.sim.fields import (
    Address,
    Enum,
    Flag,
    Kind,
    MacAddress,
    Optional,
    Reference,
    Since,
    Text,
    Value,
    range_bounds,
)
from imsys.sim.menu import READ_VERBS, Column, Menu, Row
from imsys.sim.menus.dhcp import Until
from imsys.sim.menus.hotspot import ACTIVE, BINDINGS, COOKIES, HOSTS, NO_UNSET, SERVERS, OneServer, adapt_server
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

_WATCHED = READ_VERBS | {"remove"}


@dataclass(frozen=True, slots=True)
class AddressRange(Kind):
    """An address, a prefix or a range."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if range_bounds(text) is None:
            raise traps.argument(f"value of {name} expects range of ip addresses")
        return text.removesuffix("/32")


def _check_binding(table: Table, row: Row, row_id: int | None) -> None:
    if table.router.behaviour.duplicate_binding == "accepted":
        return
    slots = [table.shape.slots[name] for name in ("mac-address", "address", "server")]
    mac = row[slots[0]]
    others = list(table) if mac is None else table.ids_where("mac-address", mac)
    for other in others:
        twin = table.get(other)
        if other != row_id and twin is not None and all(twin[slot] == row[slot] for slot in slots):
            raise SimTrap("failure: already have such binding")  # the wording is not known


def _binding_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    value = table.shape.value
    if new is not None:
        bypassed, blocked = ("true" if value(new, "type") == kind else "false" for kind in ("bypassed", "blocked"))
        if (value(new, "bypassed"), value(new, "blocked")) != (bypassed, blocked):
            table.amend(row_id, bypassed=bypassed, blocked=blocked)
    macs = {value(row, "mac-address") for row in (old, new) if row is not None}
    table.router.hotspot.gateway.hosts.bindings_changed(macs)


BINDING = Menu(
    BINDINGS,
    (
        Column("mac-address", MacAddress(), diverse=True),
        Column("address", AddressRange(), diverse=True),
        Column("to-address", Address(), diverse=True),
        Column("server", OneServer()),
        Column("type", Enum(("blocked", "bypassed", "regular")), "regular"),
        Column("blocked", Flag(), "false", read_only=True),
        Column("bypassed", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional(), diverse=True),
    ),
    verbs=NO_UNSET | {"move"},
    indexes=("mac-address",),
    noun="hotspot ip binding",
    is_ordered=True,
    check=_check_binding,
    after_change=_binding_changed,
    adapt=adapt_server,
)


# Who is there


def _log_out(table: Table, row_id: int, by: str) -> None:
    table.router.hotspot.gateway.log_out(row_id)


def _remove_host(table: Table, row_id: int, by: str) -> None:
    table.router.hotspot.gateway.hosts.remove(row_id)


def _counters(*, is_quota: bool = False) -> tuple[Column, ...]:
    names = ("bytes-in", "bytes-out", "packets-in", "packets-out")
    limits = ("limit-bytes-in", "limit-bytes-out", "limit-bytes-total") if is_quota else ()
    return (
        *(Column(name, Text(), "0", read_only=True, diverse=True) for name in names),
        *(Column(name, Text(), read_only=True) for name in limits),
    )


SESSION = Menu(
    ACTIVE,
    (
        Column("server", Reference(SERVERS), read_only=True),
        Column("user", Text(), read_only=True, diverse=True),
        Column("domain", Text(), read_only=True),
        Column("address", Text(), read_only=True, diverse=True),
        Column("mac-address", Text(), read_only=True, diverse=True),
        Column("login-by", Text(), read_only=True),
        Column("uptime", Since(), read_only=True),
        Column("session-time-left", Until(), read_only=True),
        Column("idle-time", Text(), "0s", read_only=True),
        Column("idle-timeout", Text(), read_only=True),
        Column("keepalive-timeout", Text(), read_only=True),
        *_counters(is_quota=True),
        Column("radius", Text(), "false", read_only=True),
        Column("comment", Text(), read_only=True),
    ),
    verbs=_WATCHED,
    key="user",
    key_is_unique=False,
    indexes=("mac-address",),
    is_dynamic=True,
    remove=_log_out,
)

HOST = Menu(
    HOSTS,
    (
        Column("mac-address", Text(), read_only=True, diverse=True),
        Column("address", Text(), read_only=True, diverse=True),
        Column("to-address", Text(), read_only=True, diverse=True),
        Column("server", Reference(SERVERS), read_only=True),
        Column("uptime", Since(), read_only=True),
        Column("idle-time", Text(), "0s", read_only=True),
        Column("idle-timeout", Text(), read_only=True),
        Column("host-dead-time", Text(), "0s", read_only=True),
        *_counters(),
        Column("found-by", Text(), "UDP :68", read_only=True),
        Column("DHCP", Flag(), "false", read_only=True),
        Column("authorized", Flag(), "false", read_only=True),
        Column("bypassed", Flag(), "false", read_only=True),
        Column("dynamic", Flag(), "true", read_only=True),
        Column("comment", Text(), read_only=True),
    ),
    verbs=_WATCHED,
    indexes=("mac-address",),
    is_dynamic=True,
    remove=_remove_host,
)

COOKIE = Menu(
    COOKIES,
    (
        Column("user", Text(), read_only=True, diverse=True),
        Column("domain", Text(), read_only=True),
        Column("mac-address", Text(), read_only=True, diverse=True),
        Column("expires-in", Until(), read_only=True),
        Column("mac-cookie", Flag(), "false", read_only=True),
        Column("password", Text(), hidden=True, diverse=True),  # that of the login that made it
    ),
    verbs=_WATCHED,
    key="user",
    key_is_unique=False,
    indexes=("mac-address",),
)

MENUS = [BINDING, SESSION, HOST, COOKIE]
