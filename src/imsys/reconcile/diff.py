"""What differs between one desired row and one observed row, as a step. A diff is a value; nothing is done here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from imsys.reconcile.intent import RouterIntent
from imsys.reconcile.kinds import UNVERIFIABLE, Observed, Resource, Value
from imsys.reconcile.observed import ObservedRow

Action = Literal["add", "set", "remove"]
Reason = Literal["intent", "drift", "ghost"]


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one row. `changes` holds what is sent, in canonical values; `before` what was there."""

    action: Action
    menu: str
    key: str
    reason: Reason
    changes: Mapping[str, Value] = field(default_factory=dict)
    before: Mapping[str, Observed] = field(default_factory=dict)
    row_id: str = ""
    subscriber_id: int | None = None
    package_id: int | None = None


def step_for(resource: Resource, row: ObservedRow | None) -> Step | None:
    """The step that makes `row` say what `resource` says; None when it does already."""
    reason: Reason = "intent" if resource.is_newer else "drift"
    if row is None:
        return Step(
            "add",
            resource.menu,
            resource.key,
            reason,
            changes=resource.values,
            subscriber_id=resource.subscriber_id,
            package_id=resource.package_id,
        )
    changes = differing(resource, row)
    if not changes:
        return None
    return Step(
        "set",
        resource.menu,
        resource.key,
        reason,
        changes=changes,
        before={name: row.values[name] for name in changes},
        row_id=row.row_id,
        subscriber_id=resource.subscriber_id,
        package_id=resource.package_id,
    )


def differing(resource: Resource, row: ObservedRow) -> dict[str, Value]:
    """The desired values that the row does not have. A hidden one differs only when its intent changed."""
    changes: dict[str, Value] = {}
    observed = row.values
    for name, value in resource.values.items():
        there = observed[name]
        if there is UNVERIFIABLE:
            if resource.rewrites_hidden:
                changes[name] = value
        elif there != value:
            changes[name] = value
    return changes


def cut_alone(step: Step, router: RouterIntent) -> Step | None:
    """Of a refused change, what suspends: a value that the router does not take must not keep anybody online."""
    garden = router.suspend_profile if router.suspend_by == "profile" else None
    cuts = {
        name: value
        for name, value in step.changes.items()
        if (name == "disabled" and value is True) or (name == "profile" and garden is not None and value == garden)
    }
    if step.action != "set" or not cuts or len(cuts) == len(step.changes):
        return None
    return replace(step, changes=cuts)
