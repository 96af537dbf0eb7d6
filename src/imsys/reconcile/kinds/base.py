"""What a resource kind is: a menu whose rows we manage, told as data.

A field's codec turns RouterOS's printed text into a canonical value and back, so that `==` means equal.
Only the fields listed are compared and sent; everything else on a row belongs to people.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from imsys.kit.units import Rate, RateLimit

Value = str | bool | int | bytes | Rate | RateLimit | None
Printed = Mapping[str, str]


class Unverifiable:
    """The router keeps this value from us; it equals nothing and differs from nothing."""

    def __repr__(self) -> str:
        return "UNVERIFIABLE"


UNVERIFIABLE: Final = Unverifiable()
Observed = Value | Unverifiable


class Phase(IntEnum):
    """Where a step stands in a plan: lower ones first, equal ones together.

    What others refer to comes before them; what restricts before what frees; what leaves before what takes its name.
    """

    PROFILES = 0
    TWINS = 1
    RESTRICT = 2
    REMOVE = 3
    RENAME = 4
    ADD = 5
    SET = 6
    FREE = 7
    REMOVE_PROFILES = 8


@dataclass(frozen=True, slots=True)
class Field:
    """One managed property.

    parse: printed text, or None when the row does not have it, to the canonical value.
    render: canonical value to the text to send; None clears the property (`=!name=`).
    is_secret: the canonical value is a fingerprint; its text is known only to the executor.
    """

    name: str
    parse: Callable[[str | None], Value]
    render: Callable[[Value], str | None]
    is_secret: bool = False


Above = tuple[int, str]
"""A row by its place in the table and its id."""
FirstAbove = Callable[[str, Mapping[str, Value]], Above | None]
"""For a row of ours, by its key and wanted values: the topmost row that keeps it from working, wherever ours stands."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A menu whose rows we manage.

    key_of: a printed row's key; None for a row that can never be ours.
    key_fields: the properties that a key stands for, as they are sent.
    asks: the property by which single rows are asked for, and its value for a key.
    aliases_of: other marks by which a row may be known to be the one we want, such as its MAC address; `alias_asks`
        is how rows with such a mark are asked for.
    is_read_whole: single rows are never asked for, since the menu is small or its order matters.
    also_read: properties that are read for those decisions, and neither compared nor sent.
    promotes: the verb that gets a dynamic row out of the way of a static one: `make-static` or `remove`.
    order: where order matters: of all rows as printed, which one ours must not stand below.
    can_rename: the key of a row can be changed in place.
    names_subscriber: the key is a username.
    log_noun: what the router's log calls such a row. is_key_logged: its lines name the row by our key.
    """

    menu: str
    key_names: tuple[str, ...]
    fields: tuple[Field, ...]
    add_phase: Phase = Phase.ADD
    set_phase: Phase = Phase.SET
    remove_phase: Phase = Phase.REMOVE
    key_of: Callable[[Printed], str | None] = field(default=lambda row: row.get("name"))
    key_fields: Callable[[str], dict[str, str]] = field(default=lambda key: {"name": key})
    asks: Callable[[str], tuple[str, str]] = field(default=lambda key: ("name", key))
    aliases_of: Callable[[Printed], tuple[str, ...]] | None = None
    alias_asks: Callable[[str], tuple[str, str]] | None = None
    is_read_whole: bool = False
    also_read: tuple[str, ...] = ()
    promotes: str | None = None
    order: Callable[[Sequence[Printed]], FirstAbove] | None = None
    can_rename: bool = False
    names_subscriber: bool = False
    log_noun: str = ""
    is_key_logged: bool = True

    @property
    def proplist(self) -> tuple[str, ...]:
        names = (".id", *self.key_names, *(f.name for f in self.fields), "dynamic", *self.also_read)
        return tuple(dict.fromkeys(names))

    def phase_of(self, action: str, *, is_rename: bool = False) -> Phase:
        if is_rename or action == "make-static":
            return Phase.RENAME
        return {"add": self.add_phase, "remove": self.remove_phase}.get(action, self.set_phase)

    def field(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)


@dataclass(frozen=True, slots=True)
class Resource:
    """One row as it should be. It belongs to a subscriber, to a package, or to the router itself (`is_shared`).

    rewrites_hidden: a secret that the router does not show is to be written all the same, since it was changed.
    refers: rows of other menus without which this one is not right, as (menu, key).
    aliases: marks by which an existing row is recognised as this one, to be taken over rather than doubled.
    """

    menu: str
    key: str
    values: Mapping[str, Value]
    subscriber_id: int | None = None
    package_id: int | None = None
    is_shared: bool = False
    is_newer: bool = False
    rewrites_hidden: bool = False
    refers: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()


def text(printed: str | None) -> Value:
    return printed or ""


def sent_text(value: Value) -> str | None:
    assert isinstance(value, str)
    return value


def boolean(printed: str | None) -> Value:
    """Both spellings are read: versions print true/false, old ones yes/no; an absent flag is false."""
    return printed in ("true", "yes")


def sent_boolean(value: Value) -> str | None:
    return "yes" if value else "no"


def clearable(value: Value) -> str | None:
    """Address-like fields refuse "" and must be cleared with a bang."""
    assert isinstance(value, str)
    return value or None


def is_dynamic(row: Printed) -> bool:
    return row.get("dynamic") in ("true", "yes")


def is_disabled(row: Printed) -> bool:
    return row.get("disabled") in ("true", "yes")
