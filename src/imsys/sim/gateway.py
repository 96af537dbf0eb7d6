"""The hotspot gateway: who may log in, and the rows that a login brings and takes away.

A login is a row of /ip/hotspot/active whose id is the address, a dynamic queue `<hotspot-NAME>` when the profile has a
rate limit (copied at login), and a cookie by which the device comes back without asking anybody. Disabling or removing
a user leaves logins alone; only the next one fails.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import eq
from typing import TYPE_CHECKING

from imsys.kit.units import parse_duration
from imsys.sim.dynamics import ADDRESS_LIST, QUEUES, drop_rows, put_list_entries, put_queue, queue_rate
from imsys.sim.hosts import Hosts
from imsys.sim.hotspot_users import HotspotUsers, Refused, add_bytes
from imsys.sim.menu import Row
from imsys.sim.menus.hotspot import (
    ACTIVE,
    COOKIES,
    HOSTS,
    PROFILES,
    SERVER_PROFILES,
    SERVERS,
    USERS,
    server_of,
)

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

OnEnd = Callable[[str], None]
BY_FORM = "http-chap"
_QUOTAS = ("bytes-in", "bytes-out", "bytes-total")


@dataclass(slots=True)
class Login:
    """One device logged in; the ids of the rows that came with it."""

    user: str
    user_id: int
    profile_id: int
    mac: str
    address: str
    on_end: OnEnd
    queue_id: int | None = None
    list_ids: tuple[int, ...] = field(default=())


class Gateway:
    """The hotspot servers of one router and who is logged in there."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self.logins: dict[int, Login] = {}
        self.hosts = Hosts(router, self)
        self.users = HotspotUsers(router)

    # Logging in

    def login(self, mac: str, user: str, password: str, on_end: OnEnd) -> int:
        """Log a device in by the form of the login page; its id in /ip/hotspot/active. Raises: Refused."""
        return self._login(mac, user, partial(eq, password), BY_FORM, on_end)

    def login_by_cookie(self, mac: str, on_end: OnEnd) -> int | None:
        """Log a device in by the cookie that it has; None when it has none that still holds."""
        cookies = self._router.table(COOKIES)
        for cookie_id in cookies.ids_where("mac-address", mac):
            row = cookies.get(cookie_id)
            if row is None or self.hosts.of(mac) is None:
                continue
            value = cookies.shape.value
            knows = partial(eq, value(row, "password"))
            way = "mac-cookie" if value(row, "mac-cookie") == "true" else "cookie"
            if way not in self._ways(self.hosts.server_of(mac)):
                continue
            try:
                return self._login(mac, str(value(row, "user")), knows, way, on_end)
            except Refused:
                continue
        return None

    def logins_of(self, mac: str) -> list[int]:
        active = self._router.peek(ACTIVE)
        return [] if active is None else list(active.ids_where("mac-address", mac))

    def _login(self, mac: str, user: str, knows: Callable[[str], bool], way: str, on_end: OnEnd) -> int:
        host_id = self.hosts.of(mac)
        if host_id is None:
            raise Refused("no hotspot")
        address = str(self._router.table(HOSTS).value(host_id, "address"))
        server_id = self.hosts.server_of(mac)
        self._log(f"{user} ({address}): trying to log in by {way}")
        try:
            if self._active_id(address) in self.logins:
                raise Refused("address is in use")
            if self.hosts.is_blocked(mac, address, server_id):
                raise Refused("blocked by ip binding")
            user_id = self.users.authenticate(user, knows, mac, server_id)
            self.users.check_limits(user_id, user)
            profile_id = self._profile(user_id, user)
        except Refused as refusal:
            self._log(f"{user} ({address}): login failed: {refusal}")
            raise
        login = Login(user, user_id, profile_id, mac, address, on_end)
        return self._begin(login, host_id, server_id, way)

    def _profile(self, user_id: int, user: str) -> int:
        """The profile of a user, with room for one more login."""
        profile_id = self._router.table(USERS).value(user_id, "profile")
        profiles = self._router.table(PROFILES)
        if not isinstance(profile_id, int) or profile_id not in profiles:
            raise Refused("profile is gone")  # the wording is not known
        most = str(profiles.value(profile_id, "shared-users"))
        others = sum(login.user_id == user_id for login in self.logins.values())
        if most != "unlimited" and others >= int(most):
            raise Refused(f"no more sessions are allowed for user {user}")
        return profile_id

    def _ways(self, server_id: int | None) -> list[str]:
        """How devices may log in at a server."""
        profile_id = None if server_id is None else self._router.table(SERVERS).value(server_id, "profile")
        profiles = self._router.table(SERVER_PROFILES)
        return str(profiles.value(profile_id, "login-by") or "").split(",") if isinstance(profile_id, int) else []

    def _begin(self, login: Login, host_id: int, server_id: int | None, way: str) -> int:
        router, now = self._router, self._router.clock.monotonic()
        profiles, users, active = router.table(PROFILES), router.table(USERS), router.table(ACTIVE)
        active_id = self._active_id(login.address)
        ends_at, reason = self._end_time(login, now)
        self.logins[active_id] = login
        active.put(
            active_id,
            server=server_id,
            user=login.user,
            address=login.address,
            mac_address=login.mac,
            login_by=way,
            uptime=now,
            session_time_left=ends_at,
            idle_timeout=_timeout(profiles, login.profile_id, "idle-timeout"),
            keepalive_timeout=_timeout(profiles, login.profile_id, "keepalive-timeout"),
            **{f"limit_{what}": users.value(login.user_id, f"limit-{what}") for what in _QUOTAS},
        )
        self.users.start(login.user_id)
        router.table(HOSTS).amend(host_id, authorized="true")
        rate = str(profiles.value(login.profile_id, "rate-limit") or "")
        login.queue_id = put_queue(router, self._queue_name(login.user), login.address, rate)
        lists = str(profiles.value(login.profile_id, "address-list") or "").split(",")
        login.list_ids = put_list_entries(router, lists, login.address)
        self._give_cookie(login, server_id)
        self._log(f"{login.user} ({login.address}): logged in")
        if ends_at is not None:
            self._end_at(ends_at, active_id, login, reason)
        return active_id

    def _active_id(self, address: str) -> int:
        """The address in hex; old versions have its bytes the other way round."""
        order = "little" if self._router.version.is_v6 else "big"
        return int.from_bytes(ipaddress.IPv4Address(address).packed, order)  # type: ignore[arg-type]

    def _end_time(self, login: Login, now: float) -> tuple[float | None, str]:
        """When a login ends by itself, and why."""
        ends = []
        if timeout := self._router.table(PROFILES).value(login.profile_id, "session-timeout"):
            ends.append((now + parse_duration(str(timeout)), "session timeout"))
        if (left := self.users.uptime_left(login.user_id)) is not None:
            ends.append((now + left, "uptime limit reached"))
        return min(ends) if ends else (None, "")

    def _end_at(self, when: float, active_id: int, login: Login, reason: str) -> None:
        def end() -> None:
            if self.logins.get(active_id) is login:
                self.end(active_id, reason)

        self._router.alarms.at(when, end)

    def _queue_name(self, user: str) -> str:
        queues, name, number = self._router.table(QUEUES), f"<hotspot-{user}>", 0
        while queues.id_of(name) is not None:
            number += 1
            name = f"<hotspot-{user}-{number}>"
        return name

    def _give_cookie(self, login: Login, server_id: int | None) -> None:
        """A cookie for the next time: by MAC address when the profile says so, else in the browser."""
        router, ways = self._router, self._ways(server_id)
        profiles, cookies = router.table(PROFILES), router.table(COOKIES)
        is_by_mac = "mac-cookie" in ways and profiles.value(login.profile_id, "add-mac-cookie") == "true"
        for cookie_id in cookies.ids_where("mac-address", login.mac):
            cookies.delete(cookie_id)
        if is_by_mac:
            life = profiles.value(login.profile_id, "mac-cookie-timeout")
        elif "cookie" in ways:
            life = router.table(SERVER_PROFILES).value(_server_profile(router, server_id), "http-cookie-lifetime")
        else:
            return
        expires_at = router.clock.monotonic() + parse_duration(str(life))
        cookie_id = cookies.put(
            user=login.user,
            mac_address=login.mac,
            expires_in=expires_at,
            mac_cookie="true" if is_by_mac else "false",
            password=router.table(USERS).value(login.user_id, "password") or "",
        )
        router.alarms.at(expires_at, lambda: drop_rows(router, COOKIES, (cookie_id,)))

    # While logged in

    def count(self, mac: str, bytes_in: int, bytes_out: int) -> None:
        """Traffic of a device: `bytes_in` from it, `bytes_out` to it. A login whose bytes are used up ends."""
        for active_id in self.logins_of(mac):
            login = self.logins[active_id]
            add_bytes(self._router.table(ACTIVE), active_id, bytes_in, bytes_out)
            users = self._router.table(USERS)
            if login.user_id in users:
                add_bytes(users, login.user_id, bytes_in, bytes_out)
                if self.users.is_used_up(login.user_id):
                    self.end(active_id, "traffic limit reached")
        if (host_id := self.hosts.of(mac)) is not None:
            add_bytes(self._router.table(HOSTS), host_id, bytes_in, bytes_out)

    def log_out(self, active_id: int) -> None:
        """What remove does to a row of /ip/hotspot/active."""
        user_id = self.logins[active_id].user_id
        takes_all = self._router.behaviour.logout_takes_all_devices
        others = [other for other, login in self.logins.items() if takes_all and login.user_id == user_id]
        for other in others or [active_id]:
            if other in self.logins:
                self.end(other, "admin reset")

    def end(self, active_id: int, reason: str) -> None:
        login = self.logins.pop(active_id)
        router = self._router
        router.table(ACTIVE).delete(active_id)
        drop_rows(router, QUEUES, (login.queue_id,))
        drop_rows(router, ADDRESS_LIST, login.list_ids)
        self.users.stop(login.user_id)
        if (host_id := self.hosts.of(login.mac)) is not None:
            router.table(HOSTS).amend(host_id, authorized="false")
            if router.behaviour.binding_reaches_hosts != "none":
                self.hosts.bind(host_id)
        self._log(f"{login.user} ({login.address}): logged out: {reason}")
        login.on_end(reason)

    def end_all(self, reason: str) -> None:
        for active_id in list(self.logins):
            if active_id in self.logins:
                self.end(active_id, reason)

    def forget_cookies(self, mac: str) -> None:
        """The subscriber logged out on the status page."""
        cookies = self._router.table(COOKIES)
        drop_rows(self._router, COOKIES, cookies.ids_where("mac-address", mac))

    # What people change

    def user_changed(self, user_id: int, old: Row | None, new: Row | None) -> None:
        behaviour, shape = self._router.behaviour, self._router.table(USERS).shape
        is_off = new is not None and shape.value(new, "disabled") == "true"
        is_cut = (new is None and behaviour.hotspot_remove_drops_session) or (
            is_off and behaviour.hotspot_disable_drops_session
        )
        if is_cut and old is not None:
            for active_id in [row_id for row_id, login in self.logins.items() if login.user_id == user_id]:
                self.end(active_id, "admin reset")

    def profile_changed(self, profile_id: int, old: Row | None, new: Row | None) -> None:
        if new is None or old is None or not self._router.behaviour.rate_change_is_live:
            return
        rate = queue_rate(str(self._router.table(PROFILES).shape.value(new, "rate-limit") or ""))
        for login in self.logins.values():
            if login.profile_id == profile_id and login.queue_id is not None and rate:
                self._router.table(QUEUES).amend(login.queue_id, max_limit=rate, limit_at=rate)

    def _log(self, message: str) -> None:
        self._router.log.write("hotspot,info,debug", message)


def _server_profile(router: "SimRouter", server_id: int | None) -> int | None:
    return server_of(router.table(SERVERS).value(server_id, "profile"))


def _timeout(profiles: "Table", profile_id: int, name: str) -> str | None:
    value = profiles.value(profile_id, name)
    return None if value in (None, "none") else str(value)
