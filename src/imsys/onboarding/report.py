"""What a test of a router found, step by step."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Result = Literal["ok", "warning", "failed", "skipped"]

STEPS = (
    *("tcp", "tls", "login", "read", "policies", "write", "sensitive", "version", "serial", "clock", "ntp"),
    *("fasttrack", "radius", "max-sessions", "services"),
)
NOT_TRIED = "not tried, because an earlier step failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the report; `remedy` says what to do when it is not ok."""

    name: str
    result: Result
    text: str
    remedy: str = ""


@dataclass(slots=True)
class Report:
    """`policies` is None where the router does not tell; `menus` is what imsys.onboarding.capability found."""

    steps: list[Step] = field(default_factory=list)
    identity: str = ""
    version: str = ""
    board: str = ""
    serial: str = ""
    booted_at: datetime | None = None
    clock_offset_s: int | None = None
    policies: frozenset[str] | None = None
    can_write: bool | None = None
    shows_passwords: bool | None = None
    has_fasttrack: bool | None = None
    radius: list[str] = field(default_factory=list)
    max_sessions: int | None = None
    services: list[str] = field(default_factory=list)
    menus: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(step.result != "failed" for step in self.steps)

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.result == "failed"), None)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by menu, of the menus that were counted."""
        return {menu: found["rows"] for menu, found in self.menus.items() if found and found["rows"] is not None}

    def add(self, name: str, result: Result, text: str, remedy: str = "") -> None:
        self.steps.append(Step(name, result, text, remedy))

    def finish(self) -> None:
        """Whatever was not tried says so, and the steps stand in their order."""
        done = {step.name for step in self.steps}
        for name in STEPS:
            if name not in done:
                self.add(name, "skipped", NOT_TRIED)
        self.steps.sort(key=lambda step: STEPS.index(step.name))

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "failed": self.failed.name if self.failed else None,
            "identity": self.identity,
            "version": self.version,
            "board": self.board,
            "serial": self.serial,
            "booted_at": self.booted_at,
            "clock_offset_s": self.clock_offset_s,
            "policies": None if self.policies is None else sorted(self.policies),
            "can_write": self.can_write,
            "shows_passwords": self.shows_passwords,
            "has_fasttrack": self.has_fasttrack,
            "radius": self.radius,
            "max_sessions": self.max_sessions,
            "services": self.services,
            "counts": self.counts,
            "steps": [
                {"name": step.name, "result": step.result, "text": step.text, "remedy": step.remedy}
                for step in self.steps
            ],
        }
