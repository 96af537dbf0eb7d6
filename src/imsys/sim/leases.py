"""Bound leases: what hangs on one while a device has it, when it runs out, and what people and reboots do to it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsys.sim.dynamics import ADDRESS_LIST, QUEUES, drop_rows, put_list_entries, put_queue
from imsys.sim.fields import Value
from imsys.sim.menu import Row
from imsys.sim.menus.dhcp import LEASES, NEVER, SERVERS

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

# `/ip/dhcp-server/config store-leases-disk`: how often dynamic leases reach the disk.
STORE_EVERY_S = 300.0
_LOST = ("declined", "conflict")


@dataclass(slots=True)
class Binding:
    """What hangs on a bound lease, and since when the lease is there."""

    address: str
    made_at: float
    rate_limit: str = ""
    lists: str = ""
    queue_id: int | None = None
    list_ids: tuple[int, ...] = field(default=())


class Leases:
    """The leases of one router, as the server keeps them."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._bindings: dict[int, Binding] = {}
        self._stored_until = 0.0

    @property
    def table(self) -> "Table":
        return self._router.table(LEASES)

    def value(self, row_id: int, name: str) -> Value:
        table = self.table
        row = table.get(row_id)
        return None if row is None else table.shape.value(row, name)

    def is_bound(self, row_id: int) -> bool:
        return row_id in self._bindings

    def bound_address(self, row_id: int) -> str | None:
        """The address of the device that has this lease."""
        binding = self._bindings.get(row_id)
        return None if binding is None else binding.address

    def bind(self, row_id: int, mac: str, host_name: str, address: str, server_id: int, lease_s: float) -> None:
        router, table = self._router, self.table
        now = router.clock.monotonic()
        table.amend(
            row_id,
            status="bound",
            expires_after=now + lease_s,
            last_seen=now,
            active_address=address,
            active_mac_address=mac,
            active_server=server_id,
            host_name=host_name or None,
        )
        if row_id not in self._bindings:
            self._bindings[row_id] = Binding(address, now)
            name = router.table(SERVERS).name_of(server_id)
            router.log.write("dhcp,info", f"{name} assigned {address} for {mac} {host_name}".rstrip())
        self._dress(row_id)
        self._expire_at(row_id, now + lease_s)

    def _dress(self, row_id: int) -> None:
        """Make queue and list entries of a bound lease what the lease says now."""
        router, binding = self._router, self._bindings[row_id]
        rate, lists = str(self.value(row_id, "rate-limit") or ""), str(self.value(row_id, "address-lists") or "")
        address = str(self.value(row_id, "active-address"))
        has_moved = address != binding.address
        if has_moved or rate != binding.rate_limit:
            drop_rows(router, QUEUES, (binding.queue_id,))
            name = f"dhcp-ds<{self.value(row_id, 'active-mac-address')}>"
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
            until = self.value(row_id, "expires-after")
            if row_id in self._bindings and isinstance(until, float) and until <= self._router.clock.monotonic():
                self.unbind(row_id)

        self._router.alarms.at(when, expire)

    def unbind(self, row_id: int) -> None:
        """A lease is over: a dynamic one goes, a static one waits."""
        table = self.table
        binding = self._bindings.get(row_id)
        if binding is not None:
            server = self.value(row_id, "active-server")
            name = self._router.table(SERVERS).name_of(server) if isinstance(server, int) else None
            mac = self.value(row_id, "active-mac-address")
            self._router.log.write("dhcp,info", f"{name} deassigned {binding.address} for {mac}")
        self._undress(row_id)
        if self.value(row_id, "dynamic") == "true":
            table.delete(row_id)
        else:
            self._wait(row_id)

    def _wait(self, row_id: int) -> None:
        self.table.amend(
            row_id,
            status="waiting",
            expires_after=None,
            active_address=None,
            active_mac_address=None,
            active_server=None,
            host_name=None,
        )

    def changed(self, row_id: int, old: Row | None, new: Row | None) -> None:
        """After a write to a lease. A device whose lease is taken away keeps its address until it renews."""
        table = self.table
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
            self.unbind(row_id)
        elif self._router.behaviour.lease_changes_are_live:
            self._dress(row_id)

    def make_static(self, row_id: int) -> bool:
        """Keep a dynamic lease's address for its MAC; whether it was dynamic. Raises: SimTrap, for a static twin."""
        table = self.table
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
        if self.value(row_id, "status") not in _LOST:
            return False
        if self.value(row_id, "dynamic") == "true":
            self.table.delete(row_id)
        else:
            self._wait(row_id)
        return True

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
            if self.value(row_id, "dynamic") != "true":
                self._wait(row_id)
                self.table.amend(row_id, last_seen=NEVER)
            elif binding.made_at > stored_until:
                self.table.delete(row_id)
        self._bindings.clear()

    def boot(self) -> None:
        """Take the stored leases up again."""
        table = self._router.peek(LEASES)
        now = self._router.clock.monotonic()
        for row_id, row in [] if table is None else list(table.items()):
            if table is None or table.shape.value(row, "status") != "bound":
                continue
            until = float(table.shape.value(row, "expires-after") or 0)
            self._bindings[row_id] = Binding(str(table.shape.value(row, "active-address")), now)
            if until <= now:
                self.unbind(row_id)
                continue
            self._dress(row_id)
            self._expire_at(row_id, until)
