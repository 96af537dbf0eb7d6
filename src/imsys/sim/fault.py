"""What a fault is: when it fires, at which stages of a command it may act, and what it can do to a connection."""

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from imsys.sim.edit import WRITE_VERBS, Outcome

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter


class LinkGone(Exception):
    """The connection was dropped: nothing more can be said on it."""


class Link(Protocol):
    """What a fault can do to a connection."""

    router: "SimRouter"

    def abort(self) -> None: ...
    def finish(self) -> None: ...
    def send(self, data: bytes) -> None: ...
    async def drained(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """A command about to be handled. `ids`: how many rows it names."""

    menu: str
    verb: str
    ids: int = 0
    tag: str = ""

    @property
    def is_write(self) -> bool:
        return self.verb in WRITE_VERBS


@dataclass(kw_only=True)
class Fault:
    """Base of all. Subclasses override the stage that they disturb."""

    kind: ClassVar[str] = ""
    writes_only: ClassVar[bool] = False
    menu: str = ""
    verb: str = ""
    nth: int = 1
    times: int = 1
    probability: float = 1.0
    fired: int = field(default=0, init=False)
    seen: int = field(default=0, init=False)

    def concerns(self, moment: Moment) -> bool:
        return (
            (not self.menu or self.menu == moment.menu)
            and (not self.verb or self.verb == moment.verb)
            and (moment.is_write or not self.writes_only)
        )

    def takes(self, moment: Moment, rng: random.Random) -> bool:
        """Whether the fault fires now; counts the match either way."""
        if (self.times and self.fired >= self.times) or not self.concerns(moment):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.probability < 1 and rng.random() >= self.probability):
            return False
        self.fired += 1
        return True

    def started(self, router: "SimRouter") -> None:
        """The fault was armed."""

    def stopped(self, router: "SimRouter") -> None:
        """The fault was disarmed."""

    async def before(self, link: Link, moment: Moment) -> None:
        """Before the command is carried out. May raise LinkGone or SimTrap."""

    def row_limit(self) -> int | None:
        """How many rows of a write are changed; None: all."""
        return None

    async def after_write(self, link: Link, moment: Moment, outcome: Outcome) -> None:
        """After a write was carried out and before it is answered. May raise LinkGone or SimTrap."""

    async def reply(self, link: Link, data: bytes) -> bytes:
        """The bytes to send instead of a reply; may send by itself and raise LinkGone."""
        return data
