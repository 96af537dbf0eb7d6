"""What of a plan may be done: what a person asked for goes on, what only a machine concluded may have to wait.

Empty is suspicious: a blanked or swapped router looks like one where everything must be made again. After such a read
all that a machine concluded is held. Otherwise drift is put back however much it is, since it was so before; what was
never so, and nobody asked for, goes on up to the router's caps.
"""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field, replace
from hashlib import sha256

from imsys.reconcile.caps import cap
from imsys.reconcile.diff import Step
from imsys.reconcile.intent import RouterIntent
from imsys.reconcile.kinds import ADDRESS_LIST
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import LiveKey, live_by_row

OTHER_ROUTER = "OtherRouter"
ROWS_VANISHED = "RowsVanished"
TOO_MANY = "TooManySteps"
DOUBTS = (OTHER_ROUTER, ROWS_VANISHED)
HELD = (*DOUBTS, TOO_MANY)
REMEDY = "Look at the router, then decide: imsys hold list, and imsys hold approve HOLD or imsys hold reject HOLD"
SHRUNK_ROWS = 10
SHRUNK_SHARE = 0.5
UNASKED = frozenset({"unasked", "policy"})
"""Reasons of what was never so before, and which no person asked for."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why something is held."""

    code: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Brake:
    """What decides how much of a plan a machine may cause.

    rows: how many customers' rows the router has. caps: what people set, see `caps.cap`.
    approved, rejected: marks of steps that a person has decided on.
    live: what is known to be live; None: not known, so that whatever may be counts.
    """

    rows: int = 0
    caps: Mapping[str, int] = field(default_factory=dict)
    approved: Collection[str] = frozenset()
    rejected: Collection[str] = frozenset()
    live: Set[LiveKey] | None = None


def suspicion(
    plan: Plan, *, placed_rows: Mapping[str, int], known_serial: str = "", serial: str = ""
) -> Suspicion | None:
    """Why this read should not be believed, or None. `placed_rows`: by menu, rows that we put or saw there."""
    if known_serial and serial and known_serial != serial:
        return Suspicion(OTHER_ROUTER, f"The hardware answers as {serial}, it was {known_serial} before.", REMEDY)
    for menu, placed in placed_rows.items():
        gone = sum(1 for step in plan.steps if step.menu == menu and is_reappearance(step))
        if gone >= SHRUNK_ROWS and gone >= placed * SHRUNK_SHARE:
            text = f"{gone} of {placed} rows of {menu} are gone, and nobody here removed them."
            return Suspicion(ROWS_VANISHED, text, REMEDY)
    return None


def standing(code: str) -> Suspicion:
    """A doubt that an earlier resync raised and nobody has settled yet."""
    return Suspicion(code, "What the last resync found on this router is still to be looked at by a person.", REMEDY)


def unseen() -> Suspicion:
    """Many rows are missing where only some were looked for: a whole read has to tell how it stands."""
    return Suspicion(ROWS_VANISHED, "Many rows are missing; the whole router is read before they are made again.", "")


def is_reappearance(step: Step) -> bool:
    """Would it make a row again that was seen before?"""
    return step.action == "add" and step.reason == "drift"


def mark(step: Step) -> str:
    """Tells this step from others, also in a later run; of a password it tells nothing."""
    said = repr((step.action, step.menu, step.key, step.old_key, sorted(step.changes.items())))
    return sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def permit(plan: Plan, enforced: Set[int] | None) -> Plan:
    """The plan with what may not be written left alone. enforced: whose rows may be; None: all, and the router's own.

    What these share with others who are only observed is made when it is missing, and otherwise stays as it is.
    """
    if enforced is None:
        return plan
    shared = {place for i in enforced for resource in plan.wanted.of(i) for place in resource.refers}

    def may(step: Step) -> bool:
        return step.subscriber_id in enforced or (step.action == "add" and step.place in shared)

    left = tuple(step for step in plan.steps if not may(step))
    return replace(plan, steps=tuple(filter(may, plan.steps)), left_alone=left)


def split(plan: Plan, doubt: Suspicion | None, brake: Brake, router: RouterIntent) -> tuple[Plan, Suspicion | None]:
    """The plan with what must wait for a person moved to `held`, and why.

    Under a doubt that is all that a machine concluded, else what is over a cap. What a person has approved goes on;
    what was rejected waits on, and counts no more.
    """
    unasked = {s.place: s for s in plan.steps if s.reason in UNASKED and mark(s) not in brake.approved}
    refused = {place for place, step in unasked.items() if mark(step) in brake.rejected}
    over = over_caps([step for place, step in unasked.items() if place not in refused], brake, router)
    why = doubt or over
    if doubt is not None:
        machine = [s for s in plan.steps if s.reason in UNASKED or s.reason == "drift"]
        held = {s.place for s in machine if mark(s) not in brake.approved}
        held -= _needed(plan, [step for step in plan.steps if step.place not in held])
    else:
        held = set(unasked) if over is not None else refused
    if not held:
        return plan, None
    go = tuple(step for step in plan.steps if step.place not in held)
    waits = tuple(step for step in plan.steps if step.place in held)
    forgotten = () if doubt is not None else plan.forgotten
    return replace(plan, steps=go, held=waits, forgotten=forgotten), why or REJECTED


REJECTED = Suspicion(TOO_MANY, "What a person has rejected stays undone.", "See what it is: imsys hold list --all")


def _needed(plan: Plan, go: Collection[Step]) -> set[tuple[str, str]]:
    """What must be there for these, such as the profile of somebody whom a person makes on a blanked router."""
    rows = (plan.wanted.rows.get(step.place) for step in go)
    return {place for row in rows if row is not None for place in row.refers}


def over_caps(steps: Collection[Step], brake: Brake, router: RouterIntent) -> Suspicion | None:
    """Why these are too many for machines to cause in one run, or None."""
    counts: dict[str, int] = {}
    for step in steps:
        kinds = [kind_of(step, router)]
        if kinds[0] in ("suspends", "removes") and _may_end_a_session(step, brake.live):
            kinds.append("kicks")
        for kind in kinds:
            counts[kind] = counts.get(kind, 0) + 1
    for kind, count in sorted(counts.items()):
        most = cap(kind, brake.rows, brake.caps)
        if count > most:
            text = f"{count} {kind} that nobody asked for are due at once; {most} are the most on this router."
            return Suspicion(TOO_MANY, text, REMEDY)
    return None


def kind_of(step: Step, router: RouterIntent) -> str:
    """Which of caps.KINDS a step is."""
    if step.menu == ADDRESS_LIST.menu:
        return "resumes" if step.action == "remove" else "suspends"
    if step.action == "remove":
        return "removes"
    garden = router.suspend_profile if router.suspend_by == "profile" else None
    if step.changes.get("disabled") is True or (garden is not None and step.changes.get("profile") == garden):
        return "suspends" if step.action != "add" else "creates"
    return "resumes" if step.changes.get("disabled") is False and step.action != "add" else "creates"


def _may_end_a_session(step: Step, live: Set[LiveKey] | None) -> bool:
    keys = live_by_row(step.menu, step.key)
    return bool(keys) and (live is None or not keys.isdisjoint(live))
