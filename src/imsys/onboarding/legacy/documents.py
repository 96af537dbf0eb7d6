"""JSON as `mongoexport` writes it, with its notation for ids, dates and numbers resolved. Pure but for `read`.

A file is an array of documents or holds them one after the other, usually one a line. Numbers stay exact.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from imsys.kit.errors import InputError

MOST_BYTES = 512 * 1024 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = ("$numberInt", "$numberLong", "$numberDouble", "$numberDecimal")


@dataclass(frozen=True, slots=True)
class Document:
    """The `number`th of its file, counted from 1."""

    collection: str
    number: int
    fields: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """`number` is that of the document; 0 is the file as a whole."""

    collection: str
    number: int
    text: str

    def __str__(self) -> str:
        where = f"{self.collection} {self.number}" if self.number else self.collection
        return f"{where}: {self.text}"


def read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"The file {path} is larger than {MOST_BYTES >> 20} MiB.", remedy="Split it.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"The file {path} cannot be read: {error.strerror}.") from error


def parse(content: bytes, collection: str) -> tuple[list[Document], list[Problem]]:
    """The documents, and what is not one. What follows after broken JSON is not read."""
    documents: list[Document] = []
    problems: list[Problem] = []
    try:
        for number, value in enumerate(_values(content.decode("utf-8-sig")), start=1):
            if isinstance(value, dict):
                documents.append(Document(collection, number, {name: plain(each) for name, each in value.items()}))
            else:
                problems.append(Problem(collection, number, "This is no document: a JSON object is wanted."))
    except UnicodeDecodeError:
        problems.append(Problem(collection, 0, "The file is not UTF-8."))
    except json.JSONDecodeError as error:
        problems.append(Problem(collection, 0, f"The file is not JSON in line {error.lineno}: {error.msg}."))
    return documents, problems


def _values(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_float=Decimal)
    position = _skip(text, 0)
    while position < len(text):
        value, end = decoder.raw_decode(text, position)
        yield from value if isinstance(value, list) else (value,)
        position = _skip(text, end)


def _skip(text: str, position: int) -> int:
    """Over what stands between documents; some tools put commas there."""
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def plain(value: Any) -> Any:
    """Without the notation of extended JSON: ids as text, dates as instants, numbers exact."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((name, inner),) = value.items()
    if name == "$oid":
        return str(inner)
    if name == "$date":
        return _instant(plain(inner))
    if name in _NUMBERS:
        try:
            return Decimal(str(inner))
        except InvalidOperation:
            return value
    return value


def _instant(value: Any) -> Any:
    """Milliseconds since 1970, or a text of ISO 8601; anything else stays what it is."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        try:
            return EPOCH + timedelta(milliseconds=float(value))
        except (OverflowError, ValueError):
            return value
    return value
