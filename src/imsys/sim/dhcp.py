"""The DHCP server and the devices that ask it: a device gets its static lease's address or one of the pool.

A device renews when half of its lease time is over and asks again when it was refused, as real ones do. What hangs on
a lease while it is bound (the queue of its rate limit, its list entries) is made when it is bound or renewed.
"""

import ipaddress
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsys.kit.units import Mac, parse_duration
from imsys.sim.dynamics import ADDRESS_LIST, QUEUES, drop_rows, put_list_entries, put_queue
from imsys.sim.fields import Value, range_bounds
from imsys.sim.menu import Row
from imsys.sim.menus.dhcp import LEASES, NEVER, SERVERS

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

DEFAULT_INTERFACE = "ether3"
RETRY_S = 10.0
BOOT_RETRY_S = 2.0
# `/ip/dhcp-server/config store-leases-disk`: how often dynamic leases reach the disk.
STORE_EVERY_S = 300.0
_LOST = ("declined", "conflict")


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


@dataclass(slots=True)
class Binding:
    """What hangs on a bound lease, and since when the lease is there."""

    address: str
    made_at: float
    rate_limit: str = ""
    lists: str = ""
    queue_id: int | None = None
    list_ids: tuple[int, ...] = field(default=())


class Dhcp:
    """All DHCP servers of one router, and the devices."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._devices: dict[str, Device] = {}
        self._bindings: dict[int, Binding] = {}
        self._stored_until = 0.0

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
            for row_id in self._leases().ids_where("mac-address", device.mac):
                if row_id in self._bindings:
                    self._unbind(row_id)
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

    def _leases(self) -> "Table":
        return self._router.table(LEASES)

    def _serve(self, device: Device) -> float:
        """Bind a lease for a device; for how long. Raises: NoLease."""
        server_id, server = self._server(device.interface)
        table = self._leases()
        lease_id = self._static(device.mac, server_id)
        dynamic_id = self._dynamic(device.mac, server_id)
        if lease_id is not None:
            if dynamic_id is not None:
                self._unbind(dynamic_id)
            address = self._reserved(table, lease_id)
        elif dynamic_id is not None and not self._is_reserved(str(self._value(dynamic_id, "address"))):
            lease_id, address = dynamic_id, str(self._value(dynamic_id, "address"))
        else:
            if dynamic_id is not None:
                self._unbind(dynamic_id)
            address = self._from_pool(self._router.table(SERVERS).shape.value(server, "address-pool"))
            lease_id = table.put(address=address, mac_address=device.mac, server=server_id, dynamic="true")
        lease_time = self._value(lease_id, "lease-time") or self._router.table(SERVERS).shape.value(
            server, "lease-time"
        )
        lease_s = max(1.0, parse_duration(str(lease_time)))
        self._bind(lease_id, device, address, server_id, lease_s)
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
        table = self._leases()
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
        for row_id in self._leases().ids_where("mac-address", mac):
            if self._value(row_id, "dynamic") == "true" and self._value(row_id, "server") == server_id:
                return row_id
        return None

    def _reserved(self, table: "Table", lease_id: int) -> str:
        """The address of a static lease. Raises: NoLease."""
        if self._value(lease_id, "block-access") == "true":
            raise NoLease("blocked")
        address = self._value(lease_id, "address")
        if isinstance(address, int):
            bound = self._bindings.get(lease_id)
            return bound.address if bound is not None else self._from_pool(address)
        others = [other for other in table.ids_where("address", address) if other != lease_id]
        if any(other in self._bindings for other in others):
            table.amend(lease_id, status="conflict")
            raise NoLease("conflict")
        return str(address)

    def _is_reserved(self, address: str) -> bool:
        table = self._leases()
        return any(self._value(row_id, "dynamic") != "true" for row_id in table.ids_where("address", address))

    def _from_pool(self, pool_id: Value) -> str:
        pools, table = self._router.table("/ip/pool"), self._leases()
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

    def _value(self, row_id: int, name: str) -> Value:
        table = self._leases()
        row = table.get(row_id)
        return None if row is None else table.shape.value(row, name)

    # Bound leases

    def _bind(self, row_id: int, device: Device, address: str, server_id: int, lease_s: float) -> None:
        router, table = self._router, self._leases()
        now = router.clock.monotonic()
        table.amend(
            row_id,
            status="bound",
            expires_after=now + lease_s,
            last_seen=now,
            active_address=address,
            active_mac_address=device.mac,
            active_server=server_id,
            host_name=device.host_name or None,
        )
        if row_id not in self._bindings:
            self._bindings[row_id] = Binding(address, now)
            name = router.table(SERVERS).name_of(server_id)
            router.log.write("dhcp,info", f"{name} assigned {address} for {device.mac} {device.host_name}".rstrip())
        self._dress(row_id)
        self._expire_at(row_id, now + lease_s)

    def _dress(self, row_id: int) -> None:
        """Make queue and list entries of a bound lease what the lease says now."""
        router, binding = self._router, self._bindings[row_id]
        rate, lists = str(self._value(row_id, "rate-limit") or ""), str(self._value(row_id, "address-lists") or "")
        address = str(self._value(row_id, "active-address"))
        has_moved = address != binding.address
        if has_moved or rate != binding.rate_limit:
            drop_rows(router, QUEUES, (binding.queue_id,))
            name = f"dhcp-ds<{self._value(row_id, 'active-mac-address')}>"
            binding.queue_id, binding.rate_limit = put_queue(router, name, address, rate), rate
        if has_moved or lists != binding.lists:
            drop_rows(router, ADDRESS_LIST, binding.list_ids)
            binding.list_ids, binding.lists = put_list_entries(router, lists.split(","), address), lists
        binding.address = address

    def _undress(self, row_id: int) -> None:
        if (binding := self._bindings.pop(row_id, None)) is not None:
            drop_rows(self._router, QUEUES, (binding.queue_id,))
            drop_rows(self._router, ADDRESS_LIST, binding.list_ids)

    def _expire_at(self, row_id: int, when: float) -> None:
        def expire() -> None:
            until = self._value(row_id, "expires-after")
            if row_id in self._bindings and isinstance(until, float) and until <= self._router.clock.monotonic():
                self._unbind(row_id)

        self._router.alarms.at(when, expire)

    def _unbind(self, row_id: int) -> None:
        """A lease is over: a dynamic one goes, a static one waits."""
        table = self._leases()
        binding = self._bindings.get(row_id)
        if binding is not None:
            server = self._value(row_id, "active-server")
            name = self._router.table(SERVERS).name_of(server) if isinstance(server, int) else None
            mac = self._value(row_id, "active-mac-address")
            self._router.log.write("dhcp,info", f"{name} deassigned {binding.address} for {mac}")
        self._undress(row_id)
        if self._value(row_id, "dynamic") == "true":
            table.delete(row_id)
        else:
            self._wait(row_id)

    def _wait(self, row_id: int) -> None:
        self._leases().amend(
            row_id,
            status="waiting",
            expires_after=None,
            active_address=None,
            active_mac_address=None,
            active_server=None,
            host_name=None,
        )

    # What people do to leases

    def lease_changed(self, row_id: int, old: Row | None, new: Row | None) -> None:
        """After a write to a lease. A device whose lease is taken away keeps its address until it renews."""
        table = self._leases()
        value = table.shape.value
        if new is None:
            self._undress(row_id)
            return
        blocked = "true" if value(new, "block-access") == "true" else "false"
        if value(new, "blocked") != blocked:
            table.amend(row_id, blocked=blocked)
        if old is None or row_id not in self._bindings:
            return
        is_other = any(value(old, name) != value(new, name) for name in ("address", "mac-address", "server"))
        if is_other or value(new, "disabled") == "true":
            self._unbind(row_id)
        elif self._router.behaviour.lease_changes_are_live:
            self._dress(row_id)

    def make_static(self, row_id: int) -> bool:
        """Keep a dynamic lease's address for its MAC; whether it was dynamic. Raises: SimTrap, for a static twin."""
        table = self._leases()
        row = table.get(row_id)
        if row is None or table.shape.value(row, "dynamic") != "true":
            return False
        row = table.shape.changed(row, dynamic="false")
        if (check := table.shape.menu.check) is not None:
            check(table, row, row_id)
        if not self._router.behaviour.make_static_renumbers:
            table.replace(row_id, row)
            return True
        binding = self._bindings.pop(row_id, None)
        table.delete(row_id)
        new_id = table.insert(row)
        if binding is not None:
            self._bindings[new_id] = binding
            self._expire_at(new_id, float(table.shape.value(row, "expires-after") or 0))
        return True

    def check_status(self, row_id: int) -> bool:
        """Probe a lease whose address somebody else uses; a dynamic one is freed, since nobody answers here."""
        if self._value(row_id, "status") not in _LOST:
            return False
        if self._value(row_id, "dynamic") == "true":
            self._leases().delete(row_id)
        else:
            self._wait(row_id)
        return True

    # Life of the router

    def store(self) -> None:
        """Write dynamic leases to the disk, as an orderly shutdown does."""
        self._stored_until = self._router.clock.monotonic()

    def power_off(self) -> None:
        """Static leases wait again; of the dynamic ones those stay that had reached the disk."""
        if not self._bindings:
            return
        now = self._router.clock.monotonic()
        stored_until = max(self._stored_until, now - self._router.uptime_s % STORE_EVERY_S)
        for row_id, binding in self._bindings.items():
            if self._value(row_id, "dynamic") != "true":
                self._wait(row_id)
                self._leases().amend(row_id, last_seen=NEVER)
            elif binding.made_at > stored_until:
                self._leases().delete(row_id)
        self._bindings.clear()

    def boot(self) -> None:
        """Take the stored leases up again; the devices saw their link go and ask soon."""
        table = self._router.peek(LEASES)
        now = self._router.clock.monotonic()
        for row_id, row in [] if table is None else list(table.items()):
            if table is None or table.shape.value(row, "status") != "bound":
                continue
            until = float(table.shape.value(row, "expires-after") or 0)
            self._bindings[row_id] = Binding(str(table.shape.value(row, "active-address")), now)
            if until <= now:
                self._unbind(row_id)
                continue
            self._dress(row_id)
            self._expire_at(row_id, until)
        for device in self:
            if device.asks_at is not None:
                self._ask_in(device, BOOT_RETRY_S)
