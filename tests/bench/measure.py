"""What a bench hands back: one figure, and the budget it is held against.

A module `bench_<name>.py` beside this one has `run()`, plain or async, that returns a list of measures. It may say
`LONG = True` (only `make bench-long` runs it) and `LIMIT_S = 900` (it is stopped after that). The first line of its
docstring says what is measured.

Budgets are ratios within one run where that is possible: the machine that runs a bench is not the machine that set its
budget, but both sides of a ratio ran on the same one.
"""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    what: str
    value: float
    unit: str = ""  # "x" for a ratio, else s, ms, MB, rows/s, ...
    budget: float | None = None  # None: shown, and held against nothing
    bound: Literal["at most", "at least"] = "at most"
    note: str = ""

    @property
    def is_kept(self) -> bool:
        if self.budget is None:
            return True
        return self.value <= self.budget if self.bound == "at most" else self.value >= self.budget

    @property
    def share(self) -> float | None:
        """How much of the budget is used: up to 1.0 it is kept, whichever way it is bound."""
        if self.budget is None:
            return None
        used, allowed = (self.value, self.budget) if self.bound == "at most" else (self.budget, self.value)
        return used / allowed if allowed else (0.0 if not used else float("inf"))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"kept": self.is_kept}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(**{name: value for name, value in values.items() if name != "kept"})


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of them do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def cpu_s(pid: int | None = None) -> float:
    """Processor seconds that a process, by default this one, has used so far."""
    fields = Path(f"/proc/{pid or 'self'}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int | None = None) -> float:
    """Resident memory of a process, by default this one: the most that it ever had."""
    lines = Path(f"/proc/{pid or 'self'}/status").read_text().splitlines()
    [peak_kib] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak_kib) * 1024 / 1_000_000


@dataclass(slots=True)
class Stopwatch:
    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def stopwatch(pid: int | None = None) -> Iterator[Stopwatch]:
    """Fills in, at the end of the block, how long it took and how much processor time `pid` used in it."""
    watch = Stopwatch()
    wall, cpu = time.perf_counter(), cpu_s(pid)
    try:
        yield watch
    finally:
        watch.wall_s, watch.cpu_s = time.perf_counter() - wall, cpu_s(pid) - cpu
