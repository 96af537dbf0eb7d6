"""A package's own profile goes when nobody names it any more, and stays when it is other people's by then."""

import pytest

from imsys.fleet.models import Placement
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from tests.world import CLERK, World

PROFILE, SECRET = "/ppp/profile", "/ppp/secret"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


def names(world: World) -> set[str]:
    return {row["name"] for row in world.rows(menu=PROFILE)}


def test_a_package_that_refers_to_another_profile_leaves_none_of_its_own(world: World) -> None:
    router = world.add_router()
    world.call(lambda: router.table(PROFILE).add(name="gold"))
    world.start_worker()
    world.add_subscribers(["ann", "ben"])
    world.until_synced()
    services.set_package("home", profile="gold", actor=CLERK)
    world.until_synced()
    world.until(lambda: "home" not in names(world), "home is gone")
    assert {row["profile"] for row in world.rows()} == {"gold"}


def test_a_profile_stays_while_a_row_of_ours_cannot_leave_it(world: World) -> None:
    router = world.add_router()
    world.start_worker()
    world.add_subscribers(["ann"])
    world.until_synced()
    services.set_package("home", profile="gold", actor=CLERK)
    world.until(lambda: SyncState.objects.get().error_code == "UnknownProfile", "gold is not there")
    world.resync()
    assert (world.row("ann") or {})["profile"] == "home"
    world.call(lambda: router.table(PROFILE).add(name="gold"))
    world.until_synced()
    world.until(lambda: "home" not in names(world), "home is gone")


def test_trap_50_a_profile_that_staff_use_stays_with_them(world: World) -> None:
    router = world.add_router()
    world.start_worker()
    world.add_subscribers(["ann"])
    world.until_synced()
    world.call(lambda: router.table(SECRET).add(name="staff", profile="home"))
    services.remove_subscribers(["ann"], actor=CLERK)
    services.remove_package("home", actor=CLERK)
    world.until(lambda: not Placement.objects.filter(gone_at=None).exists(), "nothing is ours")
    assert (world.row("staff") or {})["profile"] == "home"
