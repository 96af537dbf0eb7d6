"""What kind of router it is and what it has been set to: version, hardware, clock, FastTrack, RADIUS, limits, menus."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from imsys.kit.clock import Clock
from imsys.kit.errors import InputError
from imsys.kit.units import parse_duration
from imsys.onboarding import capability
from imsys.onboarding.report import Report
from imsys.reconcile.kinds.base import boolean, is_disabled, is_dynamic
from imsys.routeros.client import Client
from imsys.routeros.errors import NoSuchCommand

OLDEST = (6, 43)  # the login of one message
CLOCK_TOLERANCE_S = 60.0
DEFAULT_MAX_SESSIONS = 20
SPARE_SESSIONS = 2
MENU_NAMES = {
    "/ppp/secret": "PPP secrets",
    "/ppp/active": "PPP sessions",
    "/queue/simple": "queues",
    "/ip/dhcp-server/lease": "leases",
    "/ip/hotspot/user": "hotspot users",
    "/ip/hotspot/active": "hotspot sessions",
}


async def check_read(client: Client, clock: Clock, report: Report) -> None:
    resource = first(await client.print("/system/resource", proplist=("version", "board-name", "uptime")))
    identity = first(await client.print("/system/identity", proplist=("name",)))
    secrets = await client.count("/ppp/secret")
    report.identity, report.board = identity.get("name", ""), resource.get("board-name", "")
    report.version = resource.get("version", "")
    report.booted_at = _since(resource, clock)
    report.add("read", "ok", f"{report.identity or 'no name'}, {secrets} PPP secrets, up {resource.get('uptime', '?')}")
    _check_version(report)


async def booted_at(client: Client, clock: Clock) -> datetime | None:
    return _since(first(await client.print("/system/resource", proplist=("uptime",))), clock)


def _since(resource: dict[str, str], clock: Clock) -> datetime | None:
    with suppress(InputError):
        return clock.now() - timedelta(seconds=parse_duration(resource.get("uptime", "")))
    return None


def _check_version(report: Report) -> None:
    found = re.match(r"(\d+)\.(\d+)", report.version)
    if found is None:
        report.add("version", "warning", f"unknown version {report.version!r}", "IMSys knows RouterOS 6.49 and 7.")
    elif (int(found[1]), int(found[2])) < OLDEST:
        report.add("version", "warning", f"RouterOS {report.version} is older than 6.43", "Upgrade it.")
    else:
        report.add("version", "ok", f"RouterOS {report.version} on {report.board or 'unknown hardware'}")


async def check_serial(client: Client, others: Mapping[str, str], report: Report) -> None:
    """`others`: by serial, routers that are kept under another name."""
    for menu, keys in (("/system/routerboard", ("serial-number",)), ("/system/license", ("software-id", "system-id"))):
        try:
            row = first(await client.print(menu))
        except NoSuchCommand:  # a virtual router has no board
            continue
        report.serial = next((row[key] for key in keys if row.get(key)), "")
        if (name := others.get(report.serial)) is not None:
            remedy = f"If it is {name}, keep it under that name alone. Copies of virtual routers may share a number."
            report.add("serial", "warning", f"{report.serial}, as {name} has", remedy)
            return
        if report.serial:
            report.add("serial", "ok", report.serial)
            return
    report.add("serial", "warning", "none", "A swapped router cannot be told from this one.")


async def check_clock(client: Client, clock: Clock, report: Report) -> None:
    row = first(await client.print("/system/clock"))
    moment = parse_clock(row)
    if moment is None:
        report.add("clock", "warning", "the router's clock cannot be read", "Look at /system/clock print.")
        return
    report.clock_offset_s = round((moment - clock.now()).total_seconds())
    text = f"{report.clock_offset_s:+} s from this machine's"
    if abs(report.clock_offset_s) <= CLOCK_TOLERANCE_S:
        report.add("clock", "ok", text)
    else:
        report.add("clock", "warning", text, "Enable its NTP client; its logs mislead.")


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


async def check_ntp(client: Client, report: Report) -> None:
    """From version 7 on the client says whether it is in step; before that it only says whom it asks."""
    remedy = (
        "Set it: /system ntp client, with servers that the router can reach. Most boards forget the time at a boot."
    )
    try:
        row = first(await client.print("/system/ntp/client"))
    except NoSuchCommand:
        report.add("ntp", "warning", "the router has no NTP client", "Install the package that brings it.")
        return
    if not boolean(row.get("enabled")):
        report.add("ntp", "warning", "the NTP client is off", remedy)
    elif row.get("status", "synchronized") != "synchronized":
        report.add("ntp", "warning", f"the NTP client is not in step: {row['status']}", remedy)
    else:
        report.add("ntp", "ok", f"the clock follows {_ntp_server(row) or 'its server'}")


def _ntp_server(row: dict[str, str]) -> str:
    names = ("synced-server", "active-server", "last-update-from", "primary-ntp", "servers")
    return next((row[name] for name in names if row.get(name)), "")


async def check_fasttrack(client: Client, report: Report) -> None:
    queries = ("?action=fasttrack-connection",)
    try:
        rules = await client.print("/ip/firewall/filter", proplist=(".id", "action", "disabled"), queries=queries)
    except NoSuchCommand:
        rules = []
    report.has_fasttrack = any(not is_disabled(rule) for rule in rules)
    if report.has_fasttrack:
        report.add(
            "fasttrack",
            "warning",
            "on: the connections that it takes pass queues and firewall by",
            "Disable the fasttrack-connection rule in /ip/firewall/filter, or leave subscribers out of it.",
        )
    else:
        report.add("fasttrack", "ok", "off")


async def check_radius(client: Client, report: Report) -> None:
    async def rows(menu: str) -> list[dict[str, str]]:
        try:
            return await client.print(menu)
        except NoSuchCommand:
            return []

    ppp, hotspot, dhcp = await asyncio.gather(rows("/ppp/aaa"), rows("/ip/hotspot/profile"), rows("/ip/dhcp-server"))
    report.radius = [
        name
        for name, found in (("ppp", ppp), ("hotspot", hotspot), ("dhcp", dhcp))
        if any(row.get("use-radius") in ("true", "yes", "accounting") for row in found)
    ]
    if report.radius:
        report.add(
            "radius",
            "warning",
            f"in use for {', '.join(report.radius)}: whoever is known there alone has no row on the router",
            "Adopt only who has a row here; for the others RADIUS stays in charge.",
        )
    else:
        report.add("radius", "ok", "not in use")


async def check_sessions(client: Client, service: str, report: Report) -> None:
    """Whether the API has room for us: each of its services takes so many sessions at once."""
    active = await client.print("/user/active", proplist=("name", "via"))
    taken = sum(row.get("via") == service for row in active)
    rows = await client.print("/ip/service", queries=(f"?name={service}",))
    told = next((row["max-sessions"] for row in rows if "max-sessions" in row and not is_dynamic(row)), "")
    report.max_sessions = int(told) if told.isdecimal() else DEFAULT_MAX_SESSIONS
    text = f"{taken} of {report.max_sessions} sessions of {service} are taken"
    if taken + SPARE_SESSIONS > report.max_sessions:
        remedy = f"See who holds them in /user/active, or raise max-sessions of {service} in /ip/service."
        report.add("max-sessions", "warning", text, remedy)
    else:
        report.add("max-sessions", "ok", text)


async def check_services(client: Client, report: Report) -> None:
    report.menus = await capability.probe(client)
    report.services = capability.services(report.menus)
    counts = ", ".join(f"{report.counts[menu]} {name}" for menu, name in MENU_NAMES.items() if menu in report.counts)
    lacking = [service for service in capability.SERVICES if service not in report.services]
    text = f"{', '.join(report.services) or 'none'}; {counts}"
    if lacking:
        missing = [menu for service in lacking for menu in capability.SERVICES[service] if not report.menus.get(menu)]
        text += f"; not {', '.join(lacking)}, for lack of {missing[0]}"
    report.add("services", "ok" if report.services else "warning", text)


def first(rows: Sequence[dict[str, str]]) -> dict[str, str]:
    return rows[0] if rows else {}
