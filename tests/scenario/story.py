"""Stories of two routers: what people, technicians, customers, faults and crashes do to them, in any order.

A story is a list of steps, each a value, so that a failing one can be read; `telling` makes them up. `Tale` plays
steps in a World and keeps its own account of what was asked for; `judge` says what must be so at the end.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from imsys.fleet.worker import Worker
from imsys.kit.errors import InputError
from imsys.network.models import Router
from imsys.network.services import ask_resync
from imsys.sim.arming import make_fault
from imsys.subscribers import services
from imsys.subscribers.models import Package, Subscriber, SyncState
from tests.scenario.sites import PPP_PROFILE, Site
from tests.world import CLERK, World, leave_address

NAMES = ("ann", "bob", "c@d.e", "дан", "e-5", "=f?")
REFUSED = "10.9.0.300"
"""An address that a secret cannot have: the router refuses it."""
ADDRESSES = ("10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4")
MACS = ("4E:00:00:00:00:01", "4E:00:00:00:00:02", "4E:00:00:00:00:03")
PASSWORDS = ("", "one", "two words", "пароль")
RATES = {
    "home": ("10M/10M", "10000k/10M", "2M/4M 3M/6M 1M/2M 8/8"),
    "gold": ("", "50M/50M", "64k/1M"),
    "seldom": ("1M/1M",),
}
OWNED = tuple(RATES)
REFERRED = "leased"
"""A package whose profile is the ISP's own: it may be missing on a router."""
ISP_PROFILE = "isp-own"
WALLED = "walled"
LOADS_S = 0.15
"""So long after a boot a router may list only part of a table: less than what the keepers here take to trust it."""
LISTS = ("BLOCKED_USERS", "DEBTORS")

Step = tuple[str, *tuple[Any, ...]]


@dataclass(slots=True)
class Sold:
    """A package as last asked for."""

    rate_limit: str
    apply: str = "next-login"
    shared_users: int = 1
    limit_uptime: str = ""
    limit_bytes: int = 0


@dataclass(slots=True, eq=False)
class Wanted:
    """One subscriber as last asked for, and the number of the router. A blank password is not managed."""

    site: int
    service: str
    package: str
    password: str = ""
    address: str = ""
    mac: str = ""
    is_suspended: bool = False
    has_moved: bool = False


@dataclass(slots=True)
class Tale:
    """A story as it is told. `workers` and `sold` (the packages that there are) it shares with those told beside it.

    former: by name, the subscribers who were renamed away from it. told: how often each kind of step was played.
    """

    world: World
    sites: tuple[Site, Site]
    workers: list[Worker]
    sold: dict[str, Sold]
    names: Sequence[str]
    addresses: Sequence[str] = ADDRESSES
    wanted: dict[str, Wanted] = field(default_factory=dict)
    former: dict[str, list[Wanted]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)

    def play(self, step: Step) -> None:
        """What intake refuses (an address that is taken, say) has not been asked for."""
        verb, *arguments = step
        try:
            getattr(self, verb)(*arguments)
        except InputError:
            self.told["refused by intake"] += 1

    def _done(self, verb: str) -> None:
        self.told[verb] += 1

    def on(self, number: int) -> dict[str, Wanted]:
        return {name: wanted for name, wanted in self.wanted.items() if wanted.site == number}

    # -- what the office asks for

    def add(self, number: int, name: str, line: dict[str, str], suspended: bool = False) -> None:
        if name in self.wanted or self._is_taken(number, line):
            return
        self._package(line["package"])
        given: dict[str, Any] = {
            **line,
            "address": "" if line["address"] == REFUSED else line["address"],
            "suspended": suspended,
        }
        services.add_subscriber(username=name, router=self.sites[number].name, actor=CLERK, **given)
        if line["address"] == REFUSED:
            leave_address(name, REFUSED)
        self.wanted[name] = Wanted(number, **line)  # type: ignore[arg-type]
        self.wanted[name].is_suspended = suspended
        self._done("add")

    def remove(self, name: str) -> None:
        if name in self.wanted:
            services.remove_subscribers([name], actor=CLERK)
            del self.wanted[name]
            self._done("remove")

    def add_again(self, number: int, name: str, line: dict[str, str]) -> None:
        """Perhaps on the other router, while the first one has not been told yet."""
        if name in self.wanted:
            self.remove(name)
            self.add(number, name, line)
            self._done("add_again")

    def suspend(self, *names: str) -> None:
        if there := [name for name in dict.fromkeys(names) if name in self.wanted]:
            services.suspend(there, cause="non-payment", actor=CLERK)
            for name in there:
                self.wanted[name].is_suspended = True
            self._done("suspend")

    def resume(self, *names: str) -> None:
        if there := [name for name in dict.fromkeys(names) if name in self.wanted]:
            services.resume(there, actor=CLERK)
            for name in there:
                self.wanted[name].is_suspended = False
            self._done("resume")

    def suspend_everybody(self) -> None:
        self.suspend(*self.wanted)

    def resume_everybody(self) -> None:
        self.resume(*self.wanted)

    def change(self, name: str, field_name: str, value: str) -> None:
        """Of one field. What a service cannot have is refused."""
        wanted = self.wanted.get(name)
        if wanted is None or (value == REFUSED and wanted.service != "pppoe"):
            return
        if field_name == "package":
            self._package(value)
        if value == REFUSED:
            if self._is_taken(wanted.site, {"address": value}):
                return
            leave_address(name, value)
        else:
            services.set_subscriber(name, actor=CLERK, **{field_name: value})  # type: ignore[arg-type]
        setattr(wanted, field_name, value)
        self._done(f"change {field_name}")

    def change_service(self, name: str, service: str, address: str, mac: str) -> None:
        wanted = self.wanted.get(name)
        if wanted is not None and wanted.service != service:
            services.set_subscriber(name, service=service, address=address, mac=mac, actor=CLERK)
            wanted.service, wanted.address, wanted.mac = service, address, mac
            self._done("change service")

    def rename(self, old: str, new: str) -> None:
        if old not in self.wanted or old == new:
            return
        services.rename_subscriber(old, new, actor=CLERK)
        wanted = self.wanted[new] = self.wanted.pop(old)
        self.former.setdefault(old, []).append(wanted)
        for site in self.sites:
            if old in site.misled:
                site.misled.add(new)
        self._done("rename")

    def rename_onto_freed(self, old: str, new: str) -> None:
        """Onto the name of somebody who was removed just now."""
        if old in self.wanted and new in self.wanted and old != new:
            self.remove(new)
            self.rename(old, new)
            self._done("rename onto a freed name")

    def rename_chain(self, *names: str) -> None:
        """Each takes the name of the next, the last a new one."""
        for old, new in zip(reversed(names[:-1]), reversed(names[1:]), strict=True):
            if old in self.wanted and new not in self.wanted:
                self.rename(old, new)
                self._done("rename in a chain")

    def swap(self, one: str, other: str) -> None:
        if one in self.wanted and other in self.wanted and one != other:
            self.rename(one, f"{one}-tmp")
            self.rename(other, one)
            self.rename(f"{one}-tmp", other)
            self._done("swap")

    def move(self, number: int, *names: str) -> None:
        there = [name for name in dict.fromkeys(names) if name in self.wanted]
        if not there:
            return
        services.move_subscribers(there, self.sites[number].name, actor=CLERK)
        for name in there:
            wanted = self.wanted[name]
            wanted.has_moved = wanted.has_moved or wanted.site != number
            wanted.site = number
        self._done("move")

    def move_everybody(self, number: int) -> None:
        self.move(number, *self.wanted)

    def there_and_back(self, name: str) -> None:
        if name in self.wanted:
            number = self.wanted[name].site
            self.move(1 - number, name)
            self.move(number, name)
            self._done("there and back")

    def change_package(self, package: str, changes: dict[str, Any]) -> None:
        self._package(package)
        services.set_package(package, actor=CLERK, **changes)
        for name, value in changes.items():
            setattr(self.sold[package], name, value)
        self._done("change of a package")

    def drop_package(self, package: str) -> None:
        for name in [name for name, wanted in self.wanted.items() if wanted.package == package]:
            self.change(name, "package", OWNED[0])
        if package in self.sold and not Subscriber.objects.filter(package__name=package).exists():
            services.remove_package(package, actor=CLERK)
            del self.sold[package]
            self._done("drop_package")

    def set_mode(self, number: int, mode: str) -> None:
        services.set_router(self.sites[number].name, mode=mode, actor=CLERK)
        self._done("set_mode")

    def set_suspend_by(self, number: int, way: str) -> None:
        services.set_router(self.sites[number].name, suspend_by=way, suspend_profile=WALLED, actor=CLERK)
        self.sites[number].suspend_by = way
        self._done("set_suspend_by")

    def set_suspend_list(self, number: int, name: str) -> None:
        services.set_router(self.sites[number].name, suspend_list=name, actor=CLERK)
        self.sites[number].suspend_list = name
        self._done("set_suspend_list")

    def ask_for_a_resync(self, number: int) -> None:
        ask_resync([Router.objects.get(name=self.sites[number].name).pk])

    def _package(self, name: str) -> None:
        if not Package.objects.filter(name=name).exists():
            self.sold[name] = Sold(RATES[name][0] if name in RATES else "")
            profile = ISP_PROFILE if name == REFERRED else ""
            rate_limit = self.sold[name].rate_limit
            services.add_package(name=name, rate_limit=rate_limit, profile=profile, price=1, actor=CLERK)

    def _is_taken(self, number: int, line: dict[str, str]) -> bool:
        """Only of what does not pass through intake."""
        taken = {wanted.address for wanted in self.wanted.values() if wanted.site == number}
        return line["address"] == REFUSED and REFUSED in taken

    # -- what others do on a router

    def outsider(self, number: int | None, verb: str, *arguments: Any) -> None:
        """A technician, a customer: see Site. Without a number, where the line is."""
        if number is None:
            number = next((self.wanted[name].site for name in arguments[1:2] if name in self.wanted), 0)
        site = self.sites[number]
        if self.world.call(lambda: getattr(site, verb)(self, *arguments)):
            self._done(verb)

    # -- what goes wrong

    def fault(self, number: int, kind: str, values: dict[str, object]) -> None:
        router = self.sites[number].router
        self.world.call(lambda: router.faults.arm(make_fault(kind, values)))

    def half_loaded_after_a_boot(self, number: int, menu: str, share: float) -> None:
        router = self.sites[number].router

        def boot() -> None:
            if router.is_up:
                router.faults.arm(make_fault("partial-table", {"menu": menu, "share": share, "boot_s": LOADS_S}))
                router.reboot(down_s=0.02)

        self.world.call(boot)

    def power_off(self, number: int) -> None:
        self.world.call(self.sites[number].router.power_off)
        self._done("power_off")

    def power_on(self, number: int) -> None:
        router = self.sites[number].router
        if not self.world.call(lambda: router.is_up):
            self.world.call(router.boot)
            self._done("power_on")

    def crash(self, number: int) -> None:
        """A worker is killed; another one starts, as its supervisor would see to."""
        worker = self.workers.pop(number % len(self.workers))
        self.world.crash_worker(worker)
        self.workers.append(self.world.start_worker())
        self._done("crash")

    def restart(self) -> None:
        """All workers stop in good order, and start again."""
        self.world.stop_workers()
        self.workers[:] = [self.world.start_worker() for _ in self.workers]
        self._done("restart")

    # -- time

    def wait_for_answers(self, number: int, commands: int) -> None:
        """Let a keeper get so much further, or nowhere if it has nothing to do."""
        counters = self.sites[number].router.counters
        end = self.world.call(lambda: counters.commands.total()) + commands
        self._soon(lambda: self.world.call(lambda: counters.commands.total()) >= end)

    def wait_until_synced(self) -> None:
        names = [site.name for site in self.sites]
        behind = SyncState.objects.filter(subscriber__router__name__in=names).exclude(sync_status="synced")
        self._soon(lambda: not behind.exists())

    def _soon(self, holds: Callable[[], bool]) -> None:
        try:
            self.world.until(holds, timeout_s=0.06)
        except AssertionError:
            return  # no promise is broken: a fault, a mode or a crash may stand against it

    # -- the end

    def settle_the_homeless(self) -> None:
        """Who moved and cannot be made on the new router stays on the old one, until what is wrong is mended."""
        for name, wanted in list(self.wanted.items()):
            if wanted.has_moved and self.causes(wanted):
                if wanted.address == REFUSED:
                    self.change(name, "address", "")
                if wanted.package == REFERRED:
                    self.change(name, "package", OWNED[0])

    def causes(self, wanted: Wanted) -> set[str]:
        """Why a subscriber may be in error."""
        site = self.sites[wanted.site]
        menu = site.profile_menus.get(wanted.service)
        in_the_garden = wanted.is_suspended and self.way(wanted) == "profile"
        lacks_profile = wanted.package == REFERRED and menu not in {*site.isp_profiles, None} and not in_the_garden
        causes = {"UnknownProfile": lacks_profile, "InvalidValue": wanted.address == REFUSED}
        return {code for code, holds in causes.items() if holds}

    def way(self, wanted: Wanted) -> str:
        """How a subscriber is cut off when suspended."""
        by = self.sites[wanted.site].suspend_by
        if wanted.service == "pppoe":
            return "disable" if by == "address-list" and not wanted.address else by
        return "address-list" if wanted.service == "static" else "disable"

    def profile_of(self, wanted: Wanted) -> str:
        return ISP_PROFILE if wanted.package == REFERRED else wanted.package

    def on_the_list(self, number: int) -> Iterator[Wanted]:
        """Whose address is on the router's list while they are suspended."""
        return (wanted for wanted in self.on(number).values() if self.way(wanted) == "address-list")


def holders(tale: Tale, name: str) -> Iterable[Wanted]:
    """Whom a session of that name may belong to: a session outlives the renaming of its row."""
    alive = {id(wanted) for wanted in tale.wanted.values()}
    now = [tale.wanted[name]] if name in tale.wanted else []
    return now + [wanted for wanted in tale.former.get(name, ()) if id(wanted) in alive]


__all__ = ["PPP_PROFILE", "Sold", "Step", "Tale", "Wanted", "holders"]
