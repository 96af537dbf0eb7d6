"""What a simulated router was asked and did: counts, and the journal of writes that changed something."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from imsys.kit.redact import redact_row

JOURNAL_ENTRIES = 200_000


@dataclass(slots=True)
class Counters:
    """Counts since the router was made. `writes` are the write commands that were carried out, also those that changed
    nothing (`noop_writes`); `refused_writes` were answered by a trap before anything changed."""

    commands: Counter[str] = field(default_factory=Counter)
    traps: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    connections: int = 0
    logins: int = 0
    failed_logins: int = 0
    writes: int = 0
    noop_writes: int = 0
    refused_writes: int = 0

    @property
    def total_commands(self) -> int:
        return self.commands.total()

    def as_dict(self) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in self.__slots__ if not isinstance(getattr(self, name), Counter)}
        return numbers | {
            "total_commands": self.total_commands,
            "commands": dict(self.commands),
            "traps": dict(self.traps),
            "faults": dict(self.faults),
        }

    def reset(self) -> None:
        """Start counting again, for instance after a warm-up."""
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, Counter):
                value.clear()
            else:
                setattr(self, name, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One write that changed rows. Passwords are hidden."""

    seq: int
    at: str
    user: str
    via: str
    path: str
    attributes: Mapping[str, str]
    ids: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {
            "attributes": dict(self.attributes),
            "ids": list(self.ids),
        }


class Journal:
    """The last writes that changed something, oldest first; `seq` counts on when old entries are dropped."""

    def __init__(self, limit: int = JOURNAL_ENTRIES) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self.seq = 0

    def record(
        self, *, at: str, user: str, via: str, path: str, attributes: Mapping[str, str], ids: tuple[str, ...]
    ) -> None:
        self.seq += 1
        self._entries.append(Entry(self.seq, at, user, via, path, redact_row(attributes), ids))

    def since(self, seq: int) -> list[Entry]:
        return [entry for entry in self._entries if entry.seq > seq]

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]
