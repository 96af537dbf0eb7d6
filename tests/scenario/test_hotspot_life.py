"""A hotspot line from its first day to its last, through the command line, on routers of three versions."""

import pytest

from imsys.sim.faults import Refuse
from tests.scenario.isp import (
    BINDING,
    COOKIE,
    DROP_RULE,
    HOTSPOT_ACTIVE,
    HOTSPOT_PROFILE,
    HOTSPOT_USER,
    VERSIONS,
    Isp,
    Made,
    binding,
    hotspot_profile,
    hotspot_user,
    lease,
    profile,
    queue,
    secret,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

MAC, OTHER_MAC = "AA:BB:CC:00:00:01", "AA:BB:CC:00:00:02"
HOTSPOT = ("--service", "hotspot")
HOME, GOLD = hotspot_profile(), hotspot_profile("gold", "50M/50M")


@pytest.mark.parametrize(("version", "has_mac"), [*((version, True) for version in VERSIONS), (VERSIONS[0], False)])
def test_every_change_of_a_hotspot_line(shop: Isp, version: str, has_mac: bool) -> None:
    shop.router(version=version)

    def rows(name: str, mac: str = MAC, *, off: bool = False, **more: str) -> list[Made]:
        flag = {"disabled": "yes"} if off else {}
        made = [hotspot_user(name, **more, **flag)]
        return [*made, binding(mac, **flag)] if has_mac else made

    shop.add("ann", *HOTSPOT, *(("--mac", MAC) if has_mac else ()), password="one")
    shop.sync()
    shop.has(HOME, *rows("ann", password="one"))
    first = shop.row(HOTSPOT_USER, name="ann", password="one")

    shop("subscriber", "set", "ann", "--package", "gold")
    shop.sync()
    shop.has(HOME, GOLD, *rows("ann", password="one", profile="gold"))

    shop("subscriber", "set", "ann", "--password-file", "-", stdin="zwei drei\n")
    shop.sync()
    shop.has(HOME, GOLD, *rows("ann", password="zwei drei", profile="gold"))

    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop.has(HOME, GOLD, *rows("ann", password="zwei drei", profile="gold", off=True))

    shop("subscriber", "rename", "ann", "bea")
    shop.sync()
    shop.has(HOME, GOLD, *rows("bea", password="zwei drei", profile="gold", off=True))

    shop("subscriber", "resume", "bea")
    shop.sync()
    shop.has(HOME, GOLD, *rows("bea", password="zwei drei", profile="gold"))

    if has_mac:
        shop("subscriber", "set", "bea", "--mac", OTHER_MAC)
        shop.sync()
        shop.has(HOME, GOLD, *rows("bea", OTHER_MAC, password="zwei drei", profile="gold"))

    limits = ("--limit-uptime", "36h", "--limit-bytes", "10G", "--shared-users", "3", "--rate-limit", "60M/60M")
    shop("package", "set", "gold", *limits)
    shop.sync()
    best = hotspot_profile("gold", "60M/60M", **{"shared-users": "3"})
    limited: dict[str, str] = {
        "password": "zwei drei",
        "profile": "gold",
        "limit-uptime": "36h",
        "limit-bytes-total": "10000000000",
    }
    shop.has(HOME, best, *rows("bea", OTHER_MAC, off=False, **limited))
    assert shop.row(HOTSPOT_USER, name="bea")[".id"] == first[".id"]  # the same row all along

    shop("subscriber", "set", "bea", "--mac", "" if has_mac else MAC)
    shop.sync()
    shop.has(HOME, best, hotspot_user("bea", **limited), *([] if has_mac else [binding(MAC)]))

    shop("subscriber", "remove", "bea")
    shop.sync()
    shop.has(HOME, best)
    shop("package", "remove", "home")
    shop("package", "remove", "gold")
    shop.sync()
    shop.world.until(
        lambda: not shop.find(HOTSPOT_PROFILE, name="home") and not shop.find(HOTSPOT_PROFILE, name="gold")
    )
    shop.has()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hotspot_line_is_moved_between_routers(shop: Isp, version: str) -> None:
    shop.router("r1", version=version)
    shop.router("r2", version=version)
    shop.add("ann", *HOTSPOT, "--mac", MAC, password="one")
    shop.sync()
    shop("subscriber", "move", "ann", "--router", "r2")
    shop.sync()
    shop.has(HOME)
    shop.has(HOME, hotspot_user("ann", password="one"), binding(MAC), on="r2")
    assert shop.shown("ann")["left_on"] == []


def come(shop: Isp, *devices: str) -> None:
    """Devices by their MAC addresses, each with the login that it uses where it has one: `MAC user`."""
    hotspot = shop.world.routers["r1"].hotspot

    def appear() -> bool:
        logged_in = True
        for mac, _, user in (device.partition(" ") for device in devices):
            hotspot.add(mac, redial_s=0.02)
            logged_in = logged_in and (not user or hotspot.login(mac, user))
        return logged_in

    assert shop.do(appear)


def test_a_cookie_does_not_let_somebody_suspended_back_in(shop: Isp) -> None:
    router = shop.router()
    shop.add("cat", *HOTSPOT, password="one")
    shop.add("ben", *HOTSPOT, password="two")
    shop.sync()
    come(shop, f"{MAC} cat", f"{OTHER_MAC} ben")
    assert {row["user"] for row in shop.world.rows(menu=COOKIE)} == {"cat", "ben"}
    shop("subscriber", "suspend", "cat")
    shop.sync()
    assert {row["user"] for row in shop.world.rows(menu=HOTSPOT_ACTIVE)} == {"ben"}
    assert {row["user"] for row in shop.world.rows(menu=COOKIE)} == {"ben"}
    assert not shop.do(lambda: router.hotspot.passes(MAC))
    shop.has(HOME, hotspot_user("cat", password="one", disabled="yes"), hotspot_user("ben", password="two"))
    assert not shop.do(lambda: router.hotspot.passes(MAC))  # though the device has tried again and again
    shop("subscriber", "resume", "cat")
    shop.sync()
    shop.world.until(lambda: shop.do(lambda: router.hotspot.passes(MAC)), "she logs in again")


def test_a_paid_device_stays_out_while_suspended(shop: Isp) -> None:
    router = shop.router()
    shop.add("kiosk", *HOTSPOT, "--mac", MAC, password="one")
    shop.sync()
    come(shop, MAC)
    assert shop.do(lambda: router.hotspot.passes(MAC))
    shop("subscriber", "suspend", "kiosk")
    shop.sync()
    assert not shop.do(lambda: router.hotspot.passes(MAC))
    shop.is_idle()
    shop("subscriber", "resume", "kiosk")
    shop.sync()
    shop.world.until(lambda: shop.do(lambda: router.hotspot.passes(MAC)), "it is let through again")


def test_a_paid_device_of_old_is_let_through_no_more(shop: Isp) -> None:
    router = shop.router()
    shop.add("kiosk", *HOTSPOT, "--mac", MAC, password="one")
    shop.sync()
    come(shop, MAC, OTHER_MAC)
    shop("subscriber", "set", "kiosk", "--mac", OTHER_MAC)
    shop.sync()
    assert shop.do(lambda: (router.hotspot.passes(MAC), router.hotspot.passes(OTHER_MAC))) == (False, True)
    shop("subscriber", "remove", "kiosk")
    shop.sync()
    assert not shop.do(lambda: router.hotspot.passes(OTHER_MAC))


def test_trap_17_a_login_of_the_same_name_under_a_server_is_another_ones(shop: Isp) -> None:
    router = shop.router()  # with a login `ann` for the lobby alone
    theirs = shop.row(HOTSPOT_USER, name="ann")
    shop.add("ann", *HOTSPOT, password="one")
    shop.sync()
    shop.has(HOME, hotspot_user("ann", password="one"))
    shop("subscriber", "set", "ann", "--password-file", "-", stdin="two")
    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop.has(HOME, hotspot_user("ann", password="two", disabled="yes"))
    shop("subscriber", "remove", "ann")
    shop.sync()
    shop.has(HOME)
    assert shop.row(HOTSPOT_USER, name="ann") == theirs
    assert shop.do(lambda: len(router.table(HOTSPOT_USER).ids_of("ann"))) == 1


def test_trap_22_a_hotspot_profile_is_given_no_comment(shop: Isp) -> None:
    router = shop.router()
    shop.add("ann", *HOTSPOT, password="one")
    shop.sync()
    shop("package", "set", "home", "--rate-limit", "11M/11M")
    shop.sync()
    sent = [entry for entry in shop.do(lambda: list(router.journal)) if entry.path.startswith(HOTSPOT_PROFILE)]
    assert [entry.path for entry in sent if entry.via == "api"] == [
        f"{HOTSPOT_PROFILE}/add",
        f"{HOTSPOT_PROFILE}/set",
    ]
    assert not any("comment" in entry.attributes for entry in sent)
    assert shop.do(lambda: router.counters.refused_writes) == 0


def test_limits_of_the_package_are_the_logins(shop: Isp) -> None:
    router = shop.router()
    limits = ("--rate-limit", "4M/4M", "--limit-uptime", "24h", "--limit-bytes", "1M", "--shared-users", "2")
    shop("package", "add", "day", "--price", "1", *limits)
    shop.add("cat", *HOTSPOT, "--package", "day", password="one")
    shop.sync()
    day = hotspot_profile("day", "4M/4M", **{"shared-users": "2"})
    cat = hotspot_user("cat", password="one", profile="day", **{"limit-uptime": "24h", "limit-bytes-total": "1000000"})
    shop.has(day, cat)
    come(shop, f"{MAC} cat", f"{OTHER_MAC} cat")
    assert shop.do(lambda: router.hotspot.use(MAC, bytes_in=400_000))
    assert not shop.do(lambda: router.hotspot.use(MAC, bytes_out=700_000))  # all is used up
    shop.is_idle()  # counters are the router's
    shop("package", "set", "day", "--limit-bytes", "", "--limit-uptime", "")
    shop.sync()
    shop.world.until(lambda: shop.do(lambda: router.hotspot.passes(MAC)), "no limit, no end")
    shop.is_idle()
    ours = shop.row(HOTSPOT_USER, name="cat", profile="day")
    assert (ours.get("limit-bytes-total", "0"), ours.get("limit-uptime", "0s")) == ("0", "0s")


def test_a_rename_keeps_the_login_and_a_suspension_ends_it(shop: Isp) -> None:
    router = shop.router()
    shop.add("cat", *HOTSPOT, password="one")
    shop.sync()
    come(shop, f"{MAC} cat")
    shop("subscriber", "rename", "cat", "kate")
    shop.sync()
    assert shop.do(lambda: router.hotspot.passes(MAC))
    assert [row["user"] for row in shop.world.rows(menu=HOTSPOT_ACTIVE)] == ["cat"]
    shop("subscriber", "suspend", "kate")
    shop.sync()
    assert not shop.do(lambda: router.hotspot.passes(MAC))
    shop.is_idle()
    assert not shop.do(lambda: router.hotspot.passes(MAC))


def test_drift_of_every_field_is_repaired(shop: Isp) -> None:
    router = shop.router()
    shop.add("cat", *HOTSPOT, "--mac", OTHER_MAC, password="one")
    shop("subscriber", "suspend", "cat")
    shop.sync()

    bound = shop.row(BINDING, mac_address=OTHER_MAC)

    def tamper() -> None:
        user = {"disabled": "no", "profile": "default", "limit-uptime": "1h", "limit-bytes-total": "5", "password": "x"}
        router.tamper(HOTSPOT_USER, "cat", user)
        router.tamper(BINDING, bound[".id"], {"disabled": "no", "type": "regular"})
        router.tamper(HOTSPOT_PROFILE, "home", {"rate-limit": "1G/1G", "shared-users": "unlimited"})

    shop.do(tamper)
    shop("reconcile")
    row = shop.row(HOTSPOT_USER, name="cat")
    assert (row["disabled"], row["profile"], row["password"]) == ("true", "home", "one")
    assert (row.get("limit-uptime", "0s"), row.get("limit-bytes-total", "0")) == ("0s", "0")
    now = shop.row(BINDING, mac_address=OTHER_MAC)
    assert (now["type"], now["disabled"]) == ("bypassed", "true")
    own = shop.row(HOTSPOT_PROFILE, name="home")
    assert (own["rate-limit"], own["shared-users"]) == ("10M/10M", "1")
    shop.theirs_are_untouched()
    shop.is_idle()


def test_several_devices_of_one_login_all_go(shop: Isp) -> None:
    router = shop.router()
    shop("package", "add", "family", "--price", "1", "--shared-users", "4")
    shop.add("cat", *HOTSPOT, "--package", "family", password="one")
    shop.sync()
    macs = [f"AA:BB:CC:00:01:0{number}" for number in range(4)]
    come(shop, *(f"{mac} cat" for mac in macs))
    shop("subscriber", "suspend", "cat")
    shop.sync()
    assert not shop.world.rows(menu=HOTSPOT_ACTIVE)
    assert not any(shop.do(lambda: [router.hotspot.passes(mac) for mac in macs]))


def test_a_subscriber_becomes_one_of_another_service(shop: Isp) -> None:
    shop.router()
    shop.add("cat", password="one")
    shop.sync()
    shop.has(profile(), secret("cat", password="one"))
    shop("subscriber", "set", "cat", "--service", "static", "--address", "10.20.0.9", "--mac", MAC)
    shop.sync()
    shop.has(profile(), queue("cat", "10.20.0.9"), lease("10.20.0.9", MAC), DROP_RULE)
    shop("subscriber", "set", "cat", "--service", "hotspot", "--address", "")
    shop.sync()
    shop.world.until(lambda: shop.find("/ip/firewall/filter", comment=DROP_RULE[1]["comment"]) is None)
    shop.has(profile(), HOME, hotspot_user("cat", password="one"), binding(MAC))
    shop("subscriber", "set", "cat", "--service", "pppoe", "--mac", "")
    shop.sync()
    shop.has(profile(), HOME, secret("cat", password="one"))


def test_a_login_that_moves_away_ends_with_its_cookie(shop: Isp) -> None:
    router = shop.router("r1")
    shop.router("r2")
    shop.add("cat", *HOTSPOT, password="one")
    shop.sync()
    come(shop, f"{MAC} cat")
    shop("subscriber", "move", "cat", "--router", "r2")
    shop.sync()
    assert not shop.do(lambda: router.hotspot.passes(MAC))
    assert not shop.world.rows(menu=COOKIE)
    shop.has(HOME)
    shop.has(HOME, hotspot_user("cat", password="one"), on="r2")


@pytest.mark.parametrize("is_away", [True, False], ids=["router-away", "router-up"])
@pytest.mark.parametrize("leaves", ["removed", "renamed"])
def test_a_name_used_again_lets_no_device_of_the_former_owner_in(shop: Isp, leaves: str, is_away: bool) -> None:
    router = shop.router()
    shop.add("cat", *HOTSPOT, password="one")
    shop.sync()
    come(shop, f"{MAC} cat")
    fault = Refuse()
    if is_away:
        shop.do(lambda: router.faults.arm(fault))
        shop.do(router.drop_links)
        shop("reconcile", code=1)
    if leaves == "removed":
        shop("subscriber", "remove", "cat")
    else:
        shop("subscriber", "rename", "cat", "kate")
    shop.add("cat", *HOTSPOT, password="another one")
    shop.do(lambda: router.faults.disarm(fault))
    shop.sync()
    shop.world.until(lambda: not shop.do(lambda: router.hotspot.passes(MAC)), "not by her right")
    assert not shop.world.rows(menu=COOKIE)
    kate = [hotspot_user("kate", password="one")] if leaves == "renamed" else []
    shop.has(HOME, hotspot_user("cat", password="another one"), *kate)
    assert not shop.do(lambda: router.hotspot.passes(MAC))


def test_a_bypassed_device_of_somebody_removed_is_another_ones_at_once(shop: Isp) -> None:
    router = shop.router()
    shop.add("kiosk", *HOTSPOT, "--mac", OTHER_MAC, password="one")
    shop("subscriber", "suspend", "kiosk")
    shop.sync()
    come(shop, OTHER_MAC)
    shop("subscriber", "remove", "kiosk")
    shop.add("shop", *HOTSPOT, "--mac", OTHER_MAC, password="two")
    shop.sync()
    shop.has(HOME, hotspot_user("shop", password="two"), binding(OTHER_MAC))
    shop.world.until(lambda: shop.do(lambda: router.hotspot.passes(OTHER_MAC)), "it is paid for now")
