"""A lock to one device goes with the subscriber, not with a row that becomes somebody else's."""

from imsys.subscribers import services
from tests.world import CLERK, World

MAC = "4E:00:00:00:00:01"


def locks(world: World) -> dict[str, str]:
    return {row["name"]: row["caller-id"] for row in world.rows()}


def test_two_swap_their_names_and_one_was_locked(world: World) -> None:
    world.add_router()
    world.add_subscribers(["ann"], mac=MAC, password="")
    world.add_subscribers(["bob"], password="")
    world.start_worker()
    world.until_synced()
    world.call(world.routers["r1"].power_off)
    for old, new in (("ann", "x"), ("bob", "ann"), ("x", "bob")):
        services.rename_subscriber(old, new, actor=CLERK)
    world.call(world.routers["r1"].boot)
    world.until_synced()
    assert locks(world) == {"ann": "", "bob": MAC}


def test_a_name_is_given_again_before_the_router_has_heard_of_its_end(world: World) -> None:
    world.add_router()
    world.add_subscribers(["ann"], mac=MAC)
    world.start_worker()
    world.until_synced()
    world.call(world.routers["r1"].power_off)
    services.remove_subscribers(["ann"], actor=CLERK)
    world.add_subscribers(["ann"])
    world.call(world.routers["r1"].boot)
    world.until_synced()
    assert locks(world) == {"ann": ""}


def test_what_a_technician_locks_stays_locked_through_a_rename(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.tamper("/ppp/secret", "ann", {"caller-id": MAC}))
    services.rename_subscriber("ann", "bob", actor=CLERK)
    world.until_synced()
    assert locks(world) == {"bob": MAC}


def test_somebody_moves_away_and_back_and_loses_the_lock_meanwhile(world: World) -> None:
    world.add_router("r1")
    world.add_router("r2")
    world.add_subscribers(["ann"], mac=MAC)
    world.start_worker()
    world.until_synced()
    world.call(world.routers["r1"].power_off)
    services.move_subscribers(["ann"], "r2", actor=CLERK)
    services.set_subscriber("ann", mac="", actor=CLERK)
    services.move_subscribers(["ann"], "r1", actor=CLERK)
    world.call(world.routers["r1"].boot)
    world.until_synced()
    assert locks(world) == {"ann": ""}
