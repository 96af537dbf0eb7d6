"""The refusals of RouterOS in its own words, so that a text stands in one place.

Sources of the wordings: client libraries' issues and captures; those marked (inferred) have none.
"""

NO_SUCH_ITEM = "no such item"
NO_SUCH_ITEM_DYNAMIC = "no such item (4)"
NOT_PERMITTED = "not enough permissions (9)"
LOGIN_REFUSED = "invalid user name or password (6)"
LOGIN_REFUSED_OLD = "cannot log in"
MISSING_ID = "missing =.id="
MALFORMED_ID = "invalid internal item number"
NO_SUCH_COMMAND = "no such command"
NO_SUCH_PREFIX = "no such command prefix"
INTERRUPTED = "interrupted"
BUSY = "action timed out - try again, if error continues contact MikroTik support and send a supout file (13)"
BUSY_V6 = "std failure: timeout (13)"
NOT_LOGGED_IN = "not logged in"
TOO_MANY_COMMANDS = "too many commands before login"
# For a row that the router made itself; the wording is not known.
DYNAMIC_ROW = "failure: can not change dynamic object"
SESSION_TERMINATED = "session terminated on request"

CATEGORY_MISSING = 0
CATEGORY_ARGUMENT = 1
CATEGORY_INTERRUPTED = 2


class SimTrap(Exception):
    """A command is refused; the session answers `!trap` with these texts, then `!done`."""

    def __init__(self, message: str, category: int | None = None, *more: tuple[int | None, str]) -> None:
        super().__init__(message)
        self.traps: tuple[tuple[int | None, str], ...] = ((category, message), *more)


def argument(message: str) -> SimTrap:
    """A value that is not acceptable: these carry category 1."""
    return SimTrap(message, CATEGORY_ARGUMENT)


def no_match(name: str) -> SimTrap:
    return argument(f"input does not match any value of {name}")


def ambiguous(name: str) -> SimTrap:
    return argument(f"ambiguous value of {name}, more than one possible value matches input")


def bad_argument(name: str, colon: bool = False) -> SimTrap:
    return argument(f"invalid value for argument {name}{':' if colon else ''}")


def unknown_parameter(name: str) -> SimTrap:
    return SimTrap(f"unknown parameter {name}")


def missing(name: str) -> SimTrap:
    return SimTrap(f"missing ={name}=")


def no_such_menu(word: str) -> SimTrap:
    """Seen as two traps for one command, the first with category 0."""
    return SimTrap(f"no such command or directory ({word})", CATEGORY_MISSING, (None, NO_SUCH_PREFIX))
