"""/ip/firewall/address-list: unique by list and address, whether or not an entry expires."""

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from imsys.kit.units import format_duration, parse_duration
from imsys.sim import traps
from imsys.sim.behaviour import Behaviour
from imsys.sim.fields import Duration, Flag, Kind, Name, Optional, Show, Text, Value, canonical_range, range_bounds
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
        if re.fullmatch(r"[0-9.]+-[0-9.]+|[0-9.]+(/[0-9.]*)?", text):
            if (shown := canonical_range(text)) is None:
                raise traps.bad_argument(name)
            return shown
        if ":" in text:
            try:
                return str(ipaddress.IPv6Network(text, strict=False))
            except ValueError as exc:
                raise traps.bad_argument(name) from exc
        return text


@dataclass(frozen=True, slots=True)
class TimeLeft(Duration):
    """Kept as the instant at which it is over, printed as the time until then."""

    is_volatile: ClassVar[bool] = True

    def parse(self, text: str, name: str, router: "SimRouter") -> Value:
        return router.clock.monotonic() + parse_duration(str(Duration.parse(self, text, name, router)))

    def show(self, router: "SimRouter") -> Show | None:
        return lambda value: format_duration(int(max(0.0, float(value or 0) - router.clock.monotonic())))


def _adapt_list(menu: Menu, behaviour: Behaviour) -> Menu:
    if not behaviour.list_timeout_counts_down:
        return menu
    columns = [replace(column, kind=TimeLeft()) if column.name == "timeout" else column for column in menu.columns]
    return replace(menu, columns=tuple(columns))


def _prepare_entry(table: Table, row: Row) -> Row:
    shape = table.shape
    is_dynamic = shape.value(row, "timeout") is not None or shape.value(row, "dynamic") == "true"
    return shape.changed(
        row,
        creation_time=table.router.local_text(),
        dynamic="true" if is_dynamic else "false",
        span=_span(shape.value(row, "address")),
    )


def _span(address: Value) -> Value:
    """Marks what cannot be found by an address or its prefixes: an uneven range."""
    return "range" if "-" in str(address) and range_bounds(str(address)) is not None else None


def _check_entry(table: Table, row: Row, row_id: int | None) -> None:
    """Unique by list and address, timed or not; a disabled twin does not count."""
    value = table.shape.value
    old = None if row_id is None else table.get(row_id)
    if old is not None and value(old, "timeout") is not None and value(row, "timeout") is None:
        raise traps.bad_argument("timeout")  # the wording is not known; no way to make an entry permanent is
    if value(row, "disabled") == "true":
        return
    for other in table.ids_where("address", value(row, "address")):
        twin = table.get(other)
        if other == row_id or twin is None:
            continue
        if value(twin, "list") == value(row, "list") and value(twin, "disabled") != "true":
            raise SimTrap("failure: already have such entry")


def _entry_changed(table: Table, row_id: int, old: Row | None, new: Row | None) -> None:
    if new is None:
        return
    value = table.shape.value
    if old is not None and value(old, "address") != value(new, "address"):
        table.amend(row_id, is_quiet=True, span=_span(value(new, "address")))
    timeout = value(new, "timeout")
    if timeout is None or (old is not None and value(old, "timeout") == timeout):
        return
    clock = table.router.clock
    due_at = timeout if isinstance(timeout, float) else clock.monotonic() + parse_duration(str(timeout))
    table.amend(row_id, is_quiet=True, due_at=due_at, dynamic="true")
    table.router.alarms.at(due_at, lambda: _expire(table, row_id))


def _expire(table: Table, row_id: int) -> None:
    row = table.get(row_id)
    if row is None or not isinstance(due_at := table.shape.value(row, "due-at"), float):
        return
    if due_at <= table.router.clock.monotonic():
        table.delete(row_id)


ADDRESS_LIST = Menu(
    "/ip/firewall/address-list",
    (
        Column("list", Name(), required=True),
        Column("address", ListAddress(), required=True, diverse=True),
        Column("creation-time", Text(), read_only=True, diverse=True),
        Column("timeout", Duration()),
        Column("dynamic", Flag(), "false"),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional(), diverse=True),
        Column("due-at", hidden=True, read_only=True),
        Column("span", hidden=True, read_only=True),
    ),
    verbs=(ROW_VERBS | SWITCH_VERBS) - {"unset"},
    indexes=("address", "span"),
    noun="address list entry",
    prepare=_prepare_entry,
    check=_check_entry,
    after_change=_entry_changed,
    adapt=_adapt_list,
)

MENUS = [ADDRESS_LIST]
