"""From a dialled connection to a session that is logged in, with each way to fail told apart."""

from imsys.kit.clock import Clock
from imsys.routeros import protocol
from imsys.routeros.connection import Connection
from imsys.routeros.dial import Dial
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.routeros.errors import (
    ConnectFailed,
    ConnectionLost,
    LoginRefused,
    NotRouterOS,
    ProtocolError,
    RouterBusy,
    RouterError,
    SessionRefused,
)
from imsys.routeros.protocol import Command

_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")


async def open_session(connection: Connection, endpoint: Endpoint, dial: Dial, *, clock: Clock, limits: Limits) -> None:
    """Dial and log in; on any failure the connection is closed, and the error says what was met."""
    try:
        await _dial(connection, endpoint, dial, clock=clock, limits=limits)
        try:
            async with clock.timeout(limits.login_s):
                await _log_in(connection, endpoint)
        except TimeoutError as exc:
            raise _mute(connection, endpoint, f"did not answer the login within {limits.login_s:g} s") from exc
    except BaseException:
        connection.lose(ConnectionLost(f"No session with {endpoint.address} came about."))
        raise
    connection.stats.logins += 1


async def _dial(connection: Connection, endpoint: Endpoint, dial: Dial, *, clock: Clock, limits: Limits) -> None:
    bound_s = 2 * limits.connect_s + 1  # a dial keeps its own bounds, one for TCP and one for TLS; this is the last net
    try:
        async with clock.timeout(bound_s):
            await dial(lambda: connection)
    except TimeoutError as exc:
        raise ConnectFailed(f"{endpoint.address} did not answer within {bound_s:g} s.") from exc
    except OSError as exc:
        raise ConnectFailed(f"{endpoint.address} cannot be reached: {exc.strerror or type(exc).__name__}.") from exc


async def _log_in(connection: Connection, endpoint: Endpoint) -> None:
    challenge = await _ask(connection, endpoint, protocol.login_command(endpoint.username, endpoint.password))
    if challenge:
        answer = protocol.challenge_login_command(endpoint.username, endpoint.password, challenge)
        await _ask(connection, endpoint, answer)


async def _ask(connection: Connection, endpoint: Endpoint, command: Command) -> str | None:
    """Send one login sentence, untagged as old routers want it; return the `=ret=` of its answer."""
    exchange = connection.send(command, untagged=True)
    try:
        await exchange.answered
    except ConnectionLost as exc:
        if connection.fatal_message is not None:
            raise SessionRefused(f"{endpoint.address} refused the session: {connection.fatal_message}.") from exc
        raise _mute(connection, endpoint, "closed the connection instead of answering the login") from exc
    except ProtocolError as exc:
        raise _mute(connection, endpoint, exc.message.rstrip("."), is_foreign=True) from exc
    error = exchange.error
    if isinstance(error, RouterBusy):
        raise SessionRefused(f"{endpoint.address} refused the session: {error.message}.")
    if error is not None:
        raise LoginRefused(f"{endpoint.address} refused the API login {endpoint.username!r}: {error.message}.")
    return exchange.ret


def _mute(connection: Connection, endpoint: Endpoint, what: str, *, is_foreign: bool = False) -> RouterError:
    """The error for a peer that gave no usable answer, by the first bytes it sent."""
    seen = connection.first_bytes
    if seen.startswith(_TLS_RECORDS):
        return NotRouterOS(
            f"{endpoint.address} speaks TLS, but TLS is off for this router.",
            remedy="Set the router's TLS mode (verify, pin or anonymous), or use the port of the plain api service.",
        )
    if is_foreign or not _may_be_reply(seen):
        return NotRouterOS(f"{endpoint.address} does not speak the RouterOS API.")
    return ConnectFailed(f"{endpoint.address} {what}.")


def _may_be_reply(seen: bytes) -> bool:
    """Whether these first bytes can begin a RouterOS reply: a word such as "!done"."""
    return seen[:1] <= b"\x06" and seen[1:2] in (b"", b"!")
