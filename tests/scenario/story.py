"""Stories for a router: what people, technicians, customers, faults and crashes do to it, in any order.

A story is a list of steps, each a value, so that a failing one can be read. `Tale` plays steps in a World and keeps
its own account of what was asked for; `test_any_interleaving` says what must be so at the end.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from imsys.fleet.worker import Worker
from imsys.network.services import ask_resync
from imsys.sim.arming import make_fault
from imsys.sim.router import SimRouter
from imsys.sim.traps import SimTrap
from imsys.subscribers import services
from imsys.subscribers.models import Package, Subscriber, SyncState
from tests.world import CLERK, SECRET, World, leave_address

PROFILE = "/ppp/profile"
NAMES = ("ann", "bob", "c@d.e", "дан", "e-5", "=f?")
REFUSED = "2001:db8::5"
"""An address that a secret cannot have: the router refuses it."""
ADDRESSES = ("", "", "10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4", REFUSED)
PASSWORDS = ("", "one", "two words", "пароль")
RATES = {"home": ("10M/10M", "10000k/10M", "2M/4M 3M/6M 1M/2M 8/8"), "gold": ("", "50M/50M", "64k/1M")}
OWNED = tuple(RATES)
REFERRED = "leased"
"""A package whose profile is the ISP's own: it may be missing on the router."""
PACKAGES = (*OWNED, *OWNED, REFERRED)
ISP_PROFILE = "isp-own"
WALLED = "walled"
FOREIGN = ("router-to-router", "pptp of the owner", "anna")

Step = tuple[str, *tuple[Any, ...]]
T = TypeVar("T")


@dataclass(slots=True)
class Wanted:
    """One subscriber as last asked for. `password`: None while it is not managed."""

    package: str
    password: str
    address: str
    is_suspended: bool = False


@dataclass(slots=True)
class Tale:
    """One router's story. `workers` and `rates` (of the packages that there are) it shares with those told beside it.

    theirs: ids of rows that others made under names that are or were subscribers'. misled: names whose profile others
    changed, so that a session may have come up under it.
    """

    world: World
    router: SimRouter
    workers: list[Worker]
    rates: dict[str, str]
    names: Sequence[str]
    wanted: dict[str, Wanted] = field(default_factory=dict)
    suspend_by: str = "disable"
    mode: str = "enforce"
    theirs: set[str] = field(default_factory=set)
    misled: set[str] = field(default_factory=set)
    foreign: dict[str, dict[str, str]] = field(default_factory=dict)
    has_isp_profile: bool = False

    def play(self, step: Step) -> None:
        verb, *arguments = step
        getattr(self, verb)(*arguments)

    # -- what the office asks for

    def add(self, name: str, package: str, password: str, address: str, suspended: bool) -> None:
        if name in self.wanted:
            return
        address = self._free(address)
        self._package(package)
        given = {"password": password, "address": "" if address == REFUSED else address, "suspended": suspended}
        services.add_subscriber(username=name, router=self.router.name, package=package, actor=CLERK, **given)
        if address == REFUSED:
            leave_address(name, address)
        self.wanted[name] = Wanted(package, password, address, suspended)

    def remove(self, name: str) -> None:
        if self.wanted.pop(name, None) is not None:
            services.remove_subscribers([name], actor=CLERK)

    def add_again(self, name: str, package: str, password: str, address: str) -> None:
        self.remove(name)
        self.add(name, package, password, address, False)

    def suspend(self, *names: str) -> None:
        there = [name for name in names if name in self.wanted]
        services.suspend(there, cause="non-payment", actor=CLERK)
        for name in there:
            self.wanted[name].is_suspended = True

    def resume(self, *names: str) -> None:
        there = [name for name in names if name in self.wanted]
        services.resume(there, actor=CLERK)
        for name in there:
            self.wanted[name].is_suspended = False

    def suspend_everybody(self) -> None:
        self.suspend(*self.wanted)

    def resume_everybody(self) -> None:
        self.resume(*self.wanted)

    def set_package(self, name: str, package: str) -> None:
        if name in self.wanted:
            self._package(package)
            services.set_subscriber(name, package=package, actor=CLERK)
            self.wanted[name].package = package

    def set_password(self, name: str, password: str) -> None:
        if name in self.wanted:
            services.set_subscriber(name, password=password, actor=CLERK)
            self.wanted[name].password = password

    def set_address(self, name: str, address: str) -> None:
        if name in self.wanted:
            address = self._free(address)
            if address == REFUSED:
                leave_address(name, address)
            else:
                services.set_subscriber(name, address=address, actor=CLERK)
            self.wanted[name].address = address

    def set_rate(self, package: str, number: int) -> None:
        rate = RATES[package][number]
        self._package(package)
        services.set_package(package, rate_limit=rate, actor=CLERK)
        self.rates[package] = rate

    def drop_package(self, package: str) -> None:
        if package in self.rates and not Subscriber.objects.filter(package__name=package).exists():
            services.remove_package(package, actor=CLERK)
            del self.rates[package]

    def set_mode(self, mode: str) -> None:
        services.set_router(self.router.name, mode=mode, actor=CLERK)
        self.mode = mode

    def set_suspend_by(self, way: str) -> None:
        services.set_router(self.router.name, suspend_by=way, suspend_profile=WALLED, actor=CLERK)
        self.suspend_by = way

    def ask_for_a_resync(self) -> None:
        from imsys.network.models import Router

        ask_resync([Router.objects.get(name=self.router.name).pk])

    def _package(self, name: str) -> None:
        if not Package.objects.filter(name=name).exists():
            rate = RATES[name][0] if name in RATES else ""
            profile = ISP_PROFILE if name == REFERRED else ""
            services.add_package(name=name, rate_limit=rate, profile=profile, price=1, actor=CLERK)
        self.rates.setdefault(name, RATES[name][0] if name in RATES else "")

    def _free(self, address: str) -> str:
        return "" if any(address == wanted.address for wanted in self.wanted.values()) else address

    # -- what others do on the router

    def tamper(self, name: str, fields: dict[str, str | None]) -> None:
        if "profile" in fields:
            self.misled.add(name)
        if name in self.wanted:  # a row of a removed subscriber is ours or nobody's, depending on who was faster
            self._outsider(SECRET, name, fields)

    def tamper_remove(self, name: str) -> None:
        self._outsider(SECRET, name, verb="remove")

    def tamper_add(self, name: str) -> None:
        if name in self.wanted:
            outcome = self._outsider(SECRET, name, {"password": "of a technician"}, verb="add")
            if outcome is not None:
                self.theirs.add(outcome.ret)

    def tamper_profile(self, package: str, rate: str | None) -> None:
        if rate is None:
            self._outsider(PROFILE, package, verb="remove")
        else:
            self._outsider(PROFILE, package, {"rate-limit": rate})

    def tamper_foreign(self, name: str, comment: str) -> None:
        self._outsider(SECRET, name, {"comment": comment})
        self.look_at_foreign()

    def make_isp_profile(self) -> None:
        if not self.has_isp_profile:
            self._outsider(PROFILE, ISP_PROFILE, {"rate-limit": "1M/1M"}, verb="add")
            self.has_isp_profile = True

    def _outsider(self, menu: str, key: str, fields: dict[str, str | None] | None = None, verb: str = "set") -> Any:
        def act() -> Any:
            try:
                if verb != "add" and self.router.table(menu).find(name=key) is None:
                    return None
                return self.router.tamper(menu, key, fields, verb=verb)
            except SimTrap:
                return None

        return self.world.call(act)

    def look_at_foreign(self) -> None:
        self.foreign = {row["name"]: row for row in self.world.rows(self.router.name) if row["name"] in FOREIGN}

    # -- what customers do

    def customers_dial(self) -> None:
        """Each with the password that the row has at its first dial."""

        def dial() -> None:
            cpes, rows = self.router.cpes, self.router.table(SECRET)
            known = {cpe.name for cpe in cpes}
            for name in self.names:
                if name not in known and rows.find(name=name) is not None:
                    cpes.add(name, redial_s=0.03)
                    known.add(name)
            for name in known:
                cpes.dial(name)

        self.world.call(dial)

    def customers_hang_up(self) -> None:
        def hang_up() -> None:
            for cpe in self.router.cpes:
                self.router.cpes.hang_up(cpe.name)

        self.world.call(hang_up)

    # -- what goes wrong

    def fault(self, kind: str, values: dict[str, object]) -> None:
        self.world.call(lambda: self.router.faults.arm(make_fault(kind, values)))

    def half_loaded_after_a_boot(self, menu: str, share: float) -> None:
        def boot() -> None:
            self.router.faults.arm(make_fault("partial-table", {"menu": menu, "share": share, "boot_s": 5}))
            self.router.reboot(down_s=0.02)

        self.world.call(boot)

    def crash(self, number: int) -> None:
        """A worker is killed; another one starts, as its supervisor would see to."""
        worker = self.workers.pop(number % len(self.workers))
        self.world.crash_worker(worker)
        self.workers.append(self.world.start_worker())

    def restart(self) -> None:
        """All workers stop in good order, and start again."""
        self.world.stop_workers()
        self.workers[:] = [self.world.start_worker() for _ in self.workers]

    # -- time

    def wait_for_answers(self, commands: int) -> None:
        """Let the keeper get so much further, or nowhere if it has nothing to do."""
        counters = self.router.counters
        end = self.world.call(lambda: counters.commands.total()) + commands
        self._soon(lambda: self.world.call(lambda: counters.commands.total()) >= end)

    def wait_until_synced(self) -> None:
        behind = SyncState.objects.filter(subscriber__router__name=self.router.name).exclude(sync_status="synced")
        self._soon(lambda: not behind.exists())

    def _soon(self, holds: Callable[[], bool]) -> None:
        try:
            self.world.until(holds, timeout_s=0.06)
        except AssertionError:
            return  # no promise is broken: a fault, a mode or a crash may stand against it


def tell(chance: random.Random, names: Sequence[str]) -> list[Step]:
    """Some subscribers to begin with, then anything."""
    story: list[Step] = [
        ("add", name, pick(chance, PACKAGES), pick(chance, PASSWORDS), pick(chance, ADDRESSES), False)
        for name in chance.sample(names, chance.randint(1, 4))
    ]
    story += chance.choice(([], [("wait_until_synced",)], [("wait_until_synced",), ("customers_dial",)]))
    kinds, weights = zip(*KINDS_OF_STEPS, strict=True)
    for (kind,) in (chance.choices(kinds, weights) for _ in range(chance.randint(4, 10))):
        story.append(kind(chance, names))
    return story


def pick(chance: random.Random, values: Sequence[T]) -> T:
    return chance.choice(values)


def office(chance: random.Random, names: Sequence[str]) -> Step:
    one, two, three = chance.choices(names, k=3)
    package, owned = pick(chance, PACKAGES), pick(chance, OWNED)
    password, address = pick(chance, PASSWORDS), pick(chance, ADDRESSES)
    return pick(
        chance,
        [
            ("add", one, package, password, address, pick(chance, [True, False])),
            ("remove", one),
            ("add_again", one, package, password, address),
            ("suspend", one),
            ("suspend", one, two, three),
            ("suspend_everybody",),
            ("resume", one, two),
            ("resume_everybody",),
            ("set_package", one, package),
            ("set_password", one, password),
            ("set_address", one, address),
            ("set_rate", owned, chance.randrange(3)),
            ("drop_package", owned),
            ("set_mode", pick(chance, ["enforce", "observe", "paused"])),
            ("set_suspend_by", pick(chance, ["disable", "profile"])),
            ("ask_for_a_resync",),
        ],
    )


def others(chance: random.Random, names: Sequence[str]) -> Step:
    name, owned = pick(chance, names), pick(chance, OWNED)
    return pick(
        chance,
        [
            ("tamper", name, {"disabled": pick(chance, ["yes", "no"])}),
            ("tamper", name, {"profile": pick(chance, ["default", *OWNED, WALLED])}),
            ("tamper", name, {"password": pick(chance, PASSWORDS), "comment": "seen by juma"}),
            ("tamper", name, {"remote-address": pick(chance, ["10.8.8.8", "10.9.0.1"])}),
            ("tamper", name, {"service": pick(chance, ["any", "l2tp"])}),
            ("tamper_remove", name),
            ("tamper_add", name),
            ("tamper_profile", owned, pick(chance, ["1M/1M", "", None])),
            ("tamper_foreign", pick(chance, FOREIGN), pick(chance, ["mine", "keep off"])),
            ("make_isp_profile",),
            ("customers_dial",),
            ("customers_hang_up",),
        ],
    )


def on_writes(chance: random.Random, _names: Sequence[str]) -> Step:
    nth, verb = chance.randint(1, 4), pick(chance, ["add", "set", "remove"])
    return pick(
        chance,
        [
            ("fault", "drop-before", {"nth": nth}),
            ("fault", "drop-after", {"nth": nth}),
            ("fault", "partial-write", {"ids": chance.randint(1, 2)}),
            ("fault", "busy", {"nth": nth, "applied": pick(chance, [True, False]), "times": chance.randint(1, 3)}),
            ("fault", "trap", {"nth": chance.randint(1, 2), "menu": SECRET, "verb": verb}),
            ("fault", "reboot", {"nth": nth, "verb": verb, "applied": pick(chance, [True, False]), "down_s": 0.02}),
            ("fault", "delay", {"nth": nth, "menu": SECRET, "verb": verb, "seconds": pick(chance, [0.01, 0.05])}),
        ],
    )


def on_anything(chance: random.Random, _names: Sequence[str]) -> Step:
    nth = chance.randint(1, 12)
    return pick(
        chance,
        [
            ("fault", "drop", {"nth": nth}),
            ("fault", "truncate", {"nth": nth, "keep": pick(chance, [0.1, 0.5, 0.9])}),
            ("fault", "garbage", {"nth": nth, "size": pick(chance, [1, 30, 200])}),
            ("fault", "refuse", {"seconds": 0.05}),
            ("fault", "reboot", {"nth": nth, "down_s": 0.02}),
            ("fault", "delay", {"nth": nth, "seconds": 0.02, "times": 3}),
            ("half_loaded_after_a_boot", pick(chance, [SECRET, PROFILE]), pick(chance, [0.0, 0.5])),
        ],
    )


def workers(chance: random.Random, _names: Sequence[str]) -> Step:
    return pick(chance, [("crash", chance.randrange(2)), ("restart",)])


def time(chance: random.Random, _names: Sequence[str]) -> Step:
    return pick(chance, [("wait_until_synced",), ("wait_for_answers", chance.randint(1, 8))])


# Workers seldom: each time a lease must run out.
KINDS_OF_STEPS = ((office, 8), (others, 3), (on_writes, 4), (on_anything, 3), (workers, 1), (time, 2))
