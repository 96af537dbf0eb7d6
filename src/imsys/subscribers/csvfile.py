"""A CSV file of subscribers as lines, each checked by itself. Pure but for `read`; what is taken is asked elsewhere."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from imsys.kit.errors import InputError
from imsys.kit.sheets import Cells, Problem, given, read_lines, wrong_columns
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
    rows = read_lines(content.decode("utf-8-sig"), problems)
    header = next(rows, None)
    if header is None:
        return [], problems or [(1, "The file is empty: its first line names the columns.")]
    problems += wrong_columns(header[1], columns=COLUMNS, required=REQUIRED)
    if problems:
        # a value under the wrong heading says nothing
        return [], problems
    lines: list[Line] = []
    for number, cells in rows:
        if len(cells) != len(header[1]):
            problems.append((number, f"The line has {len(cells)} values for {len(header[1])} columns."))
            continue
        line, wrong = _line(Cells(dict(zip(header[1], cells, strict=True))), number, zone=zone, now=now)
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


def _line(cells: Cells, number: int, *, zone: tzinfo, now: datetime) -> tuple[Line, list[str]]:
    """The line, and what is wrong with it; with anything wrong the line means nothing."""
    line = Line(
        number=number,
        username=cells.get("username", check_username, ""),
        password=cells.get("password", check_password, ""),
        service=cells.get("service", lambda text: check_service(text or Service.PPPOE), ""),
        router=cells.get("router", lambda text: given("router", text), ""),
        package=cells.get("package", lambda text: given("package", text), ""),
        address=cells.get("address", check_address, ""),
        mac=cells.get("mac", check_mac, ""),
        suspended=cells.get("suspended", _check_flag, False),
        expires_at=cells.get("expires_at", lambda text: parse_time(text, zone=zone, now=now) if text else None, None),
        full_name=cells.get("full_name", lambda text: check_text("full_name", text), ""),
        phone=cells.get("phone", lambda text: check_text("phone", text), ""),
        email=cells.get("email", check_email, ""),
    )
    cells.check(lambda: check_line(line.service, line.address))
    return line, cells.wrong


def _check_flag(text: str) -> bool:
    return text == "1" or (text not in ("", "0") and parse_flag(text.lower()))
