"""Empty is suspicious: what only a machine concluded is held, what a person asked for goes on."""

from imsys.fleet.services import approve_hold
from imsys.network.models import Router
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.timeline.holds import holds
from imsys.timeline.models import Event
from tests.world import CLERK, SECRET, World

NAMES = [f"user{number:02d}" for number in range(30)]


def blanked(router: SimRouter) -> None:
    for name in NAMES:
        router.tamper(SECRET, name, verb="remove", by="reset")


def test_a_blanked_router_is_held_until_a_person_accepts_it(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(NAMES)
    services.suspend(NAMES[:12], cause="non-payment", actor=CLERK)
    world.start_worker()
    world.until_synced()
    world.call(lambda: blanked(router))
    world.resync()
    state = Router.objects.get(name="r1").state
    assert state.condition == "RowsVanished"
    assert "imsys hold" in state.remedy
    glances = Event.objects.count()
    services.suspend(["user20"], cause="abuse", actor=CLERK)
    world.until(lambda: world.row("user20") is not None, "a person's suspension goes through")
    assert [row["name"] for row in world.rows()] == ["user20"]
    assert Event.objects.count() > glances
    approve_hold(holds(router="r1")[0]["id"], actor=CLERK)
    world.until_synced()
    assert sorted(row["name"] for row in world.rows()) == NAMES
    assert world.disabled() == {*NAMES[:12], "user20"}
    assert Router.objects.get(name="r1").state.condition == ""


def test_another_hardware_is_held_until_a_person_accepts_it(world: World) -> None:
    world.add_router()
    world.add_subscribers(NAMES[:3])
    worker = world.start_worker()
    world.until_synced()
    world.stop_workers()
    other = SimRouter("r1", serial="ANOTHER", seed=9)
    world.do(world.routers["r1"].close())
    world.routers["r1"] = other
    assert worker is not world.start_worker()
    world.resync()
    assert Router.objects.get(name="r1").state.condition == "OtherRouter"
    assert world.rows() == []
    approve_hold(holds(router="r1")[0]["id"], actor=CLERK)
    world.until_synced()
    assert sorted(row["name"] for row in world.rows()) == NAMES[:3]


def test_a_removed_subscriber_whose_row_is_already_gone_loses_the_session_too(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    world.call(lambda: router.tamper(SECRET, "ann", verb="remove"))
    services.remove_subscribers(["ann"], actor=CLERK)
    world.until(lambda: world.online() == set(), "the session of a login that is nobody's ends")


def test_many_missing_rows_are_not_made_again_on_the_word_of_a_glance(world: World) -> None:
    """A worker that has just come knows no earlier number of rows, and looks by name at whoever is not cut."""
    router = world.add_router()
    world.add_subscribers(NAMES)
    services.suspend(NAMES, cause="non-payment", actor=CLERK)
    world.start_worker()
    world.until_synced()
    world.stop_workers()
    world.call(lambda: blanked(router))
    world.start_worker()
    world.until(lambda: Router.objects.get(name="r1").state.condition == "RowsVanished", "held")
    assert world.rows() == []
