"""The main job: what the database says is what the router has, whatever happens on the way."""

import pytest

from imsys.facts.models import RouterFacts
from imsys.fleet.models import Run
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.timeline.models import Event
from tests.world import CLERK, World

NAMES = [f"user{number:03d}" for number in range(100)]


def test_subscribers_are_made_with_their_package_and_then_nothing_more_is_written(world: World) -> None:
    router = world.add_router()
    foreign = world.call(lambda: router.seed_secrets(3, name="foreign-{number}"))
    before = [row for row in world.rows() if row["name"] in foreign]
    world.add_subscribers(["ann", "bob"], address="")
    world.start_worker()
    world.until_synced()
    ann = world.row("ann")
    assert ann is not None
    assert (ann["profile"], ann["disabled"], ann["password"], ann["service"]) == (
        "home",
        "false",
        "secret-ann",
        "pppoe",
    )
    assert "remote-address" not in ann
    [profile] = [row for row in world.rows(menu="/ppp/profile") if row["name"] == "home"]
    assert profile["rate-limit"] == "10M/10M"
    assert [row for row in world.rows() if row["name"] in foreign] == before
    written = world.writes()
    world.resync()
    world.resync()
    assert world.writes() == written


def test_suspension_disables_and_ends_the_session(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(NAMES)
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    world.until(lambda: len(world.online()) == 100, "all online")
    commands = world.call(lambda: router.counters.commands.total() if hasattr(router.counters.commands, "total") else 0)
    services.suspend(NAMES[:60], cause="non-payment", actor=CLERK)
    world.until_synced()
    assert world.disabled() == set(NAMES[:60])
    assert world.online() == set(NAMES[60:])
    assert commands is not None
    services.resume(NAMES[:60], actor=CLERK)
    world.until_synced()
    assert world.disabled() == set()
    world.until(lambda: len(world.online()) == 100, "they redial")


def test_removal_takes_the_row_and_the_session_away(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann", "bob"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    services.remove_subscribers(["ann"], actor=CLERK)
    world.until(lambda: world.row("ann") is None, "ann's row is gone")
    world.until(lambda: "ann" not in world.online(), "ann's session is gone")
    assert world.row("bob") is not None


def test_tampering_is_repaired_and_named(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(NAMES[:10])
    services.suspend(NAMES[:5], cause="non-payment", actor=CLERK)
    world.start_worker()
    world.until_synced()
    assert world.disabled() == set(NAMES[:5])
    for name in NAMES[:5]:
        world.call(lambda name=name: router.tamper("/ppp/secret", name, {"disabled": "no"}, by="juma"))
    world.until(lambda: world.disabled() == set(NAMES[:5]), "repaired")
    world.until(lambda: Event.objects.filter(what="drift-repaired").count() == 5, "told")
    assert set(Event.objects.filter(what="drift-repaired").values_list("actor", flat=True)) == {
        "router: juma via winbox"
    }


def test_a_row_that_somebody_removed_is_back_within_glances(world: World) -> None:
    """No resync is due for minutes: the number of rows tells that something is missing."""
    router = world.add_router()
    world.add_subscribers(NAMES[:5])
    world.start_worker()
    world.until_synced()
    runs = Run.objects.filter(kind="resync")
    world.until(lambda: RouterFacts.objects.exists() and runs.exists(), "looked at")
    world.until(lambda: world.call(lambda: router.counters.commands["/ppp/active/print"]) > 3, "a few glances")
    world.call(lambda: router.tamper("/ppp/secret", NAMES[2], verb="remove", by="juma"))
    world.until(lambda: world.row(NAMES[2]) is not None, "made again")
    world.until(lambda: Event.objects.filter(what="drift-repaired", username=NAMES[2]).exists(), "told")


def test_an_unknown_profile_is_that_subscribers_error_with_a_remedy(world: World) -> None:
    world.add_router()
    world.add_subscribers(["ann"])
    services.add_package(name="gold", profile="gold-of-the-isp", price=50, actor=CLERK)
    world.add_subscribers(["bob"], package="gold")
    world.start_worker()
    world.until(lambda: world.statuses() == {"synced": 1, "error": 1}, "one synced, one in error")
    state = SyncState.objects.get(subscriber__username="bob")
    assert state.error_code == "UnknownProfile"
    assert "gold-of-the-isp" in state.sync_error
    assert "Create it on the router" in state.sync_error
    assert world.row("bob") is None


def test_observe_writes_nothing(world: World) -> None:
    router = world.add_router(mode="observe")
    world.call(lambda: router.seed_secrets(1, name="ann", password="secret-ann"))
    services.add_package(name="home", profile="default", price=1, actor=CLERK)
    world.add_subscribers(["ann", "bob"])
    world.start_worker()
    world.until(lambda: world.statuses() == {"synced": 1, "pending": 1}, "ann is seen, bob is not")
    world.resync()
    assert world.writes() == 0


@pytest.mark.parametrize("suspend_by", ["profile"])
def test_walled_garden_kicks_on_suspend_and_resume_and_lets_the_session_be(world: World, suspend_by: str) -> None:
    router = world.add_router(suspend_by=suspend_by, suspend_profile="walled")
    world.call(lambda: router.tamper("/ppp/profile", "walled", {"rate-limit": "64k/64k"}, verb="add"))
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    [first] = world.rows(menu="/ppp/active")
    services.suspend(["ann"], cause="non-payment", actor=CLERK)
    world.until_synced()
    ann = world.row("ann")
    assert ann is not None
    assert (ann["profile"], ann["disabled"]) == ("walled", "false")
    world.until(lambda: world.online() == {"ann"}, "a session in the garden is legal")
    [second] = world.rows(menu="/ppp/active")
    assert second["session-id"] != first["session-id"]
    services.resume(["ann"], actor=CLERK)
    world.until_synced()
    world.until(
        lambda: [row["session-id"] for row in world.rows(menu="/ppp/active")] not in ([], [second["session-id"]]),
        "it redialled under its own profile",
    )
