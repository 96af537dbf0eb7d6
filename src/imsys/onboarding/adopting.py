"""Adopting a router by a map file: the file, and the router as it is at that moment, its passwords among it."""

import asyncio

from django.utils import timezone

from imsys.network import selectors as network
from imsys.onboarding.check import stored_endpoint
from imsys.onboarding.mapfile import parse_map
from imsys.onboarding.reading import Reading, read
from imsys.onboarding.services import Adoption, OnRouter, adopt
from imsys.onboarding.snapshot import Survey
from imsys.reconcile.kinds import HOTSPOT_PROFILE, PROFILE
from imsys.subscribers.models import Service


def adopt_router(name: str, content: bytes, *, dry_run: bool = False, actor: str) -> Adoption:
    """What `content`, a map file, asks for. The router is only read, and only when the file can be used."""
    network.get_router(name)
    wanted = parse_map(content, zone=timezone.get_default_timezone(), now=timezone.now())
    if not wanted.lines:
        return Adoption(left_out=len(wanted.left_out), problems=wanted.problems)
    return adopt(name, wanted, on_router(asyncio.run(read(stored_endpoint(name)))), dry_run=dry_run, actor=actor)


def on_router(reading: Reading) -> OnRouter:
    ppp, hotspot = frozenset(reading.named(PROFILE.menu)), frozenset(reading.named(HOTSPOT_PROFILE.menu))
    lines = {line.key: line for line in reversed(Survey.of(reading).lines)}
    return OnRouter(lines, {Service.PPPOE: ppp, Service.STATIC: ppp, Service.HOTSPOT: hotspot})
