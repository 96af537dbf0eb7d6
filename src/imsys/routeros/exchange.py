"""One command under way: what has come of its answer so far, and what it ends in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from imsys.routeros.errors import (
    CommandTimeout,
    CommandTimeoutInRead,
    CommandTimeoutInWrite,
    ConnectionLost,
    ConnectionLostInRead,
    ConnectionLostInWrite,
    RouterError,
    Trap,
    TrapError,
    trap_error,
)
from imsys.routeros.protocol import Row

# Commands that change nothing, by the last part of their path. Whatever is not here counts as a write.
_READING = frozenset(("print", "getall", "get", "find", "listen", "monitor", "monitor-traffic", "cancel", "login"))


def is_writing(path: str) -> bool:
    """Whether the command may change something on the router."""
    return path.rpartition("/")[2] not in _READING


@dataclass(slots=True, repr=False)
class Exchange:
    """A command from when it is sent until its own `!done`; a reply is complete only then."""

    tag: str
    path: str
    writing: bool
    answered: asyncio.Future[None]
    sent_at: float
    on_rows: Callable[[list[Row]], None] | None = None  # a listen: rows are handed on as they come
    rows: list[Row] = field(default_factory=list)
    traps: list[Trap] = field(default_factory=list)
    ret: str | None = None
    size: int = 0
    row_count: int = 0
    unchanged_chunks: list[bytes] | None = None
    is_abandoned: bool = False  # nobody waits: late replies are dropped until its `!done`

    def __repr__(self) -> str:
        return f"<Exchange {self.path} tag={self.tag!r}>"

    @property
    def error(self) -> TrapError | None:
        return trap_error(self.traps, writing=self.writing) if self.traps else None

    def lost(self, cause: RouterError) -> RouterError:
        """What the end of the session means for this command: a write may have been done, a read changed nothing."""
        if self.writing:
            return ConnectionLostInWrite(f"{self.path} was sent, but not answered: {cause.message}")
        return again(cause)

    def timed_out(self, timeout_s: float) -> CommandTimeout:
        kind = CommandTimeoutInWrite if self.writing else CommandTimeoutInRead
        return kind(f"{self.path} was not answered within {timeout_s:g} s.")


def again(cause: RouterError) -> RouterError:
    """The same error once more, for another waiter: raising one object twice would mix their tracebacks."""
    kind = ConnectionLostInRead if type(cause) is ConnectionLost else type(cause)
    return kind(cause.message, remedy=cause.remedy)
