"""A router that refuses us is a condition with a remedy, not its subscribers' error; put right, it goes on at once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from imsys.network.models import Router, RouterState
from imsys.sim.accounts import SimUser
from imsys.sim.faults import Blackhole, Garbage, Refuse, SessionLimit
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.timeline.models import Event
from tests.world import CLERK, QUICK, UNHURRIED, World

NAMES = ["ann", "bob", "cid"]
USER, GROUP = "/user", "/user/group"
READER = frozenset(("api", "read", "sensitive", "test"))
NO_RETRY = replace(QUICK, refused_s=3600.0)
"""With this only a person's correction can be what brought the router back."""


@pytest.fixture
def worlds(transactional_db: None) -> Iterator[list[World]]:
    made: list[World] = []
    yield made
    for world in made:
        world.close()


def make(worlds: list[World], sim: SimRouter, **arguments: object) -> World:
    world = World(**arguments)  # type: ignore[arg-type]
    worlds.append(world)
    world.add_router(sim=sim)
    world.add_subscribers(NAMES)
    return world


def state() -> RouterState:
    return Router.objects.get(name="r1").state


def until_condition(world: World, code: str, *, failures: int = 1) -> RouterState:
    world.until(lambda: state().condition == code and state().failures >= failures, f"{code} is recorded")
    found = state()
    assert found.condition_text
    assert found.remedy
    assert found.condition_since is not None
    return found


def nobody_is_blamed(world: World) -> None:
    """The subscribers wait: pending, and no try counted against them."""
    assert world.statuses() == {"pending": len(NAMES)}
    assert not SyncState.objects.filter(attempts__gt=0).exists()
    assert not Event.objects.filter(what="sync-error").exists()


def all_is_well(world: World) -> None:
    world.until_synced()
    assert sorted(row["name"] for row in world.rows()) == NAMES
    world.until(lambda: state().condition == "", "the condition has ended")
    found = state()
    assert (found.condition_text, found.remedy, found.condition_since) == ("", "", None)
    assert (found.is_reachable, found.failures) == (True, 0)


def told(what: str) -> int:
    return Event.objects.filter(what=what, router="r1").count()


def test_a_wrong_password_waits_for_new_credentials_and_then_tries_at_once(worlds: list[World]) -> None:
    sim = SimRouter("r1", users={"admin": SimUser("right")})
    world = make(worlds, sim, timing=NO_RETRY)
    world.start_worker()
    found = until_condition(world, "LoginRefused")
    assert "password" in found.remedy
    assert found.is_reachable is True
    assert world.call(lambda: sim.counters.failed_logins) == 1
    nobody_is_blamed(world)
    services.set_router("r1", password="also wrong", actor=CLERK)
    until_condition(world, "LoginRefused", failures=2)
    services.set_router("r1", password="right", actor=CLERK)
    all_is_well(world)
    assert world.call(lambda: (sim.counters.failed_logins, sim.counters.logins)) == (2, 1)
    assert (told("router-refused"), told("router-up")) == (1, 1)


def test_a_password_that_is_put_right_on_the_router_is_noticed_by_itself(worlds: list[World]) -> None:
    sim = SimRouter("r1", users={"admin": SimUser("another")})
    world = make(worlds, sim)
    world.start_worker()
    until_condition(world, "LoginRefused", failures=3)
    nobody_is_blamed(world)
    world.call(lambda: sim.table(USER).set("admin", password=""))
    all_is_well(world)
    assert (told("router-refused"), told("router-up")) == (1, 1)


def test_a_password_that_is_changed_while_we_are_connected_concerns_the_next_login(worlds: list[World]) -> None:
    sim = SimRouter("r1")
    world = make(worlds, sim, timing=NO_RETRY)
    world.start_worker()
    all_is_well(world)
    world.call(lambda: (sim.table(USER).set("admin", password="new"), sim.drop_links()))
    until_condition(world, "LoginRefused")
    services.suspend(["ann"], cause="abuse", actor=CLERK)
    assert world.statuses() == {"synced": 2, "pending": 1}
    services.set_router("r1", password="new", actor=CLERK)
    all_is_well(world)
    assert world.disabled() == {"ann"}


@pytest.mark.parametrize("policies", [READER, READER - {"read"}], ids=["no-write", "no-read"])
def test_a_missing_policy_is_the_router_s_condition_and_told_once(
    worlds: list[World], policies: frozenset[str]
) -> None:
    sim = SimRouter("r1", users={"admin": SimUser(group="imsys", policies=policies)})
    world = make(worlds, sim)
    world.start_worker()
    found = until_condition(world, "NotPermitted", failures=3)
    assert "/user group" in found.remedy
    nobody_is_blamed(world)
    assert world.writes() == 0
    assert (told("router-refused"), told("router-up")) == (1, 0)
    world.call(lambda: sim.table(GROUP).set("imsys", policy="read,write"))
    all_is_well(world)
    assert (told("router-refused"), told("router-up")) == (1, 1)


def test_a_missing_policy_is_tried_again_at_once_under_another_login(worlds: list[World]) -> None:
    reader = SimUser(group="imsys", policies=READER)
    sim = SimRouter("r1", users={"admin": reader, "imsys": SimUser("right")})
    world = make(worlds, sim, timing=NO_RETRY)
    world.start_worker()
    until_condition(world, "NotPermitted")
    services.set_router("r1", username="imsys", password="right", actor=CLERK)
    all_is_well(world)


def test_a_router_that_refuses_connections_is_down_until_it_answers(worlds: list[World]) -> None:
    sim = SimRouter("r1")
    world = make(worlds, sim)
    refuse = Refuse()
    world.call(lambda: sim.faults.arm(refuse))
    world.start_worker()
    found = until_condition(world, "ConnectFailed", failures=3)
    assert found.is_reachable is False
    assert refuse.fired == 1
    nobody_is_blamed(world)
    assert (told("router-down"), told("router-up")) == (1, 0)
    world.call(lambda: sim.faults.disarm(refuse))
    all_is_well(world)
    assert (told("router-down"), told("router-up")) == (1, 1)


def test_a_router_that_does_not_answer_is_down_until_it_does(worlds: list[World]) -> None:
    sim = SimRouter("r1")
    world = make(worlds, sim, limits=replace(UNHURRIED, login_s=0.1, connect_s=0.1))
    hole = Blackhole()
    world.call(lambda: sim.faults.arm(hole))
    world.start_worker()
    world.until(lambda: state().failures >= 2, "it was tried twice")
    found = until_condition(world, state().condition)
    assert found.is_reachable is False
    nobody_is_blamed(world)
    assert (told("router-down"), told("router-refused")) == (1, 0)
    world.call(lambda: sim.faults.disarm(hole))
    all_is_well(world)


def test_a_full_house_is_tried_again_until_there_is_room(worlds: list[World]) -> None:
    sim = SimRouter("r1")
    world = make(worlds, sim)
    full = SessionLimit(limit=0)
    world.call(lambda: sim.faults.arm(full))
    world.start_worker()
    world.until(lambda: full.fired >= 3, "tried again and again")
    found = until_condition(world, state().condition, failures=3)
    assert found.is_reachable is False
    nobody_is_blamed(world)
    assert world.call(lambda: sim.counters.logins) == 0
    world.call(lambda: sim.faults.disarm(full))
    all_is_well(world)
    assert world.call(lambda: len(sim.sessions)) == 1


def test_something_that_does_not_speak_the_protocol_is_a_condition_too(worlds: list[World]) -> None:
    sim = SimRouter("r1")
    world = make(worlds, sim)
    garbage = Garbage(times=0)
    world.call(lambda: sim.faults.arm(garbage))
    world.start_worker()
    world.until(lambda: garbage.fired >= 2, "tried again")
    until_condition(world, state().condition, failures=2)
    nobody_is_blamed(world)
    world.call(lambda: sim.faults.disarm(garbage))
    all_is_well(world)
