"""Can this router be kept? Looks step by step and says which step fails and what to do about it.

Changes nothing on the router. Of a router that we keep, what it can do is remembered for as long as it runs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

from imsys.kit.clock import Clock, SystemClock
from imsys.kit.errors import ImsysError
from imsys.onboarding import circumstances, rights
from imsys.onboarding.circumstances import parse_clock
from imsys.onboarding.reach import Stop, check_login, check_tcp
from imsys.onboarding.report import STEPS, Report, Step
from imsys.onboarding.rights import Known
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint, Limits, TlsMode
from imsys.routeros.errors import ConnectionLost, NotPermitted

__all__ = ["STEPS", "Report", "Step", "check_endpoint", "check_router", "parse_clock", "stored_endpoint"]

Check = Callable[[], Awaitable[None]]


async def check_endpoint(
    endpoint: Endpoint, *, clock: Clock | None = None, limits: Limits | None = None, known: Known | None = None
) -> Report:
    """Every step up to the first that fails; the ones after it come as skipped."""
    clock = clock or SystemClock()
    report = Report()
    with suppress(Stop):
        await check_tcp(endpoint, report)
        client = await check_login(endpoint, clock, limits, report)
        try:
            for name, check in _checks(client, endpoint, clock, known or Known(), report):
                await _step(report, name, check)
        finally:
            await client.close()
    report.finish()
    return report


def _checks(
    client: Client, endpoint: Endpoint, clock: Clock, known: Known, report: Report
) -> tuple[tuple[str, Check], ...]:
    service = "api" if endpoint.tls == "off" else "api-ssl"
    return (
        ("read", lambda: circumstances.check_read(client, clock, report)),
        ("policies", lambda: rights.check_policies(client, endpoint.username, report)),
        ("write", lambda: rights.check_write(client, report)),
        ("sensitive", lambda: rights.check_sensitive(client, known, report)),
        ("serial", lambda: circumstances.check_serial(client, known.routers, report)),
        ("clock", lambda: circumstances.check_clock(client, clock, report)),
        ("ntp", lambda: circumstances.check_ntp(client, report)),
        ("fasttrack", lambda: circumstances.check_fasttrack(client, report)),
        ("radius", lambda: circumstances.check_radius(client, report)),
        ("max-sessions", lambda: circumstances.check_sessions(client, service, report)),
        ("services", lambda: circumstances.check_services(client, report)),
    )


async def _step(report: Report, name: str, check: Check) -> None:
    """A step that fails says so; only a lost connection or a login that may not read ends the rest."""
    try:
        await check()
    except NotPermitted as error:
        report.add(name, "failed", f"the login may not {name}", f"Give its group the {name} policy on the router.")
        if name == "read":
            raise Stop from error
    except ImsysError as error:
        report.add(name, "failed", error.message, error.remedy)
        if name == "read" or isinstance(error, ConnectionLost):
            raise Stop from error


def check_router(name: str) -> Report:
    """Check the router of this name with its stored login, and remember what it can do."""
    from imsys.network import selectors
    from imsys.onboarding.selectors import known_passwords
    from imsys.onboarding.services import record_capability

    router = selectors.get_router(name)
    report = asyncio.run(check_endpoint(stored_endpoint(name), known=known_passwords(router.pk)))
    if report.menus and report.booted_at is not None:
        record_capability(
            router.pk, booted_at=report.booted_at, version=report.version, serial=report.serial, menus=report.menus
        )
    return report


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
