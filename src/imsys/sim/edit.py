"""Writes: what add, set, remove and their kin do to a table, in RouterOS's order and with its refusals.

A command names rows by id, name or position, several with commas; they are changed in that order, and the first that
does not exist ends the command with a trap while those before it stay changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsys.sim import traps
from imsys.sim.accounts import Actor
from imsys.sim.fields import Value
from imsys.sim.menu import Column, Row, RowAction
from imsys.sim.projection import id_text
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.table import Table

WRITE_VERBS = frozenset(
    {
        *("add", "set", "remove", "enable", "disable", "unset", "comment", "reset", "move", "reset-counters"),
        *("make-static", "check-status"),
    }
)
_PAST = {"add": "added", "remove": "removed", "move": "moved"}


@dataclass(slots=True)
class Outcome:
    """What a write did: the rows that changed, what it returns, and the trap that ended it, if one did.

    `was_cut`: it was stopped after the number of rows that the caller allowed.
    """

    changed: list[int] = field(default_factory=list)
    touched: int = 0
    ret: str = ""
    trap: SimTrap | None = None
    was_cut: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One write command on one table. `max_rows`: stop after so many rows (a fault); None: do all."""

    table: "Table"
    verb: str
    attributes: Mapping[str, str]
    actor: Actor
    max_rows: int | None = None


def run(request: Request) -> Outcome:
    """Carry out a write. A refusal is in the outcome, since rows before it may have changed."""
    outcome = Outcome()
    try:
        if request.verb == "add":
            _add(request, outcome)
        elif request.table.shape.menu.is_settings:
            _set_settings(request, outcome)
        else:
            _each_row(request, outcome, _row_action(request))
    except SimTrap as trap:
        outcome.trap = trap
    return outcome


def resolve(table: "Table", token: str) -> int:
    """The row that a reference means: `*1A`, an exact name, a position, or the comment of a row. Raises: SimTrap."""
    gone = traps.NO_SUCH_ITEM_DYNAMIC if table.shape.menu.is_dynamic else traps.NO_SUCH_ITEM
    if token.startswith("*"):
        try:
            row_id = int(token[1:], 16)
        except ValueError as exc:
            raise SimTrap(traps.MALFORMED_ID) from exc
        if row_id not in table:
            raise SimTrap(gone)
        return row_id
    if (named := table.id_of(token)) is not None:
        return named
    if token.isdigit() and table.router.behaviour.position_match and (at := table.position(int(token))) is not None:
        return at
    if (slot := table.shape.slots.get("comment")) is not None:
        for row_id, row in table.items():
            if row[slot] == token:
                return row_id
    raise SimTrap(gone)


def _add(request: Request, outcome: Outcome) -> None:
    table, attributes = request.table, dict(request.attributes)
    before = attributes.pop("place-before", None) if table.shape.menu.is_ordered else None
    source = attributes.pop("copy-from", None)
    values = _parse_values(table, attributes)
    for column in table.shape.columns:
        if column.required and values.get(table.shape.slots[column.name]) is None and source is None:
            raise traps.missing(column.name)
    base = table.shape.defaults if source is None else _copy(table, resolve(table, source))
    row = tuple(values.get(slot, value) for slot, value in enumerate(base))
    if table.shape.menu.prepare is not None:
        row = table.shape.menu.prepare(table, row)
    _check(table, row, None)
    place = None if before is None else resolve(table, before)
    row_id = table.insert(row)
    if place is not None:
        table.move_before([row_id], place)
    table.router.history.note(table, row_id, None, row)
    _log(request, row_id, row)
    outcome.changed.append(row_id)
    outcome.touched += 1
    outcome.ret = id_text(row_id)
    _after(table, row_id, None, row)


def _set_settings(request: Request, outcome: Outcome) -> None:
    table = request.table
    values = _parse_values(table, request.attributes)
    row_id = next(iter(table))
    _write_row(request, outcome, row_id, values)


def _row_action(request: Request) -> Callable[[Request, Outcome, int], None]:
    """What to do with each row that the command names; the values are looked at before any row is."""
    table, verb = request.table, request.verb
    arguments = {name: text for name, text in request.attributes.items() if name not in (".id", "numbers")}
    if verb == "remove":
        return _remove_row
    if verb in ("enable", "disable"):
        flag = {table.shape.flag_slot: "true" if verb == "disable" else "false"}
        return lambda req, out, row_id: _write_row(req, out, row_id, flag)
    if (own := table.shape.actions.get(verb)) is not None:
        return _own_action(own)
    if verb == "reset-counters":
        return lambda _req, out, _row_id: None
    if verb == "move":
        return _move_action(table, arguments)
    if verb == "unset":
        names = [arguments.get("value-name", "")]
        values: dict[int, Value] = {}
        for name in names:
            values |= _cleared(table, name)
    elif verb == "reset":
        values = {}
        for name in arguments:
            values |= _cleared(table, name)
    else:
        values = _parse_values(table, arguments)
    return lambda req, out, row_id: _write_row(req, out, row_id, values)


def _each_row(request: Request, outcome: Outcome, action: Callable[[Request, Outcome, int], None]) -> None:
    reference = request.attributes.get(".id", request.attributes.get("numbers"))
    behaviour, version = request.table.router.behaviour, request.table.router.version
    if reference is None:
        silent = behaviour.missing_id == "silent" or (behaviour.missing_id == "auto" and version.is_v6)
        if silent:
            return
        raise SimTrap(traps.MISSING_ID)
    for token in reference.split(","):
        if not token:
            continue
        if request.max_rows is not None and outcome.touched >= request.max_rows:
            outcome.was_cut = True
            return
        action(request, outcome, resolve(request.table, token))
        outcome.touched += 1


def _write_row(request: Request, outcome: Outcome, row_id: int, values: Mapping[int, Value]) -> None:
    table = request.table
    old = _get(table, row_id)
    if table.shape.menu.check_edit is not None:
        table.shape.menu.check_edit(table, row_id)
    copy = list(old)
    for slot, value in values.items():
        copy[slot] = value
    new = tuple(copy)
    if table.shape.merging_slots:
        new = _merged(request, old, new)
    if new == old:
        if table.router.behaviour.noop_set_logs and request.verb == "set":
            _log(request, row_id, old)
        return
    _check(table, new, row_id)
    table.replace(row_id, new)
    table.router.history.note(table, row_id, old, new)
    _log(request, row_id, old)
    outcome.changed.append(row_id)
    _after(table, row_id, old, new)


def _merged(request: Request, old: Row, new: Row) -> Row:
    """For properties whose input changes what was there instead of replacing it, such as the policies of a group."""
    shape, row = request.table.shape, list(new)
    for slot in shape.merging_slots:
        if (text := request.attributes.get(shape.columns[slot].name)) is not None:
            row[slot] = shape.columns[slot].kind.merge(old[slot], new[slot], text)
    return tuple(row)


def _remove_row(request: Request, outcome: Outcome, row_id: int) -> None:
    table, menu = request.table, request.table.shape.menu
    old = _get(table, row_id)
    if menu.check_remove is not None:
        menu.check_remove(table, row_id)
    before = table.router.history.follower(table, row_id)
    if menu.remove is not None:
        menu.remove(table, row_id, request.actor.user)
    else:
        table.delete(row_id)
    table.router.history.note(table, row_id, old, None, before=before)
    _log(request, row_id, old)
    outcome.changed.append(row_id)
    _after(table, row_id, old, None)


def _move_action(table: "Table", arguments: Mapping[str, str]) -> Callable[[Request, Outcome, int], None]:
    destination = arguments.get("destination")

    def move(request: Request, outcome: Outcome, row_id: int) -> None:
        try:
            before = None if not destination else resolve(table, destination)
        except SimTrap:
            before = None  # an unknown destination silently means the end
        if before == row_id:
            raise SimTrap("failure: can not move object before itself")
        if table.shape.menu.check_edit is not None:
            table.shape.menu.check_edit(table, row_id)
        row, follower = _get(table, row_id), table.router.history.follower(table, row_id)
        table.move_before([row_id], before)
        table.router.history.note(table, row_id, row, row, before=follower)
        _log(request, row_id, row)
        outcome.changed.append(row_id)

    return move


def _own_action(work: RowAction) -> Callable[[Request, Outcome, int], None]:
    """A verb that only this menu has."""

    def act(request: Request, outcome: Outcome, row_id: int) -> None:
        before = _get(request.table, row_id)
        if work(request.table, row_id):
            if (after := request.table.get(row_id)) is not None and after != before:
                request.table.router.history.note(request.table, row_id, before, after)
            _log(request, row_id, before)
            outcome.changed.append(row_id)

    return act


def _parse_values(table: "Table", attributes: Mapping[str, str]) -> dict[int, Value]:
    """Kept values by column position. Raises: SimTrap, before anything is changed."""
    values: dict[int, Value] = {}
    for name, text in attributes.items():
        if name in (".id", "numbers"):
            continue
        if name.startswith("!"):
            values |= _cleared(table, name[1:])
            continue
        column = _writable(table, name)
        values[table.shape.slots[name]] = column.kind.parse(text, name, table.router)
    return values


def _writable(table: "Table", name: str) -> Column:
    slot = table.shape.slots.get(name)
    if slot is None or table.shape.columns[slot].read_only:
        raise traps.unknown_parameter(name)
    return table.shape.columns[slot]


def _cleared(table: "Table", name: str) -> dict[int, Value]:
    column = _writable(table, name)
    if column.required:
        raise traps.bad_argument(name)
    return {table.shape.slots[name]: column.default}


def _get(table: "Table", row_id: int) -> Row:
    row = table.get(row_id)
    if row is None:
        raise SimTrap(traps.NO_SUCH_ITEM)
    return row


def _copy(table: "Table", row_id: int) -> Row:
    """What copy-from takes of a row: all that people can set."""
    columns, defaults = table.shape.columns, table.shape.defaults
    row = _get(table, row_id)
    return tuple(defaults[slot] if column.read_only else row[slot] for slot, column in enumerate(columns))


def _check(table: "Table", row: Row, row_id: int | None) -> None:
    menu, slot = table.shape.menu, table.shape.key_slot
    if menu.key_is_unique and slot >= 0 and any(other != row_id for other in table.ids_of(str(row[slot]))):
        raise SimTrap(menu.duplicate)
    if menu.check is not None:
        menu.check(table, row, row_id)


def _after(table: "Table", row_id: int, old: Row | None, new: Row | None) -> None:
    if table.shape.menu.after_change is not None:
        table.shape.menu.after_change(table, row_id, old, new)


def _log(request: Request, row_id: int, row: Row) -> None:
    """A log line per row. `row` is the row before the change, which the line names."""
    table, menu = request.table, request.table.shape.menu
    if not menu.noun:
        return
    log = table.router.log
    slot = table.shape.key_slot
    name = str(row[slot]) if slot >= 0 else id_text(row_id)
    if request.verb == "add":
        command = f"{id_text(row_id)} = {log.command_text(menu.path, 'add', '', dict(request.attributes))}"
    else:
        command = log.command_text(menu.path, request.verb, name, dict(request.attributes))
    log.change(menu.noun, name, _PAST.get(request.verb, "changed"), request.actor, command, table.router.action)
