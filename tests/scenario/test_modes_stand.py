"""What may be written, when a person says otherwise at the wrong moment, and what observing must not lose."""

from imsys.network.models import Router
from imsys.sim.arming import make_fault
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from tests.scenario.test_holds_stand import row_names
from tests.scenario.test_modes import enforce, live, minutes_other_than_now
from tests.world import CLERK, SECRET, World

LIST = "/ip/firewall/address-list"


def test_a_window_that_a_person_sets_stops_a_run_before_its_next_flight(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.02))
    world.until(lambda: world.online() == {"ann"}, "ann dials in")
    slow = make_fault("delay", {"menu": SECRET, "verb": "set", "seconds": 1.0})
    world.call(lambda: router.faults.arm(slow))
    services.suspend(["ann"], actor=CLERK)
    world.until(lambda: slow.fired, "the write is on its way")
    services.set_router("r1", window=minutes_other_than_now(), window_zone="UTC", actor=CLERK)
    world.until(lambda: world.disabled() == {"ann"}, "what was on its way has come to its end")
    world.resync()
    assert world.online() == {"ann"}


def test_one_who_is_only_observed_again_is_not_kicked_by_the_run_in_progress(world: World) -> None:
    router = live(world, "ann", profile="home", service="pppoe")
    world.start_worker()
    world.until_synced()
    slow = make_fault("delay", {"menu": SECRET, "verb": "set", "seconds": 1.0})
    enforce("ann")
    world.until_synced()
    world.call(lambda: router.faults.arm(slow))
    services.suspend(["ann"], actor=CLERK)
    world.until(lambda: slow.fired, "the write is on its way")
    enforce("ann", yes=False)
    world.until(lambda: world.disabled() == {"ann"}, "what was on its way has come to its end")
    world.resync()
    assert world.online() == {"ann"}


def test_what_waited_for_the_window_is_done_though_the_worker_was_restarted(world: World) -> None:
    world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    services.set_router("r1", window=minutes_other_than_now(), window_zone="UTC", actor=CLERK)
    services.suspend(["ann"], actor=CLERK)
    world.resync()
    world.stop_workers()
    Router.objects.update(window="* * * * *")  # the hour has come while no worker was up
    world.start_worker()
    world.until(lambda: world.disabled() == {"ann"}, "in its window all is made right", 6)


def test_a_single_does_not_take_over_the_row_of_somebody_only_observed(world: World) -> None:
    """Names are passed on while the router is observed: cat's row is still called ben there, and cat dials in by it."""
    world.add_router()
    world.add_subscribers(["ann", "ben"])
    world.start_worker()
    world.until_synced()
    services.set_router("r1", mode="observe", actor=CLERK)
    world.resync()
    before = world.row("ben")
    services.rename_subscriber("ben", "cat", actor=CLERK)
    services.rename_subscriber("ann", "ben", actor=CLERK)
    world.resync()
    assert world.row("ben") == before
    enforce("ben")
    world.resync()
    world.glances()
    assert world.row("ben") == before, "cat's row, and cat is only observed"


def test_who_was_renamed_while_observed_has_one_row_once_enforced(world: World) -> None:
    live(world, "ann", "ben", profile="home", service="pppoe")
    world.start_worker()
    world.until_synced()
    services.rename_subscriber("ann", "anna", actor=CLERK)
    world.resync()
    services.set_router("r1", mode="enforce", actor=CLERK)
    world.until_synced()
    world.resync()
    assert row_names(world) == ["anna", "ben"]


def test_who_was_renamed_and_suspended_while_observed_is_offline_once_enforced(world: World) -> None:
    live(world, "ann", "ben", profile="home", service="pppoe")
    world.start_worker()
    world.until_synced()
    services.rename_subscriber("ann", "anna", actor=CLERK)
    services.suspend(["anna"], actor=CLERK)
    world.resync()
    services.set_router("r1", mode="enforce", actor=CLERK)
    world.until_synced()
    world.resync()
    assert world.online() == {"ben"}


def test_who_moves_from_an_observed_router_is_not_cut_by_its_policy_before_they_are_made(world: World) -> None:
    live(world, "ann", "ben", profile="home", service="pppoe")
    other = world.add_router("r2")
    world.start_worker()
    world.until_synced()
    world.call(other.power_off)
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    services.move_subscribers(["ann"], "r2", actor=CLERK)
    services.set_router("r1", mode="enforce", actor=CLERK)
    world.resync("r1")
    world.resync("r1")
    assert "ann" in world.online(), "nowhere by now"


def test_a_static_single_does_not_take_over_the_queue_of_somebody_only_observed(world: World) -> None:
    """In the database ben has another address by now, and ann has his old one. On the router nothing has moved yet."""
    router = SimRouter("r1", seed=world.seed)
    world.call(lambda: router.table("/queue/simple").add(name="ben", target="10.20.0.8/32", max_limit="10M/10M"))
    world.add_router(sim=router, mode="observe")
    world.add_subscribers(["ben"], service="static", address="10.20.0.8", password="")
    world.start_worker()
    world.until_synced()
    services.set_subscriber("ben", address="10.20.0.9", actor=CLERK)
    world.add_subscribers(["ann"], service="static", address="10.20.0.8", password="")
    world.resync()
    assert world.writes() == 0
    enforce("ann")
    world.resync()
    world.glances()
    assert "ben" in [row["name"] for row in world.rows(menu="/queue/simple")], "ben is only observed"


def test_enforcing_one_cuts_off_nobody_else_by_a_new_drop_rule(world: World) -> None:
    """The old tool's list stands there without its rule: nobody is cut by it, and one subscriber makes none."""
    router = SimRouter("r1", seed=world.seed)

    def furnish() -> None:
        router.table("/ppp/profile").add(name="home", rate_limit="10M/10M")
        for number, name in enumerate(("ann", "ben"), 7):
            values = {"password": f"secret-{name}", "remote_address": f"10.20.0.{number}"}
            router.table(SECRET).add(name=name, profile="home", service="pppoe", **values)
        router.table(LIST).add(list="BLOCKED_USERS", address="10.20.0.8")

    world.call(furnish)
    world.add_router(sim=router, mode="observe", suspend_by="address-list")
    world.add_subscribers(["ann"], address="10.20.0.7")
    world.add_subscribers(["ben"], address="10.20.0.8")
    world.start_worker()
    world.resync()
    services.suspend(["ann"], actor=CLERK)
    enforce("ann")
    world.until(lambda: SyncState.objects.get(subscriber__username="ann").error_code == "OnlyObserved", "ann waits")
    world.resync()
    assert world.call(lambda: router.firewall.passes("10.20.0.8")), "ben is only observed, and entitled"
