"""The devices of hotspot subscribers: seen by the gateway, logged in by a form or a cookie, and again by themselves.

A device with a cookie is back at once when its login was ended; one without tries again after its redial time, for
ever, as somebody who wants to be online does. One that a binding lets through needs no login.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsys.kit.units import Mac, parse_duration
from imsys.sim.gateway import Gateway
from imsys.sim.hotspot_users import Refused
from imsys.sim.menus.hotspot import ACTIVE, USERS

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

DEFAULT_INTERFACE = "ether4"
FIRST_ADDRESS = 0x0A5A0002  # 10.90.0.2
_GONE_AFTER_S = 120.0
_BY_SUBSCRIBER = "user request"


@dataclass(slots=True)
class Device:
    """Something with a MAC behind the hotspot. `active_id` is its row in /ip/hotspot/active while it is logged in."""

    mac: str
    address: str
    interface: str
    redial_s: float
    user: str = ""
    password: str = field(default="", repr=False)
    is_here: bool = True
    logs_in: bool = False
    active_id: int | None = None
    due_at: float | None = None
    refusals: int = 0
    refusal: str = ""


class Hotspot:
    """All devices of one router's hotspot, and the gateway that they meet."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._devices: dict[str, Device] = {}
        self.gateway = Gateway(router)
        self.gateway.hosts.on_gone = self._seen_again
        self.gateway.hosts.on_free = self._freed

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[Device]:
        return iter(tuple(self._devices.values()))

    def __getitem__(self, mac: str) -> Device:
        return self._devices[Mac.parse(mac)]

    @property
    def online(self) -> list[str]:
        """MAC addresses of the devices that are logged in."""
        return [device.mac for device in self if device.active_id is not None]

    def is_online(self, mac: str) -> bool:
        return self[mac].active_id is not None

    def passes(self, mac: str) -> bool:
        """Whether this device can use the network now."""
        device = self[mac]
        if not self._router.is_up or not device.is_here:
            return False
        if self.gateway.hosts.server_on(device.interface) is None:
            return True  # no hotspot in its way
        return device.active_id is not None or self.gateway.hosts.is_bypassed(device.mac)

    def add(
        self, mac: str = "", *, address: str = "", interface: str = DEFAULT_INTERFACE, redial_s: float = 2.0
    ) -> Device:
        """A device on an interface: a row of /ip/hotspot/host. Without `mac` and `address` it gets some."""
        number = len(self._devices)
        mac = str(Mac.parse(mac or f"4E:48:53:{self._router.number & 0xFF:02X}:{number >> 8:02X}:{number & 0xFF:02X}"))
        device = Device(mac, address or _address(number), interface, redial_s)
        self._devices[mac] = device
        self._appear(device)
        return device

    def remove(self, mac: str) -> None:
        """Take the device away for good; its login ends."""
        device = self[mac]
        device.is_here = device.logs_in = False
        self.gateway.hosts.drop(device.mac, "lost device")
        del self._devices[device.mac]

    def login(self, mac: str, user: str = "", password: str | None = None) -> bool:
        """Fill in the login page; whether that worked. When refused, the device goes on trying by itself.

        Without `user` as the last time; without `password` it knows that of the user.
        """
        device = self[mac]
        if user:
            row = None if password is not None else self._router.table(USERS).find(name=user)
            device.user, device.password = user, row.get("password", "") if row else password or ""
        device.logs_in = True
        return self._login(device)

    def logout(self, mac: str, *, again: bool = False) -> None:
        """Log out on the status page, which takes the cookie too. `again`: log in after the redial time."""
        device = self[mac]
        device.logs_in, device.due_at = again, None
        self.gateway.forget_cookies(device.mac)
        if device.active_id is not None:
            self.gateway.end(device.active_id, _BY_SUBSCRIBER)

    def unplug(self, mac: str) -> None:
        """The device is gone without a word: what the gateway has of it goes after its keepalive-timeout."""
        device = self[mac]
        device.is_here, device.due_at = False, None
        wait_s = _GONE_AFTER_S
        if device.active_id is not None:
            row = self._router.table(ACTIVE).find(mac_address=device.mac) or {}
            wait_s = parse_duration(row.get("keepalive-timeout", row.get("idle-timeout", f"{_GONE_AFTER_S}s")))

        def drop() -> None:
            if not device.is_here:
                self.gateway.hosts.drop(device.mac, "keepalive timeout")

        self._router.alarms.at(self._router.clock.monotonic() + wait_s, drop)

    def plug(self, mac: str) -> None:
        """The device is back; one that had logged in does so again."""
        device = self[mac]
        device.is_here = True
        self._appear(device)

    def use(self, mac: str, *, bytes_in: int = 0, bytes_out: int = 0) -> bool:
        """Traffic from the device (`bytes_in`) and to it; whether it can use the network still."""
        if self.passes(mac):
            self.gateway.count(self[mac].mac, bytes_in, bytes_out)
        return self.passes(mac)

    # Life of the router

    def power_off(self) -> None:
        self.gateway.end_all("reboot")

    def boot(self) -> None:
        for device in self:
            if device.is_here:
                self._appear(device, at_once=False)

    def servers_changed(self) -> None:
        """A server came, went or moved: devices are seen where there is one now."""
        for device in self:
            server_id = self.gateway.hosts.server_on(device.interface)
            if self.gateway.hosts.server_of(device.mac) != server_id or server_id is None:
                self.gateway.hosts.drop(device.mac, "server stopped")
                if device.is_here:
                    self._appear(device)

    # What devices do by themselves

    def _appear(self, device: Device, *, at_once: bool = True) -> None:
        server_id = self.gateway.hosts.server_on(device.interface) if self._router.is_up else None
        if server_id is None:
            return
        if self.gateway.hosts.of(device.mac) is None:
            self.gateway.hosts.add(device.mac, device.address, server_id)
        if device.logs_in and device.active_id is None:
            if at_once:
                self._come_back(device)
            else:
                self._schedule(device)

    def _login(self, device: Device) -> bool:
        """By cookie, else by the form."""
        device.due_at = None
        if device.active_id is not None:
            return True
        if not self._router.is_up or not device.is_here:
            return False
        if self._take_cookie(device):
            return True
        try:
            device.active_id = self.gateway.login(
                device.mac, device.user, device.password, lambda reason: self._ended(device, reason)
            )
        except Refused as refusal:
            device.refusals += 1
            device.refusal = str(refusal)
            self._schedule(device)
            return False
        device.refusal = ""
        return True

    def _take_cookie(self, device: Device) -> bool:
        device.active_id = self.gateway.login_by_cookie(device.mac, lambda reason: self._ended(device, reason))
        return device.active_id is not None

    def _come_back(self, device: Device) -> None:
        """At once with a cookie, else when somebody has filled in the page again."""
        if not self.gateway.hosts.is_bypassed(device.mac) and not self._take_cookie(device):
            self._schedule(device)

    def _ended(self, device: Device, reason: str) -> None:
        device.active_id = None
        if not device.logs_in or not device.is_here or not self._router.is_up:
            return
        if reason == _BY_SUBSCRIBER:
            self._schedule(device)
        else:
            self._come_back(device)

    def _seen_again(self, mac: str) -> None:
        device = self._devices.get(mac)
        if device is not None and device.is_here:
            self._appear(device)

    def _freed(self, mac: str) -> None:
        device = self._devices.get(mac)
        if device is not None and device.logs_in and device.active_id is None:
            self._come_back(device)

    def _schedule(self, device: Device) -> None:
        spread = 1 + 0.1 * (2 * self._router.random.random() - 1)
        due_at = device.due_at = self._router.clock.monotonic() + device.redial_s * spread

        def due() -> None:
            if device.due_at == due_at and device.logs_in and self._devices.get(device.mac) is device:
                if self.gateway.hosts.is_bypassed(device.mac):
                    self._schedule(device)
                else:
                    self._login(device)

        self._router.alarms.at(due_at, due)


def _address(number: int) -> str:
    return ".".join(str(FIRST_ADDRESS + number >> shift & 0xFF) for shift in (24, 16, 8, 0))
