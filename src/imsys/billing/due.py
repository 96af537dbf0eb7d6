"""Who is due for expiry on one router, and how many of them a run may cut. Pure.

Due is whoever has an end of service that has passed and is not suspended for `expiry`. Whoever is suspended for
something else is due too, or a later resume would let them in; but their line is off already, so they are no cut.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from imsys.reconcile.caps import cap

RUN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Due:
    """`mark`: the same for as long as it is the same end of service."""

    subscriber_id: int
    username: str
    expires_at: datetime
    is_suspended: bool
    mark: str


@dataclass(frozen=True, slots=True)
class Split:
    """What one run does with the due of a router: `go` or `held`, never both; `rejected` are passed over."""

    go: tuple[Due, ...] = ()
    held: tuple[Due, ...] = ()
    rejected: tuple[Due, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterDue:
    """`due`: the earliest end first. `subscribers`: all of the router's. `is_holding`: a hold waits there.

    rejected_marks, waiting_marks: of everybody whom people decided on or are asked about, on whatever router that was.
    """

    router_id: int
    router: str
    subscribers: int = 0
    caps: Mapping[str, int] = field(default_factory=dict)
    due: tuple[Due, ...] = ()
    rejected_marks: frozenset[str] = frozenset()
    waiting_marks: frozenset[str] = frozenset()
    is_holding: bool = False
    has_holds: bool = False

    @property
    def cap(self) -> int:
        """Each cut may end a session, so that it counts as a suspension and as a kick."""
        return min(cap(kind, self.subscribers, self.caps) for kind in ("suspends", "kicks"))

    def split(self) -> Split:
        return self._split(self.due, self.is_holding)

    def _split(self, due: Sequence[Due], is_holding: bool) -> Split:
        asked = tuple(each for each in due if each.mark not in self.rejected_marks)
        rejected = tuple(each for each in due if each.mark in self.rejected_marks)
        is_asked = any(each.mark in self.waiting_marks for each in asked)
        if asked and (is_holding or is_asked or cuts(asked) > self.cap):
            return Split(held=asked, rejected=rejected)
        return Split(go=asked, rejected=rejected)

    def runs(self, now: datetime) -> Iterator[Split]:
        """What the runs from `now` on would do, one each minute, when nothing else changed."""
        is_holding, rest = self.is_holding, list(self.due)
        while rest:
            until = max(now, _next_run(rest[0].expires_at, now))
            batch = [each for each in rest if each.expires_at <= until]
            rest = rest[len(batch) :]
            split = self._split(batch, is_holding)
            is_holding = is_holding or bool(split.held)
            yield split


def cuts(due: Sequence[Due]) -> int:
    """How many of them are online by right until then."""
    return sum(not each.is_suspended for each in due)


def _next_run(end: datetime, now: datetime) -> datetime:
    """The first of the runs, counted from `now`, that finds it ended."""
    return now + RUN_EVERY * -((now - end) // RUN_EVERY)
