"""The file between a snapshot and an adoption: one line of a router a row, for a person to edit in a spreadsheet.

Written as UTF-8 with a byte order mark, which spreadsheets want; read with or without one, with commas or semicolons.
Usernames and profiles are taken byte for byte, since blanks at their ends count on a router; other cells are trimmed.
There is no password in it. Pure.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TypeVar

from imsys.kit.errors import InputError
from imsys.kit.nearest import did_you_mean
from imsys.kit.times import parse_time
from imsys.kit.units import RateLimit
from imsys.subscribers.csvfile import Problem
from imsys.subscribers.validation import (
    check_address,
    check_email,
    check_line,
    check_mac,
    check_package_name,
    check_price,
    check_service,
    check_text,
)

COLUMNS = (
    *("adopt", "username", "service", "package", "profile", "rate", "price", "address", "mac", "suspended"),
    *("expires_at", "full_name", "phone", "email"),
)
FOR_PEOPLE = ("comment", "on_router", "remark")
"""Written for whoever edits the file; not read back."""
REQUIRED = ("adopt", "username", "service", "package")
EXACT = ("username", "profile")
YES, NO = ("yes", "y", "true", "1", "x"), ("no", "n", "false", "0")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MapLine:
    """A line to adopt. `suspended` is None where the router is to say."""

    number: int
    username: str
    service: str
    package: str
    profile: str
    rate: str
    price: str
    address: str
    mac: str
    suspended: bool | None
    expires_at: datetime | None
    full_name: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Map:
    """What the file says: whom to adopt, how many it leaves out, and what is wrong with it, by line."""

    lines: list[MapLine]
    left_out: list[tuple[str, str]]
    problems: list[Problem]


def write_map(rows: Iterable[Mapping[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*COLUMNS, *FOR_PEOPLE), extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**row, **{name: _harmless(str(row.get(name, ""))) for name in FOR_PEOPLE}} for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _harmless(text: str) -> str:
    """What somebody wrote on a router is no formula for a spreadsheet to reckon."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def parse_map(content: bytes, *, zone: tzinfo, now: datetime) -> Map:
    """Whom to adopt. A line that says no is not looked at."""
    found = Map([], [], [])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        found.problems.append((number, "The line is not UTF-8. Save the file as CSV in UTF-8."))
        return found
    rows = _rows(text, found.problems)
    header = next(rows, (1, []))[1]
    names = [name.strip().lower() for name in header]
    found.problems.extend(_wrong_columns(names))
    if found.problems:
        return found
    for number, cells in rows:
        values = dict(zip(names, cells, strict=False))
        if len(cells) > len(names) and any(cells[len(names) :]):
            found.problems.append((number, f"The line has {len(cells)} values for {len(names)} columns."))
        else:
            _take(_Cells(values), number, found, zone=zone, now=now)
    return found


def _take(cells: "_Cells", number: int, found: Map, *, zone: tzinfo, now: datetime) -> None:
    is_wanted = cells.get("adopt", _flag, None)
    if is_wanted:
        line = cells.line(number, zone=zone, now=now)
        if not cells.wrong:
            found.lines.append(line)
    elif not cells.wrong:
        found.left_out.append((cells.text("service"), cells.text("username")))
    found.problems.extend((number, text) for text in cells.wrong)


def _rows(text: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not empty. The first line shows what stands between the values."""
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append((number, f"The line is not CSV: {error}. The rest of the file was not read."))
            return
        if any(cells):
            yield number, cells


def _wrong_columns(names: list[str]) -> list[Problem]:
    known = (*COLUMNS, *FOR_PEOPLE)
    problems = []
    for name in names:
        if name and name not in known:
            remedy = did_you_mean(name, known) or f"The columns are: {','.join(COLUMNS)}"
            problems.append((1, f"There is no column {name!r}. {remedy}"))
    problems += [(1, f"The column {name!r} is missing.") for name in REQUIRED if name not in names]
    twice = sorted(name for name in {*names} - {""} if names.count(name) > 1)
    return [*problems, *((1, f"The column {name!r} stands there twice.") for name in twice)]


def _flag(text: str) -> bool | None:
    word = text.lower()
    if not word:
        return None
    if word not in (*YES, *NO):
        raise InputError(f"{text!r} is neither yes nor no.")
    return word in YES


class _Cells:
    """The values of one line by column, which remembers every one that is not usable."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self.cells = cells
        self.wrong: list[str] = []

    def text(self, column: str) -> str:
        value = self.cells.get(column, "")
        return value if column in EXACT else value.strip()

    def line(self, number: int, *, zone: tzinfo, now: datetime) -> MapLine:
        """With anything wrong the line means nothing."""
        line = MapLine(
            number=number,
            username=self.get("username", lambda text: _given("username", text), ""),
            service=self.get("service", lambda text: check_service(text.lower()), ""),
            package=self.get("package", lambda text: check_package_name(text, profile="any"), ""),
            profile=self.get("profile", lambda text: check_text("profile", text), ""),
            rate=self.get("rate", _rate, ""),
            price=self.get("price", lambda text: str(check_price(text)) if text else "", ""),
            address=self.get("address", check_address, ""),
            mac=self.get("mac", check_mac, ""),
            suspended=self.get("suspended", _flag, None),
            expires_at=self.get(
                "expires_at", lambda text: parse_time(text, zone=zone, now=now) if text else None, None
            ),
            full_name=self.get("full_name", lambda text: check_text("full_name", text), ""),
            phone=self.get("phone", lambda text: check_text("phone", text), ""),
            email=self.get("email", check_email, ""),
        )
        if not self.wrong:
            try:
                check_line(line.service, line.address)
            except InputError as error:
                self.wrong.append(str(error))
        return line

    def get(self, column: str, check: Callable[[str], T], otherwise: T) -> T:
        try:
            return check(self.text(column))
        except InputError as error:
            self.wrong.append(str(error))
            return otherwise


def _given(column: str, text: str) -> str:
    if not text:
        raise InputError(f"The {column} is empty.")
    return text


def _rate(text: str) -> str:
    if text:
        RateLimit.parse(text)
    return text
