"""The DHCP server and the devices that ask it: a device gets its static lease's address or one of the pool.

A device renews when half of its lease time is over and asks again when it was refused, as real ones do.
"""

import ipaddress
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsys.kit.units import Mac, parse_duration
from imsys.sim.fields import Value, range_bounds
from imsys.sim.leases import Leases
from imsys.sim.menu import Row
from imsys.sim.menus.dhcp import SERVERS

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

DEFAULT_INTERFACE = "ether3"
RETRY_S = 10.0
BOOT_RETRY_S = 2.0


class NoLease(Exception):
    """A device gets no address; the text says why."""


@dataclass(slots=True)
class Device:
    """Something with a MAC on an interface of the router. `address` is what it uses, whatever the router thinks."""

    mac: str
    interface: str
    host_name: str = ""
    address: str | None = None
    until: float = 0.0  # when it has to stop using the address
    asks_at: float | None = None
    refusals: int = 0
    refusal: str = ""


class Dhcp:
    """All DHCP servers of one router, and the devices."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._devices: dict[str, Device] = {}
        self.leases = Leases(router)

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[Device]:
        return iter(tuple(self._devices.values()))

    def __getitem__(self, mac: str) -> Device:
        return self._devices[Mac.parse(mac)]

    # Devices

    def add(self, mac: str = "", *, interface: str = DEFAULT_INTERFACE, host_name: str = "") -> Device:
        """A device; it does not ask yet. Without `mac` it gets one."""
        if not mac:
            mac = "4A:" + ":".join(f"{byte:02X}" for byte in self._router.random.randbytes(5))
        device = Device(str(Mac.parse(mac)), interface, host_name)
        self._devices[device.mac] = device
        return device

    def ask(self, mac: str) -> str | None:
        """Ask for an address or renew it; the address that the device uses now. A refused one asks again by itself."""
        device = self[mac]
        now = self._router.clock.monotonic()
        try:
            if not self._router.is_up:
                raise NoLease("no answer")
            lease_s = self._serve(device)
        except NoLease as refusal:
            device.refusals += 1
            device.refusal = str(refusal)
            if device.until <= now:
                device.address = None
            self._ask_in(device, RETRY_S)
            return device.address
        device.refusal, device.until = "", now + lease_s
        self._ask_in(device, lease_s / 2)
        return device.address

    def release(self, mac: str) -> None:
        """The device gives its address back and asks no more."""
        device = self[mac]
        if self._router.is_up and device.address is not None:
            for row_id in self.leases.table.ids_where("mac-address", device.mac):
                if self.leases.is_bound(row_id):
                    self.leases.unbind(row_id)
        self.unplug(mac)

    def unplug(self, mac: str) -> None:
        """The device is gone without a word: its lease runs out."""
        device = self[mac]
        device.address, device.until, device.asks_at = None, 0.0, None

    def _ask_in(self, device: Device, seconds: float) -> None:
        due_at = device.asks_at = self._router.clock.monotonic() + seconds

        def ask() -> None:
            if device.asks_at == due_at and self._devices.get(device.mac) is device:
                self.ask(device.mac)

        self._router.alarms.at(due_at, ask)

    # The servers

    def _serve(self, device: Device) -> float:
        """Bind a lease for a device; for how long. Raises: NoLease."""
        server_id, server = self._server(device.interface)
        table = self.leases.table
        lease_id = self._static(device.mac, server_id)
        dynamic_id = self._dynamic(device.mac, server_id)
        if lease_id is not None:
            if dynamic_id is not None:
                self.leases.unbind(dynamic_id)
            address = self._reserved(table, lease_id)
        elif dynamic_id is not None and not self._is_reserved(str(self.leases.value(dynamic_id, "address"))):
            lease_id, address = dynamic_id, str(self.leases.value(dynamic_id, "address"))
        else:
            if dynamic_id is not None:
                self.leases.unbind(dynamic_id)
            address = self._from_pool(self._router.table(SERVERS).shape.value(server, "address-pool"))
            lease_id = table.put(address=address, mac_address=device.mac, server=server_id, dynamic="true")
        lease_time = self.leases.value(lease_id, "lease-time") or self._router.table(SERVERS).shape.value(
            server, "lease-time"
        )
        lease_s = max(1.0, parse_duration(str(lease_time)))
        self.leases.bind(lease_id, device.mac, device.host_name, address, server_id, lease_s)
        device.address = address
        return lease_s

    def _server(self, interface: str) -> tuple[int, Row]:
        servers, interface_id = self._router.table(SERVERS), self._router.table("/interface").id_of(interface)
        value = servers.shape.value
        for row_id, row in servers.items():
            if value(row, "interface") == interface_id and value(row, "disabled") != "true":
                return row_id, row
        raise NoLease("no server")

    def _static(self, mac: str, server_id: int) -> int | None:
        """The reservation of a MAC on a server; one of the server itself before one of all."""
        table = self.leases.table
        value, found = table.shape.value, None
        for row_id in table.ids_where("mac-address", mac):
            row = table.get(row_id)
            if row is None or value(row, "dynamic") == "true" or value(row, "disabled") == "true":
                continue
            if value(row, "server") == server_id:
                return row_id
            if value(row, "server") is None:
                found = row_id
        return found

    def _dynamic(self, mac: str, server_id: int) -> int | None:
        for row_id in self.leases.table.ids_where("mac-address", mac):
            if self.leases.value(row_id, "dynamic") == "true" and self.leases.value(row_id, "server") == server_id:
                return row_id
        return None

    def _reserved(self, table: "Table", lease_id: int) -> str:
        """The address of a static lease. Raises: NoLease."""
        if self.leases.value(lease_id, "block-access") == "true":
            raise NoLease("blocked")
        address = self.leases.value(lease_id, "address")
        if isinstance(address, int):
            return self.leases.bound_address(lease_id) or self._from_pool(address)
        others = [other for other in table.ids_where("address", address) if other != lease_id]
        if any(self.leases.is_bound(other) for other in others):
            table.amend(lease_id, status="conflict")
            raise NoLease("conflict")
        return str(address)

    def _is_reserved(self, address: str) -> bool:
        table = self.leases.table
        return any(self.leases.value(row_id, "dynamic") != "true" for row_id in table.ids_where("address", address))

    def _from_pool(self, pool_id: Value) -> str:
        pools, table = self._router.table("/ip/pool"), self.leases.table
        row = pools.get(pool_id) if isinstance(pool_id, int) else None
        if row is None:
            raise NoLease("no pool")
        for part in str(pools.shape.value(row, "ranges")).split(","):
            first, last = range_bounds(part) or (1, 0)
            start = first + len(table) % max(1, last - first + 1)  # most likely free
            for number in itertools.chain(range(start, last + 1), range(first, start)):
                address = str(ipaddress.IPv4Address(number))
                if not table.ids_where("address", address):
                    return address
        raise NoLease("pool is empty")

    # Life of the router

    def boot(self) -> None:
        """The leases that the disk had are back; the devices saw their link go and ask soon."""
        self.leases.boot()
        for device in self:
            if device.asks_at is not None:
                self._ask_in(device, BOOT_RETRY_S)
