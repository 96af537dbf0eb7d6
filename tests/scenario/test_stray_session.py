"""Whom the address list cuts off is cut off by address: a session with another one has to end."""

from imsys.subscribers import services
from tests.world import CLERK, World


def start(world: World, suspend_by: str = "address-list") -> None:
    world.add_router(suspend_by=suspend_by)
    world.add_subscribers(["ann"], address="10.9.0.1")
    world.start_worker()
    world.until_synced()
    world.call(lambda: world.routers["r1"].cpes.add_all(redial_s=0.05))


def addresses(world: World) -> list[str]:
    return [row["address"] for row in world.rows(menu="/ppp/active")]


def test_a_session_from_before_the_address_was_changed_is_ended(world: World) -> None:
    start(world, suspend_by="disable")
    services.set_subscriber("ann", address="10.9.0.2", actor=CLERK)
    world.until_synced()
    assert addresses(world) == ["10.9.0.1"]  # until the next login
    services.set_router("r1", suspend_by="address-list", actor=CLERK)
    services.suspend(["ann"], cause="non-payment", actor=CLERK)
    world.until_synced()
    world.until(lambda: addresses(world) == ["10.9.0.2"], "she is back with the address that is cut off")


def test_an_address_is_changed_while_its_subscriber_is_suspended(world: World) -> None:
    start(world)
    services.suspend(["ann"], cause="non-payment", actor=CLERK)
    world.until_synced()
    assert addresses(world) == ["10.9.0.1"]  # that is no way through
    services.set_subscriber("ann", address="10.9.0.2", actor=CLERK)
    world.until_synced()
    world.until(lambda: addresses(world) == ["10.9.0.2"], "she is back with the address that is cut off")


def test_nobody_goes_on_under_an_address_that_another_line_may_be_cut_off_by(world: World) -> None:
    start(world)
    services.set_subscriber("ann", address="10.9.0.2", actor=CLERK)
    world.until_synced()
    world.until(lambda: addresses(world) == ["10.9.0.2"], "she is back with her own")
