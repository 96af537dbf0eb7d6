"""Hotspot users as the gateway knows them: who they are, what their limits leave, and what they have used so far."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from imsys.kit.units import parse_duration
from imsys.sim.menus.hotspot import USERS, server_of, spent, spent_s

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

BAD_LOGIN = "invalid username or password"
_MEAN_PACKET = 1000
_COUNTERS = ("bytes-in", "bytes-out", "packets-in", "packets-out")


class Refused(Exception):
    """A device may not log in; the text says why."""


class HotspotUsers:
    """The rows of /ip/hotspot/user of one router."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router

    def authenticate(self, user: str, knows: Callable[[str], bool], mac: str, server_id: int | None) -> int:
        """The user's row; one for this server before one for all."""
        users = self._router.table(USERS)
        servers = {row_id: server_of(users.value(row_id, "server")) for row_id in users.ids_of(user)}
        found = [row_id for wanted in (server_id, None) for row_id, at in servers.items() if at == wanted]
        if not found or users.value(found[0], "disabled") == "true":
            raise Refused(BAD_LOGIN)
        if not knows(str(users.value(found[0], "password") or "")):
            raise Refused(BAD_LOGIN)
        if users.value(found[0], "mac-address") not in (None, mac):
            raise Refused(f"user {user} is not allowed to log in from this MAC address")
        return found[0]

    def check_limits(self, user_id: int, user: str) -> None:
        if (left := self.uptime_left(user_id)) is not None and left <= 0:
            raise Refused(f"user {user} has reached uptime limit")
        if self.is_used_up(user_id):
            raise Refused(f"user {user} has reached traffic limit")

    def uptime_left(self, user_id: int) -> float | None:
        users = self._router.table(USERS)
        limit = parse_duration(str(users.value(user_id, "limit-uptime") or "0s"))
        return limit - spent_s(users.value(user_id, "uptime"), self._router.clock.monotonic()) if limit else None

    def is_used_up(self, user_id: int) -> bool:
        users = self._router.table(USERS)
        numbers = {way: int(str(users.value(user_id, f"bytes-{way}"))) for way in ("in", "out")}
        numbers["total"] = numbers["in"] + numbers["out"]
        limits = {way: int(str(users.value(user_id, f"limit-bytes-{way}") or 0)) for way in numbers}
        return any(limits[way] and used >= limits[way] for way, used in numbers.items())

    def start(self, user_id: int) -> None:
        """One more login of this user runs."""
        users, now = self._router.table(USERS), self._router.clock.monotonic()
        count, base = spent(users.value(user_id, "uptime"))
        users.amend(user_id, is_quiet=True, uptime=f"{count + 1} {base - now}")

    def stop(self, user_id: int) -> None:
        """One login less. The user may be gone, or made again meanwhile without any."""
        users = self._router.table(USERS)
        count, base = spent(users.value(user_id, "uptime"))
        if count:
            total = base + self._router.clock.monotonic()
            users.amend(user_id, is_quiet=True, uptime=f"{count - 1} {total}" if count > 1 else total)

    def reset_counters(self, user_id: int) -> bool:
        """Start counting again; whether there was anything."""
        users, now = self._router.table(USERS), self._router.clock.monotonic()
        row = users.get(user_id)
        if row is None:
            return False
        count, _ = spent(users.shape.value(row, "uptime"))
        uptime = f"{count} {-count * now}" if count else 0
        none = dict.fromkeys(_COUNTERS, "0")
        new = users.shape.changed(row, uptime=uptime, **none)
        users.replace(user_id, new)
        return new != row


def add_bytes(table: "Table", row_id: int, bytes_in: int, bytes_out: int) -> None:
    """Count traffic in a row; nobody who listens hears of it."""
    more = {"bytes-in": bytes_in, "bytes-out": bytes_out}
    more |= {f"packets{name[5:]}": -(-number // _MEAN_PACKET) for name, number in more.items()}
    totals = {name: str(int(str(table.value(row_id, name))) + number) for name, number in more.items()}
    row = table.get(row_id)
    if row is not None:
        table.replace(row_id, table.shape.changed(row, **totals), is_quiet=True)
