"""What a run means for each subscriber, and what of it the timeline tells. Values in, values out."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from imsys.fleet.entries import Happening, Outcome
from imsys.fleet.timing import Timing
from imsys.kit.backoff import delay_s
from imsys.reconcile.diff import Step
from imsys.reconcile.guard import Suspicion
from imsys.reconcile.intent import Intent, SubscriberIntent
from imsys.reconcile.kinds import KINDS, SECRET
from imsys.reconcile.observed import Table
from imsys.reconcile.plan import Paused, Plan
from imsys.reconcile.show import shown
from imsys.reconcile.status import (
    Problem,
    fight,
    kick_waits,
    moving,
    not_holding,
    only_observed,
    session_stays,
    settling,
)
from imsys.reconcile.strays import name_of

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Findings:
    """The end of a run: what the last plan still asks for, and what happened on the way.

    touched: subscribers whose rows the router said yes to changing. stuck: whose session would not end.
    deferred: whose session is ended later, by seconds from now. taken: rows that the router says are another's.
    answered: rows of whose step the router has said something.
    redialled: whose session ended as it had to. enforced: whose rows could be written; None: everybody's.
    """

    intent: Intent
    plan: Plan
    problems: Mapping[int, Problem]
    drift: Mapping[Key, Step]
    said_yes: Collection[Key]
    touched: Collection[int]
    stuck: Collection[int]
    deferred: Mapping[int, float]
    redialled: Collection[int]
    taken: Mapping[int, Problem]
    answered: Collection[Key]
    is_cut_short: bool
    enforced: Set[int] | None
    why_held: Suspicion | None

    @property
    def repaired(self) -> list[Step]:
        """Drift that the last read shows to be gone."""
        outstanding = {step.place for step in self.plan.not_paused}
        return [step for step in self.put_back if step.place not in outstanding]

    @property
    def put_back(self) -> list[Step]:
        """Drift that the router said yes to mending, whether or not that held."""
        return [step for key, step in self.drift.items() if key in self.said_yes]

    def outcomes(self, now: datetime, timing: Timing, chance: random.Random) -> list[Outcome]:
        """One for each subscriber of whom there is something to write down."""
        unfinished = self.plan.unfinished()
        held = self._whose(self.plan.held)
        alone = self._whose(self.plan.left_alone)
        drifted = self._whose(self.drift.values())
        untried = self._whose([step for step in self.plan.steps if step.place not in self.answered])
        rests = self._rests()
        found = []
        for subscriber in self.intent.subscribers:
            i = subscriber.subscriber_id
            state = _State(i in unfinished, i in held, i in alone, i in drifted, i in untried, rests.get(i))
            outcome = self._outcome(subscriber, state, _Retry(now, timing, chance))
            if outcome is not None:
                found.append(outcome)
        return found

    def _whose(self, steps: Collection[Step]) -> set[int]:
        """The subscribers whom these steps concern, also by way of rows that theirs refer to."""
        own = {step.subscriber_id for step in steps if step.subscriber_id is not None}
        return own | self.plan.dependants({step.place for step in steps if step.subscriber_id is None})

    def _rests(self) -> dict[int, Paused]:
        """Of whom nothing but what rests is wrong any more, with what is looked at again first."""
        if not self.plan.paused:
            return {}
        busy, first = self._whose(self.plan.steps), dict[int, Paused]()
        for paused in sorted(self.plan.paused, key=lambda paused: paused.until):
            for i in self._whose([paused.step]) - busy:
                first.setdefault(i, paused)
        return first

    def _is_only_observed(self, subscriber_id: int) -> bool:
        return self.enforced is not None and subscriber_id not in self.enforced

    def _outcome(self, subscriber: SubscriberIntent, state: "_State", retry: "_Retry") -> Outcome | None:
        i = subscriber.subscriber_id
        if problem := self.problems.get(i):
            failed = _failed(subscriber, "error", problem, retry.error(subscriber))
            return replace(failed, is_kicked=i in self.redialled)
        if self.why_held is not None and state.is_held:
            return _waits(subscriber, Problem(self.why_held.code, self.why_held.text, self.why_held.remedy))
        if self._is_only_observed(i) and (state.is_unfinished or i in self.stuck):
            return _waits(subscriber)
        if i in self.plan.waiting:
            return _waits(subscriber, settling(), retry.settled())
        if i in self.stuck:
            return _failed(subscriber, "pending", session_stays(subscriber.username), retry.soon(subscriber))
        if state.is_left_alone:
            return _waits(subscriber, only_observed())
        if state.rests is not None and i not in self.plan.in_turn:
            waits = _waits(subscriber, fight(_what(state.rests.step)), state.rests.until)
            return replace(waits, is_kicked=i in self.redialled)
        if state.is_unfinished:
            if i in self.plan.in_turn or (self.is_cut_short and state.is_untried):
                return None
            if i in self.taken:
                return _failed(subscriber, "error", self.taken[i], retry.error(subscriber))
            return _failed(subscriber, "pending", not_holding(retry.timing.rounds), retry.soon(subscriber))
        if subscriber.is_held_back:
            return replace(_waits(subscriber, moving(), retry.moved()), is_made=True)
        if i in self.deferred:
            return _waits(subscriber, kick_waits(), retry.in_turn(self.deferred[i]))
        if subscriber.is_synced and not (subscriber.is_newer or state.is_drifted or subscriber.is_kick_owed):
            return None
        mac = subscriber.password_mac if subscriber.password_mac != subscriber.applied_mac else None
        has_lock = bool(subscriber.mac) and subscriber.service == "pppoe"
        ids = (i, subscriber.generation)
        return Outcome(*ids, "synced", is_applied=i in self.touched, password_mac=mac, has_lock=has_lock)


class _State(NamedTuple):
    is_unfinished: bool
    is_held: bool
    is_left_alone: bool
    is_drifted: bool
    is_untried: bool
    rests: Paused | None


def _what(step: Step) -> str:
    row = f"{step.menu} {step.key}"
    return f"{' and '.join(step.changes)} of {row}" if step.action == "set" else row


def _waits(subscriber: SubscriberIntent, problem: Problem | None = None, retry_at: datetime | None = None) -> Outcome:
    """It is for a person or for time; nothing was tried that failed."""
    code, text = (problem.code, str(problem)) if problem is not None else ("", "")
    return Outcome(subscriber.subscriber_id, subscriber.generation, "pending", code, text, retry_at)


def _failed(subscriber: SubscriberIntent, status: str, problem: Problem, retry_at: datetime) -> Outcome:
    ids = (subscriber.subscriber_id, subscriber.generation)
    return Outcome(*ids, status, problem.code, str(problem), retry_at, is_failure=True)


@dataclass(frozen=True, slots=True)
class _Retry:
    now: datetime
    timing: Timing
    chance: random.Random

    def error(self, subscriber: SubscriberIntent) -> datetime:
        return self._after(subscriber.attempts + 1, self.timing.error_first_s)

    def soon(self, subscriber: SubscriberIntent) -> datetime:
        return self._after(subscriber.attempts + 1, self.timing.retry_first_s)

    def settled(self) -> datetime:
        return self.now + timedelta(seconds=self.timing.settle_gap_s)

    def moved(self) -> datetime:
        """The old router's keeper makes it due as soon as the old rows are gone; this is for one that does not."""
        return self.now + timedelta(seconds=self.timing.old_router_s / 10)

    def in_turn(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    def _after(self, failures: int, first_s: float) -> datetime:
        jitter = self.chance.uniform(-self.timing.jitter, self.timing.jitter)
        delay = delay_s(failures, first_s=first_s, cap_s=self.timing.error_cap_s, jitter=jitter)
        return self.now + timedelta(seconds=delay)


def repair_events(
    repaired: Iterable[Step], authors: Mapping[Key, str], intent: Intent, now: datetime
) -> list[Happening]:
    """One line for each row that was put back, naming who had changed it where the router's log tells.

    A change of ours that is gone soon after it was seen, and that nobody is known to have undone, the router took back
    itself: an admin's safe mode that ended, or a crash that lost it.
    """
    subscribers = {subscriber.subscriber_id: subscriber for subscriber in intent.subscribers}
    lines = []
    for step in repaired:
        kind = KINDS[step.menu]
        author = authors.get(step.place)
        owner = subscribers.get(step.subscriber_id) if step.subscriber_id is not None else None
        is_undone = author is None and owner is not None and _is_recent(owner, now)
        before = shown(kind, step.before) if step.action in ("set", "remove") else {"row": "missing"}
        after = shown(kind, step.changes) if step.action != "remove" else {"row": "missing"}
        if step.action == "move":
            before, after = {"place": "below what makes it useless"}, {"place": "above it"}
        lines.append(
            Happening(
                "change-undone" if is_undone else "drift-repaired",
                owner.username if owner is not None else "",
                step.subscriber_id,
                actor=f"router: {author}" if author else "router: unknown",
                before=before,
                after=after,
                note=UNDONE if is_undone else ("" if step.menu == SECRET.menu else f"{step.menu} {step.key}"),
            )
        )
    return lines


UNDONE = "what was seen there is gone, and its log names nobody: safe mode or a crash takes changes back"
UNDONE_WITHIN = timedelta(minutes=30)
"""An admin's safe mode may hold a change for as long as the console stays open; a resync later than this is no sign."""


def _is_recent(subscriber: SubscriberIntent, now: datetime) -> bool:
    return subscriber.applied_at is not None and now - subscriber.applied_at < UNDONE_WITHIN


def left_events(removed: Collection[Key], tables: Mapping[str, Table]) -> list[Happening]:
    """Whose row is gone for good."""
    note = "its row was removed from the router"
    names = {key for menu, key in removed if KINDS[menu].names_subscriber and key not in tables[menu].rows}
    return [Happening("left", name, note=note) for name in sorted(names)]


def stray_events(steps: Iterable[Step], tables: Mapping[str, Table]) -> list[Happening]:
    """Logins of nobody that were shut or removed, as the last read shows."""
    lines = []
    for step in steps:
        row = tables[step.menu].rows.get(step.key)
        what = "stray-removed" if step.action == "remove" else "stray-quarantined"
        if (row is None) == (step.action == "remove"):
            note = f"{step.menu}: nobody here owns it"
            lines.append(Happening(what, name_of(step.key), cause=step.reason, note=note))
    return lines


def undone_events(removed: Collection[Key], tables: Mapping[str, Table]) -> list[Happening]:
    """Rows that were removed before, were there again, and are gone for the second time."""
    gone = sorted((menu, key) for menu, key in removed if key not in tables[menu].rows)
    return [
        Happening(
            "change-undone",
            key if KINDS[menu].names_subscriber else "",
            actor="router: unknown",
            before={"row": "there again"},
            after={"row": "removed"},
            note=f"{menu} {key}: {UNDONE}",
        )
        for menu, key in gone
    ]


def error_events(intent: Intent, outcomes: Sequence[Outcome]) -> list[Happening]:
    """An error is told when it begins, not at each retry."""
    subscribers = {subscriber.subscriber_id: subscriber for subscriber in intent.subscribers}
    return [
        Happening("sync-error", subscribers[o.subscriber_id].username, o.subscriber_id, cause=o.code, note=o.text)
        for o in outcomes
        if o.status == "error" and o.code != subscribers[o.subscriber_id].error_code
    ]
