"""Adopting a router by a map file: the file, and the router as it is at that moment, its passwords among it."""

import asyncio
from collections.abc import Sequence

from django.utils import timezone

from imsys.network import selectors as network
from imsys.network import services as network_services
from imsys.onboarding.check import stored_endpoint
from imsys.onboarding.found import MENU_OF
from imsys.onboarding.mapfile import parse_map, write_map
from imsys.onboarding.reading import Reading, read
from imsys.onboarding.services import Adoption, OnRouter, adopt
from imsys.onboarding.snapshot import Survey, snapshot_router
from imsys.reconcile.kinds import HOTSPOT_PROFILE, PROFILE
from imsys.subscribers.models import Service

SERVICES = {menu: service.value for service, menu in MENU_OF.items()}


GONE = "It is not on the router any more, or its name is none that a subscriber can have."


def adopt_router(name: str, content: bytes, *, dry_run: bool = False, actor: str) -> Adoption:
    """What `content`, a map file, asks for. The router is only read, and only when the file can be used."""
    network.get_router(name)
    wanted = parse_map(content, zone=timezone.get_default_timezone(), now=timezone.now())
    if not wanted.lines:
        return Adoption(left_out=len(wanted.left_out), problems=wanted.problems)
    return adopt(name, wanted, on_router(asyncio.run(read(stored_endpoint(name)))), dry_run=dry_run, actor=actor)


def adopt_some(
    name: str, logins: Sequence[tuple[str, str]], *, package: str = "", dry_run: bool = False, actor: str
) -> tuple[Adoption, list[tuple[str, str]]]:
    """Logins by (menu, username) as they stand, each in the package that a snapshot guesses, or in `package`.

    What was done, and by username what is wrong; then nobody was adopted.
    """
    rows = {(row["service"], row["username"]): row for row in snapshot_router(name).rows}
    wanted = [(SERVICES[menu], username) for menu, username in logins]
    chosen = [{**rows[key], "adopt": "yes", **_in(package)} for key in wanted if key in rows]
    gone = [(key[1], GONE) for key in wanted if key not in rows]
    outcome = adopt_router(name, write_map(chosen), dry_run=dry_run or bool(gone), actor=actor)
    wrong = [*gone, *((chosen[line - 2]["username"], text) for line, text in outcome.problems)]
    network_services.ask_resync([network.get_router(name).pk])
    return outcome, wrong


def _in(package: str) -> dict[str, str]:
    return {"package": package, "profile": "", "rate": "", "price": ""} if package else {}


def on_router(reading: Reading) -> OnRouter:
    ppp, hotspot = frozenset(reading.named(PROFILE.menu)), frozenset(reading.named(HOTSPOT_PROFILE.menu))
    lines = {line.key: line for line in reversed(Survey.of(reading).lines)}
    return OnRouter(lines, {Service.PPPOE: ppp, Service.STATIC: ppp, Service.HOTSPOT: hotspot})
