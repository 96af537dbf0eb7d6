"""/queue/simple: the static queues of people and the dynamic ones of whoever is online with a rate limit."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsys.kit.errors import InputError
from imsys.kit.units import format_duration, parse_duration
from imsys.sim import traps
from imsys.sim.fields import Flag, Kind, Name, Optional, Reference, Show, Text, Value
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu, Row
from imsys.sim.store import Rows
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

INTERFACES = "/interface"
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class Pair(Kind):
    """`up/down`; one value stands for both halves. Each half is normalised by itself."""

    half: Callable[[str, str], str]

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        halves = text.split("/")
        if len(halves) > 2:
            raise traps.bad_argument(name)
        shown = [self.half(half, name) for half in halves]
        return f"{shown[0]}/{shown[-1]}"


@dataclass(frozen=True, slots=True)
class One(Kind):
    """A single value of what `Pair` has two of; empty means none."""

    half: Callable[[str, str], str]

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        return self.half(text, name) if text else None


def _rate(text: str, name: str) -> str:
    """`10M` is kept and printed as `10000000`."""
    match = re.fullmatch(r"([0-9]+)([kMGmg]?)", text)
    if match is None:
        raise traps.bad_argument(name)
    return str(int(match.group(1)) * _FACTORS[match.group(2).lower()])


def _priority(text: str, name: str) -> str:
    if not text.isascii() or not text.isdigit():
        raise traps.bad_argument(name)
    if not 1 <= int(text) <= 8:
        raise traps.argument(f"value of {name} out of range (1..8)")
    return str(int(text))


def _time(text: str, name: str) -> str:
    try:
        return format_duration(parse_duration(text))
    except InputError as exc:
        raise traps.argument(f"invalid time value for argument {name}") from exc


def _share(text: str, name: str) -> str:
    try:
        share = float(text)
    except ValueError as exc:
        raise traps.bad_argument(name) from exc
    if not 0 <= share <= 10:
        raise traps.argument(f"value of {name} out of range (0..10)")
    return f"{share:g}"


def _word(text: str, name: str) -> str:
    if not text:
        raise traps.ambiguous(name)
    return text


@dataclass(frozen=True, slots=True)
class Targets(Reference):
    """Addresses, prefixes and interfaces, separated by commas; a bare address is printed with its length.

    An interface is kept as `*ID`, so that a rename is followed and one that is gone leaves its id behind.
    """

    menu: str = INTERFACES
    limit: int = 0  # how many at most; 0: any

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        parts = [self._part(part, name, router) for part in text.split(",") if part]
        if self.limit and len(parts) > self.limit:
            raise traps.bad_argument(name)
        return ",".join(parts) if parts else ("" if self.limit == 0 else None)

    def _part(self, text: str, name: str, router: "SimRouter") -> str:
        try:
            return str(ipaddress.ip_network(text, strict=False))
        except ValueError:
            if re.fullmatch(r"[0-9.]+(/[0-9.]*)?", text):
                raise traps.bad_argument(name) from None
        return f"*{Reference.parse(self, text, name, router):X}"

    def show(self, router: "SimRouter") -> Show | None:
        table = router.table(self.menu)

        def shown(value: Value) -> str | None:
            if not isinstance(value, str) or "*" not in value:
                return None if value is None else str(value)
            return ",".join(_interface_name(table, part) for part in value.split(","))

        return shown


def _interface_name(table: Table, part: str) -> str:
    return (table.name_of(int(part[1:], 16)) or part) if part.startswith("*") else part


def _no_interface(_name: str) -> SimTrap:
    """Whatever the property is called, the refusal names what was looked for."""
    return traps.no_match("interface")


def _prepare(table: Table, row: Row) -> Row:
    """A queue without a name gets one."""
    slot, number = table.shape.key_slot, 1
    if row[slot] is not None:
        return row
    while table.id_of(f"queue{number}") is not None:
        number += 1
    return (*row[:slot], f"queue{number}", *row[slot + 1 :])


def _check(table: Table, row: Row, row_id: int | None) -> None:
    low, high = (str(table.shape.value(row, name)).split("/") for name in ("limit-at", "max-limit"))
    for side, at, limit in zip(("upload", "download"), low, high, strict=True):
        if 0 < int(limit) < int(at):
            raise SimTrap(f"failure: {side}-max-limit less than {side}-limit")


def _check_edit(table: Table, row_id: int) -> None:
    row = table.get(row_id)
    is_dynamic = row is not None and table.shape.value(row, "dynamic") == "true"
    if is_dynamic and table.router.behaviour.dynamic_queue_edit == "refused":
        raise SimTrap(traps.DYNAMIC_ROW)


class _Interfaces:
    """Makes the queues of an interface invalid when it goes. Watches only once a queue has an interface as target."""

    def __init__(self, queues: Table) -> None:
        self._queues = queues

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Interfaces) and other._queues is self._queues

    def __hash__(self) -> int:
        return id(self._queues)

    def __call__(self, row_id: int, _old: Row | None, new: Row | None) -> None:
        if new is not None:
            return
        slot, gone = self._queues.shape.slots["target"], f"*{row_id:X}"
        for queue_id, row in list(self._queues.items()):
            if gone in str(row[slot]).split(","):
                self._queues.amend(queue_id, invalid="true")


def _changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    if new is None:
        return
    targets = [part for part in str(table.shape.value(new, "target")).split(",") if part.startswith("*")]
    is_lost = False
    if targets:
        interfaces: Rows = table.router.table(INTERFACES)
        if (watcher := _Interfaces(table)) not in interfaces.watchers:
            interfaces.watchers.append(watcher)
        is_lost = any(int(part[1:], 16) not in interfaces for part in targets)
    invalid = "true" if is_lost else "false"
    if table.shape.value(new, "invalid") != invalid:
        table.amend(row_id, invalid=invalid)


_TOTALS = ("limit-at", "max-limit", "burst-limit", "burst-threshold")

SIMPLE = Menu(
    "/queue/simple",
    (
        Column("name", Name(), diverse=True),
        Column("target", Targets(unmatched=_no_interface), required=True, diverse=True),
        Column("dst", Targets(unmatched=_no_interface, limit=1)),
        Column("parent", Reference("/queue/simple", ("none",)), "none"),
        Column("packet-marks", Text(), ""),
        Column("priority", Pair(_priority), "8/8"),
        Column("queue", Pair(_word), "default-small/default-small"),
        Column("limit-at", Pair(_rate), "0/0"),
        Column("max-limit", Pair(_rate), "0/0"),
        Column("burst-limit", Pair(_rate), "0/0"),
        Column("burst-threshold", Pair(_rate), "0/0"),
        Column("burst-time", Pair(_time), "0s/0s"),
        Column("bucket-size", Pair(_share), "0.1/0.1"),
        Column("time", Optional()),
        Column("total-queue", Optional()),
        Column("total-priority", One(_priority)),
        *(Column(f"total-{name}", One(_rate)) for name in _TOTALS),
        Column("total-burst-time", One(_time)),
        Column("total-bucket-size", One(_share)),
        Column("bytes", Text(), "0/0", read_only=True, diverse=True),
        Column("packets", Text(), "0/0", read_only=True, diverse=True),
        Column("dropped", Text(), "0/0", read_only=True),
        Column("rate", Text(), "0/0", read_only=True),
        Column("packet-rate", Text(), "0/0", read_only=True),
        Column("queued-bytes", Text(), "0/0", read_only=True),
        Column("queued-packets", Text(), "0/0", read_only=True),
        Column("invalid", Flag(), "false", read_only=True),
        Column("dynamic", Flag(), "false", read_only=True),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional(), diverse=True),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS | {"move", "reset-counters"},
    key="name",
    noun="queue simple",
    is_ordered=True,
    prepare=_prepare,
    check=_check,
    check_edit=_check_edit,
    check_remove=_check_edit,
    after_change=_changed,
)

MENUS = [SIMPLE]
