"""The subscribers' equipment: dials with a name and a password, and dials again when its session ends.

A refused CPE tries again after the same time, for ever, as real ones do: that is how a subscriber who is no longer
suspended comes back.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsys.sim.ppp import Refused

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter


@dataclass(slots=True)
class Cpe:
    """One subscriber's router. `session_id` is its row in /ppp/active while it is online."""

    name: str
    password: str = field(repr=False)
    mac: str
    redial_s: float
    session_id: int | None = None
    dials: bool = False
    due_at: float | None = None
    refusals: int = 0


class Cpes:
    """All CPEs of one router."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._cpes: dict[str, Cpe] = {}
        self._heap: list[tuple[float, str]] = []
        self._task: asyncio.Task[None] | None = None
        self._sleeping_until = 0.0
        self.refusals: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._cpes)

    def __iter__(self) -> Iterator[Cpe]:
        return iter(tuple(self._cpes.values()))

    def __getitem__(self, name: str) -> Cpe:
        return self._cpes[name]

    @property
    def online(self) -> list[str]:
        return [cpe.name for cpe in self._cpes.values() if cpe.session_id is not None]

    def is_online(self, name: str) -> bool:
        return self._cpes[name].session_id is not None

    def add(self, name: str, *, password: str | None = None, mac: str = "", redial_s: float = 2.0) -> Cpe:
        """A CPE for a subscriber; it does not dial yet. Without `password` it knows that of the secret."""
        if password is None:
            secret = self._router.table("/ppp/secret").find(name=name)
            password = secret["password"] if secret else ""
        self._cpes[name] = cpe = Cpe(name, password, mac or self._mac(), redial_s)
        return cpe

    def add_all(self, *, redial_s: float = 2.0, dial: bool = True) -> int:
        """A CPE for each secret that has none, dialled at once; how many are online now."""
        table = self._router.table("/ppp/secret")
        name_slot, password_slot = table.shape.slots["name"], table.shape.slots["password"]
        for _, row in list(table.items()):
            if (name := str(row[name_slot])) not in self._cpes:
                self.add(name, password=str(row[password_slot]), redial_s=redial_s)
            if dial and self._cpes[name].session_id is None:
                self.dial(name)
        return len(self.online)

    def remove(self, name: str) -> None:
        """Take the CPE away; its session ends."""
        self.hang_up(name, redial=False)
        del self._cpes[name]

    def dial(self, name: str) -> bool:
        """Dial now; whether a session came up. When refused, the CPE goes on trying by itself."""
        cpe = self._cpes[name]
        cpe.dials, cpe.due_at = True, None
        if cpe.session_id is not None:
            return True
        if not self._router.is_up:  # redial_all follows when it is back
            return False
        try:
            cpe.session_id = self._router.ppp.connect(
                name, cpe.password, cpe.mac, lambda reason: self._ended(cpe, reason)
            )
        except Refused as refusal:
            cpe.refusals += 1
            self.refusals[str(refusal)] += 1
            self._schedule(cpe)
            return False
        return True

    def hang_up(self, name: str, *, redial: bool = True) -> None:
        """End the session from the subscriber's side."""
        cpe = self._cpes[name]
        cpe.dials = redial
        if cpe.session_id is not None:
            self._router.ppp.end(cpe.session_id, reason="peer-request")
        if not redial:
            cpe.due_at = None

    def redial_all(self) -> None:
        """The router is back: every CPE that wants to be online dials within its redial time."""
        for cpe in self._cpes.values():
            if cpe.dials and cpe.session_id is None:
                self._schedule(cpe)

    def dial_due(self) -> int:
        """Dial all whose time has come; how many came online. The background task does this by itself."""
        now, came = self._router.clock.monotonic(), 0
        while self._heap and self._heap[0][0] <= now:
            due_at, name = heapq.heappop(self._heap)
            cpe = self._cpes.get(name)
            if cpe is not None and cpe.dials and cpe.due_at == due_at:
                came += self.dial(name)
        return came

    def wake(self) -> None:
        """Run the background task while something is scheduled; without a running loop, wait for one."""
        if not self._heap:
            return
        if self._task is not None and not self._task.done():
            if self._heap[0][0] >= self._sleeping_until:
                return
            if self._task is not asyncio.current_task():
                self._task.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while self._heap:
            self._sleeping_until = self._heap[0][0]
            await self._router.clock.sleep(max(0.0, self._sleeping_until - self._router.clock.monotonic()))
            self.dial_due()

    def _ended(self, cpe: Cpe, _reason: str) -> None:
        cpe.session_id = None
        if cpe.dials and self._cpes.get(cpe.name) is cpe and self._router.is_up:
            self._schedule(cpe)

    def _schedule(self, cpe: Cpe) -> None:
        spread = 1 + 0.1 * (2 * self._router.random.random() - 1)
        cpe.due_at = self._router.clock.monotonic() + cpe.redial_s * spread
        heapq.heappush(self._heap, (cpe.due_at, cpe.name))
        self.wake()

    def _mac(self) -> str:
        number = self._router.random.getrandbits(40)
        return ":".join(f"{(0x48 << 40 | number) >> shift & 0xFF:02X}" for shift in range(40, -1, -8))
