"""Cutting off whose service has ended, with its brake: too many at once on one router wait for a person's word.

A wrong clock or a badly imported column of dates looks like everybody expiring at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from imsys.billing import selectors
from imsys.billing.due import Due, RouterDue, Split, cuts
from imsys.subscribers.services import expire, expiry_step, take_turn
from imsys.timeline import holds
from imsys.timeline.models import Held

TOO_MANY = "TooManyExpired"


@dataclass(frozen=True, slots=True)
class RouterRun:
    """`cut`: newly suspended. `already_off`: suspended for something else before, so that nothing changes for them.

    `held`: all that waits there for a person. `cap`: how many could be cut in one run.
    """

    router: str
    cut: int
    already_off: int
    held: int
    cap: int


@dataclass(frozen=True, slots=True)
class ExpiryRun:
    """`routers`: those on which something was done or is held. `change`: the number by which it can be undone."""

    change: int | None
    routers: list[RouterRun]

    @property
    def held(self) -> int:
        return sum(router.held for router in self.routers)


@dataclass(frozen=True, slots=True)
class Approved:
    """`cut` and `already_off` as in RouterRun; `no_longer_due`: of what was held, what is over or not as it was."""

    cut: int
    already_off: int
    no_longer_due: int
    change: int | None


@transaction.atomic
def run_expiry(*, actor: str) -> ExpiryRun:
    """Suspend who is due, or hold all of a router's due when those are too many. Of two at a time one waits."""
    take_turn()
    found = [(router, router.split()) for router in selectors.due_by_router()]
    due = {each.mark: each for router, _ in found for each in router.due}
    for router, split in found:
        _keep_holds(router, split, due)
    expired = expire(_ends(each for _, split in found for each in split.go), actor=actor)
    cut: dict[int, list[bool]] = {}
    for row in expired.rows:
        cut.setdefault(row.router_id, []).append(row.is_cut)
    runs = [
        RouterRun(
            router=router.router,
            cut=sum(cut.get(router.router_id, ())),
            already_off=sum(not is_cut for is_cut in cut.get(router.router_id, ())),
            held=len(split.held),
            cap=router.cap,
        )
        for router, split in found
    ]
    return ExpiryRun(expired.change, [run for run in runs if run.cut or run.already_off or run.held])


@transaction.atomic
def approve_expiry(hold_id: int, *, actor: str) -> Approved:
    """Suspend those of a hold of expiries who are still due as they were.

    Raises: InputError, when it does not wait any more.
    """
    take_turn()
    hold = holds.decide(hold_id, "approved", actor=actor)
    marks = {step["mark"] for step in hold.steps}
    expired = expire(_ends(each for each in selectors.due_of_router(hold.router_id) if each.mark in marks), actor=actor)
    holds.finish([hold_id])
    cut = sum(row.is_cut for row in expired.rows)
    return Approved(
        cut=cut,
        already_off=len(expired.rows) - cut,
        no_longer_due=len(marks) - len(expired.rows),
        change=expired.change,
    )


@transaction.atomic
def reject_expiry(hold_id: int, *, actor: str) -> None:
    """Leave those of a hold of expiries as they are until their end of service changes.

    Raises: InputError, when it does not wait any more.
    """
    take_turn()
    holds.decide(hold_id, "rejected", actor=actor)


def _keep_holds(router: RouterDue, split: Split, due: Mapping[str, Due]) -> None:
    """Who was rejected here is still named, also after a move, or the rejection would be over."""
    if not split.held and not router.has_holds:
        return
    text = (
        f"{cuts(split.held)} of the {router.subscribers} subscribers of {router.router} would be cut for expiry; "
        f"more than {router.cap} at once need a person's word."
    )
    rejected = [due[mark] for mark in holds.rejected_marks(Held.EXPIRY, router.router_id) if mark in due]
    holds.keep(
        Held.EXPIRY,
        router_id=router.router_id,
        router=router.router,
        code=TOO_MANY,
        text=text,
        held={each.mark: _step(each) for each in (*split.held, *rejected)},
    )


def _step(due: Due) -> dict[str, Any]:
    return expiry_step(due.subscriber_id, due.username, due.expires_at)


def _ends(due: Iterable[Due]) -> dict[int, Any]:
    return {each.subscriber_id: each.expires_at for each in due}
