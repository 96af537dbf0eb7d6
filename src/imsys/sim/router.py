"""One simulated router: its tables, its life (uptime, reboot), who may log in, and everything that hangs on it."""

import asyncio
import ipaddress
import random
import ssl
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from imsys.kit.clock import Clock, SystemClock
from imsys.sim import edit
from imsys.sim.accounts import Actor, SimUser
from imsys.sim.alarms import Alarms
from imsys.sim.arming import Faults
from imsys.sim.behaviour import Behaviour, parse_version
from imsys.sim.counters import Counters, Journal
from imsys.sim.cpes import Cpes
from imsys.sim.dhcp import Dhcp
from imsys.sim.factory import fill
from imsys.sim.fields import Reference
from imsys.sim.firewall import Firewall
from imsys.sim.gate import Gate
from imsys.sim.history import History
from imsys.sim.hotspot import Hotspot
from imsys.sim.logbook import Logbook
from imsys.sim.menu import shape_of
from imsys.sim.menus import MENUS
from imsys.sim.ppp import PppServer
from imsys.sim.projection import id_text
from imsys.sim.table import Table

if TYPE_CHECKING:
    from imsys.sim.session import Session

# A router that runs for days: what a fresh boot changes is asked for with reboot().
FIRST_UPTIME_S = 12 * 86400.0
BOOT_S = 20.0
_CONFIGURATION = (
    "/interface",
    "/interface/pppoe-server",
    "/interface/list",
    "/interface/list/member",
    "/interface/pppoe-server/server",
    "/ip/dhcp-server",
    "/ip/dhcp-server/lease",
    "/ip/firewall/address-list",
    "/ip/firewall/filter",
    "/ip/hotspot",
    "/ip/hotspot/ip-binding",
    "/ip/hotspot/profile",
    "/ip/hotspot/user",
    "/ip/hotspot/user/profile",
    "/ip/pool",
    "/ip/service",
    "/ppp/aaa",
    "/ppp/profile",
    "/ppp/secret",
    "/queue/simple",
    "/system/identity",
    "/user",
    "/user/group",
)
# Menus whose rows get other ids at a boot, when a switch says so.
_RENUMBERED = (
    "/ppp/secret",
    "/ppp/profile",
    "/queue/simple",
    "/ip/dhcp-server",
    "/ip/dhcp-server/lease",
    "/ip/firewall/address-list",
    "/ip/firewall/filter",
    "/ip/hotspot",
    "/ip/hotspot/ip-binding",
    "/ip/hotspot/user",
    "/ip/hotspot/user/profile",
)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a command takes, and each row that a print returns."""

    command_s: float = 0.0
    row_s: float = 0.0

    @property
    def is_none(self) -> bool:
        return not self.command_s and not self.row_s


class SimRouter:
    """A RouterOS to practise on. Nothing here opens a socket: see SimServer for TCP and dial() for memory."""

    def __init__(
        self,
        name: str,
        *,
        version: str = "7.16.2",
        seed: int = 0,
        clock: Clock | None = None,
        users: Mapping[str, SimUser] | None = None,
        latency: Latency = Latency(),
        behaviour: Behaviour = Behaviour(),  # noqa: B008 - frozen
        board: str = "RB4011iGS+",
        serial: str = "",
        uptime_s: float = FIRST_UPTIME_S,
        is_blank: bool = False,
        tls: ssl.SSLContext | str | None = None,
    ) -> None:
        """`is_blank`: no pool, no PPPoE server, as from the factory. `tls`: "anonymous" or a server's context."""
        self.name = name
        self.version = parse_version(version)
        self.clock = clock or SystemClock()
        self.behaviour = behaviour
        self.latency = latency
        self.number = zlib.crc32(name.encode())
        self.random = random.Random(f"{seed}/{name}")  # noqa: S311 - has to repeat, not to surprise
        self.board = board
        self.serial = serial or f"HF{self.random.getrandbits(36):09X}"[:11]
        self.is_blank = is_blank
        self.tls = tls
        self.first_users = dict(users) if users is not None else {"admin": SimUser()}
        self.counters = Counters()
        self.journal = Journal()
        self.sessions: set[Session] = set()
        self.is_up = True
        self.action = 240
        self._booted_at = self.clock.monotonic() - uptime_s
        self._tables: dict[str, Table] = {}
        self._watchers: list[Callable[[], None]] = []
        self._timers: set[asyncio.Task[None]] = set()
        self.alarms = Alarms(self)
        self.history = History(self)
        self.log = Logbook(self)
        self.ppp = PppServer(self)
        self.dhcp = Dhcp(self)
        self.hotspot = Hotspot(self)
        self.firewall = Firewall(self)
        self.cpes = Cpes(self)
        self.faults = Faults(self)
        self.gate = Gate(self)

    def __repr__(self) -> str:
        return f"<SimRouter {self.name} {self.version}>"

    @property
    def is_chr(self) -> bool:
        return self.board.startswith("CHR")

    # Time

    @property
    def uptime_s(self) -> float:
        return self.clock.monotonic() - self._booted_at

    def local_time(self) -> datetime:
        return self.clock.now()

    def local_text(self) -> str:
        return str(self.local_time())[:19]

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after a while, on the running loop."""

        async def wait() -> None:
            await self.clock.sleep(seconds)
            action()

        task = asyncio.get_running_loop().create_task(wait())
        self._timers.add(task)
        task.add_done_callback(self._timers.discard)

    # Tables

    def table(self, path: str) -> Table:
        """The table of a menu; made when first asked for. Raises: KeyError for a menu that is not simulated."""
        if self.alarms:
            self.alarms.run_due()
        table = self._tables.get(path)
        if table is None:
            table = self._tables[path] = Table(self, shape_of(MENUS[path], self.version, self.behaviour))
            for column in table.shape.columns:
                if isinstance(column.kind, Reference):
                    self.table(column.kind.menu).referrers.append(table)
            table.bind()
            fill(self, table)
        return table

    def peek(self, path: str) -> Table | None:
        """The table of a menu, when somebody has asked for it before."""
        return self._tables.get(path)

    def write(
        self,
        path: str,
        verb: str,
        attributes: Mapping[str, str],
        actor: Actor,
        *,
        max_rows: int | None = None,
        is_counted: bool = True,
    ) -> edit.Outcome:
        """Carry out a write for somebody and note it. `max_rows`: stop after so many rows."""
        table = self.table(path)
        self.action += 1
        outcome = edit.run(edit.Request(table, verb, attributes, actor, max_rows))
        if outcome.changed:
            self.journal.record(
                at=self.local_text(),
                user=actor.user,
                via=actor.via,
                path=f"{path}/{verb}",
                attributes=attributes,
                ids=tuple(map(id_text, outcome.changed)),
            )
        if is_counted:
            self._count_write(outcome)
        return outcome

    def _count_write(self, outcome: edit.Outcome) -> None:
        if outcome.trap is not None and not outcome.changed:
            self.counters.refused_writes += 1
            return
        self.counters.writes += 1
        self.counters.noop_writes += not outcome.changed

    def seed_secrets(
        self,
        count: int,
        *,
        name: str = "{router}-u{number:05d}",
        password: str = "secret-{number}",  # noqa: S107 - of a simulated subscriber
        profile: str = "default",
        first: int = 1,
        remote_address: str = "",
    ) -> list[str]:
        """Secrets that are there from the start, without log or journal; their names.

        The texts are templates of `router` and `number`; `remote_address` is the address of the first one.
        """
        table = self.table("/ppp/secret")
        profile_id = self.table("/ppp/profile").id_of(profile)
        base = table.shape.row({"profile": profile_id})
        slots = [table.shape.slots[column] for column in ("name", "password", "remote-address")]
        address = ipaddress.IPv4Address(remote_address) if remote_address else None
        names = []
        for number in range(first, first + count):
            row = list(base)
            row[slots[0]] = name.format(router=self.name, number=number)
            row[slots[1]] = password.format(router=self.name, number=number)
            if address is not None:
                row[slots[2]] = str(address + (number - first))
            table.insert(tuple(row))
            names.append(str(row[slots[0]]))
        return names

    def dump(self) -> dict[str, list[dict[str, str]]]:
        """The configuration: what survives a reboot, as print shows it."""
        return {path: [row for row in self.table(path).rows if row.get("dynamic") != "true"] for path in _CONFIGURATION}

    def tamper(
        self,
        menu: str,
        key: str,
        fields: Mapping[str, str | None] | None = None,
        *,
        by: str = "juma",
        via: str = "winbox",
        address: str = "192.168.88.10",
        verb: str = "set",
    ) -> edit.Outcome:
        """Another person changes a row (`verb`: set, add, remove, enable, disable), as Winbox would.

        Leaves the log line of that version and the person's row in /user/active. Raises: SimTrap.
        """
        active = self.table("/user/active")
        here = [active.get(row_id) for row_id in active.ids_of(by)]
        shown = "winbox" if via == "mac-winbox" else via
        if not any(row is not None and active.shape.value(row, "via") == shown for row in here):
            self.gate.enter(by, via, address)
        table = self.table(menu)
        attributes = {f"!{name}" if value is None else name: value or "" for name, value in (fields or {}).items()}
        if verb == "add":
            attributes = ({table.shape.menu.key: key} if table.shape.menu.key and key else {}) | attributes
        elif not table.shape.menu.is_settings:
            row_id = table.id_of(key)
            attributes = {".id": key if row_id is None else id_text(row_id)} | attributes
        outcome = self.write(menu, verb, attributes, Actor(by, via, address), is_counted=False)
        if outcome.trap is not None:
            raise outcome.trap
        return outcome

    # Life

    @property
    def is_listening(self) -> bool:
        """Whether TCP connections are accepted at all."""
        return self.is_up and not self.faults.refuses

    def watch_listening(self, watcher: Callable[[], None]) -> None:
        self._watchers.append(watcher)

    def unwatch_listening(self, watcher: Callable[[], None]) -> None:
        self._watchers.remove(watcher)

    def listening_changed(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()

    def mute_links(self) -> None:
        for session in tuple(self.sessions):
            session.mute()

    def drop_links(self) -> None:
        """Reset every API connection."""
        for session in tuple(self.sessions):
            session.abort()

    def reboot(self, down_s: float | None = None) -> None:
        """Reset all connections and come back after `down_s` (default 20 s) with the configuration kept."""
        self.dhcp.leases.store()
        self.power_off()
        self.later(BOOT_S if down_s is None else down_s, self.boot)

    def hold_writes(self, seconds: float = 40.0) -> None:
        """From now on a change reaches the flash only after so long, as on boards with NAND; 0: at once."""
        self.history.held_s = seconds

    def power_cut(self, lost_s: float = 40.0, down_s: float | None = None) -> int:
        """Lose power and the changes younger than `lost_s`, then boot; how many rows they were.

        Raises: InputError when `hold_writes` was not told to hold them so long.
        """
        if lost_s > self.history.held_s:
            self.history.cut(lost_s)  # says what is wrong
        self.power_off()
        lost = self.history.cut(lost_s)
        self.later(BOOT_S if down_s is None else down_s, self.boot)
        return lost

    def take_safe_mode(self, by: str = "juma", *, via: str = "winbox", address: str = "192.168.88.10") -> None:
        """Somebody takes safe mode: from now on everybody's changes are undone when it is lost. Raises: InputError."""
        self.history.take_safe_mode(Actor(by, via, address))

    def release_safe_mode(self) -> None:
        """Leave safe mode and keep the changes."""
        self.history.release_safe_mode()

    def lose_safe_mode(self) -> int:
        """The session that holds safe mode dies: the changes since are undone; how many rows they were."""
        return self.history.lose_safe_mode()

    @property
    def safe_mode_by(self) -> str:
        """Who holds safe mode; empty when nobody does, or no longer since there were too many actions."""
        held = self.history.safe_mode
        return "" if held is None else held.actor.user

    def power_off(self) -> None:
        """Stop at once: connections reset, what is dynamic gone."""
        if not self.is_up:
            return
        self.is_up = False
        self.history.drop_safe_mode()
        self.listening_changed()
        self.drop_links()
        self.ppp.end_all("reboot")
        self.hotspot.power_off()
        self.dhcp.leases.power_off()
        for table in self._tables.values():
            slot = table.shape.slots.get("dynamic")
            if table.shape.menu.keeps_dynamic:
                continue
            for row_id, row in list(table.items()):
                if table.shape.menu.is_dynamic or (slot is not None and row[slot] == "true"):
                    table.delete(row_id)

    def boot(self) -> None:
        if self.is_up:
            return
        self._booted_at = self.clock.monotonic()
        self.is_up = True
        if self.behaviour.renumber_on_reboot:
            for path in _RENUMBERED:
                self.table(path).renumber()
        self.log.write("system,info", "router rebooted")
        self.listening_changed()
        self.cpes.redial_all()
        self.dhcp.boot()
        self.hotspot.boot()

    async def close(self) -> None:
        """End background tasks; the tables stay readable."""
        self.cpes.stop()
        self.alarms.stop()
        for task in tuple(self._timers):
            task.cancel()
        await asyncio.gather(*self._timers, return_exceptions=True)
        self.drop_links()

    def dial(self) -> Callable[[Callable[[], asyncio.BaseProtocol]], Awaitable[asyncio.Transport]]:
        """A way to connect without a socket: the same session code over memory."""
        from imsys.sim.memory import memory_dial

        return memory_dial(self)
