"""The file between a snapshot and an adoption: one line of a router a row, for a person to edit in a spreadsheet.

Written as UTF-8 with a byte order mark, which spreadsheets want; read with or without one, with commas or semicolons.
Usernames and profiles are taken byte for byte, since blanks at their ends count on a router; other cells are trimmed.
There is no password in it. Pure.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from imsys.kit.errors import InputError
from imsys.kit.sheets import Cells, Problem, given, read_lines, wrong_columns
from imsys.kit.times import parse_time
from imsys.kit.units import RateLimit
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
    rows = read_lines(text, found.problems, delimiter=_delimiter(text))
    header = next(rows, (1, []))[1]
    names = [name.strip().lower() for name in header]
    columns = [name for name in names if name]
    found.problems.extend(wrong_columns(columns, columns=COLUMNS, required=REQUIRED, also=FOR_PEOPLE))
    if found.problems:
        return found
    for number, cells in rows:
        values = dict(zip(names, cells, strict=False))
        if len(cells) > len(names) and any(cells[len(names) :]):
            found.problems.append((number, f"The line has {len(cells)} values for {len(names)} columns."))
        else:
            trimmed = {name: value if name in EXACT else value.strip() for name, value in values.items()}
            _take(Cells(trimmed), number, found, zone=zone, now=now)
    return found


def _take(cells: Cells, number: int, found: Map, *, zone: tzinfo, now: datetime) -> None:
    is_wanted = cells.get("adopt", _flag, None)
    if is_wanted:
        line = _line(cells, number, zone=zone, now=now)
        if not cells.wrong:
            found.lines.append(line)
    elif not cells.wrong:
        found.left_out.append((cells.cells.get("service", ""), cells.cells.get("username", "")))
    found.problems.extend((number, text) for text in cells.wrong)


def _delimiter(text: str) -> str:
    """The first line shows what stands between the values."""
    head = text.partition("\n")[0]
    return ";" if head.count(";") > head.count(",") else ","


def _flag(text: str) -> bool | None:
    word = text.lower()
    if not word:
        return None
    if word not in (*YES, *NO):
        raise InputError(f"{text!r} is neither yes nor no.")
    return word in YES


def _line(cells: Cells, number: int, *, zone: tzinfo, now: datetime) -> MapLine:
    """With anything wrong the line means nothing."""
    line = MapLine(
        number=number,
        username=cells.get("username", lambda text: given("username", text), ""),
        service=cells.get("service", lambda text: check_service(text.lower()), ""),
        package=cells.get("package", lambda text: check_package_name(text, profile="any"), ""),
        profile=cells.get("profile", lambda text: check_text("profile", text), ""),
        rate=cells.get("rate", _rate, ""),
        price=cells.get("price", lambda text: str(check_price(text)) if text else "", ""),
        address=cells.get("address", check_address, ""),
        mac=cells.get("mac", check_mac, ""),
        suspended=cells.get("suspended", _flag, None),
        expires_at=cells.get("expires_at", lambda text: parse_time(text, zone=zone, now=now) if text else None, None),
        full_name=cells.get("full_name", lambda text: check_text("full_name", text), ""),
        phone=cells.get("phone", lambda text: check_text("phone", text), ""),
        email=cells.get("email", check_email, ""),
    )
    cells.check(lambda: check_line(line.service, line.address))
    return line


def _rate(text: str) -> str:
    if text:
        RateLimit.parse(text)
    return text
