"""What can go wrong with a router, by reaction; and the one table that turns a router's own words into a type.

`outcome` is what the caller must decide by: "transient" (nothing was changed, try again after a backoff), "permanent"
(a person must act) or "unknown" (a write may have happened: read, then decide). It always agrees with the base class.
Every code is explained in docs/reference/routeros-errors.md. Error kinds are recognised by text nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from imsys.kit.errors import ImsysError, PermanentError, TransientError, UnknownOutcome

Outcome = Literal["transient", "permanent", "unknown"]


class RouterError(ImsysError):
    """Anything that a connection to a router can end in."""

    default_remedy: ClassVar[str] = ""
    outcome: ClassVar[Outcome] = "permanent"

    def __init__(self, message: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(message, remedy=remedy or self.default_remedy, code=code)


# --- the link -------------------------------------------------------------------------------------------------------


class ConnectFailed(RouterError, TransientError):
    """No session came about: refused, unreachable, or closed before the login was answered."""

    default_code = "ConnectFailed"
    default_remedy = (
        "Check the address and port, that the router is up, and that /ip service there has the api (or api-ssl) "
        "service enabled and admits this machine's address."
    )
    outcome = "transient"


class ConnectionLost(RouterError):
    """The session ended under a command. Caught as this, it covers both outcomes below."""

    default_code = "ConnectionLost"
    default_remedy = "It is tried again by itself; if it keeps happening, check the link to the router."


class ConnectionLostInRead(ConnectionLost, TransientError):
    """The command could not have changed anything, or never left."""

    outcome = "transient"


class ConnectionLostInWrite(ConnectionLost, UnknownOutcome):
    """The command may or may not have been done before the session ended."""

    default_code = "ConnectionLostInWrite"
    default_remedy = "The router is read again before anything is repeated."
    outcome = "unknown"


class CommandTimeout(RouterError):
    """No complete answer in time. Caught as this, it covers both outcomes below."""

    default_code = "CommandTimeout"
    default_remedy = "It is tried again by itself; if it keeps happening, look at the router's CPU load."


class CommandTimeoutInRead(CommandTimeout, TransientError):
    """The command could not have changed anything."""

    outcome = "transient"


class CommandTimeoutInWrite(CommandTimeout, UnknownOutcome):
    """The command may have been done, or may still be."""

    default_code = "CommandTimeoutInWrite"
    default_remedy = "The router is read again before anything is repeated."
    outcome = "unknown"


class ProtocolError(RouterError, TransientError):
    """The peer broke the protocol; the connection is closed."""

    default_code = "ProtocolError"
    default_remedy = "Check that the port is the router's API; a middlebox may be damaging the connection."
    outcome = "transient"


class NotRouterOS(RouterError, PermanentError):
    """Something else answers at that port."""

    default_code = "NotRouterOS"
    default_remedy = "Set the port of the router's API: 8728 for api, 8729 for api-ssl, unless changed in /ip service."
    outcome = "permanent"


class ReplyTooLarge(RouterError, PermanentError):
    """An answer, or an unread listen, grew past its bound and was given up."""

    default_code = "ReplyTooLarge"
    default_remedy = "Check what fills that menu on the router."
    outcome = "permanent"


class ListenOverrun(RouterError, TransientError):
    """A listen brought more rows than were taken from it; some are lost, so read the menu again."""

    default_code = "ListenOverrun"
    default_remedy = "The menu is read again in full."
    outcome = "transient"


class TlsFailed(RouterError, PermanentError):
    """No encrypted session could be agreed on."""

    default_code = "TlsFailed"
    default_remedy = (
        "Check that the port is api-ssl (8729) and that the TLS mode fits it: anonymous when the service has no "
        "certificate, verify or pin when it has one."
    )
    outcome = "permanent"


class TlsMismatch(RouterError, PermanentError):
    """The router's certificate is not the one that was agreed on. No password was sent."""

    default_code = "TlsMismatch"
    default_remedy = (
        "If the router's certificate was renewed on purpose, record its new fingerprint or authority; "
        "if not, somebody may be between you and the router."
    )
    outcome = "permanent"


class LoginRefused(RouterError, PermanentError):
    """The router answered the login with a refusal."""

    default_code = "LoginRefused"
    default_remedy = (
        "Correct the username or password, or give the login's group the api policy and its allowed address "
        "on the router (/user, /user group)."
    )
    outcome = "permanent"


# --- the router's own words -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trap:
    """One `!trap` as the router said it; category is None when it sent none, as it often does."""

    message: str
    category: int | None = None


class TrapError(RouterError):
    """The router answered a command with a trap. `message` is the router's own words, unchanged.

    With several traps the first decides the type; `traps` keeps all.
    """

    default_remedy = "Read the router's own words; its log (/log print) may say more."

    def __init__(self, message: str, *, remedy: str = "", code: str = "", traps: Sequence[Trap] = ()) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.traps = tuple(traps) or (Trap(message),)

    @property
    def category(self) -> int | None:
        return self.traps[0].category


class Refused(TrapError, PermanentError):
    """A refusal that the table knows no closer type for."""

    default_code = "Refused"
    outcome = "permanent"


class AlreadyExists(TrapError, PermanentError):
    """A row with that key is there already."""

    default_code = "AlreadyExists"
    default_remedy = "Adopt the row that is on the router, or remove it there."
    outcome = "permanent"


class NoSuchItem(TrapError, TransientError):
    """The row is gone: its id was read before somebody removed it."""

    default_code = "NoSuchItem"
    default_remedy = "The menu is read again to find the row's present id."
    outcome = "transient"


class UnknownReference(TrapError, PermanentError):
    """A value names something that the router does not have: a profile, pool, interface, server."""

    default_code = "UnknownReference"
    default_remedy = "Create what the value names on the router, or choose a name that exists there."
    outcome = "permanent"


class AmbiguousReference(TrapError, PermanentError):
    """A value is the beginning of several names on the router, and none of them in full."""

    default_code = "AmbiguousReference"
    default_remedy = "Use the full name of one that exists on the router."
    outcome = "permanent"


class InvalidValue(TrapError, PermanentError):
    """The router does not accept that value for that property."""

    default_code = "InvalidValue"
    default_remedy = "Correct the value that the router names."
    outcome = "permanent"


class MissingValue(TrapError, PermanentError):
    """The command lacks an argument that this menu demands."""

    default_code = "MissingValue"
    default_remedy = "Supply the argument that the router names."
    outcome = "permanent"


class UnknownParameter(TrapError, PermanentError):
    """This RouterOS version has no such property in that menu; the whole command was refused."""

    default_code = "UnknownParameter"
    default_remedy = "Leave the property out, or upgrade RouterOS on that router."
    outcome = "permanent"


class NoSuchCommand(TrapError, PermanentError):
    """This router has no such menu or command: another version, or a package that is not installed."""

    default_code = "NoSuchCommand"
    default_remedy = "Check the RouterOS version and its packages."
    outcome = "permanent"


class NotPermitted(TrapError, PermanentError):
    """The login's group lacks a policy for the command."""

    default_code = "NotPermitted"
    default_remedy = "Give the login's group the policies api, read, write, test and sensitive (/user group)."
    outcome = "permanent"


class Interrupted(TrapError):
    """The command was cancelled. Caught as this, it covers both outcomes below."""

    default_code = "Interrupted"
    default_remedy = "Somebody, or a timeout of ours, cancelled the command; it is tried again by itself."


class InterruptedInRead(Interrupted, TransientError):
    """The command could not have changed anything."""

    outcome = "transient"


class InterruptedInWrite(Interrupted, UnknownOutcome):
    """The command may have been done in part."""

    default_code = "InterruptedInWrite"
    default_remedy = "The router is read again before anything is repeated."
    outcome = "unknown"


class RouterBusy(TrapError):
    """The router's own timeout (13). Caught as this, it covers both outcomes below."""

    default_code = "RouterBusy"
    default_remedy = "It is tried again by itself; if it keeps happening, look at the router's CPU load."


class RouterBusyInRead(RouterBusy, TransientError):
    """The command could not have changed anything."""

    outcome = "transient"


class RouterBusyInWrite(RouterBusy, UnknownOutcome):
    """The router gave up waiting; the change may have been made."""

    default_code = "RouterBusyInWrite"
    default_remedy = "The router is read again before anything is repeated."
    outcome = "unknown"


class SessionRefused(RouterError, TransientError):
    """The router answered the login with `!fatal`: too many sessions or failed logins, or it is going down."""

    default_code = "SessionRefused"
    default_remedy = "Check max-sessions of the api service (/ip service) and who else is logged in (/user active)."
    outcome = "transient"


# --- the table ------------------------------------------------------------------------------------------------------

# First match wins; a text is matched by its beginning, or by its end where the pattern begins with "…".
# The texts were seen on 6.49 to 7.24; categories are often absent, so they are asked only after the text.
_TRAP_TABLE: tuple[tuple[str, type[TrapError]], ...] = (
    ("not enough permissions", NotPermitted),
    ("…(9)", NotPermitted),
    ("action timed out", RouterBusy),
    ("std failure: timeout", RouterBusy),
    ("…(13)", RouterBusy),
    ("interrupted", Interrupted),
    ("no such item", NoSuchItem),
    ("…(4)", NoSuchItem),
    ("invalid internal item number", NoSuchItem),
    ("no such command", NoSuchCommand),
    ("unknown parameter", UnknownParameter),
    ("input does not match any value of", UnknownReference),
    ("ambiguous value of", AmbiguousReference),
    ("invalid value", InvalidValue),
    ("invalid time value", InvalidValue),
    ("invalid number", InvalidValue),
    ("value of", InvalidValue),
    ("failure: invalid", InvalidValue),
    ("failure: upload-max-limit less", InvalidValue),
    ("failure: download-max-limit less", InvalidValue),
    ("missing ", MissingValue),
    ("failure: already have", AlreadyExists),
    ("failure: entry already exists", AlreadyExists),
    ("failure: such ", AlreadyExists),
    ("…already exists", AlreadyExists),
)

_BY_CATEGORY: dict[int, type[TrapError]] = {0: NoSuchCommand, 1: InvalidValue, 2: Interrupted}

# What a write and a read make of the same words: whether something may have been changed.
_IN_WRITE: dict[type[TrapError], type[TrapError]] = {Interrupted: InterruptedInWrite, RouterBusy: RouterBusyInWrite}
_IN_READ: dict[type[TrapError], type[TrapError]] = {Interrupted: InterruptedInRead, RouterBusy: RouterBusyInRead}


def trap_error(traps: Sequence[Trap], *, writing: bool) -> TrapError:
    """The error that a command's traps amount to; the first decides, all are kept. `traps` is not empty."""
    first = traps[0]
    found = _classify(first)
    kind = (_IN_WRITE if writing else _IN_READ).get(found, found)
    return kind(first.message or "The router refused the command without a word.", traps=traps)


def _classify(trap: Trap) -> type[TrapError]:
    text = trap.message.strip().lower()
    for pattern, kind in _TRAP_TABLE:
        if text.endswith(pattern[1:]) if pattern.startswith("…") else text.startswith(pattern):
            return kind
    if trap.category is None:
        return Refused
    return _BY_CATEGORY.get(trap.category, Refused)
