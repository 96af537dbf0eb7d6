"""The steps before a router answers questions: TCP, TLS, the login."""

import asyncio
import time
from contextlib import suppress

from imsys.kit.clock import Clock
from imsys.kit.errors import ImsysError
from imsys.onboarding.report import Report, Result
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.routeros.errors import ConnectFailed, TlsFailed, TlsMismatch

TCP_TIMEOUT_S = 10.0


class Stop(Exception):
    """The rest cannot be tried."""


async def check_tcp(endpoint: Endpoint, report: Report) -> None:
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
        raise Stop from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    report.add("tcp", "ok", f"{(time.monotonic() - begun) * 1000:.0f} ms to {endpoint.host} port {endpoint.port}")


async def check_login(endpoint: Endpoint, clock: Clock, limits: Limits | None, report: Report) -> Client:
    try:
        client = await Client.connect(endpoint, clock=clock, limits=limits)
    except ImsysError as error:
        # TCP was just seen to work: a connection that is closed or mute now is so for the next step
        is_tls = isinstance(error, TlsFailed | TlsMismatch) or (
            isinstance(error, ConnectFailed) and endpoint.tls != "off"
        )
        if not is_tls:
            report.add("tls", *_tls_text(endpoint))
        report.add("tls" if is_tls else "login", "failed", error.message, error.remedy)
        raise Stop from error
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
