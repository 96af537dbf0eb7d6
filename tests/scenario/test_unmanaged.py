"""Logins that nobody here owns: seen, shown, and kept, adopted, shut or removed as people or the policy say."""

from typing import Any

import pytest

from imsys.fleet import inbox
from imsys.fleet.inbox import Choice
from imsys.fleet.selectors import status
from imsys.fleet.services import approve_hold
from imsys.kit.errors import InputError
from imsys.network.models import Router
from imsys.network.services import ask_resync
from imsys.sim.arming import make_fault
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.timeline.holds import holds
from imsys.timeline.models import Event
from tests.scenario.isp import Isp
from tests.world import CLERK, SECRET, World

STRANGERS = ("neighbour", "test 1", "caf\udce9")
"""The last one as WinBox writes it, in bytes that are no UTF-8."""


def shared(world: World, *strangers: str, mode: str = "enforce", customers: int = 2, **options: Any) -> SimRouter:
    """A router with customers of ours and logins of nobody, all online."""
    router = SimRouter("r1", seed=world.seed)

    def furnish() -> None:
        for number, name in enumerate(strangers, 1):
            address = f"10.77.0.{number}"
            router.table(SECRET).add(name=name, password="theirs", profile="default", remote_address=address)
        router.cpes.add_all(redial_s=0.02)

    world.call(furnish)
    world.add_router(sim=router, mode=mode, **options)
    world.add_subscribers([f"user{number}" for number in range(customers)])
    world.start_worker()
    if mode == "enforce":
        world.until_synced()
    world.until(lambda: world.online() >= set(strangers), "they dial in")
    world.resync()
    return router


def states(**choice: Any) -> dict[str, str]:
    return {row["name"]: row["state"] for row in inbox.rows(Choice(**choice))}


def decide(decision: str, **choice: Any) -> None:
    inbox.decide(Choice(**choice), decision, actor=CLERK)


def test_free_internet_is_visible_and_nothing_is_done_about_it_by_itself(world: World) -> None:
    router = shared(world, *STRANGERS)
    writes = world.writes()
    world.resync()
    cafe, neighbour, test = sorted(inbox.rows(), key=lambda row: row["name"])
    assert [row["name"] for row in (cafe, neighbour, test)] == ["caf\\xe9", "neighbour", "test 1"]
    assert {row["state"] for row in (cafe, neighbour, test)} == {"open"}
    assert (neighbour["is_live"], neighbour["router"], neighbour["wish"]) == (True, "r1", "keep")
    assert neighbour["shown"]["remote-address"] == "10.77.0.1"
    assert "theirs" not in str(neighbour)
    assert status()["unmanaged"] == {"rows": 3, "live": 3}
    world.call(lambda: router.tamper(SECRET, "test 1", verb="remove"))
    world.resync()
    assert (sorted(states()), world.writes()) == (["caf\\xe9", "neighbour"], writes)


def test_what_is_ours_by_any_right_is_not_in_it(world: World) -> None:
    """A removed subscriber's row, one under an old name, one of somebody who moved away."""
    shared(world, customers=3)
    world.add_router("r2")
    world.stop_workers()
    services.remove_subscribers(["user0"], actor=CLERK)
    services.rename_subscriber("user1", "renamed", actor=CLERK)
    services.move_subscribers(["user2"], "r2", actor=CLERK)
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.start_worker()
    world.until_synced()
    world.resync()
    assert (states(), [row["name"] for row in world.rows()]) == ({}, ["renamed"])
    assert not Event.objects.filter(what__startswith="stray").exists()


def test_who_is_adopted_while_the_router_is_being_read_is_not_taken_for_nobody(world: World) -> None:
    router = shared(world, "neighbour")
    services.set_router("r1", caps=dict.fromkeys(("removes", "kicks"), 0), actor=CLERK)
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.until(lambda: holds(), "held, as there is one of ours only")
    slow = make_fault("delay", {"menu": SECRET, "verb": "print", "seconds": 1.0})
    services.set_router("r1", caps=dict.fromkeys(("removes", "kicks")), actor=CLERK)
    world.call(lambda: router.faults.arm(slow))
    ask_resync([Router.objects.get().pk])
    world.until(lambda: slow.fired, "the intent was loaded, and a read is on its way")
    world.add_subscribers(["neighbour"])
    world.until_synced()
    world.resync()
    assert "neighbour" in world.online()
    assert not Event.objects.filter(what__startswith="stray").exists()


def test_a_policy_that_is_set_while_the_router_is_being_read_is_not_lost(world: World) -> None:
    router = shared(world, "neighbour")
    slow = make_fault("delay", {"menu": SECRET, "verb": "print", "seconds": 1.0})
    ask_resync([Router.objects.get().pk])
    world.call(lambda: router.faults.arm(slow))
    world.until(lambda: slow.fired, "a read is on its way")
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.until(lambda: len(world.rows()) == 2, "it counts")


def test_kept_rows_are_known_and_no_policy_touches_them(world: World) -> None:
    shared(world, "neighbour", "noc")
    decide("keep", names=["noc"])
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.until(lambda: "neighbour" not in {row["name"] for row in world.rows()}, "the policy counts for the other")
    world.resync()
    assert (states(), status()["unmanaged"]) == ({"noc": "kept"}, {"rows": 0, "live": 0})
    assert "noc" in world.online()


def test_quarantined_rows_are_shut_their_sessions_ended_and_they_stay_shut(world: World) -> None:
    router = shared(world, "neighbour", "other")
    decide("quarantine", names=["neighbour"])
    world.until(lambda: world.disabled() == {"neighbour"}, "it is disabled")
    world.until(lambda: world.online() == {"other"}, "and offline")
    world.resync()
    assert states() == {"neighbour": "quarantined", "other": "open"}
    world.call(lambda: router.tamper(SECRET, "neighbour", {"disabled": "no"}))
    world.until(lambda: world.disabled() == {"neighbour"}, "whoever opens it finds it shut again")
    world.until(lambda: Event.objects.filter(what="stray-quarantined").count() == 2, "and it is told")
    decide("keep", names=["neighbour"])
    world.resync()
    assert states()["neighbour"] == "kept"


def test_removed_rows_are_gone_with_their_sessions(world: World) -> None:
    shared(world, *STRANGERS)
    decide("remove", match="*", live=True, router="r1")
    world.until(lambda: sorted(row["name"] for row in world.rows()) == ["user0", "user1"], "they are gone")
    world.until(lambda: world.online() == set(), "and offline")
    world.resync()
    assert states() == {}
    assert Event.objects.filter(what="stray-removed").count() == 3


@pytest.mark.parametrize(("policy", "left"), [("quarantine", 12), ("remove", 2)])
def test_a_policy_beyond_the_cap_is_held_until_a_person_approves(world: World, policy: str, left: int) -> None:
    shared(world, *(f"stray{number}" for number in range(10)))
    writes = world.writes()
    services.set_router("r1", unmanaged=policy, actor=CLERK)
    world.until(lambda: [hold["steps"] for hold in holds()] == [10], "held")
    assert (world.writes(), set(states().values())) == (writes, {f"to {policy}"})
    approve_hold(holds()[0]["id"], actor=CLERK)
    world.until(lambda: world.online() == set(), "approved")
    assert len(world.rows()) == left
    assert holds() == []


def test_a_person_who_names_them_is_not_braked(world: World) -> None:
    shared(world, *(f"stray{number}" for number in range(10)))
    decide("remove", names=[f"stray{number}" for number in range(10)])
    world.until(lambda: len(world.rows()) == 2, "all ten are gone")
    assert holds() == []


def test_an_observed_router_is_not_written_to(world: World) -> None:
    shared(world, "neighbour", mode="observe")
    decide("quarantine", names=["neighbour"])
    world.resync()
    assert (world.writes(), states()) == (0, {"neighbour": "to quarantine"})
    services.set_router("r1", mode="enforce", actor=CLERK)
    world.until(lambda: world.disabled() == {"neighbour"}, "once it is enforced")


def test_the_command_line_lists_decides_and_adopts(isp: Isp) -> None:
    world = isp.world
    shared(world, "neighbour", "fiber-1", "fiber-2", customers=0, mode="observe", tcp=True)
    assert {row["name"]: row["state"] for row in isp("unmanaged", "list", "--match", "fiber-*")} == {
        "fiber-1": "open",
        "fiber-2": "open",
    }
    assert "--all" in isp("unmanaged", "remove", code=2)
    assert "nobby" in isp("unmanaged", "remove", "nobby", code=2)
    assert "3 logins, 3 of them online" in isp("unmanaged", "quarantine", "--all", code=2)
    decided = isp("unmanaged", "quarantine", "--match", "neigh*", "--all", "--yes")
    assert decided == {"decision": "quarantine", "rows": [{"router": "r1", "name": "neighbour"}]}
    services.add_package(name="fiber", profile="default", price=10, actor=CLERK)
    adopt = ("unmanaged", "adopt", "--router", "r1", "--match", "fiber-*", "--package", "fiber", "--all", "--yes")
    assert isp(*adopt, "--dry-run")["subscribers"] == 2
    assert isp(*adopt)["subscribers"] == 2
    assert isp.shown("fiber-1")["package"] == "fiber"
    world.resync()
    assert (states(), world.writes()) == ({"neighbour": "to quarantine"}, 0)


def test_a_name_that_is_not_there_is_an_error(world: World) -> None:
    shared(world, "neighbour")
    with pytest.raises(InputError, match=r"neighbor.*neighbour"):
        decide("remove", names=["neighbor"])
