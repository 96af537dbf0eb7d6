"""What goes wrong, on purpose: seeded, composable, each counting how often it fired.

A fault waits for its moment (a connection, a command, a write, a reply), fires on the `nth` match and then on each
further one until it fired `times` times (0: without end). `menu` and `verb` narrow what matches. Faults that concern
the router as a whole (refuse, blackhole) work from the moment they are armed until they are disarmed or `seconds` pass.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from imsys.kit.errors import InputError
from imsys.kit.units import parse_flag
from imsys.sim import traps
from imsys.sim.edit import WRITE_VERBS, Outcome
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter


class LinkGone(Exception):
    """The connection was dropped: nothing more can be said on it."""


class Link(Protocol):
    """What a fault can do to a connection."""

    router: "SimRouter"

    def abort(self) -> None: ...
    def finish(self) -> None: ...
    def send(self, data: bytes) -> None: ...
    async def drained(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """A command about to be handled. `ids`: how many rows it names."""

    menu: str
    verb: str
    ids: int = 0
    tag: str = ""

    @property
    def is_write(self) -> bool:
        return self.verb in WRITE_VERBS


@dataclass(kw_only=True)
class Fault:
    """Base of all. Subclasses override the stage that they disturb."""

    kind: ClassVar[str] = ""
    writes_only: ClassVar[bool] = False
    menu: str = ""
    verb: str = ""
    nth: int = 1
    times: int = 1
    probability: float = 1.0
    fired: int = field(default=0, init=False)
    seen: int = field(default=0, init=False)

    def concerns(self, moment: Moment) -> bool:
        return (
            (not self.menu or self.menu == moment.menu)
            and (not self.verb or self.verb == moment.verb)
            and (moment.is_write or not self.writes_only)
        )

    def takes(self, moment: Moment, rng: random.Random) -> bool:
        """Whether the fault fires now; counts the match either way."""
        if (self.times and self.fired >= self.times) or not self.concerns(moment):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.probability < 1 and rng.random() >= self.probability):
            return False
        self.fired += 1
        return True

    def started(self, router: "SimRouter") -> None:
        """The fault was armed."""

    def stopped(self, router: "SimRouter") -> None:
        """The fault was disarmed."""

    async def before(self, link: Link, moment: Moment) -> None:
        """Before the command is carried out. May raise LinkGone or SimTrap."""

    def row_limit(self) -> int | None:
        """How many rows of a write are changed; None: all."""
        return None

    async def after_write(self, link: Link, moment: Moment, outcome: Outcome) -> None:
        """After a write was carried out and before it is answered. May raise LinkGone or SimTrap."""

    async def reply(self, link: Link, data: bytes) -> bytes:
        """The bytes to send instead of a reply; may send by itself and raise LinkGone."""
        return data


@dataclass(kw_only=True)
class Delay(Fault):
    """The command takes `seconds` longer."""

    kind: ClassVar[str] = "delay"
    seconds: float = 1.0

    async def before(self, link: Link, moment: Moment) -> None:
        await link.router.clock.sleep(self.seconds)


@dataclass(kw_only=True)
class Hang(Fault):
    """The command is never carried out and never answered; the connection stays open."""

    kind: ClassVar[str] = "hang"

    async def before(self, link: Link, moment: Moment) -> None:
        await asyncio.get_running_loop().create_future()


@dataclass(kw_only=True)
class Refusal(Fault):
    """The command is refused with `message`."""

    kind: ClassVar[str] = "trap"
    message: str = "failure: simulated"
    category: int = -1

    async def before(self, link: Link, moment: Moment) -> None:
        raise SimTrap(self.message, None if self.category < 0 else self.category)


@dataclass(kw_only=True)
class DropBefore(Fault):
    """The connection is reset and the write was not applied."""

    kind: ClassVar[str] = "drop-before"
    writes_only: ClassVar[bool] = True

    async def before(self, link: Link, moment: Moment) -> None:
        link.abort()
        raise LinkGone


@dataclass(kw_only=True)
class DropAfter(Fault):
    """The lost OK: the write is applied, then the connection is reset before it is answered."""

    kind: ClassVar[str] = "drop-after"
    writes_only: ClassVar[bool] = True

    async def after_write(self, link: Link, moment: Moment, outcome: Outcome) -> None:
        link.abort()
        raise LinkGone


# Other names by which a fault may be asked for.
ALIASES = {"lost-ok": "drop-after"}


@dataclass(kw_only=True)
class DropReading(Fault):
    """The connection is reset instead of answering a command, also one that only reads."""

    kind: ClassVar[str] = "drop"

    async def before(self, link: Link, moment: Moment) -> None:
        link.abort()
        raise LinkGone


@dataclass(kw_only=True)
class PartialWrite(Fault):
    """Of a write that names more than `ids` rows only the first `ids` are changed, then the connection is reset."""

    kind: ClassVar[str] = "partial-write"
    writes_only: ClassVar[bool] = True
    ids: int = 1

    def concerns(self, moment: Moment) -> bool:
        return super().concerns(moment) and moment.ids > self.ids

    def row_limit(self) -> int | None:
        return self.ids

    async def after_write(self, link: Link, moment: Moment, outcome: Outcome) -> None:
        link.abort()
        raise LinkGone


@dataclass(kw_only=True)
class Busy(Fault):
    """The write is answered `action timed out ... (13)`; `applied` says whether it happened all the same."""

    kind: ClassVar[str] = "busy"
    writes_only: ClassVar[bool] = True
    applied: bool = False

    def row_limit(self) -> int | None:
        return None if self.applied else 0

    async def before(self, link: Link, moment: Moment) -> None:
        if not self.applied:
            raise self._trap(link.router)

    async def after_write(self, link: Link, moment: Moment, outcome: Outcome) -> None:
        raise self._trap(link.router)

    def _trap(self, router: "SimRouter") -> SimTrap:
        return SimTrap(traps.BUSY_V6 if router.version.is_v6 else traps.BUSY)


@dataclass(kw_only=True)
class Reboot(Fault):
    """The router reboots after the command was carried out and before it is answered; down for `down_s`."""

    kind: ClassVar[str] = "reboot"
    down_s: float = 5.0
    applied: bool = True

    async def before(self, link: Link, moment: Moment) -> None:
        if not self.applied or not moment.is_write:
            link.router.reboot(down_s=self.down_s)
            raise LinkGone

    async def after_write(self, link: Link, moment: Moment, outcome: Outcome) -> None:
        link.router.reboot(down_s=self.down_s)
        raise LinkGone


@dataclass(kw_only=True)
class Drip(Fault):
    """The reply comes `chunk` bytes at a time, `interval_s` apart."""

    kind: ClassVar[str] = "drip"
    chunk: int = 64
    interval_s: float = 0.05

    async def reply(self, link: Link, data: bytes) -> bytes:
        for start in range(0, len(data), self.chunk):
            link.send(data[start : start + self.chunk])
            await link.router.clock.sleep(self.interval_s)
            await link.drained()
        return b""


@dataclass(kw_only=True)
class Truncate(Fault):
    """Only the first `keep` bytes of the reply are sent (below 1: that share of it), then the connection ends."""

    kind: ClassVar[str] = "truncate"
    keep: float = 0.5

    async def reply(self, link: Link, data: bytes) -> bytes:
        size = int(len(data) * self.keep) if self.keep < 1 else int(self.keep)
        link.send(data[: min(size, len(data) - 1)])
        await link.drained()
        link.finish()
        raise LinkGone


@dataclass(kw_only=True)
class Garbage(Fault):
    """`size` random bytes instead of the reply."""

    kind: ClassVar[str] = "garbage"
    size: int = 256

    async def reply(self, link: Link, data: bytes) -> bytes:
        return link.router.random.randbytes(self.size)


@dataclass(kw_only=True)
class Endless(Fault):
    """The reply never ends: its rows come again and again, without a `!done`."""

    kind: ClassVar[str] = "endless"

    async def reply(self, link: Link, data: bytes) -> bytes:
        done = data.rfind(b"\x05!done")
        rows = data[:done] if done > 0 else b"\x03!re\x00"
        rows *= max(1, 16384 // len(rows))
        while True:
            link.send(rows)
            await link.drained()
            await asyncio.sleep(0)


@dataclass(kw_only=True)
class PartialTable(Fault):
    """A print shows only the first `share` of the rows, with a good `!done`: a router that has not loaded all yet.

    With `boot_s` it fires only while uptime is below that many seconds.
    """

    kind: ClassVar[str] = "partial-table"
    share: float = 0.5
    boot_s: float = 0.0

    def concerns(self, moment: Moment) -> bool:
        return moment.verb in ("print", "getall") and super().concerns(moment)


@dataclass(kw_only=True)
class Refuse(Fault):
    """New connections are refused for `seconds` (0: until disarmed); those that are open stay."""

    kind: ClassVar[str] = "refuse"
    seconds: float = 0.0

    def started(self, router: "SimRouter") -> None:
        self.fired += 1
        router.listening_changed()
        if self.seconds:
            router.later(self.seconds, lambda: router.faults.disarm(self))

    def stopped(self, router: "SimRouter") -> None:
        router.listening_changed()


@dataclass(kw_only=True)
class Blackhole(Fault):
    """Connections stay or are made, but nothing is answered for `seconds` (0: until disarmed).

    A connection that met the hole stays mute also afterwards: its packets are lost.
    """

    kind: ClassVar[str] = "blackhole"
    seconds: float = 0.0

    def started(self, router: "SimRouter") -> None:
        self.fired += 1
        router.mute_links()
        if self.seconds:
            router.later(self.seconds, lambda: router.faults.disarm(self))


@dataclass(kw_only=True)
class SessionLimit(Fault):
    """At most `limit` API connections at once; others are closed as soon as they are accepted. Fires per closing."""

    kind: ClassVar[str] = "session-limit"
    limit: int = 1
    times: int = 0


KINDS: dict[str, type[Fault]] = {
    fault.kind: fault
    for fault in (
        Blackhole,
        Busy,
        Delay,
        Drip,
        DropAfter,
        DropBefore,
        DropReading,
        Endless,
        Garbage,
        Hang,
        PartialTable,
        PartialWrite,
        Reboot,
        Refusal,
        Refuse,
        SessionLimit,
        Truncate,
    )
}


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
