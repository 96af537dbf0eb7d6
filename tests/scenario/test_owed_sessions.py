"""Sessions that an earlier run should have ended and could not: the next one ends them, whatever else it does."""

from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.subscribers.services import set_router
from tests.world import CLERK, SECRET, World


def until_redialled(world: World, name: str, earlier: dict[str, str]) -> None:
    world.until(lambda: session_ids(world).get(name, earlier[name]) != earlier[name], f"{name} redialled")


def session_ids(world: World) -> dict[str, str]:
    return {row["name"]: row["session-id"] for row in world.rows(menu="/ppp/active")}


def test_a_kick_that_is_owed_is_not_lost_to_a_run_that_changes_somebody_else(world: World) -> None:
    router = world.add_router(suspend_by="profile", suspend_profile="walled")
    world.call(lambda: router.tamper("/ppp/profile", "walled", {"rate-limit": "64k/64k"}, verb="add"))
    world.add_subscribers(["ann", "bob"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.02))
    earlier = session_ids(world)
    set_router("r1", mode="paused", actor=CLERK)
    services.suspend(["ann", "bob"], cause="non-payment", actor=CLERK)
    # What a worker leaves that dies between its write and the kick.
    world.call(lambda: router.tamper(SECRET, "ann", {"profile": "walled"}))
    SyncState.objects.filter(subscriber__username="ann").update(kick_owed=True)
    set_router("r1", mode="enforce", actor=CLERK)
    world.until_synced()
    until_redialled(world, "bob", earlier)
    until_redialled(world, "ann", earlier)


def test_a_removed_subscriber_s_session_is_ended_by_a_run_that_changes_somebody_else(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann", "bob"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: (router.cpes.add("ann", redial_s=0.02), router.cpes.dial("ann")))
    set_router("r1", mode="paused", actor=CLERK)
    services.remove_subscribers(["ann"], actor=CLERK)
    services.suspend(["bob"], cause="non-payment", actor=CLERK)
    world.call(lambda: router.tamper(SECRET, "ann", verb="remove"))  # a lost OK looks like this
    set_router("r1", mode="enforce", actor=CLERK)
    world.until(lambda: world.online() == set(), "ann is offline")


def test_a_row_that_is_made_again_in_the_walled_garden_ends_the_session_from_before(world: World) -> None:
    router = world.add_router(suspend_by="profile", suspend_profile="walled")
    world.call(lambda: router.tamper("/ppp/profile", "walled", {"rate-limit": "64k/64k"}, verb="add"))
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.02))
    earlier = session_ids(world)
    set_router("r1", mode="paused", actor=CLERK)
    services.suspend(["ann"], cause="non-payment", actor=CLERK)
    world.call(lambda: router.tamper(SECRET, "ann", verb="remove"))  # the session stays, as on a real router
    set_router("r1", mode="enforce", actor=CLERK)
    world.until_synced()
    until_redialled(world, "ann", earlier)
