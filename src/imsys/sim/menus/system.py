"""/system and /log: what a router says of itself. Menus with one row have no ids and no listen."""

from typing import TYPE_CHECKING

from imsys.kit.units import format_duration
from imsys.sim.fields import Computed, Flag, Name, Text
from imsys.sim.logbook import LogTime
from imsys.sim.menu import SETTINGS_VERBS, Column, Menu

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter


def _uptime(router: "SimRouter") -> str:
    return format_duration(int(router.uptime_s))


def _time(router: "SimRouter") -> str:
    return router.local_time().strftime("%H:%M:%S")


def _date(router: "SimRouter") -> str:
    now = router.local_time()
    return now.strftime("%Y-%m-%d" if router.version.has_iso_dates else "%b/%d/%Y").lower()


_READ_ONLY = SETTINGS_VERBS - {"set"}

RESOURCE = Menu(
    "/system/resource",
    (
        Column("uptime", Computed(_uptime), "", read_only=True),
        Column("version", Text(), read_only=True),
        Column("build-time", Text(), read_only=True),
        Column("factory-software", Text(), read_only=True),
        Column("free-memory", Text(), "805306368", read_only=True),
        Column("total-memory", Text(), "1073741824", read_only=True),
        Column("cpu", Text(), "ARM", read_only=True),
        Column("cpu-count", Text(), "4", read_only=True),
        Column("cpu-frequency", Text(), "1400", read_only=True),
        Column("cpu-load", Text(), "3", read_only=True),
        Column("free-hdd-space", Text(), "475136000", read_only=True),
        Column("total-hdd-space", Text(), "536870912", read_only=True),
        Column("write-sect-since-reboot", Text(), "1024", read_only=True),
        Column("write-sect-total", Text(), "40960", read_only=True),
        Column("bad-blocks", Text(), "0", read_only=True),
        Column("architecture-name", Text(), "arm", read_only=True),
        Column("board-name", Text(), read_only=True),
        Column("platform", Text(), "MikroTik", read_only=True),
    ),
    verbs=_READ_ONLY,
    is_settings=True,
)

IDENTITY = Menu(
    "/system/identity",
    (Column("name", Name(), "MikroTik"),),
    verbs=SETTINGS_VERBS,
    is_settings=True,
    noun="system identity",
)

CLOCK = Menu(
    "/system/clock",
    (
        Column("time", Computed(_time), ""),
        Column("date", Computed(_date), ""),
        Column("time-zone-autodetect", Flag(), "true"),
        Column("time-zone-name", Text(), "UTC"),
        Column("gmt-offset", Text(), "+00:00", read_only=True),
        Column("dst-active", Flag(), "false", read_only=True),
    ),
    verbs=SETTINGS_VERBS,
    is_settings=True,
)

ROUTERBOARD = Menu(
    "/system/routerboard",
    (
        Column("routerboard", Flag(), "true", read_only=True),
        Column("board-name", Text(), read_only=True),
        Column("model", Text(), read_only=True),
        Column("serial-number", Text(), read_only=True),
        Column("firmware-type", Text(), "ipq4000", read_only=True),
        Column("factory-firmware", Text(), "6.47.10", read_only=True),
        Column("current-firmware", Text(), read_only=True),
        Column("upgrade-firmware", Text(), read_only=True),
    ),
    verbs=_READ_ONLY,
    is_settings=True,
)

LICENSE = Menu(
    "/system/license",
    (
        Column("software-id", Text(), read_only=True),
        Column("system-id", Text(), read_only=True),
        Column("nlevel", Text(), "5", read_only=True),
        Column("features", Text(), "", read_only=True),
    ),
    verbs=_READ_ONLY,
    is_settings=True,
)

LOG = Menu(
    "/log",
    (
        Column("time", LogTime(), read_only=True, diverse=True),
        Column("topics", Text(), read_only=True),
        Column("message", Text(), read_only=True, diverse=True),
        Column("extra-info", Text(), "", read_only=True, since=(7,)),
    ),
    verbs=frozenset({"print", "getall", "get", "listen"}),
    is_dynamic=True,
)

MENUS = [RESOURCE, IDENTITY, CLOCK, ROUTERBOARD, LICENSE, LOG]
