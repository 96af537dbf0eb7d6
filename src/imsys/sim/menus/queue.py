"""/queue/simple: the static queues of people and the dynamic ones of sessions whose profile has a rate limit."""

import re
from typing import TYPE_CHECKING

from imsys.sim import traps
from imsys.sim.fields import Flag, Integer, Kind, Name, Optional, PrefixList, Reference, Text, Value
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu, Row
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


class RatePair(Kind):
    """`10M/5M`, printed as `10000000/5000000`; one value stands for both."""

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        halves = text.split("/")
        if len(halves) > 2:
            raise traps.bad_argument(name)
        numbers = [_bits(half, name) for half in halves]
        return f"{numbers[0]}/{numbers[-1]}"


def _bits(text: str, name: str) -> int:
    match = re.fullmatch(r"([0-9]+)([kMGmg]?)", text)
    if match is None:
        raise traps.bad_argument(name)
    return int(match.group(1)) * _FACTORS[match.group(2).lower()]


def _check(table: Table, row: Row, row_id: int | None) -> None:
    low, high = (str(table.shape.value(row, name)).split("/") for name in ("limit-at", "max-limit"))
    for side, at, limit in zip(("upload", "download"), low, high, strict=True):
        if 0 < int(limit) < int(at):
            raise SimTrap(f"failure: {side}-max-limit less than {side}-limit")


SIMPLE = Menu(
    "/queue/simple",
    (
        Column("name", Name(), required=True, diverse=True),
        Column("target", PrefixList(), required=True, diverse=True),
        Column("dst", Optional()),
        Column("parent", Reference("/queue/simple", ("none",)), "none"),
        Column("packet-marks", Text(), ""),
        Column("priority", Text(), "8/8"),
        Column("queue", Text(), "default-small/default-small"),
        Column("limit-at", RatePair(), "0/0"),
        Column("max-limit", RatePair(), "0/0"),
        Column("burst-limit", RatePair(), "0/0"),
        Column("burst-threshold", RatePair(), "0/0"),
        Column("burst-time", Text(), "0s/0s"),
        Column("bucket-size", Text(), "0.1/0.1"),
        Column("time", Optional()),
        Column("total-queue", Optional()),
        Column("total-priority", Integer(1, 8)),
        Column("total-limit-at", Optional()),
        Column("total-max-limit", Optional()),
        Column("total-burst-limit", Optional()),
        Column("total-burst-threshold", Optional()),
        Column("total-burst-time", Optional()),
        Column("total-bucket-size", Optional()),
        Column("bytes", Text(), "0/0", read_only=True, diverse=True),
        Column("packets", Text(), "0/0", read_only=True, diverse=True),
        Column("dropped", Text(), "0/0", read_only=True),
        Column("rate", Text(), "0/0", read_only=True),
        Column("invalid", Flag(), "false", read_only=True),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional()),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS | {"move", "reset-counters"},
    key="name",
    noun="queue simple",
    is_ordered=True,
    check=_check,
)

MENUS = [SIMPLE]
