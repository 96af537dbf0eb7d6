"""/ip: what PPP needs of it (pools), the API services and address lists."""

import ipaddress
from typing import TYPE_CHECKING

from imsys.sim import traps
from imsys.sim.fields import Duration, Flag, Integer, Kind, Name, Optional, PrefixList, Ranges, Reference, Text, Value
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu, Row
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter


class ListAddress(Kind):
    """An address, prefix, range or DNS name; hosts are printed bare, an aligned range as a prefix."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        if not text:
            raise traps.bad_argument(name)
        try:
            if "-" in text and text.replace("-", "").replace(".", "").isdigit():
                first, last = (ipaddress.IPv4Address(part) for part in text.split("-", 1))
                networks = list(ipaddress.summarize_address_range(first, last))
                return str(networks[0]).removesuffix("/32") if len(networks) == 1 else text
            return str(ipaddress.IPv4Network(text, strict=False)).removesuffix("/32")
        except (ValueError, TypeError):
            if text.replace("/", "").replace(".", "").isdigit():
                raise traps.bad_argument(name) from None
            return text


def _check_entry(table: Table, row: Row, row_id: int | None) -> None:
    """Unique by list and address; a disabled twin does not count."""
    slots = table.shape.slots
    pair, flag = (slots["list"], slots["address"]), slots["disabled"]
    for other, twin in table.items():
        same = other != row_id and all(twin[slot] == row[slot] for slot in pair)
        if same and twin[flag] != "true" and row[flag] != "true":
            raise SimTrap("failure: already have such entry")


def _entry_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    if old is None and new is not None:
        is_timed = table.shape.value(new, "timeout") is not None
        table.amend(
            row_id,
            is_quiet=True,
            creation_time=table.router.local_text(),
            dynamic="true" if is_timed else "false",
        )


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

ADDRESS_LIST = Menu(
    "/ip/firewall/address-list",
    (
        Column("list", Name(), required=True),
        Column("address", ListAddress(), required=True, diverse=True),
        Column("creation-time", Text(), read_only=True, diverse=True),
        Column("timeout", Duration()),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional(), diverse=True),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS,
    noun="address list entry",
    check=_check_entry,
    after_change=_entry_changed,
)

MENUS = [POOL, SERVICE, ADDRESS_LIST]
