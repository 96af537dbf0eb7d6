"""One run on one router: observe, diff, plan, guard, apply, read back, end sessions, record.

A run knows only where to look. Whatever woke it, it compares what should be with what is, so that late, doubled, lost
or reordered wake-ups end in the same state.
"""

import asyncio
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from imsys.fleet import intake
from imsys.fleet.executor import Executor, Key
from imsys.fleet.observer import Observer, merged
from imsys.fleet.outcomes import Findings, error_events, left_events, repair_events
from imsys.fleet.records import PASSWORDS_HIDDEN, Happening, Outcome, Records, RunRecord
from imsys.fleet.settling import Settling
from imsys.fleet.timing import Timing
from imsys.kit.clock import Clock
from imsys.kit.errors import ImsysError
from imsys.reconcile import guard
from imsys.reconcile.attribution import LOG_PROPLIST, attribute
from imsys.reconcile.batch import first_of
from imsys.reconcile.diff import Step, cut_alone
from imsys.reconcile.intent import Ghost, Intent
from imsys.reconcile.kinds import PROFILE, SECRET
from imsys.reconcile.observed import Table
from imsys.reconcile.plan import Plan, make_plan
from imsys.reconcile.sessions import Session, of_earlier_login, owes_kick, still_there, without_right
from imsys.reconcile.status import Problem, refused
from imsys.routeros.errors import TrapError

Tables = dict[str, Table]

HIDDEN = (
    PASSWORDS_HIDDEN,
    "The router hides passwords from our login, so they are written when they change but cannot be compared.",
    "Give the login's group the sensitive policy, then reconnect.",
)


@dataclass(slots=True)
class Hands:
    """What a keeper works with while it is connected to its router."""

    observer: Observer
    executor: Executor
    records: Records
    clock: Clock
    chance: random.Random
    timing: Timing
    settling: Settling
    serial: str = ""


@dataclass(slots=True)
class Cycle:
    """The state of one run.

    said_yes, refused: keys by the router's answer; alone: keys to be tried by themselves; removed: secrets taken away;
    redial: whose session must end once; stuck: whose session would not. `present` is the latest read of the sessions.
    """

    hands: Hands
    router: intake.RouterRow
    run: RunRecord
    intent: Intent
    tables: Tables
    present: list[Session] | None = None
    plan: Plan = field(default_factory=Plan)
    doubt: guard.Suspicion | None = None
    problems: dict[int, Problem] = field(default_factory=dict)
    refused: set[Key] = field(default_factory=set)
    alone: set[Key] = field(default_factory=set)
    said_yes: set[Key] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    redial: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    drift: dict[Key, Step] = field(default_factory=dict)
    is_cut_short: bool = False
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def is_enforced(self) -> bool:
        return self.router.mode == "enforce"

    async def go(self) -> None:
        """Align, and gather what is to be recorded."""
        await self._think(first=True)
        self.drift = {(s.menu, s.key): s for s in (*self.plan.steps, *self.plan.held) if s.reason == "drift"}
        self.run.subscribers = len(self.intent.subscribers)
        self.run.drifted = len(self.drift)
        if self.is_enforced:
            await self._place_seen()
            await self._align()
            await self._end_sessions()
        else:
            self.run.result = "observed"
            await self._look_at_sessions()
        await self._record()

    # -- plan

    async def _think(self, *, first: bool = False) -> None:
        plan = make_plan(self.intent, self.tables, is_settled=self.hands.settling.is_settled, said_yes=self.said_yes)
        if first and not self.router.accepts_reappearance:
            self.doubt = await self._suspicion(plan)
        self.plan = guard.split(plan, self.doubt)

    async def _suspicion(self, plan: Plan) -> guard.Suspicion | None:
        """What is suspicious about this read. A run that sees only part keeps an earlier doubt, and settles none."""
        placed: dict[str, int] = {}
        is_whole = self.run.kind == "resync"
        are_many = sum(guard.is_reappearance(step) for step in plan.steps) >= guard.SHRUNK_ROWS
        if is_whole and are_many:
            async with self.hands.records.pool.connection() as connection:
                placed = await intake.placed_rows(connection, self.router.router_id)
        known = self.router.known_serial
        found = guard.suspicion(plan, placed_rows=placed, known_serial=known, serial=self.hands.serial)
        if found is not None or is_whole:
            return found
        if self.router.condition in guard.HELD:
            return guard.standing(self.router.condition)
        return guard.unseen() if are_many else None

    # -- apply and read back

    async def _align(self) -> None:
        for _ in range(self.hands.timing.rounds):
            steps = [step for step in self.plan.steps if (step.menu, step.key) not in self.refused]
            timing = self.hands.timing
            some = first_of(steps, timing.commands_per_run, self.alone, ids=timing.ids_at_once)
            self.is_cut_short = len(some) < len(steps)
            some = await self._placed(some)
            if not some:
                return
            await self._apply(some)
            await self._read_back(some)
            await self._think()
            if self.is_cut_short:
                return

    async def _place_seen(self) -> None:
        """Rows that are as wanted when first seen are ours from now on, as if we had made them."""
        busy = {(step.menu, step.key) for step in self.plan.steps}
        rows: list[tuple[str, str, int | None, int | None]] = []
        new = [s for s in self.intent.subscribers if s.applied_generation == 0]
        secrets = self.tables[SECRET.menu].rows
        for subscriber in new:
            if subscriber.username in secrets and (SECRET.menu, subscriber.username) not in busy:
                rows.append((SECRET.menu, subscriber.username, subscriber.subscriber_id, None))
        profiles = self.tables[PROFILE.menu].rows
        for package_id in {s.package_id for s in new}:
            package = self.intent.packages[package_id]
            if package.is_owned and package.profile in profiles:
                rows.append((PROFILE.menu, package.profile, None, package_id))
        await self.hands.records.place(rows)

    async def _placed(self, steps: Sequence[Step]) -> list[Step]:
        """The steps whose rows are recorded as ours, so that nothing we put on a router is ever forgotten."""
        new = {s.subscriber_id for s in self.intent.subscribers if s.applied_generation == 0}
        wanting = [s for s in steps if s.action == "add" or s.subscriber_id in new or s.package_id is not None]
        rows = [(s.menu, s.key, s.subscriber_id, s.package_id) for s in wanting if s.action != "remove"]
        kicks = [s.subscriber_id for s in steps if s.subscriber_id and self._owes_kick(s)]
        if not rows and not kicks:
            return list(steps)
        placed = await self.hands.records.place(rows, kicks=kicks)
        asked = {(menu, key) for menu, key, _, _ in rows}
        return [s for s in steps if (s.menu, s.key) not in asked or (s.menu, s.key) in placed]

    async def _apply(self, steps: Sequence[Step]) -> None:
        ids = [s.subscriber_id for s in steps if s.subscriber_id is not None and "password" in s.changes]
        passwords: dict[int, bytes] = {}
        if ids:
            async with self.hands.records.pool.connection() as connection:
                passwords = await intake.sealed_passwords(connection, ids)
        ready = [s for s in steps if "password" not in s.changes or s.subscriber_id in passwords]
        self.redial |= {s.key for s in ready if self._owes_kick(s)}
        applied = await self.hands.executor.apply(ready, passwords=passwords, alone=self.alone)
        undone = [step for step in ready if (step.menu, step.key) in applied.refused]
        cuts = [cut for step in undone if (cut := cut_alone(step, self.router.intent)) is not None]
        cut_off = await self.hands.executor.apply(cuts, passwords={})
        self.said_yes |= applied.said_yes | cut_off.said_yes
        self.alone |= applied.together
        self.removed |= {s.key for s in ready if s.action == "remove" and s.menu == SECRET.menu}
        for step in ready:
            error = applied.refused.get((step.menu, step.key))
            if error is not None:
                self._refuse(step, error)

    def _refuse(self, step: Step, error: ImsysError) -> None:
        problem = refused(error.code, error.message, error.remedy)
        self.refused.add((step.menu, step.key))
        if step.subscriber_id is not None:
            self.problems[step.subscriber_id] = problem
        if step.package_id is not None:
            users = [s.subscriber_id for s in self.intent.subscribers if s.package_id == step.package_id]
            self.problems.update(dict.fromkeys(users, problem))

    async def _read_back(self, steps: Sequence[Step]) -> None:
        """Look again at what was touched, and at the sessions concerned: both sent after the router's answers."""
        names = {step.key for step in steps if step.menu == SECRET.menu}
        profiles = any(step.menu == PROFILE.menu for step in steps)
        observer = self.hands.observer
        concerned = self._without_right() | self._owed() | self._ghosts() | self.removed
        reads = [observer.tables(names) if profiles or not names else self._secrets(names)]
        if concerned:
            later, self.present = await asyncio.gather(reads[0], observer.sessions(concerned))
        else:
            later = await reads[0]
        self.tables = merged(self.tables, later, names)

    async def _secrets(self, names: Collection[str]) -> Tables:
        return {SECRET.menu: await self.hands.observer.secrets(names)}

    # -- sessions

    def _without_right(self) -> set[str]:
        if self.router.suspend_by == "profile":
            return set()
        return {subscriber.username for subscriber in self.intent.subscribers if subscriber.is_suspended}

    def _owed(self) -> set[str]:
        """Whose session must end once, by this run or since an earlier one that could not."""
        return {s.username for s in self.intent.subscribers if s.is_kick_owed} | self.redial

    def _owes_kick(self, step: Step) -> bool:
        """Also when a name is used again whose removed owner may still be online."""
        is_again = step.action == "add" and step.menu == SECRET.menu and step.key in self._ghosts()
        return is_again or owes_kick(step, self.router.intent)

    def _ghosts(self) -> set[str]:
        return {ghost.key for ghost in self.intent.ghosts if ghost.menu == SECRET.menu}

    def _forgotten(self) -> set[str]:
        """Removed subscribers whose rows are gone, perhaps by an earlier run that could not end their sessions."""
        return {ghost.key for ghost in self.plan.forgotten if ghost.menu == SECRET.menu}

    @property
    def forgotten(self) -> list[Ghost]:
        """Placements that nothing is left of: no row, and no session."""
        return [ghost for ghost in self.plan.forgotten if ghost.key not in self.stuck]

    async def _look_at_sessions(self) -> None:
        """Without the right to end a session, one that should not be keeps its subscriber from being synced."""
        concerned = self._without_right()
        if concerned and self.present is None:
            self.present = await self.hands.observer.sessions(concerned)
        self.stuck = {session.name for session in without_right(self.present or (), concerned)}

    async def _end_sessions(self) -> None:
        """End the sessions that the confirmed rows leave no right to, and see them gone."""
        secrets = self.tables[SECRET.menu].rows
        cut = {n for n in self._without_right() if n not in secrets or secrets[n].values["disabled"] is True}
        gone = {name for name in self.removed | self._forgotten() | self._owed() if name not in secrets}
        unfinished = self.plan.unfinished(self.intent)
        confirmed = {s.username for s in self.intent.subscribers if s.subscriber_id not in unfinished}
        redial = self._owed() & confirmed
        forbidden = cut | gone
        concerned = forbidden | redial
        if not concerned:
            return
        observer, executor = self.hands.observer, self.hands.executor
        if self.present is None:
            self.present = await observer.sessions(concerned)
        ending = without_right(self.present, forbidden) + of_earlier_login(self.present, redial - forbidden)
        ended: dict[tuple[str, str], Session] = {}
        for attempt in range(self.hands.timing.rounds):
            if not ending:
                break
            ended.update({session.identity: session for session in ending})
            await executor.end(ending, alone=attempt > 0)
            present = await observer.sessions(concerned)
            others = [s for s in still_there(ended.values(), present) if s.name not in forbidden]
            ending = without_right(present, forbidden) + others
        self.stuck = {session.name for session in ending}
        ids = {s.username: s.subscriber_id for s in self.intent.subscribers}
        self.run.happenings += [
            Happening("kicked", session.name, ids.get(session.name), note=f"session {session.session_id}".strip())
            for session in ended.values()
            if session.name not in self.stuck
        ]

    # -- record

    def findings(self) -> Findings:
        return Findings(
            intent=self.intent,
            plan=self.plan,
            problems={**self.problems, **self.plan.problems},
            drift=self.drift,
            said_yes=self.said_yes,
            stuck=self.stuck,
            is_cut_short=self.is_cut_short,
            is_enforced=self.is_enforced,
            doubt=self.doubt,
        )

    async def _record(self) -> None:
        hands, now = self.hands, self.hands.clock.now()
        findings = self.findings()
        repaired = findings.repaired
        authors = await self._authors(repaired)
        self.run.repaired = len(repaired)
        self.run.happenings += [*repair_events(repaired, authors), *left_events(self.removed, self.tables)]
        outcomes = findings.outcomes(now, hands.timing, hands.chance)
        self.run.happenings += error_events(self.intent, outcomes)
        if self.doubt is not None and self.plan.held:
            self.run.result, self.run.note = "held", self.doubt.text
        self.outcomes = outcomes

    async def _authors(self, steps: Sequence[Step]) -> dict[str, str]:
        keys = {step.key for step in steps if step.menu == SECRET.menu}
        if not keys:
            return {}
        try:
            log = await self.hands.observer.client.print("/log", proplist=LOG_PROPLIST)
        except TrapError:  # a router without a log to read is repaired all the same
            return {}
        return attribute(log, keys, own_user=self.router.username)

    def router_condition(self) -> tuple[str, str, str]:
        """(code, text, remedy) for the router itself; blanks when it is well."""
        if self.doubt is not None and self.plan.held:
            return self.doubt.code, self.doubt.text, self.doubt.remedy
        if self.tables[SECRET.menu].hides_secrets:
            return HIDDEN
        return "", "", ""

    @property
    def is_clean(self) -> bool:
        """Was everything found as wanted, with nothing left to record?"""
        plan = self.plan
        is_plan_empty = not (plan.steps or plan.held or plan.problems or plan.waiting or plan.forgotten)
        return is_plan_empty and not (self.outcomes or self.said_yes or self.stuck or self.drift)

    def to_look_up_again(self) -> set[str]:
        """Subscribers cut in this run: a CPE may have slipped in between the write and the look."""
        if not self.is_enforced:
            return set()
        cut = {(SECRET.menu, name) for name in self._without_right()}
        done = {outcome.subscriber_id for outcome in self.outcomes if outcome.status == "synced"}
        newly = {s.username for s in self.intent.subscribers if s.subscriber_id in done and not s.is_synced}
        return {name for menu, name in cut & self.said_yes} | (newly & self._without_right())
