"""Whom to look at again and when: those just cut, since a CPE can slip in between the write and the look."""

from collections.abc import Iterable, Sequence


class LookUps:
    """Names by the time at which they are due. A name that is planned anew is due at its new times only.

    So a subscriber whose look-up is planned again by each look has no more look-ups for it.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, set[str]]] = []

    def plan(self, names: Iterable[str], at: Sequence[float]) -> None:
        planned = set(names)
        if not planned:
            return
        for _, waiting in self._waiting:
            waiting -= planned
        self._waiting += [(time, set(planned)) for time in at]
        self._waiting = sorted((entry for entry in self._waiting if entry[1]), key=lambda entry: entry[0])

    def due(self, now: float) -> set[str]:
        """The names whose time has come; each time is told once."""
        due = {name for time, waiting in self._waiting if time <= now for name in waiting}
        self._waiting = [(time, waiting) for time, waiting in self._waiting if time > now]
        return due

    @property
    def next_at(self) -> float | None:
        return self._waiting[0][0] if self._waiting else None
