"""What may be written: a router, single subscribers of one that is observed, and nothing at all while all is frozen."""

from datetime import UTC, datetime

from imsys.network import services as network
from imsys.network.models import Router
from imsys.sim.arming import make_fault
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from tests.world import CLERK, SECRET, World

PROFILE = "/ppp/profile"


def live(world: World, *names: str, **row: str) -> SimRouter:
    """An observed router where these dial in with rows that are not as they should be."""
    router = SimRouter("r1", seed=world.seed)

    def furnish() -> None:
        router.table(PROFILE).add(name="home", rate_limit="10M/10M")
        for name in names:
            router.table(SECRET).add(name=name, password=f"secret-{name}", **{"profile": "default", **row})
        router.cpes.add_all(redial_s=0.02)

    world.call(furnish)
    world.add_router(sim=router, mode="observe")
    world.until(lambda: world.call(lambda: len(router.table("/ppp/active").rows)) == len(names), "all dial in")
    world.add_subscribers(names)
    return router


def enforce(name: str, *, yes: bool = True) -> None:
    services.set_subscriber(name, is_enforced=yes, actor=CLERK)


def is_synced(name: str) -> bool:
    return SyncState.objects.get(subscriber__username=name).sync_status == "synced"


def test_one_subscriber_is_enforced_while_the_router_is_only_observed(world: World) -> None:
    live(world, "ann", "ben", "cat")
    world.start_worker()
    services.suspend(["ann", "ben"], actor=CLERK)
    world.resync()
    assert world.writes() == 0
    before = {row["name"]: row for row in world.rows()}
    enforce("ann")
    world.until(lambda: is_synced("ann"), "ann is right")
    after = {row["name"]: row for row in world.rows()}
    assert (after["ann"]["profile"], after["ann"]["disabled"]) == ("home", "true")
    assert {name: after[name] for name in ("ben", "cat")} == {name: before[name] for name in ("ben", "cat")}
    assert world.online() == {"ben", "cat"}
    world.resync()
    writes = world.writes()
    world.resync()
    assert world.writes() == writes
    assert not is_synced("ben")


def test_an_enforced_single_is_repaired_and_the_others_are_not(world: World) -> None:
    router = live(world, "ann", "ben")
    services.suspend(["ann", "ben"], actor=CLERK)
    enforce("ann")
    world.start_worker()
    world.until(lambda: is_synced("ann"), "ann is right")
    for name in ("ann", "ben"):
        world.call(lambda name=name: router.tamper(SECRET, name, {"disabled": "no"}))
    world.until(lambda: world.disabled() == {"ann"}, "ann is cut off again")
    world.until(lambda: world.online() == {"ben"}, "and offline")
    enforce("ann", yes=False)
    world.resync()
    world.call(lambda: router.tamper(SECRET, "ann", {"disabled": "no"}))
    world.resync()
    assert world.disabled() == set()


def test_a_profile_that_others_use_is_left_as_it_is_for_one(world: World) -> None:
    router = live(world, "ann", "ben", profile="home", service="pppoe")
    world.call(lambda: router.tamper(PROFILE, "home", {"rate-limit": "7M/7M"}))
    world.start_worker()
    enforce("ann")
    world.until(lambda: state("ann").error_code == "OnlyObserved", "ann waits")
    assert [row["rate-limit"] for row in world.rows(menu=PROFILE) if row["name"] == "home"] == ["7M/7M"]
    assert world.writes() == 0
    services.set_package("home", rate_limit="7M/7M", actor=CLERK)
    world.until(lambda: is_synced("ann"), "what stands there is what is wanted")
    assert world.writes() == 0


def test_nothing_is_written_while_all_is_frozen(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann", "ben"])
    world.start_worker()
    world.until_synced()
    writes = world.writes()
    network.freeze("the core switch is being replaced", actor=CLERK)
    services.suspend(["ann"], actor=CLERK)
    world.call(lambda: router.tamper(SECRET, "ben", {"disabled": "yes"}))
    world.resync()
    assert (world.writes(), world.disabled()) == (writes, {"ben"})
    assert not is_synced("ann")
    network.thaw(actor=CLERK)
    world.until(lambda: world.disabled() == {"ann"}, "all is made right after it")
    world.until_synced()


def state(name: str) -> SyncState:
    return SyncState.objects.get(subscriber__username=name)


def test_a_freeze_stops_a_run_before_its_next_flight(world: World) -> None:
    """It comes while the row is being disabled: the session that goes with it is not ended any more."""
    router = world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.02))
    slow = make_fault("delay", {"menu": SECRET, "verb": "set", "seconds": 1.0})
    world.call(lambda: router.faults.arm(slow))
    services.suspend(["ann"], actor=CLERK)
    world.until(lambda: slow.fired, "the write is on its way")
    network.freeze("wrong list", actor=CLERK)
    world.until(lambda: world.disabled() == {"ann"}, "what was on its way has come to its end")
    world.resync()
    assert world.online() == {"ann"}
    network.thaw(actor=CLERK)
    world.until(lambda: world.online() == set(), "the rest follows")
    world.until_synced()


def test_outside_of_its_window_a_router_is_only_observed(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann", "ben"])
    world.start_worker()
    world.until_synced()
    writes = world.writes()
    services.set_router("r1", window=minutes_other_than_now(), window_zone="UTC", actor=CLERK)
    services.suspend(["ann"], actor=CLERK)
    world.call(lambda: router.tamper(SECRET, "ben", {"disabled": "yes"}))
    world.resync()
    assert (world.writes(), world.disabled(), is_synced("ann")) == (writes, {"ben"}, False)
    Router.objects.update(window="* * * * *")  # as if the hour had come: nobody is told
    world.until(lambda: world.disabled() == {"ann"}, "in its window all is made right")
    world.until_synced()


def minutes_other_than_now() -> str:
    """A window that is closed for half an hour around now."""
    minute = datetime.now(UTC).minute
    shut = {(minute + offset) % 60 for offset in range(-15, 15)}
    return f"{','.join(str(m) for m in range(60) if m not in shut)} * * * *"


def test_what_was_right_while_it_was_observed_is_ours_once_it_is_enforced(world: World) -> None:
    live(world, "ann", "ben", profile="home")
    world.start_worker()
    world.until_synced()
    assert world.writes() == 0
    services.set_router("r1", mode="enforce", actor=CLERK)
    world.resync()
    services.remove_subscribers(["ann"], actor=CLERK)
    world.until(lambda: [row["name"] for row in world.rows()] == ["ben"], "the row of somebody who left is taken away")


def test_who_was_right_while_it_was_observed_is_ours_once_enforced_alone(world: World) -> None:
    live(world, "ann", "ben", profile="home")
    world.start_worker()
    world.until_synced()
    enforce("ann")
    world.until_synced()
    services.remove_subscribers(["ann"], actor=CLERK)
    world.resync()
    assert [row["name"] for row in world.rows()] == ["ann", "ben"]  # removed once the router is enforced
    services.set_router("r1", mode="enforce", actor=CLERK)
    world.until(lambda: [row["name"] for row in world.rows()] == ["ben"], "then it is taken away")
