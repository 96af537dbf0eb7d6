"""Any interleaving of intent, tampering, faults and crashes ends with the routers as intended.

Each seed tells its own stories: over 500 together in the usual suite, the same each time; `make soak` tells fresh ones.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import zip_longest

import hypothesis
import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from imsys.fleet.models import Lease, Placement
from imsys.fleet.worker import Worker
from imsys.network.models import Router, RouterState
from imsys.network.wake import wake
from imsys.reconcile.kinds import PROFILE as PROFILE_KIND
from imsys.reconcile.kinds import SECRET as SECRET_KIND
from imsys.sim.router import SimRouter
from imsys.subscribers.models import Package, Subscriber, SyncState
from tests.scenario.story import (
    FOREIGN,
    ISP_PROFILE,
    NAMES,
    OWNED,
    PROFILE,
    REFERRED,
    REFUSED,
    WALLED,
    Tale,
    Wanted,
    tell,
)
from tests.world import QUICK, SECRET, UNHURRIED, World

STORIES = 260
FAULTS = {
    "busy", "delay", "drop", "drop-after", "drop-before", "garbage", "partial-table", "partial-write", "reboot",
    "refuse", "trap", "truncate",
}  # fmt: skip
# A crashed worker's lease must run out before anybody goes on: the shorter, the more stories in a minute.
HASTE = replace(
    QUICK,
    lease_s=0.5,
    lease_margin_s=0.1,
    tick_s=0.05,
    glance_s=0.15,
    settle_gap_s=0.05,
    look_again_s=(0.05, 0.1),
    down_soon_s=0.03,
    refused_s=0.05,
    error_first_s=0.05,
    error_cap_s=0.1,
)
AT_ONCE = 6
"""Stories told beside each other, on a router each: they wait together, and share packages and workers."""
CONVERGES_S = 20.0

pytestmark = pytest.mark.timeout(600)


class Count:
    """What the examples amounted to."""

    def __init__(self) -> None:
        self.stories = 0
        self.faults: Counter[str] = Counter()


def test_any_interleaving_converges_to_intent(transactional_db: None, seed: int) -> None:
    count = Count()
    world = World(timing=HASTE, limits=replace(UNHURRIED, command_s=1.0), seed=seed)
    workers = [world.start_worker(), world.start_worker()]

    @hypothesis.seed(seed)
    @settings(
        max_examples=-(-STORIES // AT_ONCE),
        database=None,
        deadline=None,
        phases=(Phase.generate,),  # a story takes real time: it is not the same twice, and so cannot be shortened
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=True))
    def play(chance: random.Random) -> None:
        stories = [tell(chance, names_on(number)) for number in range(AT_ONCE)]
        for number, story in enumerate(stories):
            note(f"router {number}: {story}")
        with told(world, workers) as tales:
            for steps in zip_longest(*stories):
                for tale, step in zip(tales, steps, strict=True):
                    if step is not None:
                        tale.play(step)
            the_end(world, tales)
        count.stories += len(tales)
        for tale in tales:
            count.faults += tale.router.counters.faults

    try:
        play()
    finally:
        world.close()
    assert count.stories >= STORIES
    assert {kind for kind, fired in count.faults.items() if fired} >= FAULTS, count.faults


def the_end(world: World, tales: "list[Told]") -> None:
    """Faults have an end; once a resync was asked for, all must come right by itself, and stay so without a write."""
    for tale in tales:
        tale.set_mode("enforce")
        tale.ask_for_a_resync()
    until_right(world, tales)
    for tale in tales:
        world.call(tale.router.faults.clear)
    until_right(world, tales)  # the last fault may have fired just now
    written = [(world.writes(tale.router.name), len(tale.router.journal)) for tale in tales]
    for tale in tales:
        tale.ask_for_a_resync()
    world.until(lambda: not RouterState.objects.exclude(resync_asked_at=None).exists(), "all are read again")
    again = [(world.writes(tale.router.name), len(tale.router.journal)) for tale in tales]
    assert again == written, "a resync after all was right wrote again"
    until_right(world, tales)


def until_right(world: World, tales: "list[Told]") -> None:
    try:
        world.until(lambda: not any(tale.wrongs() for tale in tales), "as intended", CONVERGES_S)
    except AssertionError as error:
        wrongs = [f"{tale.router.name}: {line}" for tale in tales for line in tale.wrongs()]
        raise AssertionError("\n".join([str(error), *wrongs])) from None


class Told(Tale):
    """A tale that can be asked what is not as it should be."""

    def wrongs(self) -> list[str]:
        """What is not as it should be, a line each."""
        rows, profiles = self.world.rows(self.router.name), self.world.rows(self.router.name, PROFILE)
        online = self.world.online(self.router.name)
        found = [
            *self._secrets(rows),
            *self._profiles(profiles),
            *self._states(),
            *self._placements({(SECRET, row["name"]) for row in rows} | {(PROFILE, row["name"]) for row in profiles}),
        ]
        if self.suspend_by == "disable":
            found += [f"{n} is suspended and online" for n, w in self.wanted.items() if w.is_suspended and n in online]
        else:
            confined = {n for n, w in self.wanted.items() if w.is_suspended} - self.misled
            profiles = self.world.call(lambda: list(self._session_profiles()))
            found += [f"{n} is suspended and online as {p}" for n, p in profiles if n in confined and p != WALLED]
        known = {row["name"] for row in rows}
        return found + [f"{n} was removed and is online" for n in online if n not in known]

    def _session_profiles(self) -> Iterator[tuple[str, str | None]]:
        profiles = self.router.table(PROFILE)
        for session in self.router.ppp.sessions.values():
            yield session.name, profiles.name_of(session.profile_id)

    def _secrets(self, rows: list[dict[str, str]]) -> Iterator[str]:
        names = Counter(row["name"] for row in rows)
        yield from (f"{n} is there {times} times" for n, times in names.items() if times > 1)
        by_name = {row["name"]: row for row in rows}
        for name, wanted in self.wanted.items():
            if name not in by_name:
                if not self._causes(wanted):
                    yield f"{name} has no row"
                continue
            yield from (f"{name}: {line}" for line in self._secret(wanted, by_name[name]))
        for name, row in by_name.items():
            if name in FOREIGN:
                if row != self.foreign[name]:
                    yield f"foreign {row} was {self.foreign[name]}"
            elif name not in self.wanted and row[".id"] not in self.theirs:
                yield f"orphan {name}"
        yield from (f"foreign {name} is gone" for name in FOREIGN if name not in by_name)

    def _secret(self, wanted: Wanted, row: dict[str, str]) -> Iterator[str]:
        get = {field.name: field.parse(row.get(field.name)) for field in SECRET_KIND.fields}
        profile = ISP_PROFILE if wanted.package == REFERRED else wanted.package
        if wanted.is_suspended and self.suspend_by == "profile":
            profile = WALLED
        should = {
            "service": "pppoe",
            "profile": profile,
            "remote-address": wanted.address,
            "disabled": wanted.is_suspended and self.suspend_by == "disable",
            "password": wanted.password,
        }
        if wanted.address == REFUSED:  # a row's changes are one command, and that is refused
            should = {"disabled": True} if should["disabled"] else {}
        elif self._causes(wanted):
            del should["profile"]
        if not wanted.password:
            should.pop("password", None)
        yield from (
            f"{field} is {get[field]!r}, not {value!r}" for field, value in should.items() if get[field] != value
        )

    def _causes(self, wanted: Wanted) -> set[str]:
        """Why a subscriber may be in error."""
        in_the_garden = wanted.is_suspended and self.suspend_by == "profile"
        lacks_profile = wanted.package == REFERRED and not self.has_isp_profile and not in_the_garden
        causes = {"UnknownProfile": lacks_profile, "InvalidValue": wanted.address == REFUSED}
        return {code for code, holds in causes.items() if holds}

    def _profiles(self, rows: list[dict[str, str]]) -> Iterator[str]:
        rate = PROFILE_KIND.field("rate-limit")
        there = {row["name"]: rate.parse(row.get("rate-limit")) for row in rows}
        assert len(there) == len(rows)
        for package in OWNED:
            is_used = any(wanted.package == package for wanted in self.wanted.values())
            if is_used and package not in there:
                yield f"profile {package} is missing"
            elif is_used and there[package] != rate.parse(self.rates[package]):
                yield f"profile {package} says {there[package]}, not {self.rates[package]}"
            elif package not in self.rates and package in there:
                yield f"orphan profile {package}"

    def _states(self) -> Iterator[str]:
        columns = ("subscriber__username", "sync_status", "error_code", "generation", "applied_generation", "kick_owed")
        states = SyncState.objects.filter(subscriber__router__name=self.router.name).values_list(*columns)
        for name, status, code, generation, applied, is_kick_owed in states:
            causes = self._causes(self.wanted[name])
            if status != ("error" if causes else "synced") or code not in (causes or {""}):
                yield f"{name} is {status} {code}, causes: {causes}"
            elif status == "synced" and (generation != applied or is_kick_owed):
                yield f"{name} is synced at {applied} of {generation}, kick owed: {is_kick_owed}"

    def _placements(self, there: set[tuple[str, str]]) -> Iterator[str]:
        placed = set(Placement.objects.filter(router__name=self.router.name).values_list("menu", "key"))
        wanted = {(SECRET, name) for name in self.wanted} | {(PROFILE, w.package) for w in self.wanted.values()}
        unused = {(PROFILE, package) for package in OWNED} - wanted  # kept until the package goes
        tried = {(SECRET, name) for name, wanted in self.wanted.items() if self._causes(wanted)}  # an add is refused
        yield from (f"placement without a row: {key}" for key in sorted(placed - there - unused - tried))
        ours = (wanted & there) - tried - {(PROFILE, REFERRED)}
        yield from (f"row without a placement: {key}" for key in sorted(ours - placed))


def names_on(number: int) -> list[str]:
    """A username is one subscriber's in the whole fleet."""
    return [f"{name}{number or ''}" for name in NAMES]


@contextmanager
def told(world: World, workers: list[Worker]) -> Iterator[list[Told]]:
    """Routers of their own for some stories, and no trace of them afterwards."""
    forget_everything()
    rates: dict[str, str] = {}
    tales = [
        Told(world, SimRouter(f"r{number}", seed=world.seed), workers, rates, names_on(number))
        for number in range(AT_ONCE)
    ]
    for tale in tales:
        world.add_router(tale.router.name, sim=tale.router, suspend_profile=WALLED)
        world.call(partial(furnish, tale.router))
        tale.look_at_foreign()
    try:
        yield tales
    finally:
        forget_everything()
        for tale in tales:
            del world.routers[tale.router.name]
            world.do(tale.router.close())


def forget_everything() -> None:
    """Under the leases, in the order in which workers lock them."""
    with transaction.atomic():
        list(Lease.objects.select_for_update().order_by("router_id"))
        for model in (Subscriber, Package, Placement, Router, Lease):
            model.objects.all().delete()
        wake(None)


def furnish(router: SimRouter) -> None:
    """What is there before us."""
    router.table(PROFILE).add(name=WALLED, rate_limit="64k/64k")
    for number, name in enumerate(FOREIGN, 1):
        router.table(SECRET).add(name=name, password=f"theirs-{number}", remote_address=f"10.9.9.{number}")
