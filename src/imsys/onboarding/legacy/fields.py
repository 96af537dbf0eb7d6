"""The fields of one document, each read as what it should be; remembers what was wrong, unknown or dropped. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from imsys.kit.errors import InputError
from imsys.kit.times import parse_time
from imsys.onboarding.legacy.documents import Document, Problem

MOST_WHOLE, MOST_PLACES = 20, 18
"""Digits before and after the point that an amount is kept with."""


@dataclass(slots=True)
class Notes:
    """What reading the documents left over, by `collection.field`."""

    problems: list[Problem] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)


class Fields:
    def __init__(self, document: Document, notes: Notes, *, known: Iterable[str], dropped: Iterable[str]) -> None:
        self.document, self.notes = document, notes
        self.is_good = True
        known, dropped = set(known), set(dropped)
        for name in document.fields:
            if name in dropped:
                notes.dropped[f"{document.collection}.{name}"] += 1
            elif name not in known:
                notes.unknown[f"{document.collection}.{name}"] += 1

    def wrong(self, text: str) -> None:
        self.is_good = False
        self.notes.problems.append(Problem(self.document.collection, self.document.number, text))

    def get(self, name: str) -> Any:
        return self.document.fields.get(name)

    def text(self, name: str, *, exact: bool = False) -> str:
        """A number that somebody stored for a text, such as a phone's, is written out."""
        value = self.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return value if exact else value.strip()
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value == value.__trunc__():
            return str(int(value))
        self.wrong(f"The {name} is no text.")
        return ""

    def given(self, name: str, *, exact: bool = False) -> str:
        value = self.text(name, exact=exact)
        if not value and self.is_good:
            self.wrong(f"The {name} is empty.")
        return value

    def flag(self, name: str) -> bool:
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.wrong(f"The {name} is neither true nor false.")
        return False

    def number(self, name: str) -> Decimal | None:
        """Exactly what is there; None where nothing is."""
        value = self.get(name)
        if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value.strip()):
            value = Decimal(value.strip())
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            self.wrong(f"The {name} is no number.")
            return None
        return Decimal(value)

    def amount(self, name: str) -> Decimal | None:
        value = self.number(name)
        if value is None:
            return None
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        if value.adjusted() >= MOST_WHOLE or exponent < -MOST_PLACES:
            self.wrong(f"The {name} {value} has more digits than can be kept.")
            return None
        return value

    def instant(self, name: str, *, zone: tzinfo, now: datetime) -> datetime | None:
        value = self.get(name)
        if value in (None, ""):
            return None
        if isinstance(value, datetime):
            return value
        try:
            return _parse_instant(str(value).strip(), zone=zone, now=now)
        except (InputError, ValueError):
            self.wrong(f"The {name} {str(value)[:40]!r} is no date.")
            return None


def _parse_instant(text: str, *, zone: tzinfo, now: datetime) -> datetime:
    """As exports write it, with Z and fractions of a second; or as people do."""
    if "T" not in text:
        return parse_time(text, zone=zone, now=now)
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
