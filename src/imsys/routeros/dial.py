"""How a connection comes about over TCP and TLS, with every failure named. Anything else may stand in as a `Dial`."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

from imsys.kit.clock import Clock, SystemClock
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.routeros.errors import ConnectFailed, TlsFailed, TlsMismatch
from imsys.routeros.tls import check_pin, make_context

Dial = Callable[[Callable[[], asyncio.BaseProtocol]], Awaitable[asyncio.Transport]]

# A dead peer is noticed by the kernel in about 35 s even when nothing is being sent.
_KEEPALIVE = (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 35_000))
_MAX_ADDRESSES = 8


def tcp_dial(endpoint: Endpoint, *, clock: Clock | None = None, limits: Limits | None = None) -> Dial:
    """A dial to the endpoint over TCP, TLS included where its mode says so."""
    used_clock = clock or SystemClock()
    connect_s = (limits or Limits()).connect_s
    context = make_context(endpoint)

    async def dial(factory: Callable[[], asyncio.BaseProtocol]) -> asyncio.Transport:
        try:
            async with used_clock.timeout(connect_s):
                sock = await _connect(endpoint)
        except TimeoutError as exc:
            raise ConnectFailed(f"{endpoint.address} did not answer within {connect_s:g} s.") from exc
        except OSError as exc:
            raise ConnectFailed(f"{endpoint.address} cannot be reached: {_reason(exc)}.") from exc
        _keep_alive(sock)
        if context is None:
            transport, _ = await asyncio.get_running_loop().create_connection(factory, sock=sock)
            return transport
        return await _start_tls(endpoint, context, factory, sock, clock=used_clock, timeout_s=connect_s)

    return dial


async def _connect(endpoint: Endpoint) -> socket.socket:
    """A connected socket: the first of the host's addresses that answers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("the name has no address")
    for family, kind, proto, _, address in found[:_MAX_ADDRESSES]:
        sock = socket.socket(family, kind, proto)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as exc:
            sock.close()
            failure = exc
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


async def _start_tls(
    endpoint: Endpoint,
    context: ssl.SSLContext,
    factory: Callable[[], asyncio.BaseProtocol],
    sock: socket.socket,
    *,
    clock: Clock,
    timeout_s: float,
) -> asyncio.Transport:
    try:
        async with clock.timeout(timeout_s):
            transport, _ = await asyncio.get_running_loop().create_connection(
                factory, sock=sock, ssl=context, server_hostname=endpoint.host
            )
    except TimeoutError as exc:
        raise TlsFailed(f"{endpoint.address} did not answer the TLS handshake within {timeout_s:g} s.") from exc
    except ssl.SSLCertVerificationError as exc:
        raise TlsMismatch(
            f"{endpoint.address} showed a certificate that was not accepted: {exc.verify_message}."
        ) from exc
    except ssl.SSLError as exc:
        raise TlsFailed(f"{endpoint.address} did not agree on TLS: {exc.reason or 'the handshake failed'}.") from exc
    except OSError as exc:
        raise ConnectFailed(f"{endpoint.address} closed the connection during the TLS handshake.") from exc
    if endpoint.tls == "pin":
        try:
            check_pin(endpoint, transport)
        except TlsMismatch:
            transport.abort()
            raise
    return transport


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _reason(exc: OSError) -> str:
    return exc.strerror or str(exc)
