"""What machines cause beyond the caps waits for a person; what people ask for, and putting drift back, never does."""

from typing import Any

import pytest

from imsys.fleet.incidents import look
from imsys.fleet.selectors import runs
from imsys.fleet.services import approve_hold, reject_hold
from imsys.kit.errors import InputError
from imsys.network import services as network
from imsys.network.models import Router
from imsys.network.services import remove_router
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber, SyncState
from imsys.timeline.holds import get_hold, holds
from imsys.timeline.incidents import incidents
from imsys.timeline.models import Event
from tests.scenario.isp import Isp
from tests.world import CLERK, SECRET, World

PROFILE = "/ppp/profile"

pytestmark = pytest.mark.timeout(60)


def names(count: int) -> list[str]:
    return [f"user{number:04d}" for number in range(count)]


def stocked(world: World, count: int) -> SimRouter:
    """A router that is right, with so many subscribers and a worker up."""
    router = world.add_router()
    services.add_package(name="home", rate_limit="10M/10M", price=20, actor=CLERK)
    lines = "".join(f"{name},secret-{name},r1,home\n" for name in names(count))
    services.import_rows(f"username,password,router,package\n{lines}".encode(), actor=CLERK)
    world.start_worker()
    world.until_synced(60)
    return router


def vanish(*usernames: str) -> None:
    """They are gone from the database, and no person took them away: a slip in a script, a bad restore."""
    Subscriber.objects.filter(username__in=usernames).delete()


def waiting() -> list[dict[str, Any]]:
    return holds()


def told(what: str) -> int:
    return Event.objects.filter(what=what).count()


def until_held(world: World, steps: int) -> int:
    world.until(lambda: [hold["steps"] for hold in waiting()] == [steps], f"{steps} steps are held")
    return int(waiting()[0]["id"])


def until_over(world: World, hold_id: int) -> None:
    world.until(lambda: get_hold(hold_id)["state"] == "over", "the hold is over")


def incident_kinds() -> list[str]:
    look()
    return [row["kind"] for row in incidents() if row["kind"] != "no-worker"]


def test_ghosts_that_nobody_asked_for_are_held_and_a_persons_changes_go_on(world: World) -> None:
    stocked(world, 15)  # so small that half is less than twenty
    vanish(*names(8))
    hold = until_held(world, 8)
    assert waiting()[0]["code"] == "TooManySteps"
    services.suspend(["user0014"], actor=CLERK)
    services.remove_subscribers(names(14)[8:], actor=CLERK)
    world.until(lambda: len(world.rows()) == 9, "what a person asked for is done, however much it is")
    world.until_synced()
    assert world.disabled() == {"user0014"}
    assert "held" in {run["result"] for run in runs("r1")}
    assert incident_kinds() == ["router-held"]
    approve_hold(hold, actor=CLERK)
    world.until(lambda: [row["name"] for row in world.rows()] == ["user0014"], "what was approved is done")
    until_over(world, hold)
    assert (told("held"), told("hold-approved"), incident_kinds()) == (1, 1, [])
    assert Router.objects.get(name="r1").state.condition == ""


def test_up_to_the_cap_they_go_by_themselves(world: World) -> None:
    stocked(world, 15)
    vanish(*names(7))
    world.until(lambda: len(world.rows()) == 8, "seven of fifteen are gone")
    world.resync()
    assert waiting() == []


def test_a_cap_that_people_set_counts(world: World) -> None:
    stocked(world, 15)
    services.set_router("r1", caps={"removes": 2}, actor=CLERK)
    vanish(*names(3))
    until_held(world, 3)
    assert len(world.rows()) == 15


def test_only_what_is_still_due_of_the_held_steps_is_done(world: World) -> None:
    """Two were taken away by hand meanwhile, one name belongs to somebody new, and what came later is not approved."""
    router = stocked(world, 15)
    services.set_router("r1", caps={"removes": 5}, actor=CLERK)
    vanish(*names(8))
    hold = until_held(world, 8)
    world.stop_workers()
    for name in names(2):
        world.call(lambda name=name: router.tamper(SECRET, name, verb="remove"))
    world.add_subscribers(["user0002"])
    approve_hold(hold, actor=CLERK)
    vanish(*names(15)[8:])
    before = world.call(lambda: router.journal.seq)
    world.start_worker()
    until_over(world, hold)
    later = until_held(world, 7)
    assert sorted(row["name"] for row in world.rows()) == ["user0002", *names(15)[8:]]
    gone = world.call(lambda: [e.ids for e in router.journal.since(before) if e.path == f"{SECRET}/remove"])
    assert sum(len(ids) for ids in gone) == 5
    with pytest.raises(InputError, match="does not wait any more"):
        approve_hold(hold, actor=CLERK)
    assert get_hold(later)["state"] == "waiting"


def test_what_was_rejected_is_silent_until_it_changes(world: World) -> None:
    stocked(world, 30)
    vanish(*names(20))
    hold = until_held(world, 20)
    reject_hold(hold, actor=CLERK)
    for _ in range(2):
        world.resync()
    assert (len(world.rows()), waiting(), told("held"), incident_kinds()) == (30, [], 1, [])
    vanish("user0025")
    world.until(lambda: len(world.rows()) == 29, "one more is within the cap, which those rejected do not use up")
    assert (waiting(), get_hold(hold)["state"]) == ([], "rejected")
    vanish(*names(25)[20:], *names(30)[26:])
    world.resync()
    assert len(world.rows()) == 20
    services.add_subscriber(username="user0000", router="r1", package="home", actor=CLERK)
    world.until_synced()
    assert (waiting(), len(world.rows())) == ([], 20)


def test_a_decision_outlasts_a_freeze_and_a_closed_window(world: World) -> None:
    stocked(world, 15)
    vanish(*names(8))
    hold = until_held(world, 8)
    network.freeze("audit", actor=CLERK)
    world.resync()
    assert until_held(world, 8) == hold
    reject_hold(hold, actor=CLERK)
    world.resync()
    assert get_hold(hold)["state"] == "rejected"
    network.thaw(actor=CLERK)
    world.resync()
    assert (get_hold(hold)["state"], waiting(), len(world.rows())) == ("rejected", [], 15)


def test_what_was_approved_during_a_freeze_is_done_after_it(world: World) -> None:
    stocked(world, 15)
    vanish(*names(8))
    hold = until_held(world, 8)
    network.freeze("audit", actor=CLERK)
    approve_hold(hold, actor=CLERK)
    world.resync()
    assert (get_hold(hold)["state"], len(world.rows())) == ("approved", 15)
    network.thaw(actor=CLERK)
    world.until(lambda: len(world.rows()) == 7, "what was approved is done")
    until_over(world, hold)


def test_a_router_that_is_removed_takes_its_holds_with_it(world: World) -> None:
    stocked(world, 15)
    vanish(*names(8))
    hold = until_held(world, 8)
    vanish(*names(15)[8:])
    remove_router("r1", forget=True, actor=CLERK)
    world.stop_workers()
    assert (get_hold(hold)["state"], incident_kinds()) == ("over", [])


def test_a_hold_follows_what_is_held_and_ends_by_itself(world: World) -> None:
    stocked(world, 15)
    vanish(*names(8))
    hold = until_held(world, 8)
    vanish("user0008")
    later = until_held(world, 9)
    until_over(world, hold)
    world.add_subscribers(names(8))
    world.until_synced()
    world.resync()
    assert until_held(world, 1) == later
    world.add_subscribers(["user0008"])
    world.until_synced()
    world.resync()
    until_over(world, later)
    assert (told("held"), len(world.rows())) == (1, 15)


def test_what_a_script_freed_is_cut_off_again_however_much_it_is(world: World) -> None:
    router = stocked(world, 1000)
    services.suspend(names(1000), actor=CLERK)
    world.until_synced(60)
    world.call(lambda: [router.tamper(SECRET, name, {"disabled": "no"}, by="script") for name in names(1000)])
    world.until(lambda: len(world.disabled()) == 1000, "all are cut off again", 30)
    world.until(lambda: [run["repaired"] for run in runs("r1") if run["repaired"]] == [1000], "in one run")
    assert (waiting(), told("held")) == ([], 0)
    assert incident_kinds() == ["much-repaired"]


def test_our_own_bulk_removal_is_no_shrunken_table(world: World) -> None:
    stocked(world, 40)
    services.remove_subscribers(names(35), actor=CLERK)
    world.until(lambda: len(world.rows()) == 5, "all 35 go")
    world.resync()
    assert (waiting(), Router.objects.get(name="r1").state.condition) == ([], "")


def blank(router: SimRouter) -> None:
    for menu in (SECRET, PROFILE):
        for row in router.table(menu).rows:
            if row.get("default") != "true":
                router.tamper(menu, row[".id"], verb="remove", by="reset")


def test_a_blanked_router_is_held_and_a_persons_suspension_goes_through(world: World) -> None:
    router = stocked(world, 30)
    world.call(lambda: blank(router))
    world.resync()
    hold = until_held(world, 31)
    services.suspend(["user0003"], actor=CLERK)
    world.until(lambda: synced("user0003"), "a person's change goes through, with the profile that it needs")
    assert [(row["name"], row["disabled"]) for row in world.rows()] == [("user0003", "true")]
    approve_hold(hold, actor=CLERK)
    world.until_synced(30)
    until_over(world, hold)
    assert sorted(row["name"] for row in world.rows()) == names(30)


def synced(name: str) -> bool:
    return SyncState.objects.get(subscriber__username=name).sync_status == "synced"


def test_another_router_is_held_and_a_persons_suspension_goes_through(world: World) -> None:
    stocked(world, 5)
    world.stop_workers()
    world.do(world.routers["r1"].close())
    world.routers["r1"] = SimRouter("r1", serial="ANOTHER", seed=9)
    world.start_worker()
    world.resync()
    hold = until_held(world, 6)
    assert get_hold(hold)["code"] == "OtherRouter"
    services.suspend(["user0001"], actor=CLERK)
    world.until(lambda: synced("user0001"), "a person's change goes through")
    assert [row["name"] for row in world.rows()] == ["user0001"]
    reject_hold(hold, actor=CLERK)
    world.resync()
    assert [row["name"] for row in world.rows()] == ["user0001"]
    assert (waiting(), Router.objects.get(name="r1").state.condition) == ([], "OtherRouter")


def test_once_approved_the_other_router_is_the_one_that_is_known(world: World) -> None:
    stocked(world, 5)
    world.stop_workers()
    world.do(world.routers["r1"].close())
    world.routers["r1"] = SimRouter("r1", serial="ANOTHER", seed=9)
    world.start_worker()
    world.resync()
    approve_hold(until_held(world, 6), actor=CLERK)
    world.until_synced()
    assert sorted(row["name"] for row in world.rows()) == names(5)
    world.resync()
    state = Router.objects.get(name="r1").state
    assert (state.condition, state.serial, waiting()) == ("", "ANOTHER", [])


def test_an_expiry_over_its_cap_is_held_before_any_intent_changes(isp: Isp) -> None:
    world = isp.world
    stocked(world, 15)
    for name in names(8):
        isp("subscriber", "set", name, "--expires-at", "2020-01-01")
    assert isp("expiry", "run", code=3)
    writes = world.writes()
    (hold,) = isp("hold", "list")
    assert (hold["kind"], hold["steps"], Subscriber.objects.filter(is_suspended=True).count()) == ("expiry", 8, 0)
    assert incident_kinds() == ["router-held"]
    isp("subscriber", "set", "user0000", "--expires-at", "2099-01-01")
    world.until_synced()
    assert world.writes() == writes
    assert isp("hold", "approve", str(hold["id"]))["state"] == "over"
    world.until(lambda: world.disabled() == set(names(8)[1:]), "those still due are cut off")
    world.until_synced()
    assert isp("hold", "list") == []
    assert isp("hold", "reject", str(hold["id"]), code=2)
