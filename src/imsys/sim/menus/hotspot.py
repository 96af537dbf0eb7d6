"""/ip/hotspot: servers, users, and the profiles of both. Bindings and who is there are in hotspot_host.

Names are taken from MikroTik's manual and captures of panels; /ip/hotspot/profile has only what a login depends on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from imsys.kit.units import format_duration
from imsys.sim import traps
from imsys.sim.behaviour import Behaviour
from imsys.sim.fields import (
    Address,
    Duration,
    Enum,
    EnumList,
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
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu, Row, with_defaults
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

SERVERS = "/ip/hotspot"
SERVER_PROFILES = "/ip/hotspot/profile"
USERS = "/ip/hotspot/user"
PROFILES = "/ip/hotspot/user/profile"
ACTIVE = "/ip/hotspot/active"
HOSTS = "/ip/hotspot/host"
COOKIES = "/ip/hotspot/cookie"
BINDINGS = "/ip/hotspot/ip-binding"

ALL = "all"
DEFAULT_ID = 0  # of the rows that are there from the factory
LOGIN_WAYS = ("cookie", "http-chap", "http-pap", "https", "mac", "mac-cookie", "trial")
NO_UNSET = (ROW_VERBS | SWITCH_VERBS) - {"unset"}


@dataclass(frozen=True, slots=True)
class OneServer(Reference):
    """A server; without one the row is for all. How `all` is kept decides whether it is printed."""

    menu: str = SERVERS

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        table = router.table(self.menu)
        is_prefix = ALL.startswith(text) and (router.behaviour.prefix_match or not text)
        if text != ALL and (not is_prefix or table.id_of(text) is not None):
            return Reference.parse(self, text, name, router)
        if text != ALL and table.ids_with_prefix(text):
            raise traps.ambiguous(name)
        return ALL if router.behaviour.hotspot_server_all == "printed" else None


@dataclass(frozen=True, slots=True)
class Spent(Kind):
    """Seconds that go on while sessions run: kept as a number, or as `COUNT BASE` while COUNT sessions do."""

    is_volatile: ClassVar[bool] = True

    def show(self, router: "SimRouter") -> Show | None:
        return lambda value: format_duration(int(spent_s(value, router.clock.monotonic())))


def spent(value: Value) -> tuple[int, float]:
    """How many sessions run, and what to add to their number times the time."""
    count, base = value.split(" ") if isinstance(value, str) else (0, value or 0)
    return int(count), float(base)


def spent_s(value: Value, now: float) -> float:
    count, base = spent(value)
    return max(0.0, count * now + base)


def server_of(value: Value) -> int | None:
    """The id of the server that a row is for; None: all."""
    return value if isinstance(value, int) else None


def _name_server(table: Table, row: Row) -> Row:
    slot, number = table.shape.key_slot, 1
    if row[slot] is not None:
        return row
    while table.id_of(f"hotspot{number}") is not None:
        number += 1
    return (*row[:slot], f"hotspot{number}", *row[slot + 1 :])


def _server_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    table.router.hotspot.servers_changed()


def _check_profile(table: Table, row: Row, row_id: int | None) -> None:
    if any(other != row_id for other in table.ids_of(str(row[table.shape.key_slot]))):
        raise SimTrap(table.router.behaviour.duplicate_profile_text)


def _profile_removal(menu: str, column: str) -> Callable[[Table, int], None]:
    """Refuses to remove the default profile and, when a switch says so, one that rows of `menu` have."""

    def check(table: Table, row_id: int) -> None:
        if row_id == DEFAULT_ID:
            raise SimTrap("failure: default profile can not be removed")  # the wording is not known
        if table.router.behaviour.profile_in_use == "refused":
            users = table.router.table(menu)
            slot = users.shape.slots[column]
            if any(row[slot] == row_id for _, row in users.items()):
                raise SimTrap("failure: profile is in use")

    return check


def _profile_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    table.router.hotspot.gateway.profile_changed(row_id, old, new)


SERVER = Menu(
    SERVERS,
    (
        Column("name", Name()),
        Column("interface", Reference("/interface"), required=True),
        Column("address-pool", Reference("/ip/pool", ("none",)), "none"),
        Column("profile", Reference(SERVER_PROFILES), DEFAULT_ID),
        Column("idle-timeout", Duration(("none",)), "5m"),
        Column("keepalive-timeout", Duration(("none",)), "none"),
        Column("login-timeout", Duration(("none",)), "none"),
        Column("addresses-per-mac", Integer(1, 2**32 - 1, ("unlimited",)), "2"),
        Column("ip-of-dns-name", Text(), "0.0.0.0", read_only=True),  # noqa: S104 - as it is printed
        Column("proxy-status", Text(), "running", read_only=True),
        Column("invalid", Flag(), "false", read_only=True),
        Column("HTTPS", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "true"),
    ),
    verbs=NO_UNSET - {"comment"},
    key="name",
    noun="hotspot",
    prepare=_name_server,
    after_change=_server_changed,
)

SERVER_PROFILE = Menu(
    SERVER_PROFILES,
    (
        Column("name", Name(), required=True),
        Column("hotspot-address", Address(), "0.0.0.0"),  # noqa: S104 - as it is printed
        Column("dns-name", Text(), ""),
        Column("html-directory", Text(), "hotspot"),
        Column("rate-limit", Optional()),
        Column("login-by", EnumList(LOGIN_WAYS), "cookie,http-chap"),
        Column("http-cookie-lifetime", Duration(), "3d"),
        Column("split-user-domain", Flag(), "false"),
        Column("use-radius", Flag(), "false"),
        Column("default", Flag(), "false", read_only=True),
    ),
    verbs=ROW_VERBS - {"comment"},
    key="name",
    key_is_unique=False,
    noun="hotspot profile",
    check=_check_profile,
    check_remove=_profile_removal(SERVERS, "profile"),
)


# Users and their profiles


def _check_user(table: Table, row: Row, row_id: int | None) -> None:
    """A name once per server; `all` is like one more server, or meets every server."""
    slot = table.shape.slots["server"]
    server = server_of(row[slot])
    for other in table.ids_of(str(row[table.shape.key_slot])):
        twin = table.get(other)
        if other == row_id or twin is None:
            continue
        others_server = server_of(twin[slot])
        meets = table.router.behaviour.hotspot_all_clashes and None in (server, others_server)
        if server == others_server or meets:
            raise SimTrap("failure: already have user with this name for this server")


def _check_user_removal(table: Table, row_id: int) -> None:
    if row_id == DEFAULT_ID:
        raise SimTrap("default trial user can not be removed")


def _user_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    table.router.hotspot.gateway.user_changed(row_id, old, new)


def _reset_counters(table: Table, row_id: int) -> bool:
    return table.router.hotspot.gateway.users.reset_counters(row_id)


def adapt_server(menu: Menu, behaviour: Behaviour) -> Menu:
    """Whether `all` is printed."""
    return with_defaults(menu, server=ALL) if behaviour.hotspot_server_all == "printed" else menu


USER = Menu(
    USERS,
    (
        Column("server", OneServer()),
        Column("name", Name(), required=True, diverse=True),
        Column("password", Text(), sensitive=True, diverse=True),
        Column("address", Address(), diverse=True),
        Column("mac-address", MacAddress(), diverse=True),
        Column("profile", Reference(PROFILES), DEFAULT_ID),
        Column("routes", Optional()),
        Column("email", Optional(), diverse=True),
        Column("totp-secret", Optional(), sensitive=True, since=(7, 21), until=(7, 21, 3)),
        Column("otp-secret", Optional(), sensitive=True, since=(7, 21, 3)),
        Column("limit-uptime", Duration()),
        Column("limit-bytes-in", Integer()),
        Column("limit-bytes-out", Integer()),
        Column("limit-bytes-total", Integer()),
        Column("uptime", Spent(), 0, read_only=True),
        Column("bytes-in", Text(), "0", read_only=True, diverse=True),
        Column("bytes-out", Text(), "0", read_only=True, diverse=True),
        Column("packets-in", Text(), "0", read_only=True, diverse=True),
        Column("packets-out", Text(), "0", read_only=True, diverse=True),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("default", Flag(), read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional(), diverse=True),
    ),
    verbs=NO_UNSET | {"reset-counters"},
    key="name",
    key_is_unique=False,
    noun="hotspot user",
    check=_check_user,
    check_remove=_check_user_removal,
    after_change=_user_changed,
    actions=(("reset-counters", _reset_counters),),
    adapt=adapt_server,
)

_MARKS = ("incoming-packet-mark", "outgoing-packet-mark", "incoming-filter", "outgoing-filter")

PROFILE = Menu(
    PROFILES,
    (
        Column("name", Name(), required=True),
        Column("address-pool", Reference("/ip/pool", ("none",))),
        Column("session-timeout", Duration()),
        Column("idle-timeout", Duration(("none",)), "none"),
        Column("keepalive-timeout", Duration(("none",)), "2m"),
        Column("status-autorefresh", Duration(("none",)), "1m"),
        Column("shared-users", Integer(1, 2**32 - 1, ("unlimited",)), "1"),
        Column("add-mac-cookie", Flag(), "true"),
        Column("mac-cookie-timeout", Duration(), "3d"),
        Column("rate-limit", Optional()),
        Column("address-list", Text(), ""),
        *(Column(name, Optional()) for name in _MARKS),
        Column("insert-queue-before", Optional()),
        Column("parent-queue", Optional()),
        Column("queue-type", Optional()),
        Column("open-status-page", Enum(("always", "http-login")), "always"),
        Column("on-login", Text(), ""),
        Column("on-logout", Text(), ""),
        Column("advertise", Flag(), "false"),
        Column("advertise-url", Optional()),
        Column("advertise-interval", Optional()),
        Column("advertise-timeout", Duration(("immediately", "never"))),
        Column("transparent-proxy", Flag(), "false"),
        Column("default", Flag(), "false", read_only=True),
    ),
    verbs=ROW_VERBS - {"comment"},
    key="name",
    key_is_unique=False,
    noun="hotspot user profile",
    check=_check_profile,
    check_remove=_profile_removal(USERS, "profile"),
    after_change=_profile_changed,
)


MENUS = [SERVER, SERVER_PROFILE, USER, PROFILE]
