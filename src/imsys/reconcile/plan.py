"""All steps of one router, in the order in which they must be done: a value that can be shown, refused or replayed."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from imsys.reconcile.desired import Desired, ResourceKey, desired, is_list_bound
from imsys.reconcile.diff import Reason, Step, disabling, promotion, removal, steps_for
from imsys.reconcile.exchanges import room_for
from imsys.reconcile.intent import Ghost, Intent
from imsys.reconcile.kinds import KINDS, PROFILE, Resource, Value
from imsys.reconcile.kinds.hotspot_profile import HOTSPOT_PROFILE
from imsys.reconcile.observed import ObservedRow, Table
from imsys.reconcile.renames import Renames
from imsys.reconcile.scope import REFERRING
from imsys.reconcile.status import Problem, missing_menu, unknown_profile

PROFILES = (PROFILE.menu, HOTSPOT_PROFILE.menu)


class Paused(NamedTuple):
    """A repair that rests until then, see fights.py. The step has what rests alone."""

    step: Step
    until: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """`problems` are by subscriber and need a person; `waiting` subscribers wait for the router to settle.

    in_turn: subscribers whose row waits until another one has left its name.
    forgotten: placements whose rows are gone, so that they can be deleted.
    held: steps that the guard keeps back. left_alone: those on rows that are only observed. paused: those fought over.
    """

    steps: tuple[Step, ...] = ()
    problems: Mapping[int, Problem] = field(default_factory=dict)
    waiting: frozenset[int] = frozenset()
    in_turn: frozenset[int] = frozenset()
    forgotten: tuple[Ghost, ...] = ()
    held: tuple[Step, ...] = ()
    left_alone: tuple[Step, ...] = ()
    paused: tuple[Paused, ...] = ()
    wanted: Desired = field(default_factory=Desired, repr=False)

    @property
    def outstanding(self) -> tuple[Step, ...]:
        """All that differs, whether it may be mended or not."""
        return (*(rests.step for rests in self.paused), *self.not_paused)

    @property
    def not_paused(self) -> tuple[Step, ...]:
        """The same without what rests."""
        return (*self.steps, *self.held, *self.left_alone)

    def unfinished(self) -> set[int]:
        """Subscribers of whom something is still to be done, also in the rows that theirs refer to."""
        steps = self.outstanding
        own = {step.subscriber_id for step in steps if step.subscriber_id is not None}
        through = self.dependants({step.place for step in steps if step.subscriber_id is None})
        return own | through | self.waiting | self.in_turn | set(self.problems)

    def dependants(self, places: set[ResourceKey]) -> set[int]:
        """Subscribers with a row that refers to one of these."""
        if not places:
            return set()
        rows = self.wanted.rows.values()
        return {r.subscriber_id for r in rows if r.subscriber_id is not None and not places.isdisjoint(r.refers)}


def make_plan(
    intent: Intent,
    observed: Mapping[str, Table],
    *,
    is_settled: bool = True,
    said_yes: Collection[ResourceKey] = frozenset(),
    wanted: Desired | None = None,
) -> Plan:
    """Steps that turn the observed tables into what `intent` asks for; empty when there is no drift.

    A menu that is not in `observed` was not read, and nothing is said of it. Until the router `is_settled`, nothing
    is created or removed because it is not listed. said_yes: rows whose hidden password was written in this run.
    `wanted` is what the intent desires, where that is known already.
    """
    return _Planner(intent, observed, wanted or desired(intent), is_settled, said_yes).plan()


class _Planner:
    def __init__(
        self,
        intent: Intent,
        observed: Mapping[str, Table],
        wanted: Desired,
        is_settled: bool,
        said_yes: Collection[ResourceKey],
    ) -> None:
        self.intent, self.observed, self.wanted = intent, observed, wanted
        self.is_settled, self.said_yes = is_settled, said_yes
        self.renames = Renames(intent, self.wanted, observed)
        self.steps: list[Step] = []
        self.problems: dict[int, Problem] = {}
        self.waiting: set[int] = set()
        self.in_turn: set[int] = set()
        self.forgotten: list[Ghost] = []

    def plan(self) -> Plan:
        for resource in self.wanted.rows.values():
            self._make(resource)
        self._take_away()
        self._keep_out()
        return Plan(
            tuple(sorted([*self.steps, *room_for(self.steps, self.observed)], key=_order)),
            self.problems,
            frozenset(self.waiting),
            frozenset(self.in_turn),
            tuple(self.forgotten),
            wanted=self.wanted,
        )

    # -- what must be there

    def _make(self, resource: Resource) -> None:
        place = (resource.menu, resource.key)
        table = self.observed.get(resource.menu)
        if table is None:
            return
        if table.is_missing:
            self._lacks_menu(resource)
            return
        if place in self.renames.waiting:
            self._note(self.in_turn, resource)
            return
        row = self._row(resource, table)
        if resource.rewrites_hidden and place in self.said_yes:
            resource = replace(resource, rewrites_hidden=False)
        if row is not None and row.is_dynamic:
            self._promote(resource, row)
            return
        steps = steps_for(resource, row, table)
        twin = table.in_the_way.get(resource.key)
        if steps and twin is not None and KINDS[resource.menu].promotes == "remove":
            self.steps.append(promotion(resource, twin))
        for step in steps:
            self._take(step)

    def _row(self, resource: Resource, table: Table) -> ObservedRow | None:
        place = (resource.menu, resource.key)
        if place in self.renames.source:
            return self.renames.source[place]
        if place in self.renames.leaving:
            return None
        row = table.rows.get(resource.key)
        if row is None and KINDS[resource.menu].promotes == "remove":
            row = table.in_the_way.get(resource.key)
        return row

    def _promote(self, resource: Resource, row: ObservedRow) -> None:
        """A dynamic row is made static, and what differs follows; or it is removed, and ours is added."""
        step = promotion(resource, row)
        self.steps.append(step)
        if step.action == "remove":
            self.steps += steps_for(resource, None, self.observed[resource.menu])

    def _take(self, step: Step) -> None:
        if step.is_shared and step.action != "add":
            step = replace(step, reason="drift")
        step, problem = self._checked(step)
        if problem is not None and step.subscriber_id is not None:
            self.problems[step.subscriber_id] = problem
            if step.action == "add" or not (step.changes or step.old_key):
                return
        if step.action == "add" and not self.is_settled:
            self.waiting |= self._who_needs(step)
            return
        self.steps.append(step)

    def _who_needs(self, step: Step) -> set[int]:
        """Its subscriber; of the router's own row, all whom it may cut off; of a profile, all who have its package."""
        if step.subscriber_id is not None:
            return {step.subscriber_id}
        if step.is_shared:
            router = self.intent.router
            return {s.subscriber_id for s in self.intent.subscribers if is_list_bound(s, router)}
        return {s.subscriber_id for s in self.intent.subscribers if s.package_id == step.package_id}

    def _checked(self, step: Step) -> tuple[Step, Problem | None]:
        """The step without a reference to a profile that neither exists nor will; its other changes must not wait.

        The name is matched exactly here, since the router itself would take a unique prefix of another name.
        """
        if "profile" not in step.changes:
            return step, None
        refers = self.wanted.rows[step.place].refers
        for menu, name in refers:
            profiles = self.observed.get(menu)
            if menu not in PROFILES or (menu, name) in self.wanted.rows or profiles is None or name in profiles.rows:
                continue
            changes = {field: value for field, value in step.changes.items() if field != "profile"}
            if self._is_garden(step, name):
                changes = self._fenced_off(step, changes)
            return replace(step, changes=changes), unknown_profile(menu, name)
        return step, None

    def _is_garden(self, step: Step, profile: str) -> bool:
        router = self.intent.router
        return step.action == "set" and router.suspend_by == "profile" and profile == router.suspend_profile

    def _fenced_off(self, step: Step, changes: dict[str, Value]) -> dict[str, Value]:
        """Without the walled garden somebody suspended is disabled: nobody is let out because a profile is missing."""
        row = self.observed[step.menu].rows.get(step.old_key or step.key)
        changes.pop("disabled", None)
        if row is not None and row.values["disabled"] is True:
            return changes
        return {**changes, "disabled": True}

    def _lacks_menu(self, resource: Resource) -> None:
        problem = missing_menu(resource.menu)
        if resource.subscriber_id is not None:
            self.problems[resource.subscriber_id] = problem

    def _note(self, where: set[int], resource: Resource) -> None:
        if resource.subscriber_id is not None:
            where.add(resource.subscriber_id)

    # -- what must not

    def _take_away(self) -> None:
        leaving, going = self.renames.leaving, set[ResourceKey]()
        for ghost in self._unwanted():
            table = self.observed.get(ghost.menu)
            if table is None or ghost.place in self.wanted.rows or ghost.place in leaving:
                continue
            row = table.rows.get(ghost.key)
            if row is not None:
                if self._may_go(ghost) and ghost.place not in going:
                    self.steps.append(self._removal(ghost, row))
                    going.add(ghost.place)
            elif ghost.is_gone:
                continue
            elif self.is_settled:
                self.forgotten.append(ghost)
            elif ghost.subscriber_id is not None and ghost.subscriber_id in self.intent.placed:
                self.waiting.add(ghost.subscriber_id)  # synced, nobody would look for this row any more
        for (menu, key), subscriber in self.wanted.absent.items():
            table = self.observed.get(menu)
            row = table.rows.get(key) if table is not None else None
            is_placed = (menu, key) in self.intent.placed.get(subscriber.subscriber_id, ())
            if row is None or row.values["disabled"] is True:  # which cuts nobody off: somebody else's, for later
                continue
            if not is_placed and (menu, key) not in going:
                step = removal(menu, row, "intent" if subscriber.is_newer else "drift", subscriber.subscriber_id)
                self.steps.append(step)

    def _keep_out(self) -> None:
        """Logins that nobody owns and that are not to stay."""
        for stray in self.intent.strays:
            table = self.observed.get(stray.menu)
            row = table.rows.get(stray.key) if table is not None else None
            if row is None or stray.place in self.wanted.rows or stray.place in self.renames.leaving:
                continue
            reason: Reason = "unmanaged" if stray.is_asked else "policy"
            if stray.wish == "remove":
                self.steps.append(removal(stray.menu, row, reason))
            elif row.values["disabled"] is not True:
                self.steps.append(disabling(stray.menu, row, reason))

    def _may_go(self, ghost: Ghost) -> bool:
        """Does no row name this profile any more? RouterOS would leave it with a link to nothing.

        One of ours will name another, or be gone; for one of other people the profile is left to them.
        """
        menu = REFERRING.get(ghost.menu)
        if menu is None:
            return True
        table = self.observed.get(menu)
        if table is None:  # unread is not empty
            return False
        naming = {(menu, key) for key, row in table.rows.items() if row.values["profile"] == ghost.key}
        ours = self.intent.known | self.wanted.rows.keys() | {other.place for other in self._unwanted()}
        if naming and naming.isdisjoint(ours):
            self.forgotten.append(ghost)
        return not naming

    def _unwanted(self) -> Iterator[Ghost]:
        """Placements that are ghosts, and those of subscribers who want their rows elsewhere by now."""
        yield from self.intent.ghosts
        for subscriber_id, places in self.intent.placed.items():
            for menu, key in sorted(places):
                if menu in KINDS:
                    yield Ghost(menu, key, subscriber_id)
        for menu, key in self.intent.shared:
            if not self.intent.uses_list or key != self.intent.router.suspend_list:
                yield Ghost(menu, key)

    def _removal(self, ghost: Ghost, row: ObservedRow) -> Step:
        """A step of the subscriber who is still here; what one who left has left behind is nobody's here."""
        owner = ghost.subscriber_id if ghost.subscriber_id in self.intent.placed else None
        return removal(ghost.menu, row, "ghost" if ghost.is_asked or ghost.is_gone else "unasked", owner)


def _order(step: Step) -> tuple[int, bool, str]:
    """Phase first; in a phase what restricts goes before what frees, then by key."""
    return step.phase, step.changes.get("disabled") is not True, step.key
