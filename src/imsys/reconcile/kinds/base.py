"""What a resource kind is: a menu whose rows we manage, told as data.

A field's codec turns RouterOS's printed text into a canonical value and back, so that `==` means equal.
Only the fields listed are read, compared and sent; everything else on a row belongs to people.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from imsys.kit.units import RateLimit

Value = str | bool | bytes | RateLimit | None


class Unverifiable:
    """The router keeps this value from us; it equals nothing and differs from nothing."""

    def __repr__(self) -> str:
        return "UNVERIFIABLE"


UNVERIFIABLE: Final = Unverifiable()
Observed = Value | Unverifiable


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


@dataclass(frozen=True, slots=True)
class Kind:
    menu: str
    key_name: str
    fields: tuple[Field, ...]
    add_phase: int
    set_phase: int
    remove_phase: int

    @property
    def proplist(self) -> tuple[str, ...]:
        return (".id", self.key_name, *(field.name for field in self.fields), *self.flags)

    @property
    def flags(self) -> tuple[str, ...]:
        return ("dynamic",)

    def phase_of(self, action: str) -> int:
        """Where steps of this kind stand in a plan: lower first, equal ones together."""
        return {"add": self.add_phase, "set": self.set_phase, "remove": self.remove_phase}[action]

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


@dataclass(frozen=True, slots=True)
class Resource:
    """One row as it should be. Exactly one of the owners is set.

    rewrites_hidden: a secret that the router does not show is to be written all the same, since it was changed.
    """

    menu: str
    key: str
    values: Mapping[str, Value]
    subscriber_id: int | None = None
    package_id: int | None = None
    is_newer: bool = False
    rewrites_hidden: bool = False


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
