"""What of a plan may be done: what a person asked for goes on, what only a machine concluded may have to wait.

Empty is suspicious: a blanked or swapped router looks like one where everything must be made again. After such a read
all that a machine concluded is held. Otherwise drift is put back however much it is, since it was so before; what was
never so, and nobody asked for, goes on up to the router's caps.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from hashlib import sha256

from imsys.reconcile.caps import cap
from imsys.reconcile.desired import ResourceKey
from imsys.reconcile.diff import Step
from imsys.reconcile.intent import RouterIntent, Stray
from imsys.reconcile.kinds import ADDRESS_LIST
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import LiveKey, live_by_row

OTHER_ROUTER = "OtherRouter"
ROWS_VANISHED = "RowsVanished"
TOO_MANY = "TooManySteps"
DOUBTS = (OTHER_ROUTER, ROWS_VANISHED)
HELD = (*DOUBTS, TOO_MANY)
REMEDY = "Look at the router, then decide: imsys hold list --all, and imsys hold approve HOLD or imsys hold reject HOLD"
SHRUNK_ROWS = 10
SHRUNK_SHARE = 0.5
UNASKED = frozenset({"unasked", "policy"})
"""Reasons of what was never so before, and which no person asked for."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why something is held. serial: of the other hardware that answers."""

    code: str
    text: str
    remedy: str
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Brake:
    """What decides how much of a plan a machine may cause.

    rows: how many customers' rows the router has. caps: what people set for it, see `caps.cap`.
    recent: how many rows were removed lately though nobody asked.
    approved, rejected: marks of steps that a person has decided on. waiting: of those that a person is asked about, and
        `why` they wait: that is not over because the numbers are others by now.
    live: what is known to be live; None: not known, so that whatever may be counts.
    """

    rows: int = 0
    recent: int = 0
    caps: Mapping[str, int] = field(default_factory=dict)
    approved: Collection[str] = frozenset()
    rejected: Collection[str] = frozenset()
    waiting: Collection[str] = frozenset()
    why: Suspicion | None = None
    live: Set[LiveKey] | None = None


def suspicion(
    plan: Plan,
    *,
    placed_rows: Mapping[str, int],
    placed: Set[ResourceKey] = frozenset(),
    known_serial: str = "",
    serial: str = "",
) -> Suspicion | None:
    """Why this read should not be believed, or None.

    placed_rows: by menu, rows that we put or saw there. placed: those of them whose owners are not synced.
    """
    if known_serial and serial and known_serial != serial:
        text = f"The hardware answers as {serial}, it was {known_serial} before."
        return Suspicion(OTHER_ROUTER, text, REMEDY, serial)
    for menu, count in placed_rows.items():
        gone = sum(1 for step in plan.steps if step.menu == menu and has_vanished(step, placed))
        if gone >= SHRUNK_ROWS and gone >= count * SHRUNK_SHARE:
            text = f"{gone} of {count} rows of {menu} are gone, and nobody here removed them."
            return Suspicion(ROWS_VANISHED, text, REMEDY)
    return None


def standing(code: str) -> Suspicion:
    """A doubt that an earlier resync raised and nobody has settled yet."""
    return Suspicion(code, "What the last resync found on this router is still to be looked at by a person.", REMEDY)


def has_vanished(step: Step, placed: Set[ResourceKey] = frozenset()) -> bool:
    """Would it make a row again that was there before, whatever a person has changed about it since?"""
    return step.action == "add" and (step.reason == "drift" or step.place in placed)


def mark(step: Step) -> str:
    """Tells this step from others, also in a later run; of a password it tells nothing."""
    said = repr((step.action, step.menu, step.key, step.old_key, sorted(step.changes.items())))
    return sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def permit(plan: Plan, enforced: Set[int] | None, theirs: Set[ResourceKey] = frozenset()) -> Plan:
    """The plan with what may not be written left alone. enforced: whose rows may be; None: all, and the router's own.

    A profile that these share with others who are only observed is made when it is missing, and otherwise stays as it
    is; so does a row that is one of theirs until now. theirs: places that are known to be so.
    """
    if enforced is None:
        return plan
    profiles = {place for i in enforced for resource in plan.wanted.of(i) for place in resource.refers}
    others = (place for place, row in plan.wanted.rows.items() if row.subscriber_id not in {None, *enforced})
    theirs = {*theirs, *others}

    def may(step: Step) -> bool:
        if step.subscriber_id is None:
            return step.action == "add" and not step.is_shared and step.place in profiles
        return step.subscriber_id in enforced and (step.menu, step.old_key or step.key) not in theirs

    left = tuple(step for step in plan.steps if not may(step))
    return replace(plan, steps=tuple(filter(may, plan.steps)), left_alone=left)


def split(plan: Plan, doubt: Suspicion | None, brake: Brake, router: RouterIntent) -> tuple[Plan, Suspicion | None]:
    """The plan with what must wait for a person moved to `held`, and why.

    Under a doubt that is all that a machine concluded, else what is over a cap, and what a person is asked about. What
    a person has approved goes on; what was rejected waits on, and counts no more.
    """
    plan = plan if doubt is None else replace(plan, forgotten=())  # that a row is not there proves nothing by now
    is_other = doubt is not None and doubt.code == OTHER_ROUTER  # what a person said of rows was said of another's
    reasons = {*UNASKED, "drift", *(["unmanaged"] if is_other else [])}
    machine = {s.place: mark(s) for s in plan.steps if s.reason in reasons}
    machine = {place: said for place, said in machine.items() if said not in brake.approved}
    decided = {place for place, said in machine.items() if said in brake.rejected or said in brake.waiting}
    unasked = {s.place for s in plan.steps if s.reason in UNASKED and s.place in machine}
    over = over_caps([s for s in plan.steps if s.place in unasked - decided], brake, router)
    is_asked = any(machine[place] in brake.waiting for place in unasked)
    held = set(machine) if doubt is not None else decided | (unasked if over is not None or is_asked else set())
    held -= _needed(plan, [step for step in plan.steps if step.place not in held])
    if not held:
        return plan, None
    go = tuple(step for step in plan.steps if step.place not in held)
    waits = tuple(step for step in plan.steps if step.place in held)
    return replace(plan, steps=go, held=waits), doubt or over or brake.why or REJECTED


REJECTED = Suspicion(TOO_MANY, "What a person has rejected stays undone.", "See what it is: imsys hold list --all")


def may_shut(strays: Iterable[Stray], plan: Plan, doubt: Suspicion | None, brake: Brake) -> set[ResourceKey]:
    """Logins of nobody whose sessions may be ended, once they are disabled.

    A person's decision is enough. By the policy as many may be as the cap leaves, and none under a doubt.
    """
    shut = [stray for stray in strays if stray.wish == "quarantine"]
    if doubt is not None and doubt.code == OTHER_ROUTER:
        return set()
    asked = {stray.place for stray in shut if stray.is_asked or _shut_mark(stray) in brake.approved}
    held = {step.place for step in plan.held}
    policy = {stray.place for stray in shut} - asked - held
    live = {key for place in policy for key in live_by_row(*place) if brake.live is None or key in brake.live}
    are_too_many = len(live) > cap("kicks", brake.rows, brake.caps)
    return asked if doubt is not None or are_too_many else asked | policy


def _shut_mark(stray: Stray) -> str:
    return mark(Step("set", stray.menu, stray.key, "policy", {"disabled": True}))


def _needed(plan: Plan, go: Collection[Step]) -> set[tuple[str, str]]:
    """What must be there for these, such as the profile of somebody whom a person makes on a blanked router."""
    rows = (plan.wanted.rows.get(step.place) for step in go)
    return {place for row in rows if row is not None for place in row.refers}


def over_caps(steps: Collection[Step], brake: Brake, router: RouterIntent) -> Suspicion | None:
    """Why these are too many for machines to cause in one run, or None."""
    counts: Counter[str] = Counter()
    if any(kind_of(step, router) == "removes" for step in steps):
        counts["removes"] = brake.recent
    for step in steps:
        kinds = [kind_of(step, router)]
        if kinds[0] in ("suspends", "removes") and _may_end_a_session(step, brake.live):
            kinds.append("kicks")
        counts.update(kinds)
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
