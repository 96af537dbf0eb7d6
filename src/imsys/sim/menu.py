"""What a menu is, as data: its properties, its verbs, its rules. The menus themselves are in `imsys.sim.menus`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from imsys.sim.behaviour import Behaviour, Version
from imsys.sim.fields import Kind, Policies, Text, Value

if TYPE_CHECKING:
    from imsys.sim.table import Table

Row = tuple[Value, ...]
Number = tuple[int, ...]

READ_VERBS = frozenset({"print", "getall", "get", "listen"})
ROW_VERBS = READ_VERBS | {"add", "set", "remove", "unset", "comment", "reset"}
SWITCH_VERBS = frozenset({"enable", "disable"})
SETTINGS_VERBS = frozenset({"print", "getall", "get", "listen", "set"})


@dataclass(frozen=True, slots=True)
class Column:
    """One property of a menu's rows. `default` is the kept value of a row that does not say; None: absent."""

    name: str
    kind: Kind = field(default_factory=Text)
    default: Value = None
    required: bool = False
    read_only: bool = False
    sensitive: bool = False
    hidden: bool = False
    diverse: bool = False
    since: Number = ()
    until: Number = ()


CheckRow = Callable[["Table", Row, int | None], None]
OnRemove = Callable[["Table", int, str], None]
AfterChange = Callable[["Table", int, Row | None, Row | None], None]
Prepare = Callable[["Table", Row], Row]
RowAction = Callable[["Table", int], bool]


@dataclass(frozen=True)
class Menu:
    """A menu. Rows are tuples in the order of `columns` (those that the version has)."""

    path: str
    columns: tuple[Column, ...]
    verbs: frozenset[str] = ROW_VERBS | SWITCH_VERBS
    key: str = ""
    key_is_unique: bool = True
    indexes: tuple[str, ...] = ()  # other properties by whose kept value rows are found
    duplicate: str = "failure: already have such name"
    noun: str = ""  # how log lines call a row; empty: changes are not logged
    is_settings: bool = False  # one row without id
    is_dynamic: bool = False  # rows come from the router's own life and vanish at a reboot
    is_ordered: bool = False
    keeps_dynamic: bool = False  # rows that are dynamic outlive a reboot
    has_silent_removals: bool = False  # listen does not report that a dynamic row went
    first_id: int = 1
    write_policy: str = "write"
    prepare: Prepare | None = None  # completes a row about to be added
    check: CheckRow | None = None  # refuses a row about to be written
    check_edit: Callable[["Table", int], None] | None = None  # refuses to change this row, whatever about it
    check_remove: Callable[["Table", int], None] | None = None
    remove: OnRemove | None = None  # what remove does instead of deleting the row
    after_change: AfterChange | None = None
    actions: tuple[tuple[str, RowAction], ...] = ()  # verbs of this menu alone; whether the row changed
    active_queries: tuple[str, ...] = ()  # what `print active` shows
    adapt: "Callable[[Menu, Behaviour], Menu] | None" = None  # what a switch of Behaviour changes about the menu


class Shape:
    """The columns of a menu in one version, shared by all routers of that version."""

    def __init__(self, menu: Menu, version: Version) -> None:
        self.menu = menu
        self.columns = tuple(
            column
            for column in menu.columns
            if version.number >= column.since and not (column.until and version.number >= column.until)
        )
        self.slots = {column.name: slot for slot, column in enumerate(self.columns)}
        self.defaults: Row = tuple(column.default for column in self.columns)
        self.key_slot = self.slots.get(menu.key, -1)
        self.index_slots = tuple(self.slots[name] for name in menu.indexes)
        self.actions = dict(menu.actions)
        self.merging_slots = tuple(
            slot for slot, column in enumerate(self.columns) if isinstance(column.kind, Policies)
        )
        self.flag_slot = self.slots.get("disabled", -1)

    def row(self, values: dict[str, Value]) -> Row:
        """A row with these kept values and defaults for the rest. Unknown names are not of this version: left out."""
        row = list(self.defaults)
        for name, value in values.items():
            if (slot := self.slots.get(name)) is not None:
                row[slot] = value
        return tuple(row)

    def changed(self, row: Row, **values: Value) -> Row:
        """A copy of row with some values replaced; names have underscores for dashes."""
        copy = list(row)
        for name, value in values.items():
            if (slot := self.slots.get(name.replace("_", "-"))) is not None:
                copy[slot] = value
        return tuple(copy)

    def value(self, row: Row, name: str) -> Value:
        slot = self.slots.get(name)
        return None if slot is None else row[slot]


@lru_cache(maxsize=1024)
def shape_of(menu: Menu, version: Version, behaviour: Behaviour) -> Shape:
    """The shape of a menu; one object for all routers that are alike."""
    return Shape(menu if menu.adapt is None else menu.adapt(menu, behaviour), version)


def with_defaults(menu: Menu, **defaults: Value) -> Menu:
    """The menu with other defaults for some properties; names have underscores for dashes."""
    return replace(
        menu,
        columns=tuple(
            replace(column, default=defaults.get(column.name.replace("-", "_"), column.default))
            for column in menu.columns
        ),
    )
