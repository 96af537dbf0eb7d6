"""The router's log: /log rows and how each version words and dates them."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from imsys.kit.redact import is_secret_name
from imsys.sim.accounts import Actor
from imsys.sim.fields import Kind, Show

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

KEPT_LINES = 1000


class LogTime(Kind):
    """ISO inside and, from 7.10, outside. Before, today's lines show the time alone, older ones `sep/15 09:54:33`."""

    is_volatile: ClassVar[bool] = True

    def show(self, router: "SimRouter") -> Show | None:
        if router.version.has_iso_dates:
            return None

        def shown(value: object) -> str:
            at = datetime.fromisoformat(str(value))
            is_today = at.date() == router.local_time().date()
            return at.strftime("%H:%M:%S" if is_today else "%b/%d %H:%M:%S").lower()

        return shown


class Logbook:
    """Writes rows into /log; keeps the last 1000, as the memory buffer does."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router

    def write(self, topics: str, message: str) -> None:
        table = self._router.table("/log")
        limit = self._router.behaviour.log_line_max_chars or len(message) or 1
        at = self._router.local_text()
        for start in range(0, max(1, len(message)), limit):
            table.insert(table.shape.row({"time": at, "topics": topics, "message": message[start : start + limit]}))
        while len(table) > KEPT_LINES:
            table.delete(next(iter(table)))

    def change(self, noun: str, name: str, verb: str, actor: Actor, command: str, action: int) -> None:
        """The line that a change of configuration leaves: `ppp secret <ann> changed by ...`."""
        is_v6 = self._router.version.is_v6
        who = actor.log_text(action, is_v6=is_v6)
        if is_v6:
            self.write("system,info", f"{noun} <{name}> {verb} by {who}")
            return
        if verb == "added" and actor.via in ("api", "api-ssl"):
            who = f"api:{actor.user}@::"
        self.write("system,info", f"{noun} <{name}> {verb} by {who} ({command})")

    def login(self, user: str, address: str, via: str) -> None:
        self.write("system,info,account", f"user {user} logged in from {address} via {via}")

    def logout(self, user: str, address: str, via: str) -> None:
        self.write("system,info,account", f"user {user} logged out from {address} via {via}")

    def login_failure(self, user: str, address: str, via: str) -> None:
        self.write("system,error,critical", f"login failure for user {user} from {address} via {via}")

    def command_text(self, menu: str, verb: str, name: str, attributes: dict[str, str]) -> str:
        """The command as the console would write it. Whether passwords show in it is a switch."""
        hides = not self._router.behaviour.log_passwords
        pairs = [
            f"{key}={'*****' if hides and is_secret_name(key) else value}"
            for key, value in attributes.items()
            if key not in (".id", "numbers")
        ]
        return " ".join([menu.replace("/", " ").replace(" ", "/", 1), verb, *([name] if name else []), *pairs])
