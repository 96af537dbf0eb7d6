"""The brake of one run: what is held, why, and what becomes of the router's holds. What is held, reconcile decides."""

from collections.abc import Set
from dataclasses import dataclass, field

from imsys.fleet import intake
from imsys.fleet.entries import Holding
from imsys.fleet.intake import RouterRow
from imsys.fleet.records import Pool
from imsys.reconcile import guard
from imsys.reconcile.intent import Intent
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import LiveKey
from imsys.reconcile.show import as_dict
from imsys.timeline.holding import Standing, marks_of, settle


@dataclass(slots=True)
class Braking:
    """`serial`: what the router says it is. why: why the latest plan has something held; None when it has not."""

    pool: Pool
    router: RouterRow
    serial: str
    doubt: guard.Suspicion | None = None
    brake: guard.Brake = field(default_factory=guard.Brake)
    standing: list[Standing] = field(default_factory=list)
    why: guard.Suspicion | None = None

    async def look(self, plan: Plan, live: Set[LiveKey] | None, *, is_whole: bool) -> None:
        """By the first plan of a run, for all of it: is the read to be believed, and what did a person decide?"""
        self.brake = await self._brake(plan, live)
        self.doubt = await self._suspicion(plan, is_whole=is_whole)

    def split(self, plan: Plan) -> Plan:
        made, self.why = guard.split(plan, self.doubt, self.brake, self.router.intent)
        return made

    async def _brake(self, plan: Plan, live: Set[LiveKey] | None) -> guard.Brake:
        needs_caps = any(step.reason in guard.UNASKED for step in plan.steps)
        if not (needs_caps or self.router.has_holds):
            return guard.Brake()
        async with self.pool.connection() as connection:
            self.standing = await intake.standing_holds(connection, self.router)
            rows = await intake.customers_rows(connection, self.router.router_id) if needs_caps else 0
        approved, rejected = (marks_of(self.standing, state) for state in ("approved", "rejected"))
        return guard.Brake(rows, self.router.caps, approved, rejected, live)

    async def _suspicion(self, plan: Plan, *, is_whole: bool) -> guard.Suspicion | None:
        """What is suspicious about this read. A run that sees only part keeps an earlier doubt, and settles none."""
        placed: dict[str, int] = {}
        are_many = sum(guard.is_reappearance(step) for step in plan.steps) >= guard.SHRUNK_ROWS
        if is_whole and are_many:
            async with self.pool.connection() as connection:
                placed = await intake.placed_rows(connection, self.router.router_id)
        known = self.router.known_serial
        found = guard.suspicion(plan, placed_rows=placed, known_serial=known, serial=self.serial)
        if found is not None or is_whole:
            return found
        if self.router.condition in guard.DOUBTS:
            return guard.standing(self.router.condition)
        return guard.unseen() if are_many else None

    def holding(self, plan: Plan, intent: Intent) -> Holding | None:
        """What becomes of the router's holds by a run that saw everything; outside of its window nothing does."""
        if not (self.standing or plan.held) or not self.router.may_be_written:
            return None
        names = {s.subscriber_id: s.username for s in intent.subscribers}
        held = {guard.mark(step): as_dict(step, names) for step in plan.held}
        outstanding = {guard.mark(step) for step in plan.steps}
        return Holding(settle(self.standing, held, outstanding=outstanding), self.why)

    def has_something_new(self, plan: Plan) -> bool:
        """Is anything held that stands in no hold yet? A whole read has to tell how it stands."""
        known = frozenset().union(*(hold.marks for hold in self.standing))
        return any(guard.mark(step) not in known for step in plan.held)
