"""/system/ntp/client: whose time the router follows. Version 7 has a list of servers and says its status."""

from imsys.sim.fields import Enum, Flag, Optional, Text
from imsys.sim.menu import SETTINGS_VERBS, Column, Menu

V7 = (7,)

CLIENT = Menu(
    "/system/ntp/client",
    (
        Column("enabled", Flag(), "true"),
        Column("mode", Enum(("broadcast", "manycast", "multicast", "unicast")), "unicast"),
        Column("primary-ntp", Text(), "192.0.2.123", until=V7),
        Column("secondary-ntp", Text(), "0.0.0.0", until=V7),  # noqa: S104 - what it prints for none
        Column("active-server", Text(), "192.0.2.123", read_only=True, until=V7),
        Column("servers", Text(), "192.0.2.123", since=V7),
        Column("vrf", Text(), "main", since=V7),
        Column("freq-drift", Text(), "0.12 PPM", read_only=True, since=V7),
        Column("status", Text(), "synchronized", read_only=True, since=V7),
        Column("synced-server", Optional(), "192.0.2.123", read_only=True, since=V7),
    ),
    verbs=SETTINGS_VERBS,
    is_settings=True,
    noun="ntp client",
)

MENUS = [CLIENT]
