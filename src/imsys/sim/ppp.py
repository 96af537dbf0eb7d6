"""The PPPoE server: who may connect, and the rows that a session brings and takes away.

A session is a row of /ppp/active, an interface `<pppoe-NAME>`, and a dynamic queue when its profile has a rate limit.
Disabling or removing a secret leaves sessions alone; only the next authentication fails.
"""

import ipaddress
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsys.sim.dynamics import ADDRESS_LIST, QUEUES, drop_rows, put_list_entries, put_queue, queue_rate
from imsys.sim.fields import Value, range_bounds
from imsys.sim.menu import Row

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

OnEnd = Callable[[str], None]
UNSET_ADDRESS = "0.0.0.0"  # noqa: S104 - as old versions print what is not set


class Refused(Exception):
    """A subscriber may not connect; the text says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a secret, its profile and the server's profile make together: a secret's value wins over a profile's."""

    profile_id: int
    local: Value
    remote: Value
    rate_limit: str
    only_one: bool
    address_lists: tuple[str, ...]


@dataclass(slots=True)
class PppSession:
    """One subscriber online; the ids of the rows that came with it."""

    name: str
    profile_id: int
    interface: str
    caller_id: str
    address: str
    on_end: OnEnd | None
    interface_id: int
    binding_id: int
    queue_id: int | None = None
    list_ids: tuple[int, ...] = ()


class PppServer:
    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self.sessions: dict[int, PppSession] = {}
        self._used: set[str] = set()
        self._next_session = 0x81A00000 + router.random.randrange(0x10000)

    def connect(self, name: str, password: str, caller_id: str, on_end: OnEnd | None = None) -> int:
        """Authenticate and bring a session up; its id in /ppp/active. Raises: Refused."""
        try:
            secret = self._authenticate(name, password, caller_id)
            settings = self._settings(secret)
            self._make_room(name, settings.only_one)
            address = self._address(settings)
        except Refused as refusal:
            self._log("error", f"<{caller_id}>: user {name} {refusal}")
            raise
        return self._begin(name, caller_id, address, settings, secret, on_end)

    def end(self, row_id: int, *, reason: str, note: str = "") -> None:
        """Take a session down. `reason` is what the secret shows as its last disconnect reason."""
        session = self.sessions.pop(row_id)
        self._used.discard(session.address)
        router = self._router
        router.table("/ppp/active").delete(row_id)
        router.table("/interface/pppoe-server").delete(session.binding_id)
        router.table("/interface").delete(session.interface_id)
        drop_rows(router, QUEUES, (session.queue_id,))
        drop_rows(router, ADDRESS_LIST, session.list_ids)
        self._note_logout(session, reason)
        if note:
            self._log("info", f"{session.interface}: terminating... - {note}")
        self._log("info", f"{session.interface}: disconnected")
        if session.on_end is not None:
            session.on_end(reason)

    def end_interface(self, binding_id: int) -> None:
        """Remove a row of /interface/pppoe-server: a session's ends the session, a static binding just goes."""
        for row_id, session in self.sessions.items():
            if session.binding_id == binding_id:
                self.end(row_id, reason="nas-request", note="administrator request")
                return
        self._router.table("/interface/pppoe-server").delete(binding_id)

    def end_all(self, reason: str) -> None:
        for row_id in list(self.sessions):
            self.end(row_id, reason=reason)

    def of(self, name: str) -> list[int]:
        """Ids in /ppp/active of this subscriber's sessions."""
        return list(self._router.table("/ppp/active").ids_of(name))

    def secret_changed(self, old: Row | None, new: Row | None) -> None:
        """Live effects of a change to a secret, each behind its switch."""
        behaviour = self._router.behaviour
        if old is None or not (
            behaviour.disable_drops_session or behaviour.remove_drops_session or behaviour.profile_change_drops_session
        ):
            return
        shape = self._router.table("/ppp/secret").shape
        is_cut = (new is None and behaviour.remove_drops_session) or (
            new is not None
            and (
                (behaviour.disable_drops_session and shape.value(new, "disabled") == "true")
                or (
                    behaviour.profile_change_drops_session
                    and shape.value(new, "profile") != shape.value(old, "profile")
                )
            )
        )
        if is_cut:
            for row_id in self.of(str(shape.value(old, "name"))):
                self.end(row_id, reason="nas-request", note="administrator request")

    def profile_changed(self, profile_id: int, old: Row | None, new: Row | None) -> None:
        if new is None or old is None or not self._router.behaviour.rate_change_is_live:
            return
        shape = self._router.table("/ppp/profile").shape
        rate = queue_rate(str(shape.value(new, "rate-limit") or ""))
        for session in self.sessions.values():
            if session.profile_id == profile_id and session.queue_id is not None and rate:
                self._router.table(QUEUES).amend(session.queue_id, max_limit=rate, limit_at=rate)

    def _authenticate(self, name: str, password: str, caller_id: str) -> Row:
        table = self._router.table("/ppp/secret")
        for row_id in table.ids_of(name):
            row, shape = table.get(row_id), table.shape
            if row is None or shape.value(row, "service") not in ("any", "pppoe"):
                continue
            wanted_caller = shape.value(row, "caller-id")
            if (
                shape.value(row, "disabled") == "false"
                and shape.value(row, "password") == password
                and (not wanted_caller or wanted_caller == caller_id)
            ):
                return row
        raise Refused("authentication failed")

    def _settings(self, secret: Row) -> Settings:
        secrets, profiles = self._router.table("/ppp/secret").shape, self._router.table("/ppp/profile")
        profile_id = secrets.value(secret, "profile")
        profile = profiles.get(profile_id) if isinstance(profile_id, int) else None
        if profile is None or not isinstance(profile_id, int):
            raise Refused("authentication failed - profile is gone")
        fallback = self._server_profile()

        def merged(name: str) -> Value:
            own = secrets.value(secret, name)
            if own is not None and own != UNSET_ADDRESS:
                return own
            value = profiles.shape.value(profile, name)
            return profiles.shape.value(fallback, name) if value is None and fallback is not None else value

        lists = str(profiles.shape.value(profile, "address-list") or "")
        return Settings(
            profile_id,
            merged("local-address"),
            merged("remote-address"),
            str(profiles.shape.value(profile, "rate-limit") or ""),
            profiles.shape.value(profile, "only-one") == "yes",
            tuple(name for name in lists.split(",") if name),
        )

    def _server_profile(self) -> Row | None:
        servers = self._router.table("/interface/pppoe-server/server")
        for _, row in servers.items():
            if servers.shape.value(row, "disabled") == "false":
                profile_id = servers.shape.value(row, "default-profile")
                return self._router.table("/ppp/profile").get(profile_id) if isinstance(profile_id, int) else None
        raise Refused("found no PPPoE server")

    def _make_room(self, name: str, only_one: bool) -> None:
        others = self.of(name) if only_one else []
        if others and self._router.behaviour.only_one == "refuse":
            raise Refused("is already connected")
        for row_id in others:
            self.end(row_id, reason="nas-request", note="only one session allowed")

    def _address(self, settings: Settings) -> str:
        if settings.local is None and self._router.behaviour.local_address_required:
            raise Refused("could not determine local address")
        if settings.remote is None:
            raise Refused("could not determine remote address")
        if isinstance(settings.remote, str):
            return settings.remote
        return self._from_pool(settings.remote)

    def _from_pool(self, pool_id: Value) -> str:
        pools = self._router.table("/ip/pool")
        row = pools.get(pool_id) if isinstance(pool_id, int) else None
        if row is None:
            raise Refused("could not determine remote address - no such pool")
        for part in str(pools.shape.value(row, "ranges")).split(","):
            first, last = range_bounds(part) or (1, 0)
            start = first + len(self._used) % max(1, last - first + 1)  # most likely free: keeps large pools quick
            for number in itertools.chain(range(start, last + 1), range(first, start)):
                address = str(ipaddress.IPv4Address(number))
                if address not in self._used:
                    return address
        raise Refused("could not determine remote address - pool is empty")

    def _begin(
        self, name: str, caller_id: str, address: str, settings: Settings, secret: Row, on_end: OnEnd | None
    ) -> int:
        router, now = self._router, self._router.clock.monotonic()
        count = len(self.of(name))
        interface = f"<pppoe-{name}>" if not count else f"<pppoe-{name}-{count}>"
        while router.table("/interface").id_of(interface) is not None:
            count += 1
            interface = f"<pppoe-{name}-{count}>"
        interface_id = router.table("/interface").put(
            router.table("/interface").take_dynamic_id(),
            name=interface,
            type="pppoe-in",
            mtu="1480",
            actual_mtu="1480",
            dynamic="true",
        )
        bindings = router.table("/interface/pppoe-server")
        binding_id = bindings.put(
            bindings.take_dynamic_id(),
            name=interface,
            user=name,
            service="",
            mtu="1480",
            mru="1480",
            remote_address=caller_id,
            encoding="",
            uptime=now,
            interface=router.table("/interface").id_of("ether2"),
            dynamic="true",
            running="true",
        )
        self._used.add(address)
        session = PppSession(name, settings.profile_id, interface, caller_id, address, on_end, interface_id, binding_id)
        session.queue_id = put_queue(router, interface, address, settings.rate_limit)
        session.list_ids = put_list_entries(router, settings.address_lists, address)
        row_id = self._active_row(session, secret, now)
        self._log("info", f"{interface}: authenticated")
        self._log("info", f"{interface}: connected")
        return row_id

    def _active_row(self, session: PppSession, secret: Row, now: float) -> int:
        """The row in /ppp/active; it exists for a moment before its address is filled in."""
        active, secrets = self._router.table("/ppp/active"), self._router.table("/ppp/secret").shape
        self._next_session += 1
        row_id = active.put(
            name=session.name,
            service="pppoe",
            caller_id=session.caller_id,
            uptime=now,
            session_id=f"0x{self._next_session:X}",
            limit_bytes_in=secrets.value(secret, "limit-bytes-in"),
            limit_bytes_out=secrets.value(secret, "limit-bytes-out"),
            comment=secrets.value(secret, "comment") if self._router.behaviour.active_shows_comment else None,
        )
        self.sessions[row_id] = session
        active.amend(row_id, address=session.address)
        return row_id

    def _note_logout(self, session: PppSession, reason: str) -> None:
        secrets = self._router.table("/ppp/secret")
        if (row_id := secrets.id_of(session.name)) is not None:
            secrets.amend(
                row_id,
                is_quiet=True,
                last_logged_out=self._router.local_text(),
                last_caller_id=session.caller_id,
                last_disconnect_reason=reason,
            )

    def _log(self, level: str, message: str) -> None:
        self._router.log.write(f"pppoe,ppp,{level}", message)
