"""A router as a person wants to see it before anything is adopted: counts, conflicts, guesses, and a row for each line.

Nothing is written to the router, and nothing but what it can do to the database. No password is in it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from imsys.kit.clock import SystemClock
from imsys.onboarding import capability
from imsys.onboarding.circumstances import booted_at
from imsys.onboarding.conflicts import Conflict, conflicts
from imsys.onboarding.found import Found, find, readable
from imsys.onboarding.guesses import PackageGuess, Suspension, cut_by_profile, guess_packages, guess_suspension
from imsys.onboarding.reading import Reading, read_from
from imsys.reconcile.kinds import SECRET
from imsys.reconcile.sessions import ACTIVE
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint
from imsys.subscribers.models import Service

Known = Mapping[str, str]
"""Usernames that are subscribers already, and the router of each."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is on a router, thought through: its lines with how they are cut off, and what their rows suggest."""

    reading: Reading
    lines: list[Found]
    suspension: Suspension
    packages: dict[tuple[str, str], PackageGuess]

    @classmethod
    def of(cls, reading: Reading) -> "Survey":
        lines = find(reading)
        suspension = guess_suspension(reading, lines)
        lines = [cut_by_profile(line, suspension) for line in lines]
        return cls(reading, lines, suspension, guess_packages(reading, lines))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`rows` has a row for each line, in the columns of the map file."""

    router: str
    identity: str
    version: str
    read_at: datetime
    counts: dict[str, int]
    missing: list[str]
    passwords: dict[str, int]
    conflicts: list[Conflict]
    packages: list[PackageGuess]
    suspension: Suspension
    online: list[str]
    without_row: list[str]
    rows: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        likely = self.suspension.likely
        return {
            "router": self.router,
            "identity": self.identity,
            "version": self.version,
            "read_at": self.read_at,
            "counts": self.counts,
            "missing": self.missing,
            "lines": self.line_counts(),
            "passwords": self.passwords,
            "conflicts": [{"kind": c.kind, "text": c.text, "names": list(c.names)} for c in self.conflicts],
            "packages": [
                {
                    "package": p.name,
                    "profile": p.profile,
                    "rate": p.rate,
                    "services": list(p.services),
                    "lines": p.lines,
                }
                for p in self.packages
            ],
            "suspension": {
                "likely": None if likely is None else {"by": likely.by, "name": readable(likely.name)},
                "ways": [
                    {"by": way.by, "name": readable(way.name), "lines": way.lines, "grounds": way.grounds}
                    for way in self.suspension.ways
                ],
            },
            "online": self.online,
            "without_row": self.without_row,
            "rows": self.rows,
        }

    def line_counts(self) -> dict[str, int]:
        services = Counter(row["service"] for row in self.rows)
        return {
            **{service.value: services[service.value] for service in Service},
            "adopt": sum(row["adopt"] == "yes" for row in self.rows),
            "cut": sum("cut off" in row["on_router"] for row in self.rows),
            "online": len(self.online),
        }


def snapshot_router(name: str) -> Snapshot:
    """Look at the router of this name with its stored login."""
    from imsys.network import selectors as network
    from imsys.onboarding.check import stored_endpoint
    from imsys.onboarding.selectors import routers_of
    from imsys.onboarding.services import record_capability

    router = network.get_router(name)
    reading, menus, since = asyncio.run(_look(stored_endpoint(name)))
    survey = Survey.of(reading)
    if since is not None:
        record_capability(router.pk, booted_at=since, version=reading.version, serial="", menus=menus)
    return snapshot_of(survey, name, routers_of(line.username for line in survey.lines))


async def _look(endpoint: Endpoint) -> tuple[Reading, dict[str, Any], datetime | None]:
    """What is on the router, what it can do, and since when it runs."""
    clock = SystemClock()
    client = await Client.connect(endpoint, clock=clock)
    try:
        return await read_from(client), await capability.probe(client), await booted_at(client, clock)
    finally:
        await client.close()


def snapshot_of(survey: Survey, router: str, known: Known) -> Snapshot:
    reading, lines = survey.reading, survey.lines
    found = conflicts(reading, lines)
    online = {line.username for line in lines if line.is_online}
    live = {row.get("name", "") for row in reading.tables.get(ACTIVE.menu, ())}
    secrets = {row.get("name", "") for row in reading.rows(SECRET.menu)}
    return Snapshot(
        router=router,
        identity=reading.identity,
        version=reading.version,
        read_at=reading.read_at,
        counts={
            **{menu: len(reading.rows(menu)) for menu in reading.tables},
            **{f"list {readable(name)}": len(addresses) for name, addresses in reading.lists.items()},
        },
        missing=sorted(reading.missing),
        passwords=_passwords(lines),
        conflicts=found,
        packages=sorted(survey.packages.values(), key=lambda package: (-package.lines, package.name)),
        suspension=survey.suspension,
        online=sorted(map(readable, online)),
        without_row=sorted(map(readable, live - secrets - {""})),
        rows=_rows(survey, router, known),
    )


def _passwords(lines: Sequence[Found]) -> dict[str, int]:
    logins = [line for line in lines if line.service != Service.STATIC]
    hidden = sum(line.password is None for line in logins)
    return {
        "shown": sum(bool(line.password) for line in logins),
        "hidden": hidden,
        "blank": sum(line.password == "" for line in logins),
    }


def _rows(survey: Survey, router: str, known: Known) -> list[dict[str, str]]:
    doubts = _doubts(survey.lines)
    return [_row(line, survey.packages, _remark(line, doubts, router, known)) for line in survey.lines]


def _row(line: Found, packages: Mapping[tuple[str, str], PackageGuess], remark: tuple[bool, str]) -> dict[str, str]:
    guess = packages.get((line.profile, line.rate)) if not line.cut.startswith("in the profile") else None
    is_wanted, text = remark
    states = [*(["online"] if line.is_online else []), *([f"cut off: {line.cut}"] if line.cut else [])]
    return {
        "adopt": "yes" if is_wanted else "no",
        "username": readable(line.username),
        "service": line.service,
        "package": guess.name if guess else "",
        "profile": readable(guess.profile) if guess else "",
        "rate": guess.rate if guess else "",
        "price": "",
        "address": line.address,
        "mac": line.mac,
        "suspended": "",
        "expires_at": "",
        "full_name": "",
        "phone": "",
        "email": "",
        "comment": line.comment,
        "on_router": "; ".join(states),
        "remark": text,
    }


def _remark(line: Found, doubts: Mapping[tuple[str, str], str], router: str, known: Known) -> tuple[bool, str]:
    """Whether to adopt it as it stands, and what to know about it."""
    if line.obstacle:
        return False, line.obstacle
    if (home := known.get(line.username)) is not None:
        elsewhere = f"a subscriber of this name is on the router {home}"
        return False, "is a subscriber already" if home == router else elsewhere
    if line.cut.startswith("in the profile"):
        return False, "its own package is not known: it is in the profile of those cut off"
    if line.limits:
        return False, f"it has limits of its own, {line.limits}: name a package that has them"
    if line.key in doubts:
        return False, doubts[line.key]
    return True, "has a blank at an end" if line.username != line.username.strip() else ""


def _device(line: Found) -> str:
    return line.mac if line.service == Service.STATIC else ""


_MARKS: dict[str, Callable[[Found], str]] = {
    "name": attrgetter("username"),
    "address": attrgetter("address"),
    "device": _device,
}


def _doubts(lines: Collection[Found]) -> dict[tuple[str, str], str]:
    """Lines that clash: a name in two services, an address or a device twice. Of those who clash, one may stay."""
    able = [line for line in lines if not line.obstacle]
    doubts: dict[tuple[str, str], str] = {}
    for what, mark in _MARKS.items():
        groups: dict[str, list[Found]] = {}
        for line in able:
            if value := mark(line):
                groups.setdefault(value, []).append(line)
        for value, group in groups.items():
            stays = _who_stays(group)
            for line in group if len(group) > 1 else ():
                if line is not stays:
                    doubts.setdefault(line.key, f"the {what} {readable(value)} is another line's as well")
    return doubts


def _who_stays(group: Sequence[Found]) -> Found | None:
    """The only one that is online, or else the only one that is not cut off; nobody where that leaves a choice."""
    for able in ([line for line in group if line.is_online], [line for line in group if not line.cut]):
        if able:
            return able[0] if len(able) == 1 else None
    return None
