"""/interface and the PPPoE server. A session of a subscriber shows as a dynamic interface `<pppoe-NAME>`."""

from imsys.sim.fields import Duration, Enum, EnumList, Flag, Integer, MacAddress, Name, Optional, Reference, Since, Text
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

DYNAMIC_FIRST_ID = 0x80000001


def _end_session(table: Table, row_id: int, by: str) -> None:
    """Removing the interface of a session ends it."""
    table.router.ppp.end_interface(row_id)


def _check_builtin(table: Table, row_id: int) -> None:
    row = table.get(row_id)
    if row is not None and table.shape.value(row, "builtin") == "true":
        raise SimTrap("failure: can not change built-in list")  # the wording is not known


INTERFACE = Menu(
    "/interface",
    (
        Column("name", Name(), diverse=True),
        Column("default-name", Optional(), read_only=True),
        Column("type", Text(), "ether", read_only=True),
        Column("mtu", Text(), "1500"),
        Column("actual-mtu", Text(), "1500", read_only=True),
        Column("l2mtu", Optional()),
        Column("mac-address", MacAddress(), read_only=True, diverse=True),
        Column("last-link-up-time", Text(), read_only=True, diverse=True),
        Column("link-downs", Text(), "0", read_only=True),
        Column("rx-byte", Integer(), "0", read_only=True, diverse=True),
        Column("tx-byte", Integer(), "0", read_only=True, diverse=True),
        Column("rx-packet", Integer(), "0", read_only=True, diverse=True),
        Column("tx-packet", Integer(), "0", read_only=True, diverse=True),
        Column("rx-error", Integer(), "0", read_only=True),
        Column("tx-error", Integer(), "0", read_only=True),
        Column("dynamic", Flag(), read_only=True),
        Column("running", Flag(), "true", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional()),
    ),
    verbs=frozenset(
        {"print", "getall", "get", "listen", "set", "enable", "disable", "comment", "reset", "reset-counters"}
    ),
    key="name",
    duplicate="failure: already have interface with such name",
    noun="interface",
    has_silent_removals=True,
)

PPPOE_SERVER = Menu(
    "/interface/pppoe-server",
    (
        Column("name", Name(), diverse=True),
        Column("user", Text(), "", diverse=True),
        Column("service", Text(), ""),
        Column("mtu", Text(), read_only=True),
        Column("mru", Text(), read_only=True),
        Column("remote-address", Text(), read_only=True, diverse=True),
        Column("encoding", Text(), read_only=True),
        Column("uptime", Since(), read_only=True),
        Column("interface", Reference("/interface"), read_only=True),
        Column("dynamic", Flag(), read_only=True),
        Column("running", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional()),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS,
    key="name",
    duplicate="failure: already have interface with such name",
    noun="pppoe-server",
    remove=_end_session,
)

PPPOE_SERVER_SERVER = Menu(
    "/interface/pppoe-server/server",
    (
        Column("service-name", Text(), ""),
        Column("interface", Reference("/interface"), required=True),
        Column("max-mtu", Text(), "auto"),
        Column("max-mru", Text(), "auto"),
        Column("mrru", Text(), "disabled"),
        Column("authentication", EnumList(("pap", "chap", "mschap1", "mschap2")), "pap,chap,mschap1,mschap2"),
        Column("keepalive-timeout", Duration(("disabled",)), "10"),
        Column("one-session-per-host", Flag(), "false"),
        Column("max-sessions", Integer(words=("unlimited",)), "unlimited"),
        Column("pado-delay", Integer(), "0"),
        Column("default-profile", Reference("/ppp/profile"), 0),
        Column("accept-empty-service", Flag(), "true", since=(7,)),
        Column("pppoe-over-vlan-range", Text(), "", since=(7, 17)),
        Column("accept-untagged", Enum(("no", "yes")), "yes", since=(7, 20)),
        Column("invalid", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "true"),
        Column("comment", Optional(), since=(7,)),
    ),
    noun="pppoe server",
)

INTERFACE_LIST = Menu(
    "/interface/list",
    (
        Column("name", Name(), required=True),
        Column("include", Text(), ""),
        Column("exclude", Text(), ""),
        Column("builtin", Flag(), "false", read_only=True),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("comment", Optional()),
    ),
    key="name",
    noun="interface list",
    check_edit=_check_builtin,
    check_remove=_check_builtin,
)

INTERFACE_LIST_MEMBER = Menu(
    "/interface/list/member",
    (
        Column("list", Reference("/interface/list"), required=True),
        Column("interface", Reference("/interface"), required=True),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional()),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS,
    noun="interface list member",
)

MENUS = [INTERFACE, PPPOE_SERVER, PPPOE_SERVER_SERVER, INTERFACE_LIST, INTERFACE_LIST_MEMBER]
