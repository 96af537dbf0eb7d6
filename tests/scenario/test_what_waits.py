"""What only waits, for a person or a router, is told as such: not as zero, not as pending for ever, not as failing."""

from imsys.fleet import commands, selectors
from imsys.fleet.models import Run
from imsys.network.models import Router
from imsys.sim.faults import Refusal
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from tests.world import CLERK, SECRET, World

NAMES = [f"user{number:02d}" for number in range(12)]


def observed(world: World) -> None:
    router = world.add_router(mode="observe")
    world.call(lambda: router.seed_secrets(1, name="ann", password="secret-ann"))
    services.add_package(name="home", profile="default", price=1, actor=CLERK)
    world.add_subscribers(["ann", "bob"])
    world.start_worker()
    world.until(lambda: world.statuses() == {"synced": 1, "pending": 1}, "ann is seen, bob is not")


def test_a_ghost_on_an_observed_router_blocks_and_does_not_time_out(world: World) -> None:
    world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    services.set_router("r1", mode="observe", actor=CLERK)
    services.remove_subscribers(["ann"], actor=CLERK)
    outcome = commands.sync(router="r1", timeout_s=5)
    assert (outcome.exit_code, outcome.pending, outcome.blocked["observe"]) == (commands.EXIT_BLOCKED, 0, 1)
    assert world.row("ann") is not None


def test_being_observed_is_no_failed_attempt(world: World) -> None:
    observed(world)
    for _ in range(3):
        world.resync()
    assert SyncState.objects.get(subscriber__username="bob").attempts == 0


def test_whose_row_was_never_made_is_in_the_gap(world: World) -> None:
    world.add_router()
    services.add_package(name="gold", profile="of-nobody", price=1, actor=CLERK)
    world.add_subscribers(["ann"], package="gold")
    world.start_worker()
    world.until(lambda: world.statuses() == {"error": 1}, "there is no such profile")
    world.until(lambda: selectors.gap()["entitled_cut"] == 1, "she pays and has no row")


def test_rows_that_vanished_and_are_held_are_in_the_gap(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(NAMES)
    services.suspend(NAMES[:1], cause="abuse", actor=CLERK)
    world.start_worker()
    world.until_synced()
    world.call(lambda: [router.tamper(SECRET, name, verb="remove") for name in NAMES])
    world.resync()
    assert Router.objects.get(name="r1").state.condition == "RowsVanished"
    world.until(lambda: selectors.gap()["entitled_cut"] == 11, "eleven pay and have no row")


def test_names_that_look_alike_are_reported(world: World) -> None:
    router = world.add_router()
    world.call(lambda: router.seed_secrets(1, name="ANN "))
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    [report] = commands.reconcile("r1", timeout_s=10)
    assert "'ANN '" in report["note"]
    assert "'ann'" in report["note"]


def test_a_refused_profile_is_sent_once_in_a_run(world: World) -> None:
    router = world.add_router()
    refusal = Refusal(menu="/ppp/profile", verb="add", times=0, message="failure: not today")
    world.call(lambda: router.faults.arm(refusal))
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until(lambda: world.statuses() == {"error": 1}, "the router's words are hers")
    world.until(lambda: 1 < refusal.fired == Run.objects.count(), "once for each run")
