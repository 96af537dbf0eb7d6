"""Steps to commands: equal changes of many rows become one command with many ids."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from imsys.reconcile.diff import Action, Step
from imsys.reconcile.kinds import KINDS

IDS_AT_ONCE = 100
Keys = Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Batch:
    """One command: the same action with the same values on one or more rows."""

    action: Action
    menu: str
    steps: tuple[Step, ...]

    @property
    def row_ids(self) -> list[str]:
        return [step.row_id for step in self.steps]


def phases(steps: Iterable[Step], alone: Keys = frozenset(), *, ids: int = IDS_AT_ONCE) -> Iterator[list[Batch]]:
    """Batches that may be in flight together, phase after phase.

    A batch names up to `ids` rows; keys in `alone` get a command each.
    """
    for _, members in groupby(steps, key=lambda step: step.phase):
        yield batches(members, alone, ids=ids)


def batches(steps: Iterable[Step], alone: Keys = frozenset(), *, ids: int = IDS_AT_ONCE) -> list[Batch]:
    groups: dict[object, list[Step]] = {}
    made: list[Batch] = []
    for step in steps:
        if step.action == "add" or step.old_key or step.place in alone or _has_secret(step):
            made.append(Batch(step.action, step.menu, (step,)))
            continue
        groups.setdefault((step.action, step.menu, step.before_id, tuple(step.changes.items())), []).append(step)
    for members in groups.values():
        for start in range(0, len(members), ids):
            part = tuple(members[start : start + ids])
            made.append(Batch(part[0].action, part[0].menu, part))
    return made


def _has_secret(step: Step) -> bool:
    kind = KINDS[step.menu]
    return any(kind.field(name).is_secret for name in step.changes if name not in kind.key_names)


def first_of(steps: Iterable[Step], most: int, alone: Keys = frozenset(), *, ids: int = IDS_AT_ONCE) -> list[Step]:
    """The steps that `most` commands carry out, in order; the rest waits for the next pass."""
    taken: list[Step] = []
    commands = 0
    for members in phases(steps, alone, ids=ids):
        for batch in members:
            if commands == most:
                return taken
            taken += batch.steps
            commands += 1
    return taken
