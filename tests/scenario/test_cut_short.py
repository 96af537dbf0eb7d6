"""A run that is cut short between a row's removal and the end of its session: the next one ends it."""

import pytest

from imsys.sim.arming import make_fault
from imsys.subscribers import services
from tests.world import CLERK, World


@pytest.mark.parametrize("service", ["hotspot", "static"])
def test_a_session_of_the_service_that_somebody_had_ends_all_the_same(world: World, service: str) -> None:
    router = world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    assert world.online() == {"ann"}
    lost = make_fault("drop-after", {"menu": "/ppp/secret", "verb": "remove"})
    world.call(lambda: router.faults.arm(lost))
    address = "10.9.0.1" if service == "static" else ""
    services.set_subscriber("ann", service=service, address=address, actor=CLERK)
    world.until_synced()
    assert lost.fired
    assert world.online() == set()


def test_a_session_goes_on_though_the_answer_to_its_rename_was_lost(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    (session,) = world.rows(menu="/ppp/active")
    lost = make_fault("drop-after", {"menu": "/ppp/secret", "verb": "set"})
    world.call(lambda: router.faults.arm(lost))
    services.rename_subscriber("ann", "bob", actor=CLERK)
    world.until_synced()
    world.resync()
    assert lost.fired
    assert [row["session-id"] for row in world.rows(menu="/ppp/active")] == [session["session-id"]]
