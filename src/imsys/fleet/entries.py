"""What a keeper has to write down, as values; `records` writes it."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from imsys.reconcile import guard
from imsys.reconcile.fights import Fight, Rules, Spot
from imsys.timeline.holding import Settled


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found of one subscriber, for the generation that it looked at.

    retry_at: when to look again; None: not until intent changes or a resync.
    is_applied: the router said yes to a write in this run.
    is_made: its rows are there, though it may not log in yet. has_lock: its row has a lock of ours.
    is_kicked: its session has ended as it had to, though something else is wrong still.
    is_failure: it was tried and did not hold; waiting for a person or for a router is none.
    password_mac: fingerprint of the password that is on the router for the first time.
    """

    subscriber_id: int
    generation: int
    status: str
    code: str = ""
    text: str = ""
    retry_at: datetime | None = None
    is_applied: bool = False
    is_failure: bool = False
    is_made: bool = False
    is_kicked: bool = False
    has_lock: bool = False
    password_mac: bytes | None = field(default=None, repr=False)


class PlacedRow(NamedTuple):
    """A row that is ours from now on. Without an owner it is the router's own."""

    menu: str
    key: str
    subscriber_id: int | None = None
    package_id: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """`keys`: the rows that are recorded; those of a subscriber who was removed in the meantime, or moved, are not.

    taken_over: subscribers who have a row or a name by now that was known as somebody else's. inherited: of these,
        whose row may have a lock to the device of the one before.
    """

    keys: Set[tuple[str, str]] = frozenset()
    taken_over: Set[int] = frozenset()
    inherited: Set[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Happening:
    """One line for the timeline, of something that a router did or that we did to it."""

    what: str
    username: str = ""
    subscriber_id: int | None = None
    actor: str = "system"
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    cause: str = ""
    note: str = ""


@dataclass(slots=True)
class RunRecord:
    """Counts of one run. `result`: ok, observed, held, unreachable, refused or failed."""

    kind: str
    started_at: datetime
    result: str = "ok"
    note: str = ""
    subscribers: int = 0
    drifted: int = 0
    repaired: int = 0
    unmanaged: int = 0
    commands: int = 0
    writes: int = 0
    rows: int = 0
    happenings: list[Happening] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Facts:
    online: int
    suspended_online: int
    entitled_cut: int


class Holding(NamedTuple):
    """What becomes of a router's holds, and why something is held."""

    settled: Settled
    why: guard.Suspicion | None


class Fought(NamedTuple):
    """What a run makes of the router's fights. ended: those that a person's change has ended."""

    fights: Sequence[Fight]
    ended: Collection[Spot]
    rules: Rules
