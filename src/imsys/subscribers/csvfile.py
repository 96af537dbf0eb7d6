"""A CSV file of subscribers as lines, each checked by itself. Pure but for `read`; what is taken is asked elsewhere."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TypeVar

from imsys.kit.errors import InputError
from imsys.kit.nearest import did_you_mean
from imsys.kit.times import parse_time
from imsys.kit.units import parse_flag
from imsys.subscribers.models import Service
from imsys.subscribers.validation import (
    check_address,
    check_email,
    check_line,
    check_mac,
    check_password,
    check_service,
    check_text,
    check_username,
)

COLUMNS = (
    "username",
    "password",
    "service",
    "router",
    "package",
    "address",
    "mac",
    "suspended",
    "expires_at",
    "full_name",
    "phone",
    "email",
)
REQUIRED = ("username", "router", "package")
MOST_BYTES = 256 * 1024 * 1024

Problem = tuple[int, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """One subscriber. `number` is the line of the file that it begins on; the header is line 1."""

    username: str
    number: int
    password: str
    service: str
    router: str
    package: str
    address: str
    mac: str
    suspended: bool
    expires_at: datetime | None
    full_name: str
    phone: str
    email: str

    def __repr__(self) -> str:
        return f"<line {self.number}: {self.username!r}>"


def read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"The file {path} is larger than {MOST_BYTES >> 20} MiB.", remedy="Split it.")
        return path.read_bytes()
    except OSError as exc:
        raise InputError(f"The file {path} cannot be read: {exc.strerror}.") from exc


def parse(content: bytes, *, zone: tzinfo, now: datetime) -> tuple[list[Line], list[Problem]]:
    """The good lines, and what is wrong with the others, by line."""
    problems = _undecodable(content)
    if problems:
        return [], problems
    rows = _rows(content.decode("utf-8-sig"), problems)
    header = next(rows, None)
    if header is None:
        return [], problems or [(1, "The file is empty: its first line names the columns.")]
    problems += _wrong_columns(header[1])
    if problems:
        # a value under the wrong heading says nothing
        return [], problems
    lines: list[Line] = []
    for number, cells in rows:
        if len(cells) != len(header[1]):
            problems.append((number, f"The line has {len(cells)} values for {len(header[1])} columns."))
            continue
        line, wrong = _Cells(dict(zip(header[1], cells, strict=True))).line(number, zone=zone, now=now)
        problems += [(number, text) for text in wrong]
        if not wrong:
            lines.append(line)
    return lines, problems


def _undecodable(content: bytes) -> list[Problem]:
    problems = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            line.decode()
        except UnicodeDecodeError as exc:
            wrong = f"byte 0x{line[exc.start]:02X} at position {exc.start + 1}"
            problems.append((number, f"The line is not UTF-8 ({wrong}). Save the file as UTF-8."))
    if b"\0" in content:
        problems = [(1, "The file is not text, or it is UTF-16. Save it as CSV in UTF-8.")]
    return problems


def _rows(text: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            problems.append((number, f"The line is not CSV: {exc}. The rest of the file was not read."))
            return
        if any(cells):
            yield number, cells


def _wrong_columns(header: list[str]) -> list[Problem]:
    problems = []
    for name in header:
        if name not in COLUMNS:
            remedy = did_you_mean(name, COLUMNS) or f"The columns are: {','.join(COLUMNS)}"
            problems.append((1, f"There is no column {name!r}. {remedy}"))
    problems += [(1, f"The column {name!r} is missing.") for name in REQUIRED if name not in header]
    problems += [
        (1, f"The column {name!r} stands there twice.") for name in sorted({*header}) if header.count(name) > 1
    ]
    return problems


class _Cells:
    """The values of one line by column, which remembers every one that is not usable."""

    def __init__(self, cells: dict[str, str]) -> None:
        self.cells = cells
        self.wrong: list[str] = []

    def line(self, number: int, *, zone: tzinfo, now: datetime) -> tuple[Line, list[str]]:
        """The line, and what is wrong with it; with anything wrong the line means nothing."""
        line = Line(
            number=number,
            username=self.get("username", check_username, ""),
            password=self.get("password", check_password, ""),
            service=self.get("service", lambda text: check_service(text or Service.PPPOE), ""),
            router=self.get("router", lambda text: _given("router", text), ""),
            package=self.get("package", lambda text: _given("package", text), ""),
            address=self.get("address", check_address, ""),
            mac=self.get("mac", check_mac, ""),
            suspended=self.get("suspended", _check_flag, False),
            expires_at=self.get(
                "expires_at", lambda text: parse_time(text, zone=zone, now=now) if text else None, None
            ),
            full_name=self.get("full_name", lambda text: check_text("full_name", text), ""),
            phone=self.get("phone", lambda text: check_text("phone", text), ""),
            email=self.get("email", check_email, ""),
        )
        if not self.wrong:
            self.check(lambda: check_line(line.service, line.address))
        return line, self.wrong

    def check(self, together: Callable[[], None]) -> None:
        try:
            together()
        except InputError as exc:
            self.wrong.append(str(exc))

    def get(self, column: str, check: Callable[[str], T], otherwise: T) -> T:
        try:
            return check(self.cells.get(column, ""))
        except InputError as exc:
            self.wrong.append(str(exc))
            return otherwise


def _given(column: str, text: str) -> str:
    if not text:
        raise InputError(f"The {column} is empty.")
    return text


def _check_flag(text: str) -> bool:
    return text == "1" or (text not in ("", "0") and parse_flag(text.lower()))
