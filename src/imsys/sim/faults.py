"""What goes wrong, on purpose: each kind of fault.

A fault waits for its moment (a connection, a command, a write, a reply), fires on the `nth` match and then on each
further one until it fired `times` times (0: without end). `menu` and `verb` narrow what matches. Faults that concern
the router as a whole (refuse, blackhole) work from the moment they are armed until they are disarmed or `seconds` pass.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from imsys.sim import traps
from imsys.sim.edit import Outcome
from imsys.sim.fault import Fault, Link, LinkGone, Moment
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

__all__ = ["ALIASES", "KINDS", "Fault", "Link", "LinkGone", "Moment"]


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

# Other names by which a fault may be asked for.
ALIASES = {"lost-ok": "drop-after"}
