"""What differs between one desired row and one observed row, as a step. A diff is a value; nothing is done here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from imsys.reconcile.intent import RouterIntent
from imsys.reconcile.kinds import KINDS, SECRET, UNVERIFIABLE, Observed, Phase, Resource, Value
from imsys.reconcile.observed import ObservedRow, Table

Action = Literal["add", "set", "remove", "move", "make-static"]
Reason = Literal["intent", "drift", "ghost", "unasked", "unmanaged", "policy"]
"""Why: a person wants it so by now; it was so before; a person took away what it was for; nobody is known to have; a
person decided on a row that nobody owns; the router's policy for such rows says so.
"""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one row. `changes` holds what is sent, in canonical values; `before` what was there.

    old_key: the row is renamed in place from this key. before_id: the row that it must stand before.
    is_aside: the row only makes room for others, see exchanges.py.
    """

    action: Action
    menu: str
    key: str
    reason: Reason
    changes: Mapping[str, Value] = field(default_factory=dict)
    before: Mapping[str, Observed] = field(default_factory=dict)
    row_id: str = ""
    subscriber_id: int | None = None
    package_id: int | None = None
    is_shared: bool = False
    old_key: str = ""
    before_id: str = ""
    is_aside: bool = False

    @property
    def place(self) -> tuple[str, str]:
        return self.menu, self.key

    @property
    def phase(self) -> Phase:
        return Phase.TWINS if self.is_aside else KINDS[self.menu].phase_of(self.action, is_rename=bool(self.old_key))


def steps_for(resource: Resource, row: ObservedRow | None, table: Table) -> list[Step]:
    """The steps that make `row` say what `resource` says, and stand where it works; none when all is well."""
    step = _step(resource, row)
    found = [step] if step is not None else []
    if table.first_above is None:
        return found
    above = table.first_above(resource.key, resource.values)
    if row is None:
        return [replace(step, before_id=above[1])] if step is not None and above is not None else found
    if above is not None and above[0] < row.place and above[1] != row.row_id:
        found.append(replace(_blank(resource, "move"), row_id=row.row_id, before_id=above[1]))
    return found


def removal(menu: str, row: ObservedRow, reason: Reason, subscriber_id: int | None = None) -> Step:
    return Step("remove", menu, row.key, reason, before=row.values, row_id=row.row_id, subscriber_id=subscriber_id)


def disabling(menu: str, row: ObservedRow, reason: Reason) -> Step:
    before = {"disabled": row.values["disabled"]}
    return Step("set", menu, row.key, reason, {"disabled": True}, before, row.row_id)


def _step(resource: Resource, row: ObservedRow | None) -> Step | None:
    if row is None:
        return _blank(resource, "add", resource.values)
    changes = differing(resource, row)
    is_renamed = row.key != resource.key
    if not changes and not is_renamed:
        return None
    before = {name: row.values[name] for name in changes}
    return _blank(resource, "set", changes, before, row.row_id, old_key=row.key if is_renamed else "")


def promotion(resource: Resource, row: ObservedRow) -> Step:
    """Gets a dynamic row out of the way of a static one, as its kind says."""
    verb = KINDS[resource.menu].promotes
    step = replace(_blank(resource, "make-static"), row_id=row.row_id)
    return replace(step, action="remove", before=row.values, is_aside=True) if verb == "remove" else step


def _blank(
    resource: Resource,
    action: Action,
    changes: Mapping[str, Value] = _NOTHING,
    before: Mapping[str, Observed] = _NOTHING,
    row_id: str = "",
    *,
    old_key: str = "",
) -> Step:
    return Step(
        action,
        resource.menu,
        resource.key,
        "intent" if resource.is_newer else "drift",
        changes,
        before,
        row_id,
        resource.subscriber_id,
        resource.package_id,
        resource.is_shared,
        old_key,
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
    if step.action != "set" or not cuts or (len(cuts) == len(step.changes) and not step.old_key):
        return None
    return replace(step, changes=cuts, key=step.old_key or step.key, old_key="")


def owes_kick(step: Step, router: RouterIntent) -> bool:
    """Does this change take effect only when the live session redials? Into and out of the walled garden it does."""
    if router.suspend_by != "profile" or step.menu != SECRET.menu or step.action == "remove":
        return False
    return router.suspend_profile in (step.changes.get("profile"), step.before.get("profile")) and (
        "profile" in step.changes
    )
