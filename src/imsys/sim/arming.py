"""The faults of one router, seeded and composable, and how a fault is written as text."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from imsys.kit.errors import InputError
from imsys.kit.units import parse_flag
from imsys.sim.fault import Fault, Moment
from imsys.sim.faults import ALIASES, KINDS, Blackhole, PartialTable, Refuse, SessionLimit

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

F = TypeVar("F", bound=Fault)


class Faults:
    """The armed faults of one router, in the order they were armed."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._armed: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._armed))

    def __len__(self) -> int:
        return len(self._armed)

    def arm(self, fault: Fault) -> Fault:
        self._armed.append(fault)
        before = fault.fired
        fault.started(self._router)
        self._count(fault, fault.fired - before)
        return fault

    def disarm(self, fault: Fault) -> None:
        if fault in self._armed:
            self._armed = [other for other in self._armed if other is not fault]
            fault.stopped(self._router)

    def clear(self) -> None:
        for fault in tuple(self._armed):
            self.disarm(fault)

    def take(self, moment: Moment) -> list[Fault]:
        """The faults that fire for this command, table and session limits apart."""
        found = []
        for fault in tuple(self._armed):
            if isinstance(fault, Refuse | Blackhole | SessionLimit | PartialTable):
                continue
            if fault.takes(moment, self._router.random):
                self._count(fault, 1)
                found.append(fault)
        return found

    def table_share(self, moment: Moment) -> float:
        """Which share of a table's rows a print shows."""
        for fault in self._of(PartialTable):
            if fault.boot_s and self._router.uptime_s >= fault.boot_s:
                continue
            if fault.takes(moment, self._router.random):
                self._count(fault, 1)
                return fault.share
        return 1.0

    def is_over_limit(self, sessions: int) -> bool:
        for fault in self._of(SessionLimit):
            if sessions >= fault.limit and (not fault.times or fault.fired < fault.times):
                fault.fired += 1
                self._count(fault, 1)
                return True
        return False

    @property
    def refuses(self) -> bool:
        return any(self._of(Refuse))

    @property
    def swallows(self) -> bool:
        return any(self._of(Blackhole))

    def _of(self, kind: type[F]) -> list[F]:
        return [fault for fault in self._armed if isinstance(fault, kind)]

    def _count(self, fault: Fault, times: int) -> None:
        if times:
            self._router.counters.faults[fault.kind] += times


def parse_fault(spec: str) -> Fault:
    """The fault that `kind:name=value,name=value` describes, such as `drop-after:nth=3,menu=/ppp/secret`.

    A bare number is `nth`: `drop-after:3`. Raises: InputError that lists what is accepted.
    """
    kind, _, rest = spec.partition(":")
    values: dict[str, str] = {}
    for pair in filter(None, rest.split(",")):
        name, has_value, value = pair.partition("=")
        values[name if has_value else "nth"] = value if has_value else name
    return make_fault(kind, values)


def make_fault(kind: str, values: Mapping[str, object]) -> Fault:
    """A fault from its kind and parameters, as texts or as JSON values. Raises: InputError."""
    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        raise InputError(
            f"{kind!r} is not a fault.", remedy=f"Faults are: {', '.join(sorted(KINDS))}.", code="BadFault"
        )
    accepted = parameters(KINDS[kind])
    arguments = {}
    for name, value in values.items():
        if name not in accepted:
            raise InputError(
                f"The fault {kind} has no {name!r}.", remedy=f"It has: {', '.join(accepted)}.", code="BadFault"
            )
        arguments[name] = _typed(name, value, type(accepted[name]))
    return KINDS[kind](**arguments)


def parameters(kind: type[Fault]) -> dict[str, Any]:
    """Names and defaults of what a fault can be given."""
    return {item.name: item.default for item in fields(kind) if item.init}


def _typed(name: str, value: object, wanted: type) -> Any:
    if wanted is bool:
        return value if isinstance(value, bool) else parse_flag(str(value).lower())
    try:
        return wanted(value)
    except ValueError as exc:
        raise InputError(f"{name}={value} is not a number.", remedy="Write a number.", code="BadFault") from exc
