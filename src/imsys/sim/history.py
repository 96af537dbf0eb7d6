"""What people changed lately, to be undone by a lost safe mode or by a power cut that came before the flash had it.

Nothing is noted unless somebody holds safe mode or writes are held back: other routers pay nothing for it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsys.kit.errors import InputError
from imsys.sim.accounts import Actor
from imsys.sim.menu import Row
from imsys.sim.projection import id_text

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

SAFE_MODE_ACTIONS = 100
_ADDED, _CHANGED, _REMOVED, _MOVED = "added", "changed", "removed", "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after. `before`: which row came after it, where order means something."""

    table: "Table"
    row_id: int
    old: Row | None
    new: Row | None
    before: int | None = None


@dataclass(slots=True)
class Action:
    """All that one command changed."""

    number: int
    at: float
    changes: list[Change] = field(default_factory=list)


@dataclass(slots=True)
class SafeMode:
    """Somebody's hold; `active_id` is that person's row in /user/active."""

    actor: Actor
    active_id: int
    since: int
    actions: int = 0


class History:
    """The actions of one router that can still be undone."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._actions: deque[Action] = deque()
        self.safe_mode: SafeMode | None = None
        self.held_s = 0.0

    @property
    def records(self) -> bool:
        return self.safe_mode is not None or self.held_s > 0

    def follower(self, table: "Table", row_id: int) -> int | None:
        """The row of people that comes after a row, so that it can be put back to its place."""
        if not self.records or not table.shape.menu.is_ordered:
            return None
        order = iter(table.items())
        for other, _ in order:
            if other == row_id:
                break
        return next((other for other, row in order if table.shape.value(row, "dynamic") != "true"), None)

    def note(self, table: "Table", row_id: int, old: Row | None, new: Row | None, *, before: int | None = None) -> None:
        """A person changed a row. Sessions and the like are no configuration: ending them is not undone."""
        menu = table.shape.menu
        if not self.records or menu.is_dynamic or menu.remove is not None or not menu.verbs & {"add", "set"}:
            return
        number, now = self._router.action, self._router.clock.monotonic()
        if not self._actions or self._actions[-1].number != number:
            self._forget(now)
            self._actions.append(Action(number, now))
        action = self._actions[-1]
        if not action.changes and self.safe_mode is not None:
            self._count(self.safe_mode)
        action.changes.append(Change(table, row_id, old, new, before))

    def _count(self, held: SafeMode) -> None:
        held.actions += 1
        if held.actions > SAFE_MODE_ACTIONS:
            self._router.log.write("system,error", f"safe mode of {held.actor.user} ended: too many actions")
            self.drop_safe_mode()

    def _forget(self, now: float) -> None:
        first = self._router.action + 1 if self.safe_mode is None else self.safe_mode.since
        while self._actions and self._actions[0].number < first and self._actions[0].at < now - self.held_s:
            self._actions.popleft()

    # Safe mode

    def take_safe_mode(self, actor: Actor) -> None:
        """Raises: InputError while somebody else holds it."""
        if self.safe_mode is not None:
            raise InputError(
                f"{self.safe_mode.actor.user} holds safe mode.", remedy="Release or lose it first.", code="Held"
            )
        active_id = self._router.gate.enter(actor.user, actor.via, actor.address)
        self.safe_mode = SafeMode(actor, active_id, self._router.action + 1)
        self._router.log.write("system,info", f"safe mode taken by {self._who(actor)}")

    def release_safe_mode(self) -> None:
        """All changes stay."""
        if (held := self.safe_mode) is not None:
            self._router.log.write("system,info", f"safe mode released by {self._who(held.actor)}")
            self.drop_safe_mode()
            self._router.gate.leave(held.active_id)

    def lose_safe_mode(self) -> int:
        """The holder's session died: undo everything since; how many rows that were."""
        if (held := self.safe_mode) is None:
            return 0
        self.safe_mode = None
        undone = self._undo(lambda action: action.number >= held.since, held.actor)
        self._router.log.write("system,info", f"safe mode of {held.actor.user} lost: {undone} changes undone")
        self._router.gate.leave(held.active_id)
        self._forget(self._router.clock.monotonic())
        return undone

    def drop_safe_mode(self) -> None:
        """Nobody holds it any more, and nothing is undone."""
        self.safe_mode = None
        self._forget(self._router.clock.monotonic())

    def _who(self, actor: Actor) -> str:
        return actor.log_text(self._router.action, is_v6=self._router.version.is_v6)

    # Power cut

    def cut(self, lost_s: float) -> int:
        """Lose what is younger than that; how many rows that were. Raises: InputError when it was not held back."""
        if lost_s > self.held_s:
            raise InputError(
                f"Changes are held back for {self.held_s:g} s, not for {lost_s:g} s.",
                remedy="Call hold_writes first.",
                code="NotHeld",
            )
        youngest = self._router.clock.monotonic() - lost_s
        undone = self._undo(lambda action: lost_s > 0 and action.at >= youngest, None)
        self._actions.clear()
        return undone

    # Undoing

    def _undo(self, concerns: Callable[[Action], bool], by: Actor | None) -> int:
        """Undo the last actions, newest first; those of `by` leave log lines."""
        count = 0
        while self._actions and concerns(self._actions[-1]):
            for change in reversed(self._actions.pop().changes):
                if verb := _undo(change):
                    count += 1
                    if by is not None:
                        self._tell(change, verb, by)
        return count

    def _tell(self, change: Change, verb: str, by: Actor) -> None:
        table, router = change.table, self._router
        row = change.old or change.new or ()
        slot = table.shape.key_slot
        name = str(row[slot]) if slot >= 0 else id_text(change.row_id)
        router.action += 1
        if table.shape.menu.noun:
            router.log.change(table.shape.menu.noun, name, verb, by, "undo", router.action)
        router.journal.record(
            at=router.local_text(),
            user=by.user,
            via="safe-mode",
            path=f"{table.shape.menu.path}/undo",
            attributes={},
            ids=(id_text(change.row_id),),
        )


def _undo(change: Change) -> str:
    """Undo one change; what was done to the row, empty when there was nothing to do."""
    table, row_id = change.table, change.row_id
    now = table.get(row_id)
    if change.old is None:
        if now is None:
            return ""
        table.delete(row_id)
        _after(table, row_id, now, None)
        return _REMOVED
    if change.new is None:
        row = _afresh(table, change.old)
        row_id = table.insert(row, None if row_id in table else row_id)
        _place(table, row_id, change.before)
        _after(table, row_id, None, row)
        return _ADDED
    if now is None:
        return ""
    if change.old == change.new:
        is_there = change.before is not None and change.before in table
        table.move_before([row_id], change.before if is_there else None)
        return _MOVED
    row = tuple(
        change.old[slot] if change.old[slot] != change.new[slot] and _is_kept(table, slot) else value
        for slot, value in enumerate(now)
    )
    if row == now:
        return ""
    table.replace(row_id, row)
    _after(table, row_id, now, row)
    return _CHANGED


def _afresh(table: "Table", row: Row) -> Row:
    """A removed row as it is when it is made again: what the router itself had noted in it is gone."""
    defaults, prepare = table.shape.defaults, table.shape.menu.prepare
    row = tuple(value if _is_kept(table, slot) else defaults[slot] for slot, value in enumerate(row))
    return row if prepare is None else prepare(table, row)


def _is_kept(table: "Table", slot: int) -> bool:
    column = table.shape.columns[slot]
    return not column.read_only or column.name in ("dynamic", "default", "creation-time")


def _place(table: "Table", row_id: int, before: int | None) -> None:
    if before is not None and before in table:
        table.move_before([row_id], before)


def _after(table: "Table", row_id: int, old: Row | None, new: Row | None) -> None:
    if table.shape.menu.after_change is not None:
        table.shape.menu.after_change(table, row_id, old, new)
