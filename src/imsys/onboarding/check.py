"""Can this router be kept? Looks step by step and says which step fails and what to do about it. Changes nothing."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from imsys.kit.clock import Clock, SystemClock
from imsys.kit.errors import ImsysError
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint, Limits, TlsMode
from imsys.routeros.errors import (
    ConnectFailed,
    ConnectionLost,
    NoSuchCommand,
    NotPermitted,
    TlsFailed,
    TlsMismatch,
    TrapError,
)

Result = Literal["ok", "warning", "failed", "skipped"]

STEPS = ("tcp", "tls", "login", "read", "write", "sensitive", "version", "serial", "clock")
NO_SUCH_ROW = "*FFFFFFFF"
HIDDEN_PASSWORD = "*****"  # what some versions print where the login lacks the sensitive policy  # noqa: S105
OLDEST = (6, 43)  # the login of one message
CLOCK_TOLERANCE_S = 60.0
TCP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the report; `remedy` says what to do when it is not ok."""

    name: str
    result: Result
    text: str
    remedy: str = ""


@dataclass(slots=True)
class Report:
    steps: list[Step] = field(default_factory=list)
    identity: str = ""
    version: str = ""
    board: str = ""
    serial: str = ""
    clock_offset_s: int | None = None
    can_write: bool | None = None
    shows_passwords: bool | None = None

    @property
    def ok(self) -> bool:
        return all(step.result != "failed" for step in self.steps)

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.result == "failed"), None)

    def add(self, name: str, result: Result, text: str, remedy: str = "") -> None:
        self.steps.append(Step(name, result, text, remedy))

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "failed": self.failed.name if self.failed else None,
            "identity": self.identity,
            "version": self.version,
            "board": self.board,
            "serial": self.serial,
            "clock_offset_s": self.clock_offset_s,
            "can_write": self.can_write,
            "shows_passwords": self.shows_passwords,
            "steps": [
                {"name": step.name, "result": step.result, "text": step.text, "remedy": step.remedy}
                for step in self.steps
            ],
        }


async def check_endpoint(endpoint: Endpoint, *, clock: Clock | None = None, limits: Limits | None = None) -> Report:
    """Every step up to the first that fails; the ones after it come as skipped."""
    clock = clock or SystemClock()
    report = Report()
    with suppress(_Stop):
        await _check_tcp(endpoint, report)
        client = await _check_login(endpoint, clock, limits, report)
        try:
            await _check_session(client, clock, report)
        finally:
            await client.close()
    done = {step.name for step in report.steps}
    for name in STEPS:
        if name not in done:
            report.add(name, "skipped", "not tried, because an earlier step failed")
    report.steps.sort(key=lambda step: STEPS.index(step.name))
    return report


class _Stop(Exception):
    """The rest cannot be tried."""


async def _check_tcp(endpoint: Endpoint, report: Report) -> None:
    begun = time.monotonic()
    try:
        async with asyncio.timeout(TCP_TIMEOUT_S):
            _reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    except (OSError, TimeoutError) as error:
        why = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error))
        service = "api" if endpoint.tls == "off" else "api-ssl"
        remedy = (
            f"Check the address, that /ip/service {service} is enabled on port {endpoint.port}, "
            "that its `address` list holds this machine, and that no firewall stands between."
        )
        report.add("tcp", "failed", f"{endpoint.host} port {endpoint.port}: {why}", remedy)
        raise _Stop from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    report.add("tcp", "ok", f"{(time.monotonic() - begun) * 1000:.0f} ms to {endpoint.host} port {endpoint.port}")


async def _check_login(endpoint: Endpoint, clock: Clock, limits: Limits | None, report: Report) -> Client:
    try:
        client = await Client.connect(endpoint, clock=clock, limits=limits)
    except ImsysError as error:
        # TCP was just seen to work: a connection that is closed or mute now is so for the next step
        is_tls = isinstance(error, TlsFailed | TlsMismatch) or (
            isinstance(error, ConnectFailed) and endpoint.tls != "off"
        )
        if not is_tls:
            report.add("tls", *_tls_text(endpoint))
        report.add("tls" if is_tls else "login", "failed", *_words(error))
        raise _Stop from error
    report.add("tls", *_tls_text(endpoint))
    report.add("login", "ok", f"as {endpoint.username}")
    return client


def _tls_text(endpoint: Endpoint) -> tuple[Result, str, str]:
    match endpoint.tls:
        case "off":
            return (
                "warning",
                "off: passwords cross the network in clear text",
                "Use api-ssl, unless the path is private.",
            )
        case "anonymous":
            return (
                "warning",
                "encrypted, but the router is not authenticated",
                "Give api-ssl a certificate and use --tls pin.",
            )
        case "pin":
            return "ok", "the certificate is the pinned one", ""
        case _:
            return "ok", "the certificate is valid", ""


def _words(error: ImsysError) -> tuple[str, str]:
    return error.message, error.remedy


async def _check_session(client: Client, clock: Clock, report: Report) -> None:
    await _step(report, "read", lambda: _check_read(client, report))
    await _step(report, "write", lambda: _check_write(client, report))
    await _step(report, "sensitive", lambda: _check_sensitive(client, report))
    await _step(report, "serial", lambda: _check_serial(client, report))
    await _step(report, "clock", lambda: _check_clock(client, clock, report))


async def _step(report: Report, name: str, check: Callable[[], Awaitable[None]]) -> None:
    """A step that fails says so; only a lost connection or a login that may not read ends the rest."""
    try:
        await check()
    except NotPermitted as error:
        report.add(name, "failed", f"the login may not {name}", f"Give its group the {name} policy on the router.")
        if name == "read":
            raise _Stop from error
    except ImsysError as error:
        report.add(name, "failed", *_words(error))
        if name == "read" or isinstance(error, ConnectionLost):
            raise _Stop from error


async def _check_read(client: Client, report: Report) -> None:
    resource = _first(await client.print("/system/resource", proplist=("version", "board-name", "uptime")))
    identity = _first(await client.print("/system/identity", proplist=("name",)))
    secrets = await client.count("/ppp/secret")
    report.identity, report.board = identity.get("name", ""), resource.get("board-name", "")
    report.version = resource.get("version", "")
    report.add("read", "ok", f"{report.identity or 'no name'}, {secrets} PPP secrets, up {resource.get('uptime', '?')}")
    found = re.match(r"(\d+)\.(\d+)", report.version)
    if found is None:
        report.add("version", "warning", f"unknown version {report.version!r}", "IMSys knows RouterOS 6.49 and 7.")
    elif (int(found[1]), int(found[2])) < OLDEST:
        report.add("version", "warning", f"RouterOS {report.version} is older than 6.43", "Upgrade it.")
    else:
        report.add("version", "ok", f"RouterOS {report.version} on {report.board or 'unknown hardware'}")


async def _check_write(client: Client, report: Report) -> None:
    """Asks to change a row that cannot exist: who may write is told that there is none, who may not is told that."""
    try:
        await client.set("/ppp/secret", [NO_SUCH_ROW], {"disabled": "no"})
    except NotPermitted:
        report.can_write = False
        report.add("write", "warning", "the login may only read", "Enough for observe; enforce needs the write policy.")
        return
    except TrapError:
        pass  # no such item
    report.can_write = True
    report.add("write", "ok", "the login may write")


async def _check_sensitive(client: Client, report: Report) -> None:
    rows = await client.print("/ppp/secret", proplist=(".id", "password"))
    shown = [row["password"] for row in rows if row.get("password")]
    if any(password != HIDDEN_PASSWORD for password in shown):
        report.shows_passwords = True
        report.add("sensitive", "ok", "passwords can be compared")
    elif shown or rows:
        report.shows_passwords = False
        report.add(
            "sensitive",
            "warning",
            "the router shows no password, so a changed one is not noticed",
            "Give the login's group the sensitive policy.",
        )
    else:
        report.add("sensitive", "warning", "unknown until the router has a secret", "Test again later.")


async def _check_serial(client: Client, report: Report) -> None:
    for menu, keys in (("/system/routerboard", ("serial-number",)), ("/system/license", ("software-id", "system-id"))):
        try:
            row = _first(await client.print(menu))
        except NoSuchCommand:  # a virtual router has no board
            continue
        report.serial = next((row[key] for key in keys if row.get(key)), "")
        if report.serial:
            report.add("serial", "ok", report.serial)
            return
    report.add("serial", "warning", "none", "A swapped router cannot be told from this one.")


async def _check_clock(client: Client, clock: Clock, report: Report) -> None:
    row = _first(await client.print("/system/clock"))
    moment = parse_clock(row)
    if moment is None:
        report.add("clock", "warning", "the router's clock cannot be read", "Look at /system/clock print.")
        return
    report.clock_offset_s = round((moment - clock.now()).total_seconds())
    if abs(report.clock_offset_s) <= CLOCK_TOLERANCE_S:
        report.add("clock", "ok", f"{report.clock_offset_s:+} s from this machine's")
    else:
        report.add(
            "clock",
            "warning",
            f"{report.clock_offset_s:+} s from this machine's",
            "Enable its NTP client; its logs mislead.",
        )


def parse_clock(row: dict[str, str]) -> datetime | None:
    """The instant of a /system/clock row: its date as 2026-11-23 or nov/23/2026, its offset as +03:00."""
    for form in ("%Y-%m-%d %H:%M:%S", "%b/%d/%Y %H:%M:%S"):
        with suppress(ValueError):
            local = datetime.strptime(f"{row.get('date', '')} {row.get('time', '')}", form).replace(tzinfo=UTC)
            return local - _offset(row.get("gmt-offset", ""))
    return None


def _offset(text: str) -> timedelta:
    found = re.fullmatch(r"([+-]?)(\d{1,2}):(\d{2})", text)
    if found is None:
        return timedelta()
    size = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -size if found[1] == "-" else size


def _first(rows: Sequence[dict[str, str]]) -> dict[str, str]:
    return rows[0] if rows else {}


def check_router(name: str) -> Report:
    """Check the router of this name with its stored login."""
    return asyncio.run(check_endpoint(stored_endpoint(name)))


def stored_endpoint(name: str) -> Endpoint:
    from imsys.network import selectors

    router = selectors.get_router(name)
    return Endpoint(
        host=router.host,
        port=router.port,
        username=router.username,
        password=selectors.open_password(router),
        tls=cast(TlsMode, router.tls),  # a check constraint keeps it to the four words
        fingerprint=router.tls_fingerprint,
    )
