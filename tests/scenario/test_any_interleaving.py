"""Any interleaving of intent, tampering, faults and crashes ends with both routers as intended.

Each seed tells its own stories: 210 together in the usual suite, the same each time; `make soak` tells fresh ones.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
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
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.subscribers.models import Package, Subscriber
from tests.scenario.judge import wrongs
from tests.scenario.sites import Site
from tests.scenario.story import NAMES, WALLED, Sold, Tale
from tests.scenario.telling import tell
from tests.world import CLERK, QUICK, UNHURRIED, World

STORIES = 105
FAULTS = {
    "busy", "delay", "drop", "drop-after", "drop-before", "garbage", "partial-table", "partial-write", "reboot",
    "refuse", "trap", "truncate",
}  # fmt: skip
EVENTS = {
    "add", "remove", "add_again", "suspend", "resume", "change package", "change password", "change address",
    "change mac", "change service", "rename", "rename onto a freed name", "rename in a chain", "swap", "move",
    "there and back", "change of a package", "drop_package", "set_mode", "set_suspend_by", "set_suspend_list",
    "tamper", "tamper_remove", "tamper_move", "tamper_add", "tamper_profile", "tamper_foreign", "make_isp_profile",
    "customers_dial", "customers_hang_up", "customers_browse", "customers_ask_for_addresses",
    "customers_log_in", "customers_log_out", "power_off", "power_on", "crash",
    "restart",
}  # fmt: skip
# A crashed worker's lease must run out before anybody goes on: the shorter, the more stories in a minute.
HASTE = replace(
    QUICK,
    lease_s=0.5,
    lease_margin_s=0.1,
    tick_s=0.05,
    glance_s=0.15,
    settle_gap_s=0.2,
    look_again_s=(0.05, 0.1),
    down_soon_s=0.03,
    refused_s=0.05,
    old_router_s=0.5,
    error_first_s=0.05,
    error_cap_s=0.1,
)
AT_ONCE = 5
"""Stories told beside each other, on two routers each: they wait together, and share packages and workers."""
CONVERGES_S = 20.0

pytestmark = pytest.mark.timeout(600)


class Count:
    """What the examples amounted to."""

    def __init__(self) -> None:
        self.stories = 0
        self.faults: Counter[str] = Counter()
        self.told: Counter[str] = Counter()

    def add(self, tales: list[Tale]) -> None:
        self.stories += len(tales)
        for tale in tales:
            self.told += tale.told
            for site in tale.sites:
                self.faults += site.router.counters.faults


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
        stories = [tell(chance, names_of(number)) for number in range(AT_ONCE)]
        for number, story in enumerate(stories):
            note(f"story {number}: {story}")
        with told(world, workers) as tales:
            for steps in zip_longest(*stories):
                for tale, step in zip(tales, steps, strict=True):
                    if step is not None:
                        tale.play(step)
            the_end(world, tales)
        count.add(tales)

    try:
        play()
    finally:
        world.close()
    assert count.stories >= STORIES
    assert {kind for kind, fired in count.faults.items() if fired} >= FAULTS, count.faults
    assert count.told.keys() >= EVENTS, count.told


def the_end(world: World, tales: list[Tale]) -> None:
    """Faults have an end; once a resync was asked for, all must come right by itself, and stay so without a write."""
    sites = [site for tale in tales for site in tale.sites]
    for tale in tales:
        for number in (0, 1):
            tale.power_on(number)
            services.set_router(tale.sites[number].name, mode="enforce", actor=CLERK)
        tale.settle_the_homeless()
    read_again(world, tales)
    until_right(world, tales)
    for site in sites:
        world.call(site.router.faults.clear)
    read_again(world, tales)  # what a fault refused and nobody waits for is made by the next resync
    until_right(world, tales)
    written = [(world.writes(site.name), len(site.router.journal)) for site in sites]
    read_again(world, tales)
    for site, (writes, entries) in zip(sites, written, strict=True):
        again = list(site.router.journal)[entries:]
        assert world.writes(site.name) == writes, f"after all was right {site.name} was written again: {again}"
    until_right(world, tales)


def read_again(world: World, tales: list[Tale]) -> None:
    for tale in tales:
        tale.ask_for_a_resync(0)
        tale.ask_for_a_resync(1)
    world.until(lambda: not RouterState.objects.exclude(resync_asked_at=None).exists(), "all are read again")


def until_right(world: World, tales: list[Tale]) -> None:
    try:
        world.until(lambda: not any(wrongs(tale) for tale in tales), "as intended", CONVERGES_S)
    except AssertionError as error:
        lines = [line for tale in tales for line in wrongs(tale)]
        raise AssertionError("\n".join([str(error), *lines])) from None


def names_of(number: int) -> list[str]:
    """A username is one subscriber's in the whole fleet."""
    return [f"{name}{number or ''}" for name in NAMES]


@contextmanager
def told(world: World, workers: list[Worker]) -> Iterator[list[Tale]]:
    """Routers of their own for some stories, and no trace of them afterwards."""
    forget_everything()
    sold: dict[str, Sold] = {}
    tales = []
    for number in range(AT_ONCE):
        sites = (site(world, f"r{number}a"), site(world, f"r{number}b"))
        tales.append(Tale(world, sites, workers, sold, names_of(number)))
    try:
        yield tales
    finally:
        forget_everything()
        for tale in tales:
            for place in tale.sites:
                del world.routers[place.name]
                world.do(place.router.close())


def site(world: World, name: str) -> Site:
    place = Site(SimRouter(name, seed=world.seed))
    world.call(place.furnish)
    world.add_router(name, sim=place.router, suspend_profile=WALLED, kicks_per_s=20)
    return place


def forget_everything() -> None:
    """Under the leases, in the order in which workers lock them."""
    with transaction.atomic():
        list(Lease.objects.select_for_update().order_by("router_id"))
        for model in (Subscriber, Package, Placement, Router, Lease):
            model.objects.all().delete()
        wake(None)
