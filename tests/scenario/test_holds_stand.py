"""Holds that wait, and what people decided, stand: against other numbers, freezes, boots, swaps, and the same again."""

from datetime import UTC, datetime, timedelta

import pytest

from imsys.billing import services as billing
from imsys.fleet.models import Run
from imsys.fleet.services import approve_hold, reject_hold
from imsys.kit.errors import InputError
from imsys.network import services as network
from imsys.network.models import Router
from imsys.sim.arming import make_fault
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber
from imsys.timeline.holds import get_hold, holds
from imsys.timeline.models import Event
from tests.scenario.isp import Isp
from tests.scenario.test_holds import names, stocked, until_held, until_over, vanish
from tests.scenario.test_modes import minutes_other_than_now
from tests.scenario.test_unmanaged import decide
from tests.world import CLERK, SECRET, World


def row_names(world: World) -> list[str]:
    return sorted(row["name"] for row in world.rows())


def swap(world: World, other: SimRouter) -> None:
    """Something else answers at the address."""
    world.stop_workers()
    world.routers["r1"] = other
    world.start_worker()


def other_with_the_same_rows(world: World) -> SimRouter:
    """New hardware on which the old one's backup was restored."""
    other = SimRouter("r1", serial="ANOTHER", seed=9)
    rows = [dict(row) for row in world.rows()]
    columns = ("name", "password", "profile", "service", "disabled")

    def furnish() -> None:
        other.table("/ppp/profile").add(name="home", rate_limit="10M/10M")
        for row in rows:
            other.table(SECRET).add(**{column: row[column] for column in columns})

    world.call(furnish)
    return other


def test_adding_a_customer_does_not_release_a_waiting_hold(world: World) -> None:
    stocked(world, 15)
    vanish(*names(8))
    until_held(world, 8)
    world.add_subscribers(["new1", "new2"])
    world.until_synced()
    world.resync()
    assert row_names(world) == ["new1", "new2", *names(15)], "nobody approved"


def test_a_row_taken_away_by_hand_does_not_release_a_waiting_hold(world: World) -> None:
    router = stocked(world, 15)
    vanish(*names(8))
    until_held(world, 8)
    world.call(lambda: router.tamper(SECRET, "user0000", verb="remove"))
    world.resync()
    assert len(world.rows()) == 14, "nobody approved"


def test_adding_customers_does_not_release_a_hold_of_vanished_rows(world: World) -> None:
    router = stocked(world, 30)
    world.call(lambda: [router.tamper(SECRET, name, verb="remove", by="x") for name in names(16)])
    world.resync()
    until_held(world, 16)
    world.add_subscribers([f"new{n}" for n in range(3)])
    world.until(lambda: len(world.rows()) >= 17, "new ones are there")
    world.resync()
    assert len(world.rows()) == 17, "nobody approved"


def test_a_rejected_hold_of_vanished_rows_stays_rejected_when_others_leave(world: World) -> None:
    router = stocked(world, 30)
    world.call(lambda: [router.tamper(SECRET, name, verb="remove", by="x") for name in names(16)])
    world.resync()
    reject_hold(until_held(world, 16), actor=CLERK)
    world.resync()
    assert len(world.rows()) == 14
    services.remove_subscribers(names(4), actor=CLERK)
    world.resync()
    world.resync()
    assert len(world.rows()) == 14, "what a person rejected stays undone"


def test_a_rejection_outlives_a_freeze(world: World) -> None:
    router = stocked(world, 15)
    vanish(*names(8))
    hold = until_held(world, 8)
    reject_hold(hold, actor=CLERK)
    world.resync()
    world.call(lambda: router.tamper(SECRET, "user0000", verb="remove"))
    world.resync()
    assert len(world.rows()) == 14
    network.freeze("core switch", actor=CLERK)
    world.resync()
    network.thaw(actor=CLERK)
    world.resync()
    world.resync()
    assert (get_hold(hold)["state"], len(world.rows())) == ("rejected", 14)


def test_a_rejection_outlives_a_closed_window(world: World) -> None:
    stocked(world, 30)
    vanish(*names(20))
    hold = until_held(world, 20)
    reject_hold(hold, actor=CLERK)
    world.resync()
    services.set_router("r1", window=minutes_other_than_now(), window_zone="UTC", actor=CLERK)
    world.resync()
    assert get_hold(hold)["state"] == "rejected"


def test_sync_says_held_where_only_a_hold_is_left(isp: Isp) -> None:
    stocked(isp.world, 15)
    vanish(*names(8))
    until_held(isp.world, 8)
    isp.world.resync()
    assert isp("sync", "--timeout", "3", code=3)["blocked"]["held"] == 8


def test_a_rejected_expiry_stays_rejected_when_the_subscriber_moves(isp: Isp) -> None:
    world = isp.world
    stocked(world, 15)
    world.add_router("r2")
    past = datetime.now(UTC) - timedelta(days=1)
    for name in names(8):
        services.set_subscriber(name, expires_at=past, actor=CLERK)
    billing.run_expiry(actor="system")
    (hold,) = holds()
    reject_hold(hold["id"], actor=CLERK)
    services.move_subscribers(["user0000"], "r2", actor=CLERK)
    billing.run_expiry(actor="system")
    assert not Subscriber.objects.get(username="user0000").is_suspended


def test_undo_of_an_undone_change_whose_undoing_was_pruned_is_one_line(isp: Isp) -> None:
    from imsys.timeline import changes
    from imsys.timeline.models import Change

    stocked(isp.world, 3)
    change = services.suspend(names(2), actor=CLERK).change
    isp("undo", str(change))
    Change.objects.update(at=datetime.now(UTC) - timedelta(days=4000))
    changes.prune(keep=timedelta(days=3000))
    isp("undo", str(change), code=2)


def test_an_approval_outlives_a_boot(world: World) -> None:
    router = stocked(world, 30)
    world.call(lambda: [router.tamper(SECRET, name, verb="remove", by="reset") for name in names(30)])
    world.resync()
    hold = until_held(world, 30)
    world.stop_workers()
    approve_hold(hold, actor=CLERK)
    world.call(lambda: router.reboot(down_s=0.05))
    world.start_worker()
    world.until(lambda: len(world.rows()) == 30, "what was approved is done", 10)


def test_what_was_rejected_by_mistake_can_be_approved_after_all(world: World) -> None:
    router = stocked(world, 30)
    world.call(lambda: [router.tamper(SECRET, name, verb="remove", by="x") for name in names(30)])
    world.resync()
    hold = until_held(world, 30)
    reject_hold(hold, actor=CLERK)
    approve_hold(hold, actor=CLERK)
    world.until(lambda: len(world.rows()) == 30, "they are back")


@pytest.mark.parametrize("is_swapped", [False, True])
def test_another_router_in_a_freeze_does_not_make_us_forget_what_is_to_go(world: World, is_swapped: bool) -> None:
    """A spare answers at the address while all is frozen. Back on the real one, who was removed has to go."""
    router = stocked(world, 15)
    network.freeze("core switch", actor=CLERK)
    services.remove_subscribers(names(3), actor=CLERK)
    if is_swapped:
        swap(world, SimRouter("r1", serial="ANOTHER", seed=9))
    world.resync()
    if is_swapped:
        swap(world, router)
    network.thaw(actor=CLERK)
    world.resync()
    world.resync()
    assert row_names(world) == names(15)[3:]


def test_a_router_that_comes_back_blank_is_held_though_many_were_changed_meanwhile(world: World) -> None:
    """16 of 30 are suspended by people while it is away: theirs go on, the other 14 are a blanked router's."""
    router = stocked(world, 30)
    world.stop_workers()
    world.call(lambda: [router.tamper(SECRET, name, verb="remove", by="reset") for name in names(30)])
    services.suspend(names(16), actor=CLERK)
    world.start_worker()
    world.resync()
    world.resync()
    assert row_names(world) == names(16)


def test_a_partly_loaded_table_does_not_release_a_waiting_hold(world: World) -> None:
    router = stocked(world, 30)
    vanish(*names(20))
    until_held(world, 20)
    world.stop_workers()
    partial = make_fault("partial-table", {"menu": SECRET, "share": 0.5})
    world.call(lambda: (router.faults.arm(partial), router.reboot(down_s=0.05)))
    world.start_worker()
    world.glances(5)
    assert len(world.rows()) == 30


@pytest.mark.parametrize("decision", ["none", "reject"])
def test_a_hold_is_no_storm(world: World, decision: str) -> None:
    router = stocked(world, 30)
    services.suspend(names(30), actor=CLERK)
    world.until_synced()
    world.call(lambda: [router.tamper(SECRET, name, verb="remove", by="x") for name in names(30)])
    world.resync()
    hold = until_held(world, 30)
    if decision == "reject":
        reject_hold(hold, actor=CLERK)
    world.glances()
    before = Run.objects.filter(kind="resync").count()
    world.glances(6)
    assert Run.objects.filter(kind="resync").count() - before <= 1


def test_approved_steps_that_the_router_refuses_are_no_storm(world: World) -> None:
    router = stocked(world, 15)
    vanish(*names(8))
    hold = until_held(world, 8)
    world.call(lambda: router.faults.arm(make_fault("trap", {"menu": SECRET, "verb": "remove", "times": 0})))
    approve_hold(hold, actor=CLERK)
    world.glances()
    before = world.call(lambda: router.counters.total_commands)
    world.glances(6)
    assert world.call(lambda: router.counters.total_commands) - before < 200


def test_an_approval_does_not_cover_the_same_row_a_second_time(world: World) -> None:
    """The router refuses for a while, nine of ten come back as customers, and slip out of the database again."""
    router = stocked(world, 15)
    vanish(*names(10))
    hold = until_held(world, 10)
    fault = make_fault("trap", {"menu": SECRET, "verb": "remove", "times": 0})
    world.call(lambda: router.faults.arm(fault))
    approve_hold(hold, actor=CLERK)
    world.resync()
    world.add_subscribers(names(9))
    world.until_synced()
    world.resync()
    world.call(lambda: router.faults.disarm(fault))
    vanish(*names(9))
    world.resync()
    assert len(set(row_names(world)) & set(names(9))) == 9, "approved weeks ago, for what was another matter"


def test_a_lost_link_in_an_approved_flight_ends_well(world: World) -> None:
    router = stocked(world, 15)
    vanish(*names(8))
    hold = until_held(world, 8)
    world.call(lambda: router.faults.arm(make_fault("drop-after", {"menu": SECRET, "verb": "remove"})))
    approve_hold(hold, actor=CLERK)
    until_over(world, hold)
    assert row_names(world) == names(15)[8:]


def test_sync_comes_to_an_end_after_a_rejection(isp: Isp) -> None:
    stocked(isp.world, 15)
    vanish(*names(8))
    reject_hold(until_held(isp.world, 8), actor=CLERK)
    isp.world.resync()
    services.suspend(["user0014"], actor=CLERK)
    assert isp("sync", "--timeout", "3", code=3)["pending"] == 0


def test_a_slip_that_deletes_one_after_the_other_is_braked_too(world: World) -> None:
    """A script that commits each row: every run sees but a few, and none is over its cap."""
    stocked(world, 30)
    for name in names(30):
        vanish(name)
        world.resync()
    world.resync()
    assert len(world.rows()) >= 15, "no more than half of the router's rows without a person's word"


def test_on_exchanged_hardware_somebody_suspended_is_cut_off_again(world: World) -> None:
    """Nobody was told of the exchange, since nothing differed; then a technician frees a customer."""
    stocked(world, 3)
    services.suspend(["user0000"], actor=CLERK)
    world.until_synced()
    other = other_with_the_same_rows(world)
    swap(world, other)
    world.resync()
    assert holds() == []
    world.call(lambda: other.tamper(SECRET, "user0000", {"disabled": "no"}))
    world.until(lambda: world.disabled() == {"user0000"}, "cut off again", 5)


def test_an_expiry_that_waits_is_not_done_because_the_subscriber_moves(isp: Isp) -> None:
    world = isp.world
    stocked(world, 15)
    world.add_router("r2")
    past = datetime.now(UTC) - timedelta(days=1)
    for name in names(8):
        services.set_subscriber(name, expires_at=past, actor=CLERK)
    billing.run_expiry(actor="system")
    assert [hold["steps"] for hold in holds()] == [8]
    services.move_subscribers(["user0000", "user0010"], "r2", actor=CLERK)
    billing.run_expiry(actor="system")
    assert not Subscriber.objects.filter(is_suspended=True).exists(), "nobody has approved"


@pytest.mark.parametrize("version", ["6.49.10", "7.16.2"])
def test_holds_and_the_inbox_on_both_versions(world: World, version: str) -> None:
    router = SimRouter("r1", version=version, seed=world.seed)
    world.call(lambda: router.table(SECRET).add(name="neighbour", password="x", profile="default"))
    world.call(lambda: router.cpes.add_all(redial_s=0.02))
    world.add_router(sim=router)
    world.add_subscribers(names(15))
    world.start_worker()
    world.until_synced()
    world.resync()
    decide("quarantine", names=["neighbour"])
    world.until(lambda: world.disabled() == {"neighbour"} and world.online() == set(), "shut")
    vanish(*names(8))
    approve_hold(until_held(world, 8), actor=CLERK)
    world.until(lambda: row_names(world) == sorted(["neighbour", *names(15)[8:]]), "done")


def test_two_workers_and_one_approval(world: World) -> None:
    stocked(world, 15)
    second = world.start_worker()
    vanish(*names(8))
    hold = until_held(world, 8)
    approve_hold(hold, actor=CLERK)
    world.crash_worker(second)
    world.until(lambda: row_names(world) == names(15)[8:], "done", 20)
    until_over(world, hold)


def test_what_is_approved_is_what_was_shown(world: World) -> None:
    """The clerk looks at 8 steps; before the word is given there are 14."""
    stocked(world, 15)
    vanish(*names(8))
    shown = until_held(world, 8)
    vanish(*names(14)[8:])
    later = until_held(world, 14)
    with pytest.raises(InputError, match=f"by now is hold {later}"):
        approve_hold(shown, actor=CLERK)
    world.resync()
    assert len(world.rows()) == 15
    approve_hold(later, actor=CLERK)
    world.until(lambda: len(world.rows()) == 1, "what was approved is done")


def test_a_hold_says_that_another_router_stands_there_by_now(world: World) -> None:
    stocked(world, 15)
    vanish(*names(8))
    hold = until_held(world, 8)
    swap(world, other_with_the_same_rows(world))
    world.resync()
    assert Router.objects.get().state.condition == "OtherRouter"
    (now,) = holds()
    assert (now["code"], get_hold(hold)["state"]) == ("OtherRouter", "over")


def test_an_exchange_for_a_router_that_is_right_is_told_and_the_new_one_is_known(world: World) -> None:
    stocked(world, 3)
    services.suspend(["user0000"], actor=CLERK)
    world.until_synced()
    swap(world, other_with_the_same_rows(world))
    world.resync()
    assert Event.objects.filter(what="router-exchanged").count() == 1
    world.resync()
    state = Router.objects.get().state
    assert (state.serial, state.condition, holds()) == ("ANOTHER", "", [])


def test_one_router_under_two_names_is_kept_under_the_first_alone(world: World) -> None:
    """Whose rows are nobody's to the one name are the other's customers."""
    router = stocked(world, 3)
    world.add_router("r2", sim=router, unmanaged="remove")
    Router.objects.update(host="r1")
    world.until(lambda: Router.objects.get(name="r2").state.condition == "SameRouter", "it is told apart")
    writes = world.writes()
    world.resync("r1")
    assert (world.writes(), row_names(world)) == (writes, names(3))
    assert "is r1" in Router.objects.get(name="r2").state.condition_text
