"""/ppp: secrets, profiles, sessions. Sources: RouterOS manual, PPP AAA; captures of v6 and v7 routers."""

from imsys.sim.behaviour import Behaviour
from imsys.sim.fields import (
    Address,
    AddressOrPool,
    Date,
    Duration,
    Enum,
    Flag,
    Integer,
    Ipv6Prefix,
    Name,
    Optional,
    Reference,
    Since,
    Text,
)
from imsys.sim.menu import ROW_VERBS, SETTINGS_VERBS, SWITCH_VERBS, Column, Menu, Row, with_defaults
from imsys.sim.ppp import UNSET_ADDRESS
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

DEFAULT_PROFILE_ID = 0
ENCRYPTION_PROFILE_ID = 0xFFFFFFFE
SESSION_FIRST_ID = 0x80000001

_SERVICES = ("any", "async", "l2tp", "ovpn", "pppoe", "pptp", "sstp")
_DEFAULT_YES_NO = ("default", "no", "yes")
_DISCONNECT_REASONS = "peer-request hung-up idle-timeout session-timeout reset reboot port-error nas-error nas-request"


def _check_secret(table: Table, row: Row, row_id: int | None) -> None:
    slot, service = table.shape.slots["name"], table.shape.slots["service"]
    for other in table.ids_of(str(row[slot])):
        twin = table.get(other)
        if other == row_id or twin is None:
            continue
        if table.router.behaviour.same_name_other_service and twin[service] != row[service]:
            continue
        raise SimTrap("failure: secret with the same name already exists")


def _adapt_secret(menu: Menu, behaviour: Behaviour) -> Menu:
    if behaviour.unset_address == "zero":
        menu = with_defaults(menu, local_address=UNSET_ADDRESS, remote_address=UNSET_ADDRESS)
    if behaviour.never_logged_out == "epoch":
        menu = with_defaults(menu, last_logged_out="1970-01-01 00:00:00")
    return menu


def _secret_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    table.router.ppp.secret_changed(old, new)


def _check_profile(table: Table, row: Row, row_id: int | None) -> None:
    if any(other != row_id for other in table.ids_of(str(row[table.shape.slots["name"]]))):
        raise SimTrap(table.router.behaviour.duplicate_profile_text)


def _check_profile_removal(table: Table, row_id: int) -> None:
    if row_id in (DEFAULT_PROFILE_ID, ENCRYPTION_PROFILE_ID):
        raise SimTrap("failure: default profile can not be removed")  # the wording is not known
    if table.router.behaviour.profile_in_use == "refused":
        secrets = table.router.table("/ppp/secret")
        slot = secrets.shape.slots["profile"]
        if any(row[slot] == row_id for _, row in secrets.items()):
            raise SimTrap("failure: profile is in use")


def _profile_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    table.router.ppp.profile_changed(row_id, old, new)


def _end_session(table: Table, row_id: int, by: str) -> None:
    table.router.ppp.end(row_id, reason="nas-request", note="administrator request")


SECRET = Menu(
    "/ppp/secret",
    (
        Column("name", Name(), required=True, diverse=True),
        Column("service", Enum(_SERVICES), "any"),
        Column("caller-id", Text(), "", diverse=True),
        Column("password", Text(), "", sensitive=True, diverse=True),
        Column("profile", Reference("/ppp/profile"), DEFAULT_PROFILE_ID),
        Column("local-address", Address()),
        Column("remote-address", Address(), diverse=True),
        Column("remote-ipv6-prefix", Ipv6Prefix()),
        Column("routes", Text(), ""),
        Column("ipv6-routes", Text(), ""),
        Column("limit-bytes-in", Integer(), "0"),
        Column("limit-bytes-out", Integer(), "0"),
        Column("last-logged-out", Date(), read_only=True, diverse=True),
        Column("last-caller-id", Text(), read_only=True, diverse=True),
        Column("last-disconnect-reason", Enum(tuple(_DISCONNECT_REASONS.split())), read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional(), diverse=True),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS,
    key="name",
    key_is_unique=False,
    noun="ppp secret",
    check=_check_secret,
    after_change=_secret_changed,
    adapt=_adapt_secret,
)

PROFILE = Menu(
    "/ppp/profile",
    (
        Column("name", Name(), required=True),
        Column("local-address", AddressOrPool()),
        Column("remote-address", AddressOrPool()),
        Column("remote-ipv6-prefix-pool", Optional()),
        Column("remote-ipv6-prefix-reuse", Enum(_DEFAULT_YES_NO), "default", since=(7, 20)),
        Column("dhcpv6-pd-pool", Optional()),
        Column("dhcpv6-lease-time", Duration(), since=(7, 20)),
        Column("dhcpv6-use-radius", Flag(), since=(7, 20)),
        Column("bridge", Optional()),
        Column("bridge-horizon", Optional()),
        Column("bridge-learning", Enum(_DEFAULT_YES_NO), "default"),
        Column("bridge-path-cost", Optional()),
        Column("bridge-port-priority", Optional()),
        Column("bridge-port-trusted", Flag(), since=(7, 17)),
        Column("bridge-port-vid", Integer(1, 4094), since=(7, 17)),
        Column("session-timeout", Duration()),
        Column("idle-timeout", Duration()),
        Column("rate-limit", Optional()),
        Column("only-one", Enum(_DEFAULT_YES_NO), "default"),
        Column("use-ipv6", Enum(("default", "no", "yes", "required")), "yes"),
        Column("use-mpls", Enum(("default", "no", "yes", "required")), "default"),
        Column("use-compression", Enum(_DEFAULT_YES_NO), "default"),
        Column("use-encryption", Enum(("default", "no", "yes", "required")), "default"),
        Column("use-upnp", Enum(_DEFAULT_YES_NO), "default"),
        Column("change-tcp-mss", Enum(_DEFAULT_YES_NO), "yes"),
        Column("address-list", Text(), ""),
        Column("interface-list", Optional()),
        Column("incoming-filter", Optional()),
        Column("outgoing-filter", Optional()),
        Column("dns-server", Optional()),
        Column("wins-server", Optional()),
        Column("insert-queue-before", Optional()),
        Column("parent-queue", Optional()),
        Column("queue-type", Optional()),
        Column("on-up", Text(), ""),
        Column("on-down", Text(), ""),
        Column("default", Flag(), "false", read_only=True),
        Column("comment", Optional()),
    ),
    verbs=ROW_VERBS,
    key="name",
    key_is_unique=False,
    noun="ppp profile",
    check=_check_profile,
    check_remove=_check_profile_removal,
    after_change=_profile_changed,
)

ACTIVE = Menu(
    "/ppp/active",
    (
        Column("name", Text(), read_only=True, diverse=True),
        Column("service", Text(), read_only=True),
        Column("caller-id", Text(), read_only=True, diverse=True),
        Column("address", Text(), read_only=True, diverse=True),
        Column("uptime", Since(), read_only=True),
        Column("encoding", Text(), "", read_only=True),
        Column("session-id", Text(), read_only=True, diverse=True),
        Column("limit-bytes-in", Text(), "0", read_only=True),
        Column("limit-bytes-out", Text(), "0", read_only=True),
        Column("radius", Text(), "false", read_only=True),
        Column("comment", Text(), read_only=True),
    ),
    verbs=frozenset({"print", "getall", "get", "listen", "remove"}),
    key="name",
    key_is_unique=False,
    is_dynamic=True,
    first_id=SESSION_FIRST_ID,
    remove=_end_session,
)

AAA = Menu(
    "/ppp/aaa",
    (
        Column("use-radius", Flag(), "false"),
        Column("accounting", Flag(), "true"),
        Column("interim-update", Duration(), "0s"),
        Column("use-circuit-id-in-nas-port-id", Flag(), "false"),
        Column("enable-ipv6-accounting", Flag(), "false", since=(7, 16)),
    ),
    verbs=SETTINGS_VERBS,
    is_settings=True,
)

MENUS = [SECRET, PROFILE, ACTIVE, AAA]
