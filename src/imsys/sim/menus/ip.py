"""/ip: address pools and the API services. Firewall, DHCP and hotspot have modules of their own."""

from imsys.sim.fields import Flag, Integer, Name, Optional, PrefixList, Ranges, Reference, Text
from imsys.sim.menu import ROW_VERBS, Column, Menu

POOL = Menu(
    "/ip/pool",
    (
        Column("name", Name(), required=True),
        Column("ranges", Ranges(), required=True),
        Column("next-pool", Reference("/ip/pool", ("none",))),
        Column("comment", Optional(), since=(7,)),
    ),
    verbs=ROW_VERBS,
    key="name",
    noun="ip pool",
)

SERVICE = Menu(
    "/ip/service",
    (
        Column("name", Text(), read_only=True),
        Column("port", Integer(1, 65535)),
        Column("address", PrefixList(), "", until=(7, 24)),
        Column("available-from", PrefixList(), "", since=(7, 24)),
        Column("certificate", Text()),
        Column("tls-version", Text()),
        Column("vrf", Text(), "main", since=(7, 1)),
        Column("max-sessions", Integer(1, 1000), "20", since=(7, 16)),
        Column("invalid", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
    ),
    verbs=frozenset({"print", "getall", "get", "listen", "set", "enable", "disable", "unset", "reset"}),
    key="name",
    noun="ip service",
)

MENUS = [POOL, SERVICE]
