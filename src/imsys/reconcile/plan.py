"""All steps of one router, in the order in which they must be done: a value that can be shown, refused or replayed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from imsys.reconcile.desired import Desired, ResourceKey, desired
from imsys.reconcile.diff import Step, step_for
from imsys.reconcile.intent import Ghost, Intent
from imsys.reconcile.kinds import KINDS, PROFILE, SECRET
from imsys.reconcile.observed import Table
from imsys.reconcile.status import Problem, unknown_profile


@dataclass(frozen=True, slots=True)
class Plan:
    """`problems` are by subscriber and need a person; `waiting` subscribers wait for the router to settle.

    forgotten: ghosts whose rows are gone, so that their placements can be deleted.
    held: steps that the guard keeps back.
    """

    steps: tuple[Step, ...] = ()
    problems: Mapping[int, Problem] = field(default_factory=dict)
    waiting: frozenset[int] = frozenset()
    forgotten: tuple[Ghost, ...] = ()
    held: tuple[Step, ...] = ()

    def unfinished(self, intent: Intent) -> set[int]:
        """Subscribers of whom something is still to be done, also by way of their package's profile."""
        steps = (*self.steps, *self.held)
        packages = {step.package_id for step in steps if step.package_id is not None}
        through_package = {s.subscriber_id for s in intent.subscribers if s.package_id in packages}
        own = {step.subscriber_id for step in steps if step.subscriber_id is not None}
        return own | through_package | self.waiting | set(self.problems)


def make_plan(
    intent: Intent,
    observed: Mapping[str, Table],
    *,
    is_settled: bool = True,
    said_yes: Collection[ResourceKey] = frozenset(),
) -> Plan:
    """Steps that turn the observed tables into what `intent` asks for; empty when there is no drift.

    `said_yes`: rows that were written in this run; what the router hides of them must be taken as written.
    While a router settles after a boot, absence proves nothing: no row is added and no placement forgotten for it.
    """
    wanted = desired(intent)
    steps: list[Step] = []
    problems: dict[int, Problem] = {}
    waiting: set[int] = set()
    for resource in wanted.values():
        table = observed.get(resource.menu)
        if resource.rewrites_hidden and (resource.menu, resource.key) in said_yes:
            resource = replace(resource, rewrites_hidden=False)
        step = step_for(resource, table.rows.get(resource.key)) if table is not None else None
        if step is None:
            continue
        step, problem = _checked(step, wanted, observed)
        if problem is not None and step.subscriber_id is not None:
            problems[step.subscriber_id] = problem
            if step.action == "add" or not step.changes:
                continue
        if step.action == "add" and not is_settled:
            if step.subscriber_id is not None:
                waiting.add(step.subscriber_id)
            continue
        steps.append(step)
    ghost_steps, forgotten = _ghosts(intent, wanted, observed, is_settled=is_settled)
    return Plan(tuple(sorted([*steps, *ghost_steps], key=_order)), problems, frozenset(waiting), tuple(forgotten))


def _checked(step: Step, wanted: Desired, observed: Mapping[str, Table]) -> tuple[Step, Problem | None]:
    """The step without a reference to a profile that neither exists nor will; its other changes must not wait.

    The name is matched exactly here, since the router itself would take a unique prefix of another name.
    """
    profile = step.changes.get("profile") if step.menu == SECRET.menu else None
    if profile is None or (PROFILE.menu, profile) in wanted:
        return step, None
    profiles = observed.get(PROFILE.menu)
    if profiles is None or profile in profiles.rows:
        return step, None
    changes = {name: value for name, value in step.changes.items() if name != "profile"}
    return replace(step, changes=changes), unknown_profile(str(profile))


def _ghosts(
    intent: Intent, wanted: Desired, observed: Mapping[str, Table], *, is_settled: bool
) -> tuple[list[Step], list[Ghost]]:
    steps, forgotten = [], []
    for ghost in intent.ghosts:
        table = observed.get(ghost.menu)
        if table is None or (ghost.menu, ghost.key) in wanted:
            continue
        row = table.rows.get(ghost.key)
        if row is not None:
            steps.append(Step("remove", ghost.menu, ghost.key, "ghost", before=row.values, row_id=row.row_id))
        elif is_settled:
            forgotten.append(ghost)
    return steps, forgotten


def _order(step: Step) -> tuple[int, bool, str]:
    """Phase first; in a phase what restricts goes before what frees, then by key."""
    return KINDS[step.menu].phase_of(step.action), step.changes.get("disabled") is not True, step.key
