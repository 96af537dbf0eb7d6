"""Traps for a sync engine that need a router and a worker to fall into; the pure ones are in tests/unit/reconcile."""

import pytest

from imsys.kit.clock import SystemClock
from imsys.kit.errors import InputError
from imsys.network.models import Router
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint
from imsys.sim.accounts import SimUser
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.timeline.models import Event
from tests.world import CLERK, SECRET, World

PROFILE = "/ppp/profile"


def profile(world: World, name: str) -> dict[str, str]:
    [row] = [row for row in world.rows(menu=PROFILE) if row["name"] == name]
    return row


def begin(world: World, *names: str, sim: SimRouter | None = None, **options: str) -> SimRouter:
    router = world.add_router(sim=sim)
    world.add_subscribers(names, **options)
    world.start_worker()
    world.until_synced()
    return router


def quiet(world: World) -> None:
    """One more whole resync finds nothing to write."""
    before = world.writes()
    world.resync()
    assert world.writes() == before


def test_trap_01_and_02_a_rate_in_other_words_is_no_drift(world: World) -> None:
    router = begin(world, "ann")
    world.call(lambda: router.tamper(PROFILE, "home", {"rate-limit": "10000k/10000k 0/0 0/0 0/0 8"}))
    quiet(world)
    assert profile(world, "home")["rate-limit"] == "10000k/10000k 0/0 0/0 0/0 8"


def test_trap_03_an_address_is_sent_and_compared_in_its_usual_form(world: World) -> None:
    begin(world, "ann", address="10.9.0.2")
    ann = world.row("ann")
    assert ann is not None
    assert ann["remote-address"] == "10.9.0.2"
    quiet(world)
    services.set_subscriber("ann", address="", actor=CLERK)
    world.until_synced()
    ann = world.row("ann")
    assert ann is not None
    assert "remote-address" not in ann


def test_trap_10_a_rate_limit_is_cleared_by_unsetting_it(world: World) -> None:
    router = begin(world, "ann")
    services.set_package("home", rate_limit="", actor=CLERK)
    world.until_synced()
    assert "rate-limit" not in profile(world, "home")
    assert world.call(lambda: router.counters.traps.total()) == 0
    quiet(world)


def test_trap_18_a_dangling_profile_is_linked_again(world: World) -> None:
    router = begin(world, "ann")
    world.call(lambda: router.tamper(PROFILE, "home", verb="remove"))
    ann = world.row("ann")
    assert ann is not None
    assert ann["profile"].startswith("*")
    world.resync()
    world.until_synced()
    ann = world.row("ann")
    assert ann is not None
    assert ann["profile"] == "home"
    quiet(world)


async def test_trap_20_no_query_words_and_no_empty_numbers_in_a_write() -> None:
    router = SimRouter("r1")
    client = await Client.connect(Endpoint("r1", username="admin"), clock=SystemClock(), dial=router.dial())
    async with client:
        with pytest.raises(InputError, match="row ids"):
            await client.set(SECRET, [], {"disabled": "yes"})
        with pytest.raises(InputError, match="query words"):
            await client.call(f"{SECRET}/set", {"disabled": "yes"}, ["?name=ann"])
    assert router.counters.writes == 0
    await router.close()


def test_trap_25_a_speed_change_reaches_the_profile_and_kicks_nobody(world: World) -> None:
    """A session keeps its old rate until it redials: nobody is thrown out for it without being asked."""
    router = begin(world, "ann")
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    [session] = world.rows(menu="/ppp/active")
    services.set_package("home", rate_limit="50M/50M", actor=CLERK)
    world.until_synced()
    assert profile(world, "home")["rate-limit"] == "50M/50M"
    assert world.rows(menu="/ppp/active")[0]["session-id"] == session["session-id"]


def test_trap_37_a_change_that_safe_mode_undid_is_made_again(world: World) -> None:
    router = begin(world, "ann", "bob")
    services.set_package("home", rate_limit="20M/20M", actor=CLERK)
    world.until_synced()
    world.call(lambda: router.tamper(PROFILE, "home", {"rate-limit": "10M/10M"}, by="admin"))
    world.resync()
    assert profile(world, "home")["rate-limit"] == "20M/20M"
    assert Event.objects.filter(what="drift-repaired", note="/ppp/profile home").exists()


def test_trap_43_one_login_for_as_long_as_the_keeper_lives(world: World) -> None:
    router = begin(world, "ann", "bob")
    for _ in range(5):
        services.suspend(["ann"], cause="abuse", actor=CLERK)
        world.until_synced()
        services.resume(["ann"], actor=CLERK)
        world.until_synced()
        world.resync()
    assert world.call(lambda: router.counters.logins) == 1


def test_trap_44_a_least_privilege_group_is_enough(world: World) -> None:
    policies = frozenset(("api", "read", "write", "sensitive", "test"))
    sim = SimRouter("r1", users={"admin": SimUser(policies=policies)})
    router = begin(world, "ann", sim=sim)
    services.suspend(["ann"], cause="abuse", actor=CLERK)
    world.until_synced()
    assert world.disabled() == {"ann"}
    assert Router.objects.get(name="r1").state.condition == ""
    assert world.call(lambda: router.counters.traps.total()) == 0


def test_trap_12_without_sensitive_passwords_are_neither_compared_nor_rewritten(world: World) -> None:
    policies = frozenset(("api", "read", "write", "test"))
    sim = SimRouter("r1", users={"admin": SimUser(policies=policies)})
    begin(world, "ann", sim=sim)
    quiet(world)
    ann = world.row("ann")
    assert ann is not None
    assert ann["password"] == "secret-ann"
    state = Router.objects.get(name="r1").state
    assert (state.condition, state.hides_passwords) == ("PasswordsHidden", True)
    services.set_subscriber("ann", password="another", actor=CLERK)
    world.until_synced()
    ann = world.row("ann")
    assert ann is not None
    assert ann["password"] == "another"
    quiet(world)


def test_trap_46_what_staff_changed_is_put_back_and_told_with_their_name(world: World) -> None:
    router = begin(world, "ann")
    world.call(lambda: router.tamper(SECRET, "ann", {"profile": "default", "comment": "by juma"}, by="juma"))
    world.resync()
    ann = world.row("ann")
    assert ann is not None
    assert (ann["profile"], ann["comment"]) == ("home", "by juma")
    event = Event.objects.get(what="drift-repaired")
    assert (event.actor, event.before, event.after) == (
        "router: juma via winbox",
        {"profile": "default"},
        {"profile": "home"},
    )


def test_trap_45_a_name_that_differs_by_case_is_another_row(world: World) -> None:
    router = world.add_router()
    world.call(lambda: router.seed_secrets(1, name="ANN "))
    before = world.row("ANN ")
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    assert world.row("ann") is not None
    assert world.row("ANN ") == before
