"""Logins of nobody at the wrong moment: odd names, the same name twice, a subscriber's by now, another router."""

from datetime import UTC, datetime, timedelta

import pytest

from imsys.fleet import inbox
from imsys.kit.errors import InputError
from imsys.network.models import Router
from imsys.sim.arming import make_fault
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from tests.scenario.test_holds import until_held
from tests.scenario.test_holds_stand import row_names, swap
from tests.scenario.test_unmanaged import decide, shared
from tests.world import CLERK, SECRET, World

LIST = "/ip/firewall/address-list"


def test_a_stray_that_becomes_a_subscriber_during_the_read_keeps_row_and_session(world: World) -> None:
    router = shared(world, "neighbour")
    row_id = world.row("neighbour")[".id"]
    slow = make_fault("delay", {"menu": SECRET, "verb": "print", "seconds": 1.5})
    world.call(lambda: router.faults.arm(slow))
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.until(lambda: slow.fired, "a read is on its way")
    services.add_subscriber(username="neighbour", router="r1", package="home", password="theirs", actor=CLERK)
    world.resync()
    world.until_synced()
    after = world.row("neighbour")
    assert (after or {}).get(".id") == row_id, "the row of a customer was removed and made again"


def test_a_quarantined_login_in_odd_bytes_does_not_end_the_keeper(world: World) -> None:
    router = shared(world, "caf\udce9")
    decide("quarantine", match="caf*")
    world.until(lambda: len(world.disabled()) == 1, "shut")
    world.glances()
    assert world.call(lambda: router.counters.logins) == 1, "it crashes at each glance and logs in anew"


def test_two_logins_that_read_alike_do_not_stop_the_keeper(world: World) -> None:
    router = shared(world, "caf\udce9")
    world.call(lambda: router.table(SECRET).add(name="caf\\xe9", password="x", profile="default"))
    world.resync()


def test_a_policy_does_not_kick_beyond_the_cap(world: World) -> None:
    """Disabled by hand and still online, as RouterOS leaves them: the policy's kicks count too."""
    router = shared(world, *(f"stray{number}" for number in range(10)))
    world.call(lambda: [router.tamper(SECRET, f"stray{number}", {"disabled": "yes"}) for number in range(10)])
    assert len(world.online()) == 10
    services.set_router("r1", unmanaged="quarantine", actor=CLERK)
    world.resync()
    world.resync()
    assert len(world.online()) == 10, "ten sessions ended on a router of two customers, and nobody was asked"


def test_naming_a_login_means_one_login(world: World) -> None:
    """A PPP login and a hotspot one are called alike."""
    router = SimRouter("r1", seed=world.seed)

    def furnish() -> None:
        router.table(SECRET).add(name="bob", password="x", profile="default")
        router.table("/ip/hotspot/user").add(name="bob", password="x", profile="default")

    world.call(furnish)
    world.add_router(sim=router)
    services.add_package(name="home", rate_limit="10M/10M", price=20, actor=CLERK)
    services.add_subscriber(username="guest", router="r1", package="home", service="hotspot", password="x", actor=CLERK)
    world.start_worker()
    world.until_synced()
    world.resync()
    assert len(inbox.rows()) == 2
    with pytest.raises(InputError, match="more than one login"):
        decide("remove", names=["bob"])
    decide("remove", names=["bob"], service="hotspot")
    world.resync()
    world.resync()
    left = [row["name"] for menu in (SECRET, "/ip/hotspot/user") for row in world.rows(menu=menu)]
    assert left.count("bob") == 1


def test_a_quarantine_under_doubt_ends_no_sessions(world: World) -> None:
    """Another router answers: what a machine concluded is held, and so are the kicks of the policy."""
    router = shared(world, "stray0")
    services.set_router("r1", unmanaged="quarantine", actor=CLERK)
    world.until(lambda: world.disabled() == {"stray0"}, "shut")
    world.stop_workers()
    other = SimRouter("r1", serial="ANOTHER", seed=9)

    def furnish() -> None:
        for number in range(5):
            other.table(SECRET).add(name=f"stray{number}", password="theirs", profile="default")
        other.cpes.add_all(redial_s=0.02)

    world.call(furnish)
    world.do(router.close())
    world.routers["r1"] = other
    world.until(lambda: len(world.online()) == 5, "they dial in")
    world.call(lambda: [other.tamper(SECRET, f"stray{number}", {"disabled": "yes"}) for number in range(5)])
    world.start_worker()
    world.resync()
    assert Router.objects.get().state.condition == "OtherRouter"
    assert len(world.online()) == 5


def test_what_people_keep_is_kept_though_another_router_answered_for_an_hour(world: World) -> None:
    from imsys.fleet.models import Unmanaged

    router = shared(world, "noc")
    decide("keep", names=["noc"])
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.resync()
    assert world.row("noc") is not None
    swap(world, SimRouter("r1", serial="ANOTHER", seed=9))
    world.resync()
    Unmanaged.objects.update(gone_at=datetime.now(UTC) - timedelta(hours=1))  # an hour passes
    world.resync()
    swap(world, router)
    world.resync()
    world.resync()
    assert world.row("noc") is not None


def test_keeping_one_of_a_held_policy_does_not_remove_the_others(world: World) -> None:
    """Eight logins are held, seven may go at once. The clerk looks them through and keeps the first."""
    shared(world, *(f"stray{number}" for number in range(8)), customers=14)
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    until_held(world, 8)
    decide("keep", names=["stray0"])
    world.resync()
    world.resync()
    assert [name for name in row_names(world) if name.startswith("stray")] == [f"stray{number}" for number in range(8)]


@pytest.mark.parametrize("suspend_by", ["disable", "profile"])
def test_a_quarantined_login_that_somebody_opens_is_shut_again_in_seconds(world: World, suspend_by: str) -> None:
    router = shared(world, "neighbour", suspend_by=suspend_by)
    decide("quarantine", names=["neighbour"])
    world.until(lambda: world.disabled() == {"neighbour"}, "shut")
    world.resync()
    world.glances()
    world.call(lambda: router.tamper(SECRET, "neighbour", {"disabled": "no"}))
    world.until(lambda: world.disabled() == {"neighbour"}, "shut again", 5)


def test_a_policy_that_is_taken_back_during_the_read_is_not_carried_out(world: World) -> None:
    router = shared(world, "neighbour")
    slow = make_fault("delay", {"menu": SECRET, "verb": "print", "seconds": 1.5})
    world.call(lambda: router.faults.arm(slow))
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.until(lambda: slow.fired, "a read is on its way")
    services.set_router("r1", unmanaged="keep", actor=CLERK)
    world.resync()
    assert world.row("neighbour") is not None


def test_a_cap_that_is_lowered_during_the_read_counts(world: World) -> None:
    router = shared(world, "neighbour", customers=4)
    slow = make_fault("delay", {"menu": SECRET, "verb": "print", "seconds": 1.5})
    world.call(lambda: router.faults.arm(slow))
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.until(lambda: slow.fired, "a read is on its way")
    services.set_router("r1", caps={"removes": 0}, actor=CLERK)
    world.resync()
    assert world.row("neighbour") is not None


def test_a_stray_whose_name_a_subscriber_takes_during_the_read_is_not_removed(world: World) -> None:
    """ben is renamed to the login that his CPE has been set to already."""
    router = shared(world, "neighbour")
    row_id = world.row("neighbour")[".id"]
    slow = make_fault("delay", {"menu": SECRET, "verb": "print", "seconds": 1.5})
    world.call(lambda: router.faults.arm(slow))
    services.set_router("r1", unmanaged="remove", actor=CLERK)
    world.until(lambda: slow.fired, "a read is on its way")
    services.rename_subscriber("user0", "neighbour", actor=CLERK)
    world.resync()
    world.until_synced()
    assert world.row("neighbour")[".id"] == row_id
