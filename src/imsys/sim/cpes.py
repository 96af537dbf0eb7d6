"""The subscribers' equipment: dials with a name and a password, and dials again when its session ends.

A refused CPE tries again after the same time, for ever, as real ones do: that is how a subscriber who is no longer
suspended comes back.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsys.sim.agenda import Agenda
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
        self._agenda: Agenda[tuple[float, str]] = Agenda(router.clock, self._dial_due)
        self.wake, self.stop = self._agenda.wake, self._agenda.stop
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

    def _dial_due(self) -> None:
        """Dial all whose time has come and who have not dialled, or given up, meanwhile."""
        for due_at, name in self._agenda.due():
            cpe = self._cpes.get(name)
            if cpe is not None and cpe.dials and cpe.due_at == due_at:
                self.dial(name)

    def _ended(self, cpe: Cpe, _reason: str) -> None:
        cpe.session_id = None
        if cpe.dials and self._cpes.get(cpe.name) is cpe and self._router.is_up:
            self._schedule(cpe)

    def _schedule(self, cpe: Cpe) -> None:
        spread = 1 + 0.1 * (2 * self._router.random.random() - 1)
        cpe.due_at = self._router.clock.monotonic() + cpe.redial_s * spread
        self._agenda.put(cpe.due_at, (cpe.due_at, cpe.name))

    def _mac(self) -> str:
        number = self._router.random.getrandbits(40)
        return ":".join(f"{(0x48 << 40 | number) >> shift & 0xFF:02X}" for shift in range(40, -1, -8))
