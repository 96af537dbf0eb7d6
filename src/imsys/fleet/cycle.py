"""One run on one router: observe, diff, plan, guard, apply, read back, end sessions, record.

A run knows only where to look. Whatever woke it, it compares what should be with what is, so that late, doubled, lost
or reordered wake-ups end in the same state.
"""

import asyncio
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from imsys.fleet import intake
from imsys.fleet.braking import Braking
from imsys.fleet.claiming import Claiming
from imsys.fleet.ending import Ending
from imsys.fleet.entries import Fought, Outcome, RunRecord
from imsys.fleet.executor import Executor, Key
from imsys.fleet.fighting import Fighting
from imsys.fleet.observer import Observer, Tables, merged
from imsys.fleet.outcomes import Findings, error_events, left_events, repair_events, stray_events, undone_events
from imsys.fleet.pacing import Allowance
from imsys.fleet.records import PASSWORDS_HIDDEN, Records
from imsys.fleet.settling import Settling
from imsys.fleet.timing import Timing
from imsys.kit.clock import Clock
from imsys.kit.errors import ImsysError
from imsys.reconcile import guard
from imsys.reconcile.attribution import LOG_PROPLIST, attribute
from imsys.reconcile.batch import first_of
from imsys.reconcile.desired import Desired
from imsys.reconcile.diff import Step, cut_alone, owes_kick
from imsys.reconcile.intent import RENAMED, Ghost, Intent
from imsys.reconcile.kinds import ADDRESS_LIST, LOGIN_MENUS
from imsys.reconcile.observed import mark
from imsys.reconcile.plan import Plan, make_plan
from imsys.reconcile.scope import scope_of_steps
from imsys.reconcile.sessions import Session, live_by_row
from imsys.reconcile.status import Problem, refused, taken
from imsys.reconcile.strays import Sighting, sightings
from imsys.routeros.errors import TrapError

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
    kicks: Allowance
    serial: str = ""


class Cycle:
    """One run.

    present: an earlier read of all PPP sessions. alone: rows that an earlier run saw refused as a group.
    unmanaged: logins that nobody here owns; None: they were not looked for.
    """

    def __init__(
        self,
        hands: Hands,
        router: intake.RouterRow,
        run: RunRecord,
        intent: Intent,
        wanted: Desired,
        tables: Tables,
        present: list[Session] | None = None,
        alone: Collection[Key] = frozenset(),
        unmanaged: Collection[Key] | None = None,
    ) -> None:
        self.hands, self.router, self.run, self.tables = hands, router, run, tables
        self.enforced = router.enforced_of(intent.subscribers)
        self.claims = Claiming(hands.records, intent, wanted, self.enforced)
        self.sessions = Ending(
            hands.observer, hands.executor, hands.kicks, self.claims, hands.timing.rounds, present=present
        )
        self.unmanaged = unmanaged
        self.live = self.sessions.all_live()
        self.plan = Plan()
        self.braking = Braking(hands.records.pool, router, hands.serial)
        self.problems: dict[int, Problem] = {}
        self.refused: set[Key] = set()
        self.taken: dict[int, Problem] = {}
        self.alone: set[Key] = set(alone)
        self.answered: set[Key] = set()
        self.marks: dict[Key, str] = {}
        self.said_yes: set[Key] = set()
        self.touched: set[int] = set()
        self.drift: dict[Key, Step] = {}
        self.is_cut_short = self.is_decided = False
        self.theirs: list[Ghost] = []
        self.strays: list[Step] = []
        self.outcomes: list[Outcome] = []
        self.fighting = Fighting(hands.timing.fights, router.intent, run.started_at)
        self.fought: Fought | None = None

    @property
    def intent(self) -> Intent:
        return self.claims.intent

    @property
    def wanted(self) -> Desired:
        return self.claims.wanted

    async def decide(self) -> None:
        """All that comes before the first write: what differs, and what of it is to be done."""
        self.is_decided = True
        await self._leave_what_people_made()
        await self._load_fights()
        await self._think(first=True)
        self.drift = {s.place: s for s in self.plan.outstanding if s.reason == "drift"}
        self.run.subscribers = len(self.intent.subscribers)
        self.run.drifted = len(self.drift)

    async def go(self) -> None:
        """Align, and gather what is to be recorded."""
        if not self.is_decided:
            await self.decide()
        if self.enforced is None:
            await self.hands.records.let_go(self.theirs)
        if self.enforced is None or self.enforced:
            await self._carry_out()
        if self.enforced is not None:
            self.run.result = "observed"
            if self.braking.doubt is None:
                await self.claims.adopt(self.tables)
            await self.sessions.look()
        await self._record()

    async def _load_fights(self) -> None:
        if self.router.has_fights:
            async with self.hands.records.pool.connection() as connection:
                known = await intake.fights(connection, self.router)
            self.fighting.load(known, self.wanted, is_whole=self.run.kind == "resync")

    async def _carry_out(self) -> None:
        if await self.claims.seen({step.place for step in self.plan.outstanding}, self.tables):
            await self._think()
        await self._align()
        if await self._may_go_on():
            await self.sessions.end(self.plan, self.tables, self._concerned())
            if kicked := self.sessions.kicked_once():
                await self.hands.records.kicked(kicked)

    async def _may_go_on(self) -> bool:
        """A person's pause or freeze stops a run before its next flight of writes."""
        async with self.hands.records.pool.connection() as connection:
            may = await intake.may_still_write(connection, self.router, now=self.hands.clock.now())
        self.is_cut_short = self.is_cut_short or not may
        return may

    async def _leave_what_people_made(self) -> None:
        """A row that is back as it was when ours was removed goes again, unless somebody is known to have added it."""
        back = [g for g in self.intent.ghosts if g.is_gone and self._is_there(g.menu, g.key)]
        if not back:
            return
        others_rows = [
            g
            for g in back
            if not g.mark or mark(self.tables[g.menu].rows[g.key].values) != g.mark.removeprefix(RENAMED)
        ]
        others = (" changed by ", " removed by ")
        lines = [row for row in await self._log() if not any(words in row.get("message", "") for words in others)]
        theirs = attribute(lines, {ghost.place for ghost in back}, own_user=self.router.username)
        self.theirs = [ghost for ghost in back if ghost.place in theirs or ghost in others_rows]
        self.claims.let_go(self.theirs)

    # -- plan

    async def _think(self, *, first: bool = False) -> None:
        is_settled, yes = self.has_settled, self.said_yes
        plan = make_plan(self.intent, self.tables, is_settled=is_settled, said_yes=yes, wanted=self.wanted)
        plan = guard.permit(plan, self.enforced, await self._theirs(plan))
        if first:
            await self.braking.look(plan, self.intent, self.live, is_whole=self.run.kind == "resync")
        self.plan = self.fighting.rest(self.braking.split(plan))
        self.sessions.shut = self.braking.may_shut(self.plan, self.intent)

    async def _theirs(self, plan: Plan) -> set[Key]:
        """Rows of the plan that are of subscribers who are only observed, where some others are enforced."""
        if not self.enforced or not plan.steps:
            return set()
        places = {(step.menu, step.old_key or step.key) for step in plan.steps}
        async with self.hands.records.pool.connection() as connection:
            return await intake.places_of_others(connection, self.router.router_id, places, self.enforced)

    @property
    def has_settled(self) -> bool:
        return self.hands.settling.has_settled(self.tables)

    def sightings(self) -> list[Sighting] | None:
        """Who stands there and is nobody's, by the last read. One that is not to be believed tells nothing."""
        if self.unmanaged is None or not (self.unmanaged or self.router.has_unmanaged):
            return None
        if self.braking.doubt is not None or not self.has_settled:
            return None
        ended = {session.live_key for session in self.sessions.ended}
        live = (self.live or frozenset()) - ended
        alive = [place for place in self.unmanaged if not live.isdisjoint(live_by_row(*place))]
        return sightings(self.unmanaged, self.tables, alive)

    # -- apply and read back

    async def _align(self) -> None:
        for _ in range(self.hands.timing.rounds):
            steps = [step for step in self.plan.steps if step.place not in self.refused]
            timing = self.hands.timing
            some = first_of(steps, timing.commands_per_run, self.alone, ids=timing.ids_at_once)
            self.is_cut_short = len(some) < len(steps)
            some = await self.claims.of_steps(some)
            if not some or not await self._may_go_on():
                return
            await self._apply(some)
            await self._read_back(some)
            await self._think()
            if self.is_cut_short:
                return

    def _is_there(self, menu: str, key: str) -> bool:
        return menu in self.tables and key in self.tables[menu].rows

    async def _apply(self, steps: Sequence[Step]) -> None:
        ids = [s.subscriber_id for s in steps if s.subscriber_id is not None and "password" in s.changes]
        passwords: dict[int, bytes] = {}
        if ids:
            async with self.hands.records.pool.connection() as connection:
                passwords = await intake.sealed_passwords(connection, ids)
        ready = [s for s in steps if "password" not in s.changes or s.subscriber_id in passwords]
        intent = self.router.intent
        self.sessions.redial |= {s.subscriber_id for s in ready if s.subscriber_id and owes_kick(s, intent)}
        applied = await self.hands.executor.apply(ready, passwords=passwords, alone=self.alone)
        undone = [step for step in ready if step.place in applied.refused]
        cuts = [cut for step in undone if (cut := cut_alone(step, self.router.intent)) is not None]
        cut_off = await self.hands.executor.apply(cuts, passwords={})
        yes = applied.said_yes | cut_off.said_yes
        self.said_yes |= yes
        self.touched |= {s.subscriber_id for s in ready if s.subscriber_id is not None and s.place in yes}
        self.alone |= applied.together
        self.answered |= {step.place for step in ready} - applied.together
        self.claims.taken_over |= {s.subscriber_id for s in ready if s.subscriber_id and self.claims.is_taken_over(s)}
        self.sessions.renamed |= {(s.menu, s.old_key) for s in ready if s.old_key and s.place in yes}
        self.sessions.removed |= {s.place for s in ready if s.action == "remove"}
        self.strays += [s for s in ready if s.reason in ("unmanaged", "policy") and s.place in yes]
        tells = {s.place: mark(s.before) for s in ready if s.action == "remove" and s.menu != ADDRESS_LIST.menu}
        self.marks |= tells  # of an entry of the list there is nothing to tell ours by
        self.marks |= {
            (s.menu, s.old_key): RENAMED + mark(self.tables[s.menu].rows[s.old_key].values)
            for s in ready
            if s.old_key and self._is_there(s.menu, s.old_key)
        }
        for step in ready:
            if (error := applied.refused.get(step.place)) is not None:
                self._refuse(step, error)
            if (error := applied.taken.get(step.place)) is not None and step.subscriber_id is not None:
                self.taken[step.subscriber_id] = taken(error.message)

    def _refuse(self, step: Step, error: ImsysError) -> None:
        problem = refused(error.code, error.message, error.remedy)
        self.refused.add(step.place)
        if step.subscriber_id is not None:
            self.problems[step.subscriber_id] = problem
        else:
            self.problems.update(dict.fromkeys(self.plan.dependants({step.place}), problem))

    async def _read_back(self, steps: Sequence[Step]) -> None:
        """Look again at what was touched, and at the sessions concerned: both sent after the router's answers."""
        scope = scope_of_steps(steps, self.wanted)
        live = self.sessions.concerned(self.plan, self._concerned())
        reads = [self.hands.observer.tables(scope)]
        if live:
            later, _ = await asyncio.gather(reads[0], self.sessions.read(live))
        else:
            later = await reads[0]
        self.tables = merged(self.tables, later, scope)

    # -- sessions

    def _concerned(self) -> set[int]:
        """Whose rows were wrong in this run, also those that theirs refer to."""
        through = self.plan.dependants({key for key, step in self.drift.items() if step.subscriber_id is None})
        return self.touched | through | {s.subscriber_id for s in self.drift.values() if s.subscriber_id is not None}

    def told_by(self) -> dict[Key, str]:
        """Marks of the rows that are gone. Of one that got another name in an earlier run all that is known is that."""
        names = {g.place: RENAMED for g in self.forgotten if g.subscriber_id in self.intent.placed}
        return names | self.marks

    @property
    def forgotten(self) -> list[Ghost]:
        """Placements that nothing is left of: no row, and nothing live."""
        is_live = self.sessions.stuck
        gone = [ghost for ghost in self.plan.forgotten if is_live.isdisjoint(live_by_row(ghost.menu, ghost.key))]
        return [*gone, *self.sessions.forgotten]

    # -- record

    def findings(self) -> Findings:
        return Findings(
            intent=self.intent,
            plan=self.plan,
            problems={**self.problems, **self.plan.problems},
            drift=self.drift,
            said_yes=self.said_yes,
            touched=self.touched,
            stuck=self.sessions.whose_are_stuck(),
            deferred=self.sessions.deferred,
            redialled=self.sessions.redialled,
            taken=self.taken,
            answered=self.answered,
            is_cut_short=self.is_cut_short,
            enforced=self.enforced,
            why_held=self.braking.why,
        )

    async def _record(self) -> None:
        hands, now = self.hands, self.hands.clock.now()
        findings = self.findings()
        repaired, put_back = findings.repaired, findings.put_back
        authors = await self._authors([*put_back, *self.fighting.begun])
        self.run.repaired = len(repaired)
        gone = {ghost.place for ghost in self.intent.ghosts if ghost.is_gone}
        removed = self.sessions.removed & (self.claims.ghosts - gone)
        self.run.happenings += [
            *self.sessions.happenings(),
            *repair_events(repaired, authors, self.intent, now),
            *left_events(removed, self.tables),
            *undone_events(self.sessions.removed & gone, self.tables),
            *stray_events(self.strays, self.tables),
            *self.braking.happenings(self.plan),
            *self.fighting.events(authors, self.intent),
        ]
        self.fought = self.fighting.fought(put_back, authors, now)
        outcomes = findings.outcomes(now, hands.timing, hands.chance)
        self.run.happenings += error_events(self.intent, outcomes)
        if self.braking.why is not None:
            self.run.result, self.run.note = "held", self.braking.why.text
        self.outcomes = outcomes

    async def _authors(self, steps: Sequence[Step]) -> dict[Key, str]:
        if not steps:
            return {}
        return attribute(await self._log(), {step.place for step in steps}, own_user=self.router.username)

    async def _log(self) -> list[dict[str, str]]:
        try:
            return await self.hands.observer.client.print("/log", proplist=LOG_PROPLIST)
        except TrapError:  # a router without a log to read is repaired all the same
            return []

    def router_condition(self) -> tuple[str, str, str]:
        """(code, text, remedy) for the router itself; blanks when it is well."""
        why = self.braking.why or self.braking.stranger(self.plan)
        if why is not None:
            return why.code, why.text, why.remedy
        return HIDDEN if self.hides_secrets else ("", "", "")

    @property
    def hides_secrets(self) -> bool:
        return any(self.tables[menu].hides_secrets for menu in LOGIN_MENUS.values() if menu in self.tables)

    @property
    def has_changed_something(self) -> bool:
        """Did the router say yes to anything?"""
        return bool(self.said_yes or self.sessions.ended)

    @property
    def is_clean(self) -> bool:
        """Was everything found as wanted, with nothing left to record?"""
        plan = self.plan
        is_plan_empty = not (plan.outstanding or plan.problems or plan.waiting or plan.in_turn or plan.forgotten)
        return is_plan_empty and not (self.outcomes or self.said_yes or self.sessions.stuck or self.drift)

    def to_look_up_again(self) -> set[str]:
        """Subscribers cut in this run: a CPE may have slipped in between the write and the look."""
        done = {outcome.subscriber_id for outcome in self.outcomes if outcome.status == "synced"}
        cut = [s for s in self.claims.acting.subscribers if s.is_suspended and self.sessions.may_slip_in(s)]
        return {
            s.username for s in cut if s.subscriber_id in self.touched or (s.subscriber_id in done and not s.is_synced)
        }
