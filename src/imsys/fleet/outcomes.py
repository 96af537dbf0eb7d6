"""What a run means for each subscriber, and what of it the timeline tells. Values in, values out."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from imsys.fleet.records import Happening, Outcome
from imsys.fleet.timing import Timing
from imsys.kit.backoff import delay_s
from imsys.reconcile.diff import Step
from imsys.reconcile.guard import Suspicion
from imsys.reconcile.intent import Intent, SubscriberIntent
from imsys.reconcile.kinds import KINDS, SECRET
from imsys.reconcile.observed import Table
from imsys.reconcile.plan import Plan
from imsys.reconcile.show import shown
from imsys.reconcile.status import Problem, not_holding, session_stays, settling

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Findings:
    """The end of a run: what the last plan still asks for, and what happened on the way."""

    intent: Intent
    plan: Plan
    problems: Mapping[int, Problem]
    drift: Mapping[Key, Step]
    said_yes: Collection[Key]
    stuck: Collection[str]
    is_cut_short: bool
    is_enforced: bool
    doubt: Suspicion | None

    @property
    def repaired(self) -> list[Step]:
        """Drift that the last read shows to be gone."""
        outstanding = {(s.menu, s.key) for s in (*self.plan.steps, *self.plan.held)}
        return [step for key, step in self.drift.items() if key in self.said_yes and key not in outstanding]

    def outcomes(self, now: datetime, timing: Timing, chance: random.Random) -> list[Outcome]:
        """One for each subscriber of whom there is something to write down."""
        unfinished = self.plan.unfinished(self.intent)
        held = {step.subscriber_id for step in self.plan.held}
        found = []
        for subscriber in self.intent.subscribers:
            outcome = self._outcome(subscriber, unfinished, held, _Retry(now, timing, chance))
            if outcome is not None:
                found.append(outcome)
        return found

    def _outcome(
        self, subscriber: SubscriberIntent, unfinished: Collection[int], held: Collection[int | None], retry: "_Retry"
    ) -> Outcome | None:
        i = subscriber.subscriber_id
        if problem := self.problems.get(i):
            return _failed(subscriber, "error", problem, retry.error(subscriber))
        if self.doubt is not None and i in held:
            return _waits(subscriber, Problem(self.doubt.code, self.doubt.text, self.doubt.remedy))
        if not self.is_enforced and (i in unfinished or subscriber.username in self.stuck):
            return _waits(subscriber)
        if i in self.plan.waiting:
            return _waits(subscriber, settling(), retry.settled())
        if subscriber.username in self.stuck:
            return _failed(subscriber, "pending", session_stays(subscriber.username), retry.soon(subscriber))
        if i in unfinished:
            if self.is_cut_short:
                return None
            return _failed(subscriber, "pending", not_holding(retry.timing.rounds), retry.soon(subscriber))
        key = (SECRET.menu, subscriber.username)
        if subscriber.is_synced and not subscriber.is_newer and key not in self.drift and not subscriber.is_kick_owed:
            return None
        mac = subscriber.password_mac if subscriber.password_mac != subscriber.applied_mac else None
        return Outcome(i, subscriber.generation, "synced", is_applied=key in self.said_yes, password_mac=mac)


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

    def _after(self, failures: int, first_s: float) -> datetime:
        jitter = self.chance.uniform(-self.timing.jitter, self.timing.jitter)
        delay = delay_s(failures, first_s=first_s, cap_s=self.timing.error_cap_s, jitter=jitter)
        return self.now + timedelta(seconds=delay)


def repair_events(repaired: Iterable[Step], authors: Mapping[str, str]) -> list[Happening]:
    """One line for each row that was put back, naming who had changed it where the router's log tells."""
    lines = []
    for step in repaired:
        kind = KINDS[step.menu]
        author = authors.get(step.key) if step.menu == SECRET.menu else None
        before = shown(kind, step.before) if step.action == "set" else {"row": "missing"}
        lines.append(
            Happening(
                "drift-repaired",
                step.key if step.menu == SECRET.menu else "",
                step.subscriber_id,
                actor=f"router: {author}" if author else "router: unknown",
                before=before,
                after=shown(kind, step.changes),
                note="" if step.menu == SECRET.menu else f"{step.menu} {step.key}",
            )
        )
    return lines


def left_events(removed: Collection[str], tables: Mapping[str, Table]) -> list[Happening]:
    rows = tables[SECRET.menu].rows
    note = "its row was removed from the router"
    return [Happening("left", name, note=note) for name in sorted(removed) if name not in rows]


def error_events(intent: Intent, outcomes: Sequence[Outcome]) -> list[Happening]:
    """An error is told when it begins, not at each retry."""
    subscribers = {subscriber.subscriber_id: subscriber for subscriber in intent.subscribers}
    return [
        Happening("sync-error", subscribers[o.subscriber_id].username, o.subscriber_id, cause=o.code, note=o.text)
        for o in outcomes
        if o.status == "error" and o.code != subscribers[o.subscriber_id].error_code
    ]
