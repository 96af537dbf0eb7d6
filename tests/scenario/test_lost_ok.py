"""The lost OK, on each write of a suspension of a hundred: applied or not, the router ends with exactly the hundred."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from imsys.sim.faults import DropAfter, DropBefore, Fault
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.timeline.models import Event
from tests.world import CLERK, QUICK, SECRET, World

NAMES = [f"user{number:03d}" for number in range(100)]
KINDS: dict[str, type[Fault]] = {"drop-after": DropAfter, "drop-before": DropBefore}


@pytest.fixture
def world_of(transactional_db: None) -> Iterator[list[World]]:
    worlds: list[World] = []
    yield worlds
    for world in worlds:
        world.close()


def begin(worlds: list[World], ids_at_once: int) -> World:
    world = World(timing=replace(QUICK, ids_at_once=ids_at_once))
    worlds.append(world)
    world.add_router()
    world.add_subscribers(NAMES)
    world.start_worker()
    world.until_synced(30)
    return world


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("ids_at_once", "kind"),
    [(100, "drop-after"), (100, "drop-before"), (10, "drop-after"), (1, "drop-after"), (1, "drop-before")],
)
def test_a_lost_ok_on_each_write(world_of: list[World], ids_at_once: int, kind: str) -> None:
    world = begin(world_of, ids_at_once)
    router = world.routers["r1"]
    writes = len(NAMES) // ids_at_once
    for nth in range(1, writes + 1):
        fault = KINDS[kind](menu=SECRET, verb="set", nth=nth)
        world.call(lambda fault=fault: router.faults.arm(fault))
        services.suspend(NAMES, cause="non-payment", actor=CLERK)
        world.until_synced()
        assert fault.fired == 1, nth
        assert world.disabled() == set(NAMES), nth
        services.resume(NAMES, actor=CLERK)
        world.until_synced()
        assert world.disabled() == set(), nth
    assert world.call(lambda: router.counters.faults[kind]) == writes
    assert [row["name"] for row in sorted(world.rows(), key=lambda row: row["name"])] == NAMES
    assert not SyncState.objects.filter(sync_status="error").exists()
    assert not Event.objects.filter(what="sync-error").exists()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_ok_on_each_add_makes_nobody_twice(world_of: list[World], kind: str) -> None:
    world = World()
    world_of.append(world)
    router = world.add_router()
    fault = KINDS[kind](menu=SECRET, verb="add", nth=3, times=10, probability=0.4)
    world.call(lambda: router.faults.arm(fault))
    world.add_subscribers(NAMES[:30])
    world.start_worker()
    world.until_synced(30)
    assert fault.fired > 1
    assert sorted(row["name"] for row in world.rows()) == NAMES[:30]
    assert not Event.objects.filter(what="sync-error").exists()
