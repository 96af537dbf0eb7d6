"""A router that dies amid a suspension of a hundred, comes back half loaded, or stays away: one batch aligns all."""

import pytest

from imsys.sim.faults import Busy, PartialTable, PartialWrite
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.timeline.models import Event
from tests.world import CLERK, SECRET, World

NAMES = [f"user{number:03d}" for number in range(100)]


def synced_world(world: World, names: list[str] = NAMES) -> World:
    world.add_router()
    world.add_subscribers(names)
    world.start_worker()
    world.until_synced(30)
    return world


def all_cut(world: World) -> None:
    world.until_synced(30)
    assert world.disabled() == set(NAMES)
    assert sorted(row["name"] for row in world.rows()) == NAMES
    assert world.statuses() == {"synced": 100}
    assert not Event.objects.filter(what="sync-error").exists()


@pytest.mark.parametrize("applied", [0, 1, 50, 99, 100])
def test_a_reboot_after_k_of_a_hundred_ids(world: World, applied: int) -> None:
    synced_world(world)
    router = world.routers["r1"]
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    # 100 of 100: the whole write is done and only its answer is lost
    reboots: list[int] = []

    class ThenReboot(PartialWrite):
        def concerns(self, moment: object) -> bool:
            return super(PartialWrite, self).concerns(moment)  # type: ignore[arg-type]

        async def after_write(self, link: object, moment: object, outcome: object) -> None:
            reboots.append(sum(row["disabled"] == "true" for row in router.table(SECRET).rows))
            router.reboot(down_s=0.3)
            await super().after_write(link, moment, outcome)  # type: ignore[arg-type]

    fault = ThenReboot(menu=SECRET, verb="set", ids=applied)
    world.call(lambda: router.faults.arm(fault))
    services.suspend(NAMES, cause="non-payment", actor=CLERK)
    all_cut(world)
    assert fault.fired == 1
    assert reboots == [applied]
    world.until(lambda: world.online() == set(), "nobody is online")


def test_a_half_loaded_table_after_the_boot_makes_nobody_twice_and_removes_nobody(world: World) -> None:
    synced_world(world)
    router = world.routers["r1"]
    partial = PartialTable(menu=SECRET, share=0.3, times=3)

    def die() -> None:
        router.faults.arm(partial)
        router.reboot(down_s=0.2)

    world.call(die)
    services.suspend(NAMES, cause="non-payment", actor=CLERK)
    services.remove_subscribers([NAMES[99]], actor=CLERK)
    world.until(lambda: world.disabled() == set(NAMES[:99]), "all cut", 20)
    world.until(lambda: world.row(NAMES[99]) is None, "the removed one is gone")
    world.until_synced()
    assert partial.fired == 3
    assert sorted(row["name"] for row in world.rows()) == NAMES[:99]
    assert world.call(lambda: router.counters.traps.total()) == 0


def test_who_waits_for_a_router_is_pending_and_never_in_error(world: World) -> None:
    synced_world(world)
    router = world.routers["r1"]
    world.call(router.power_off)
    services.suspend(NAMES, cause="non-payment", actor=CLERK)
    state = SyncState.objects.first()
    assert state is not None
    world.until(lambda: Event.objects.filter(what="router-down").exists(), "it is noticed")
    writes = world.writes()
    assert world.statuses() == {"pending": 100}
    assert SyncState.objects.filter(attempts__gt=0).count() == 0
    world.call(router.boot)
    all_cut(world)
    assert world.writes() - writes == 1  # one batch for all of them
    assert Event.objects.filter(what="router-up").exists()


@pytest.mark.parametrize("verb", ["add", "set"])
@pytest.mark.parametrize("applied", [True, False])
def test_a_busy_answer_leaves_it_open_whether_the_write_was_done(world: World, verb: str, applied: bool) -> None:
    synced_world(world)
    router = world.routers["r1"]
    fault = Busy(menu=SECRET, verb=verb, times=3, applied=applied)
    world.call(lambda: router.faults.arm(fault))
    new = ["newcomer1", "newcomer2"]
    world.add_subscribers(new)
    services.suspend([*NAMES, *new], cause="abuse", actor=CLERK)
    world.until_synced(30)
    assert fault.fired > 0
    assert world.disabled() == {*NAMES, *new}
    assert sorted(row["name"] for row in world.rows()) == sorted([*NAMES, *new])
    assert not Event.objects.filter(what="sync-error").exists()
