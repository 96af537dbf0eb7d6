"""The brake of one run: what is held, why, and what becomes of the router's holds. What is held, reconcile decides."""

from collections.abc import Set
from dataclasses import dataclass, field, replace

from imsys.fleet import intake
from imsys.fleet.entries import Happening, Holding
from imsys.fleet.executor import Key
from imsys.fleet.intake import RouterRow
from imsys.fleet.records import Pool
from imsys.reconcile import guard
from imsys.reconcile.guard import Suspicion
from imsys.reconcile.intent import Intent
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import LiveKey
from imsys.reconcile.show import as_dict
from imsys.timeline.holding import Standing, marks_of, settle


@dataclass(slots=True)
class Braking:
    """`serial`: what the router says it is. why: why the latest plan has something held; None when it has not.

    needs_all: so many rows are missing that a whole read has to tell how it stands, before anything is written.
    """

    pool: Pool
    router: RouterRow
    serial: str
    doubt: guard.Suspicion | None = None
    brake: guard.Brake = field(default_factory=guard.Brake)
    standing: list[Standing] = field(default_factory=list)
    why: guard.Suspicion | None = None
    needs_all: bool = False

    async def look(self, plan: Plan, intent: Intent, live: Set[LiveKey] | None, *, is_whole: bool) -> None:
        """By the first plan of a run, for all of it: is the read to be believed, and what did a person decide?"""
        self.brake = await self._brake(plan, intent, live)
        self.doubt = await self._suspicion(plan, intent, is_whole=is_whole)

    def split(self, plan: Plan) -> Plan:
        made, self.why = guard.split(plan, self.doubt, self.brake, self.router.intent)
        return made

    def may_shut(self, plan: Plan, intent: Intent) -> set[Key]:
        return guard.may_shut(intent.strays, plan, self.doubt, self.brake)

    async def _brake(self, plan: Plan, intent: Intent, live: Set[LiveKey] | None) -> guard.Brake:
        needs_caps = bool(intent.strays) or any(step.reason in guard.UNASKED for step in plan.steps)
        if not (needs_caps or self.router.has_holds):
            return guard.Brake()
        async with self.pool.connection() as connection:
            self.standing = await intake.standing_holds(connection, self.router)
            known = await intake.customers_rows(connection, self.router.router_id) if needs_caps else (0, 0)
        approved, rejected, waiting = (marks_of(self.standing, state) for state in ("approved", "rejected", "waiting"))
        why = next((Suspicion(h.code, h.text, guard.REMEDY) for h in self.standing if h.state == "waiting"), None)
        return guard.Brake(*known, self.router.caps, approved, rejected, waiting, why, live)

    async def _suspicion(self, plan: Plan, intent: Intent, *, is_whole: bool) -> guard.Suspicion | None:
        """What is suspicious about this read. A run that sees only part keeps an earlier doubt, and settles none."""
        placed: dict[str, int] = {}
        known = frozenset().union(*intent.placed.values())
        are_many = sum(guard.has_vanished(step, known) for step in plan.steps) >= guard.SHRUNK_ROWS
        if is_whole and are_many:
            async with self.pool.connection() as connection:
                placed = await intake.placed_rows(connection, self.router.router_id)
        serials = {"known_serial": self.router.known_serial, "serial": self.serial}
        asked = replace(plan, steps=tuple(s for s in plan.steps if guard.mark(s) not in self.brake.rejected))
        found = guard.suspicion(asked, placed_rows=placed, placed=known, **serials)
        if found is not None or is_whole:
            return found
        self.needs_all = are_many
        return guard.standing(self.router.condition) if self.router.condition in guard.DOUBTS else None

    def is_exchanged(self, plan: Plan) -> bool:
        """Has another router come in the place of ours that shows all that ours should, so that nothing waits?"""
        is_right = not (plan.outstanding or plan.waiting or plan.in_turn)
        return self.doubt is not None and self.doubt.code == guard.OTHER_ROUTER and is_right

    def happenings(self, plan: Plan) -> list[Happening]:
        if not self.is_exchanged(plan):
            return []
        note = f"{self.serial} answers, it was {self.router.known_serial}; it shows what that one should"
        return [Happening("router-exchanged", note=note)]

    def stranger(self, plan: Plan) -> guard.Suspicion | None:
        """That another router answers, also when nothing of it is held."""
        is_other = self.doubt is not None and self.doubt.code == guard.OTHER_ROUTER
        return self.doubt if is_other and not self.is_exchanged(plan) else None

    def holding(self, plan: Plan, intent: Intent, *, is_settled: bool) -> Holding | None:
        """What becomes of the router's holds by a run that saw everything.

        Nothing does while nothing may be written, and until it has settled: what is not to be done then is not over.
        """
        if not (self.standing or plan.held) or not (self.router.is_enforced and is_settled):
            return None
        names = {s.subscriber_id: s.username for s in intent.subscribers}
        held = {guard.mark(step): as_dict(step, names) for step in plan.held}
        outstanding = {guard.mark(step) for step in plan.steps}
        code = self.why.code if self.why is not None else ""
        return Holding(settle(self.standing, held, code=code, outstanding=outstanding), self.why)

    def has_something_new(self, plan: Plan) -> bool:
        """Is anything held that stands in no hold yet? A whole read has to tell how it stands."""
        known = frozenset().union(*(hold.marks for hold in self.standing))
        return any(guard.mark(step) not in known for step in plan.held)
