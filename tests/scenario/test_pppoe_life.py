"""A pppoe line from its first day to its last, through the command line, on routers of three versions."""

import pytest

from imsys.subscribers.models import SyncState
from tests.scenario.isp import (
    ACTIVE,
    BLOCKED,
    DROP_RULE,
    PROFILE,
    SECRET,
    VERSIONS,
    Isp,
    entry,
    profile,
    secret,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

HOME, GOLD = profile(), profile("gold", "50M/50M")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_change_of_a_pppoe_line(shop: Isp, version: str) -> None:
    shop.router(version=version)
    shop.add("ann", password="pässword 1")
    shop.sync()
    shop.has(HOME, secret("ann", password="pässword 1"))
    first = shop.row(SECRET, name="ann")

    shop("subscriber", "set", "ann", "--package", "gold")
    shop.sync()
    shop.has(HOME, GOLD, secret("ann", password="pässword 1", profile="gold"))

    shop("subscriber", "set", "ann", "--password-file", "-", stdin="two\n")
    shop.sync()
    shop.has(HOME, GOLD, secret("ann", password="two", profile="gold"))

    shop("subscriber", "set", "ann", "--address", "10.20.0.7", "--mac", "aa-bb-cc-00-00-01")
    shop.sync()
    line = {"password": "two", "profile": "gold", "remote-address": "10.20.0.7", "caller-id": "AA:BB:CC:00:00:01"}
    shop.has(HOME, GOLD, secret("ann", **line))

    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop.has(HOME, GOLD, secret("ann", **line, disabled="yes"))

    shop("subscriber", "set", "ann", "--address", "", "--mac", "", "--package", "home")
    shop.sync()
    shop.has(HOME, GOLD, secret("ann", password="two", disabled="yes"))

    shop("subscriber", "resume", "ann")
    shop.sync()
    shop.has(HOME, GOLD, secret("ann", password="two"))

    shop("subscriber", "rename", "ann", "ann.wanjiku")
    shop.sync()
    shop.has(HOME, GOLD, secret("ann.wanjiku", password="two"))
    last = shop.row(SECRET, name="ann.wanjiku")
    assert first[".id"] == last[".id"]  # the same row all along

    shop("package", "set", "home", "--rate-limit", "12M/12M")
    shop.sync()
    shop.has(profile("home", "12M/12M"), GOLD, secret("ann.wanjiku", password="two"))

    shop("subscriber", "remove", "ann.wanjiku")
    shop.sync()
    shop.has(profile("home", "12M/12M"), GOLD)

    shop("package", "remove", "home")
    shop("package", "remove", "gold")
    shop.sync()
    shop.world.until(lambda: shop.find(PROFILE, name="home") is None and shop.find(PROFILE, name="gold") is None)
    shop.has()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pppoe_line_is_moved_between_routers(shop: Isp, version: str) -> None:
    shop.router("r1", version=version)
    shop.router("r2", version=version)
    shop.add("ann", "--address", "10.20.0.7", "--mac", "AA:BB:CC:00:00:01", password="one")
    shop.sync()
    line = {"password": "one", "remote-address": "10.20.0.7", "caller-id": "AA:BB:CC:00:00:01"}
    shop.has(HOME, secret("ann", **line))
    shop("subscriber", "move", "ann", "--router", "r2")
    shop.sync()
    shop.has(HOME)
    shop.has(HOME, secret("ann", **line), on="r2")
    assert shop.shown("ann")["left_on"] == []
    shop("subscriber", "move", "ann", "--router", "r1")
    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop.has(HOME, secret("ann", **line, disabled="yes"))
    shop.has(HOME, on="r2")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pppoe_line_with_a_fixed_address_is_cut_off_by_the_list(shop: Isp, version: str) -> None:
    router = shop.router(version=version, suspend_by="address-list")
    shop.add("ann", "--address", "10.20.0.7", password="one")
    shop.add("ben", password="two")
    shop.sync()
    lines = (HOME, secret("ann", password="one", remote_address="10.20.0.7"))
    shop.has(*lines, secret("ben", password="two"), DROP_RULE)
    shop.online("ann", "ben")
    assert shop.do(lambda: router.firewall.open("10.20.0.7"))

    shop("subscriber", "suspend", "ann", "ben")
    shop.sync()
    cut = (*lines, entry("10.20.0.7"), DROP_RULE, secret("ben", password="two", disabled="yes"))
    shop.has(*cut)
    assert shop.world.online() == {"ann"}  # her session is legal: nothing gets through
    assert not shop.do(lambda: router.firewall.passes("10.20.0.7"))

    shop("subscriber", "set", "ann", "--address", "10.20.0.8")
    shop.sync()
    shop.has(HOME, secret("ann", password="one", remote_address="10.20.0.8"), entry("10.20.0.8"), *cut[-2:])

    shop("subscriber", "resume", "ann", "ben")
    shop.sync()
    shop.has(
        *(HOME, secret("ann", password="one", remote_address="10.20.0.8"), DROP_RULE, secret("ben", password="two"))
    )
    shop("router", "set", "r1", "--suspend-by", "disable")
    shop.sync()
    shop.world.until(lambda: shop.find("/ip/firewall/filter", comment=DROP_RULE[1]["comment"]) is None)
    shop.has(HOME, secret("ann", password="one", remote_address="10.20.0.8"), secret("ben", password="two"))


def test_a_line_that_loses_its_fixed_address_while_it_is_cut_off_is_disabled(shop: Isp) -> None:
    shop.router(suspend_by="address-list")
    shop.add("ann", "--address", "10.20.0.7", password="one")
    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop.online("ann")
    assert shop.world.online() == {"ann"}
    shop("subscriber", "set", "ann", "--address", "")
    shop.sync()
    assert shop.world.online() == set()
    shop.has(HOME, secret("ann", password="one", disabled="yes"), DROP_RULE)
    shop("subscriber", "set", "ann", "--address", "10.20.0.9")
    shop.sync()
    shop.has(HOME, secret("ann", password="one", remote_address="10.20.0.9"), entry("10.20.0.9"), DROP_RULE)


def test_another_list_is_taken_up_and_the_old_one_left(shop: Isp) -> None:
    shop.router(suspend_by="address-list")
    shop.add("ann", "--address", "10.20.0.7", password="one")
    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop("router", "set", "r1", "--suspend-list", "NO PAY")
    shop.sync()
    rule = (DROP_RULE[0], DROP_RULE[1] | {"src-address-list": "NO PAY"})
    line = secret("ann", password="one", remote_address="10.20.0.7")
    shop.world.until(
        lambda: shop.find("/ip/firewall/filter", comment=rule[1]["comment"], **{"src_address_list": BLOCKED}) is None
    )
    shop.has(HOME, line, entry("10.20.0.7", "NO PAY"), rule)


def test_a_lock_of_ours_is_cleared_and_a_persons_is_not(shop: Isp) -> None:
    router = shop.router(theirs=[])
    shop.add("ann", password="one")
    shop.add("ben", "--mac", "AA:BB:CC:00:00:02", password="two")
    shop.sync()
    shop.do(lambda: router.tamper(SECRET, "ann", {"caller-id": "02:00:00:00:00:01"}))
    shop.sync()
    shop.is_idle()
    ann, ben = (shop.row(SECRET, name=name) for name in ("ann", "ben"))
    assert ann["caller-id"] == "02:00:00:00:00:01"
    assert ben["caller-id"] == "AA:BB:CC:00:00:02"
    shop("subscriber", "set", "ben", "--mac", "")
    shop.sync()
    ben = shop.row(SECRET, name="ben")
    assert ben["caller-id"] == ""
    shop.do(lambda: router.tamper(SECRET, "ben", {"caller-id": "02:00:00:00:00:02"}))
    shop.is_idle()


def test_a_lock_keeps_another_device_out(shop: Isp) -> None:
    router = shop.router(theirs=[])
    shop.add("ann", "--mac", "AA:BB:CC:00:00:01", password="one")
    shop.sync()
    shop.do(lambda: router.cpes.add("ann", mac="AA:BB:CC:00:00:99", redial_s=60))
    assert not shop.do(lambda: router.cpes.dial("ann"))
    shop("subscriber", "set", "ann", "--mac", "AA:BB:CC:00:00:99")
    shop.sync()
    assert shop.do(lambda: router.cpes.dial("ann"))


def test_trap_18_a_profile_that_was_made_anew_is_linked_again(shop: Isp) -> None:
    router = shop.router()
    shop.add("ann", password="one")
    shop.sync()
    shop.do(lambda: router.tamper(PROFILE, "home", verb="remove"))
    dangling = shop.row(SECRET, name="ann")
    assert dangling["profile"].startswith("*")
    shop("reconcile")
    shop.sync()
    shop.has(HOME, secret("ann", password="one"))

    def make_anew() -> None:
        router.tamper(PROFILE, "home", verb="remove")
        router.tamper(PROFILE, "home", {"rate-limit": "10M/10M"}, verb="add")

    shop.do(make_anew)
    shop("reconcile")
    shop.sync()
    shop.has(HOME, secret("ann", password="one"))


def test_trap_11_a_profile_name_that_begins_others_is_matched_whole(shop: Isp) -> None:
    shop.router(theirs=[(PROFILE, {"name": "100Megas"}), (PROFILE, {"name": "100MegasSt"})])
    shop("package", "add", "hundred", "--profile", "100", "--price", "9")
    shop("package", "add", "mega", "--profile", "100MegasS", "--price", "9")
    shop.add("ann", "--package", "hundred", password="one")  # ambiguous to the router
    shop.add("ben", "--package", "mega", password="two")  # a unique beginning, which the router would take
    shop.sync(code=1)
    for name, wanted in (("ann", "'100'"), ("ben", "'100MegasS'")):
        shown = shop.shown(name)
        assert (shown["sync_status"], shown["error_code"]) == ("error", "UnknownProfile")
        assert wanted in shown["sync_error"]
    shop.has()
    shop.others_add((PROFILE, {"name": "100"}))
    shop.sync(code=1)
    shop.has(secret("ann", password="one", profile="100"))
    shop("package", "set", "mega", "--profile", "100MegasSt")
    shop.sync()
    shop.has(secret("ann", password="one", profile="100"), secret("ben", password="two", profile="100MegasSt"))


def test_trap_24_a_session_that_appears_after_the_cut_is_ended(shop: Isp) -> None:
    router = shop.router(theirs=[])
    shop.add("ann", password="one")
    shop.sync()
    shop("subscriber", "suspend", "ann")
    shop.sync()

    def slip_in() -> None:
        """It was authenticated just before the cut, and shows only now."""
        secrets = router.table(SECRET)
        row_id = secrets.id_of("ann")
        assert row_id is not None
        secrets.amend(row_id, is_quiet=True, disabled="false")
        router.cpes.add("ann", password="one", redial_s=0.02)
        assert router.cpes.dial("ann")
        secrets.amend(row_id, is_quiet=True, disabled="true")

    shop.do(slip_in)
    assert shop.world.online() == {"ann"}
    shop.world.until(lambda: not shop.world.rows(menu=ACTIVE), "it is ended")
    shop.has(HOME, secret("ann", password="one", disabled="yes"))
    assert SyncState.objects.get(subscriber__username="ann").sync_status == "synced"
