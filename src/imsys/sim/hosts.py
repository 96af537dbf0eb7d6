"""The devices that the hotspot sees, and what the bindings say of each: let through, turned away, or left to log in."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from imsys.sim.fields import Value, range_bounds
from imsys.sim.menu import Row
from imsys.sim.menus.hotspot import BINDINGS, HOSTS, SERVERS, server_of

if TYPE_CHECKING:
    from imsys.sim.gateway import Gateway
    from imsys.sim.router import SimRouter

_ANY = "0.0.0.0/0"


class Hosts:
    """The rows of /ip/hotspot/host. `on_gone` and `on_free` tell the devices what became of them."""

    def __init__(self, router: "SimRouter", gateway: "Gateway") -> None:
        self._router = router
        self._gateway = gateway
        self.on_gone: Callable[[str], None] = lambda mac: None
        self.on_free: Callable[[str], None] = lambda mac: None

    def server_on(self, interface: str) -> int | None:
        """The server that takes devices on an interface."""
        servers, interface_id = self._router.table(SERVERS), self._router.table("/interface").id_of(interface)
        value = servers.shape.value
        for row_id, row in servers.items():
            if value(row, "interface") == interface_id and value(row, "disabled") != "true":
                return row_id
        return None

    def of(self, mac: str) -> int | None:
        if (hosts := self._router.peek(HOSTS)) is None:
            return None
        return next(iter(hosts.ids_where("mac-address", mac)), None)

    def server_of(self, mac: str) -> int | None:
        host_id = self.of(mac)
        return None if host_id is None else server_of(self._router.table(HOSTS).value(host_id, "server"))

    def add(self, mac: str, address: str, server_id: int) -> int:
        """A device is seen; what a binding says of it is looked up now."""
        hosts = self._router.table(HOSTS)
        timeout = self._router.table(SERVERS).value(server_id, "idle-timeout")
        now = self._router.clock.monotonic()
        host_id = hosts.put(mac_address=mac, address=address, server=server_id, uptime=now, idle_timeout=timeout)
        self.bind(host_id)
        return host_id

    def remove(self, host_id: int) -> None:
        """Forget a device: its login ends. One that is still there is soon seen again."""
        mac = str(self._router.table(HOSTS).value(host_id, "mac-address"))
        self.drop(mac, "admin reset")
        self.on_gone(mac)

    def drop(self, mac: str, reason: str) -> None:
        for active_id in self._gateway.logins_of(mac):
            self._gateway.end(active_id, reason)
        if (host_id := self.of(mac)) is not None:
            self._router.table(HOSTS).delete(host_id)

    def is_bypassed(self, mac: str) -> bool:
        host_id = self.of(mac)
        return host_id is not None and self._router.table(HOSTS).value(host_id, "bypassed") == "true"

    def is_blocked(self, mac: str, address: str, server_id: int | None) -> bool:
        binding = self._binding(mac, address, server_id)
        return binding is not None and self._router.table(BINDINGS).shape.value(binding, "type") == "blocked"

    def bindings_changed(self, macs: Iterable[Value]) -> None:
        """Bindings of these MAC addresses (None: of no certain one) are not what they were."""
        reaches, hosts = self._router.behaviour.binding_reaches_hosts, self._router.peek(HOSTS)
        if reaches == "none" or hosts is None:
            return
        named = [host_id for mac in macs for host_id in hosts.ids_where("mac-address", mac)]
        for host_id in list(hosts) if None in macs else named:
            mac = str(hosts.value(host_id, "mac-address"))
            if reaches == "all" or not (self.is_bypassed(mac) or self._gateway.logins_of(mac)):
                self._rebind(host_id, mac)

    def _rebind(self, host_id: int, mac: str) -> None:
        was_bypassed = self.is_bypassed(mac)
        kind = self.bind(host_id)
        if kind == "blocked":
            for active_id in self._gateway.logins_of(mac):
                self._gateway.end(active_id, "blocked")
        elif was_bypassed and kind != "bypassed":
            self.on_free(mac)

    def bind(self, host_id: int) -> Value:
        """Make a host what the first binding that fits says; the type of that binding."""
        hosts, bindings = self._router.table(HOSTS), self._router.table(BINDINGS)
        address = str(hosts.value(host_id, "address"))
        binding = self._binding(
            str(hosts.value(host_id, "mac-address")), address, server_of(hosts.value(host_id, "server"))
        )
        kind = None if binding is None else bindings.shape.value(binding, "type")
        to_address = None if binding is None else bindings.shape.value(binding, "to-address")
        hosts.amend(host_id, bypassed="true" if kind == "bypassed" else "false", to_address=to_address or address)
        return kind

    def _binding(self, mac: str, address: str, server_id: int | None) -> Row | None:
        """The first enabled binding for a device."""
        bindings = self._router.table(BINDINGS)
        value, number = bindings.shape.value, int(ipaddress.IPv4Address(address))
        for _, row in bindings.items():
            if value(row, "disabled") == "true" or value(row, "mac-address") not in (None, mac):
                continue
            bounds = range_bounds(str(value(row, "address") or _ANY))
            if server_of(value(row, "server")) in (None, server_id) and bounds and bounds[0] <= number <= bounds[1]:
                return row
        return None
