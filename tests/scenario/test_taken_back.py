"""Changes that a router takes back: an admin's safe mode that ends, power that goes before the flash has them."""

import pytest

from imsys.timeline.models import Event
from tests.scenario.isp import (
    DROP_RULE,
    VERSIONS,
    Isp,
    Made,
    entry,
    hotspot_profile,
    hotspot_user,
    profile,
    queue,
    secret,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

SUSPENDED = ("ann", "sue", "hal")


def sell(shop: Isp) -> None:
    shop.add("ann", password="one")
    shop.add("sue", "--service", "static", "--address", "10.20.0.7")
    shop.add("hal", "--service", "hotspot", password="two")
    shop.sync()


def rows(*, is_cut: bool) -> list[Made]:
    off = {"disabled": "yes"} if is_cut else {}
    lines = [
        secret("ann", password="one", **off),
        queue("sue", "10.20.0.7"),
        hotspot_user("hal", password="two", **off),
    ]
    return [profile(), hotspot_profile(), DROP_RULE, *lines, *([entry("10.20.0.7")] if is_cut else [])]


@pytest.mark.parametrize("version", VERSIONS)
def test_trap_37_what_safe_mode_undid_is_put_right_by_the_resync_and_told(shop: Isp, version: str) -> None:
    router = shop.router(version=version)
    sell(shop)
    shop.online("ann")
    shop.do(lambda: router.take_safe_mode("juma"))
    shop("subscriber", "suspend", *SUSPENDED)
    shop.sync()
    shop.looks(*rows(is_cut=True))
    assert shop.do(router.lose_safe_mode) > 0
    shop("reconcile")
    shop.sync()
    shop.has(*rows(is_cut=True))
    assert shop.world.online() == set()
    assert not shop.do(lambda: router.firewall.passes("10.20.0.7"))
    told = Event.objects.filter(what="change-undone")
    assert {event.username for event in told} == set(SUSPENDED)
    assert not Event.objects.filter(what="drift-repaired").exists()


@pytest.mark.parametrize("what", ["add", "resume", "set"])
def test_trap_37_safe_mode_undoes_any_change_and_none_stays_undone(shop: Isp, what: str) -> None:
    router = shop.router()
    sell(shop)
    if what == "resume":
        shop("subscriber", "suspend", *SUSPENDED)
        shop.sync()
    expected = rows(is_cut=False)
    shop.do(lambda: router.take_safe_mode("juma"))
    if what == "add":
        shop.add("zoe", password="three")
        expected.append(secret("zoe", password="three"))
    elif what == "resume":
        shop("subscriber", "resume", *SUSPENDED)
    else:
        shop("package", "set", "home", "--rate-limit", "20M/20M")
        expected = [profile("home", "20M/20M"), hotspot_profile("home", "20M/20M"), *expected[2:]]
        expected[4] = queue("sue", "10.20.0.7", "20M/20M")
    shop.sync()
    assert shop.do(router.lose_safe_mode) > 0
    shop("reconcile")
    shop.sync()
    shop.has(*expected)


def test_trap_37_power_that_goes_before_the_flash_had_it_is_made_good_when_the_router_is_back(shop: Isp) -> None:
    router = shop.router()
    sell(shop)
    shop.do(lambda: router.hold_writes(40))
    shop("subscriber", "suspend", *SUSPENDED)
    shop.sync()
    assert shop.do(lambda: router.power_cut(40, down_s=0.05)) > 0
    shop.world.until(lambda: Event.objects.filter(what="router-up").exists(), "it is back, and known to be")
    shop.sync()
    shop.world.until(lambda: shop.world.disabled() >= {"ann"}, "unasked")
    shop("reconcile")
    shop.sync()  # what waits for the router to settle after its boot
    shop.has(*rows(is_cut=True))
    assert {event.username for event in Event.objects.filter(what="change-undone")} == set(SUSPENDED)


def test_trap_37_a_technicians_hand_is_told_as_such(shop: Isp) -> None:
    router = shop.router()
    sell(shop)
    shop("subscriber", "suspend", *SUSPENDED)
    shop.sync()
    shop.do(lambda: router.tamper("/ppp/secret", "ann", {"disabled": "no"}))
    shop("reconcile")
    shop.sync()
    (event,) = Event.objects.filter(what__in=("change-undone", "drift-repaired"))
    assert (event.what, event.actor) == ("drift-repaired", "router: juma via winbox")


def test_trap_37_what_was_removed_does_not_come_back_with_a_lost_safe_mode(shop: Isp) -> None:
    router = shop.router()
    sell(shop)
    shop.do(lambda: router.take_safe_mode("juma"))
    shop("subscriber", "remove", *SUSPENDED)
    shop.sync()
    assert shop.do(router.lose_safe_mode) > 0  # their rows are back, enabled
    shop("reconcile")
    shop.sync()
    shop.world.until(lambda: shop.find("/ip/firewall/filter", comment=DROP_RULE[1]["comment"]) is None)
    shop.has(profile(), hotspot_profile())


def test_what_somebody_makes_again_where_ours_was_removed_is_theirs(shop: Isp) -> None:
    router = shop.router()
    shop.add("ann", password="one")
    shop.sync()
    shop("subscriber", "remove", "ann")
    shop.sync()
    shop.do(lambda: router.tamper("/ppp/secret", "ann", {"password": "theirs"}, verb="add"))
    shop("reconcile")
    shop("reconcile")
    assert shop.find("/ppp/secret", name="ann") is not None
