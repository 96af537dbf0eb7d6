"""Devices behind the hotspot: who gets in and how, what rows that makes, what ends it and what does not."""

from typing import Any

import pytest

from imsys.sim import Behaviour, SimRouter
from tests.unit.sim.talker import ManualClock, login

SERVERS = "/ip/hotspot"
USERS = "/ip/hotspot/user"
PROFILES = "/ip/hotspot/user/profile"
ACTIVE = "/ip/hotspot/active"
HOSTS = "/ip/hotspot/host"
COOKIES = "/ip/hotspot/cookie"
BINDINGS = "/ip/hotspot/ip-binding"
QUEUES = "/queue/simple"
LISTS = "/ip/firewall/address-list"
MAC, OTHER_MAC = "48:8F:5A:00:00:01", "48:8F:5A:00:00:02"


def isp(clock: ManualClock, version: str = "7.16.2", **switches: Any) -> SimRouter:
    """A router with ann and a profile of hers, and her device, not yet logged in."""
    router = SimRouter("r1", version=version, clock=clock, behaviour=Behaviour(**switches))
    router.table(PROFILES).add(name="gold", rate_limit="5M/10M", address_list="paying", add_mac_cookie="no")
    router.table(USERS).add(name="ann", password="pw", profile="gold")
    router.hotspot.add(MAC, redial_s=5)
    return router


@pytest.fixture
def router(clock: ManualClock) -> SimRouter:
    return isp(clock)


def only(router: SimRouter, menu: str) -> dict[str, str]:
    (row,) = router.table(menu).rows
    return row


def user(router: SimRouter, name: str = "ann") -> dict[str, str]:
    row = router.table(USERS).find(name=name)
    assert row is not None
    return row


def give_cookies(router: SimRouter) -> None:
    router.table(PROFILES).set("gold", add_mac_cookie="yes")


# Being seen, logging in


async def test_a_device_is_seen_before_it_logs_in(router: SimRouter, clock: ManualClock) -> None:
    await clock.advance(65)
    host = only(router, HOSTS)
    shown = {name: host[name] for name in ("mac-address", "address", "server", "uptime", "authorized", "bypassed")}
    assert shown == {
        "mac-address": MAC,
        "address": "10.90.0.2",
        "server": "hotspot1",
        "uptime": "1m5s",
        "authorized": "false",
        "bypassed": "false",
    }
    assert not router.hotspot.passes(MAC)
    assert not router.table(ACTIVE).rows


async def test_a_login_has_its_rows_everywhere(router: SimRouter, clock: ManualClock) -> None:
    assert router.hotspot.login(MAC, "ann")
    assert router.hotspot.passes(MAC)
    await clock.advance(65)
    (row,) = await (await login(router)).rows(f"{ACTIVE}/print")
    assert row == {
        ".id": "*A5A0002",
        "server": "hotspot1",
        "user": "ann",
        "address": "10.90.0.2",
        "mac-address": MAC,
        "login-by": "http-chap",
        "uptime": "1m5s",
        "idle-time": "0s",
        "keepalive-timeout": "2m",
        "bytes-in": "0",
        "bytes-out": "0",
        "packets-in": "0",
        "packets-out": "0",
        "radius": "false",
    }
    queue = only(router, QUEUES)
    assert (queue["name"], queue["target"], queue["max-limit"], queue["dynamic"]) == (
        "<hotspot-ann>",
        "10.90.0.2/32",
        "5000000/10000000",
        "true",
    )
    entry = only(router, LISTS)
    assert (entry["list"], entry["address"], entry["dynamic"]) == ("paying", "10.90.0.2", "true")
    assert only(router, HOSTS)["authorized"] == "true"
    assert user(router)["uptime"] == "1m5s"
    router.hotspot.logout(MAC)
    assert not any(router.table(menu).rows for menu in (ACTIVE, QUEUES, LISTS))
    assert only(router, HOSTS)["authorized"] == "false"
    await clock.advance(60)
    assert user(router)["uptime"] == "1m5s"
    assert not router.hotspot.passes(MAC)


@pytest.mark.parametrize(("version", "row_id"), [("6.49.15", "*10A040A"), ("7.16.2", "*A040A01")])
def test_the_id_is_the_address(clock: ManualClock, version: str, row_id: str) -> None:
    router = isp(clock, version)
    router.hotspot.add(OTHER_MAC, address="10.4.10.1")
    router.hotspot.login(OTHER_MAC, "ann")
    assert only(router, ACTIVE)[".id"] == row_id


@pytest.mark.parametrize(
    ("change", "password", "reason"),
    [
        ({"disabled": "yes"}, "pw", "invalid username or password"),
        ({}, "wrong", "invalid username or password"),
        ({"name": "ben"}, "pw", "invalid username or password"),
        ({"server": "roof"}, "pw", "invalid username or password"),
        ({"mac_address": OTHER_MAC}, "pw", "user ann is not allowed to log in from this MAC address"),
    ],
)
def test_who_is_refused(router: SimRouter, change: dict[str, str], password: str, reason: str) -> None:
    router.table(SERVERS).add(name="roof", interface="ether5", disabled="no")
    for name, value in change.items():
        router.table(USERS).set("ann", **{name: value})  # type: ignore[arg-type]
    assert not router.hotspot.login(MAC, "ann", password)
    assert router.hotspot[MAC].refusal == reason
    assert not router.table(ACTIVE).rows
    assert router.table("/log").rows[-1]["message"] == f"ann (10.90.0.2): login failed: {reason}"


def test_a_user_without_password_and_one_of_its_own_server(router: SimRouter) -> None:
    router.table(USERS).set("ann", password=None)
    router.table(USERS).add(name="ann", server="hotspot1", password="own")
    assert not router.hotspot.login(MAC, "ann", "")
    assert router.hotspot.login(MAC, "ann", "own")
    router.hotspot.logout(MAC)
    router.table(USERS).remove("*2")
    assert router.hotspot.login(MAC, "ann", "")


def test_a_profile_that_is_gone(router: SimRouter) -> None:
    router.table(PROFILES).remove("gold")
    assert not router.hotspot.login(MAC, "ann")
    assert router.hotspot[MAC].refusal == "profile is gone"


async def test_a_refused_device_tries_again(router: SimRouter, clock: ManualClock) -> None:
    router.table(USERS).set("ann", disabled="yes")
    assert not router.hotspot.login(MAC, "ann")
    await clock.advance(20)
    assert router.hotspot[MAC].refusals > 2
    router.table(USERS).set("ann", disabled="no")
    await clock.advance(6)
    assert router.hotspot.online == [MAC]
    await router.close()


def test_shared_users(router: SimRouter) -> None:
    for number in range(2, 5):
        router.hotspot.add(f"48:8F:5A:00:00:0{number}")
    assert router.hotspot.login(MAC, "ann")
    assert not router.hotspot.login(OTHER_MAC, "ann")
    assert router.hotspot[OTHER_MAC].refusal == "no more sessions are allowed for user ann"
    router.table(PROFILES).set("gold", shared_users="2")
    assert router.hotspot.login(OTHER_MAC, "ann")
    assert not router.hotspot.login("48:8F:5A:00:00:03", "ann")
    router.table(PROFILES).set("gold", shared_users="unlimited")
    assert router.hotspot.login("48:8F:5A:00:00:03", "ann")
    assert router.hotspot.login("48:8F:5A:00:00:04", "ann")
    names = {row["name"] for row in router.table(QUEUES).rows}
    assert names == {"<hotspot-ann>", *(f"<hotspot-ann-{number}>" for number in (1, 2, 3))}


# Cookies and coming back


async def test_a_device_without_cookie_comes_back_after_a_while(router: SimRouter, clock: ManualClock) -> None:
    router.hotspot.login(MAC, "ann")
    assert not router.table(COOKIES).rows
    router.table(ACTIVE).remove("ann")
    assert not router.hotspot.passes(MAC)
    assert "logged out: admin reset" in router.table("/log").rows[-1]["message"]
    await clock.advance(6)
    assert router.hotspot.passes(MAC)
    await router.close()


async def test_a_cookie_lets_a_device_back_in_at_once(router: SimRouter, clock: ManualClock) -> None:
    give_cookies(router)
    router.hotspot.login(MAC, "ann")
    await clock.advance(3600)
    cookie = only(router, COOKIES)
    shown = {name: cookie.get(name) for name in ("user", "mac-address", "mac-cookie", "expires-in", "password")}
    assert shown == {
        "user": "ann",
        "mac-address": MAC,
        "mac-cookie": "true",
        "expires-in": "2d23h",
        "password": None,
    }
    talker = await login(router)
    listening = talker.send(f"{ACTIVE}/listen", "=.proplist=.id,login-by", tag="l")
    await talker.ret(f"{ACTIVE}/remove", "=.id=*A5A0002")
    assert router.hotspot.passes(MAC)
    assert [dict(reply.attributes) for reply in talker.of(listening)] == [
        {".id": "*A5A0002", ".dead": "true"},
        {".id": "*A5A0002", "login-by": "mac-cookie"},  # the same id: it is the address
    ]
    await talker.ret(f"{COOKIES}/remove", f"=.id={only(router, COOKIES)['.id']}")
    await talker.ret(f"{ACTIVE}/remove", "=.id=*A5A0002")
    assert not router.hotspot.passes(MAC)
    await router.close()


@pytest.mark.parametrize("change", ["disabled", "removed", "password", "blocked"])
def test_a_cookie_that_does_not_help(router: SimRouter, change: str) -> None:
    give_cookies(router)
    router.hotspot.login(MAC, "ann")
    if change == "disabled":
        router.table(USERS).set("ann", disabled="yes")
    elif change == "removed":
        router.table(USERS).remove("ann")
    elif change == "password":
        router.table(USERS).set("ann", password="new")
    else:
        router.table(BINDINGS).add(mac_address=MAC, type="blocked")
    assert router.hotspot.passes(MAC)  # the session goes on
    router.table(ACTIVE).remove("ann")
    assert not router.hotspot.passes(MAC)
    assert len(router.table(COOKIES).rows) == 1


async def test_a_cookie_runs_out_and_goes_at_logout(router: SimRouter, clock: ManualClock) -> None:
    give_cookies(router)
    router.table(PROFILES).set("gold", mac_cookie_timeout="1h")
    router.hotspot.login(MAC, "ann")
    await clock.advance(1800)
    router.table(ACTIVE).remove("ann")  # the new login has a new cookie
    await clock.advance(1801)
    assert only(router, COOKIES)["expires-in"] == "29m59s"
    await clock.advance(1800)
    assert not router.table(COOKIES).rows
    router.hotspot.logout(MAC)
    router.hotspot.login(MAC)
    assert router.table(COOKIES).rows
    router.hotspot.logout(MAC, again=True)
    assert not router.table(COOKIES).rows
    await clock.advance(6)
    assert router.hotspot.is_online(MAC)
    await router.close()


def test_the_servers_profile_decides_about_cookies(router: SimRouter) -> None:
    give_cookies(router)
    profiles = router.table("/ip/hotspot/profile")
    profiles.set("hsprof1", login_by="http-chap")
    router.hotspot.login(MAC, "ann")
    assert not router.table(COOKIES).rows
    profiles.set("hsprof1", login_by="cookie,http-chap", http_cookie_lifetime="1d")
    router.hotspot.logout(MAC)
    router.hotspot.login(MAC)
    cookie = only(router, COOKIES)
    assert (cookie["mac-cookie"], cookie["expires-in"]) == ("false", "1d")
    router.table(ACTIVE).remove("ann")
    assert only(router, ACTIVE)["login-by"] == "cookie"
    profiles.set("hsprof1", login_by="http-chap")
    router.table(ACTIVE).remove("ann")
    assert not router.hotspot.passes(MAC)


# Limits and counters


async def test_the_uptime_limit(router: SimRouter, clock: ManualClock) -> None:
    give_cookies(router)
    router.table(USERS).set("ann", limit_uptime="1h")
    router.hotspot.login(MAC, "ann")
    await clock.advance(2400)
    assert only(router, ACTIVE)["session-time-left"] == "20m"
    router.hotspot.logout(MAC, again=True)
    await clock.advance(6)
    await clock.advance(1300)
    assert not router.hotspot.passes(MAC)
    assert router.hotspot[MAC].refusal == "user ann has reached uptime limit"
    assert user(router)["uptime"] == "1h"
    router.table(USERS).set("ann", limit_uptime="0")
    await clock.advance(6)
    assert router.hotspot.passes(MAC)
    await router.close()


@pytest.mark.parametrize("limit", ["limit_bytes_in", "limit_bytes_out", "limit_bytes_total"])
def test_a_byte_limit(router: SimRouter, limit: str) -> None:
    router.table(USERS).set("ann", **{limit: "10000"})  # type: ignore[arg-type]
    router.hotspot.login(MAC, "ann")
    assert only(router, ACTIVE)[limit.replace("_", "-")] == "10000"
    used = {"bytes_out" if limit.endswith("out") else "bytes_in": 6000}
    assert router.hotspot.use(MAC, **used)
    assert not router.hotspot.use(MAC, **used)
    assert not router.hotspot.login(MAC)
    assert router.hotspot[MAC].refusal == "user ann has reached traffic limit"
    router.table(USERS).set("ann", **{limit: "0"})  # type: ignore[arg-type]
    assert router.hotspot.login(MAC)


async def test_counters_are_of_the_user_over_sessions(router: SimRouter, clock: ManualClock) -> None:
    router.table(PROFILES).set("gold", shared_users="2")
    router.hotspot.add(OTHER_MAC)
    for mac in (MAC, OTHER_MAC):
        router.hotspot.login(mac, "ann")
        router.hotspot.use(mac, bytes_in=1500, bytes_out=3000)
    await clock.advance(60)
    shown = ("uptime", "bytes-in", "bytes-out", "packets-in", "packets-out")
    assert [user(router)[name] for name in shown] == ["2m", "3000", "6000", "4", "6"]
    assert {row["bytes-in"] for row in router.table(ACTIVE).rows} == {"1500"}
    router.hotspot.logout(OTHER_MAC)
    await clock.advance(60)
    assert user(router)["uptime"] == "3m"
    talker = await login(router)
    assert await talker.rows(f"{USERS}/print", "?uptime=3m", "=.proplist=name") == [{"name": "ann"}]
    await talker.ret(f"{USERS}/reset-counters", "=.id=ann")
    assert [user(router)[name] for name in shown] == ["0s", "0", "0", "0", "0"]
    assert router.journal[-1].path == f"{USERS}/reset-counters"
    await clock.advance(30)
    router.hotspot.logout(MAC)
    assert user(router)["uptime"] == "30s"
    router.hotspot.login(MAC)
    router.table(USERS).remove("ann")
    assert router.hotspot.use(MAC, bytes_in=1)  # a session outlives its user


async def test_a_session_timeout(router: SimRouter, clock: ManualClock) -> None:
    router.table(PROFILES).set("gold", session_timeout="10m")
    router.hotspot.login(MAC, "ann")
    await clock.advance(601)
    assert not router.hotspot.passes(MAC)
    await clock.advance(6)
    assert router.hotspot.passes(MAC)  # asked again
    await router.close()


# What a change does to who is there


@pytest.mark.parametrize("is_on", [False, True])
def test_hotspot_disable_drops_session(clock: ManualClock, is_on: bool) -> None:
    router = isp(clock, hotspot_disable_drops_session=is_on)
    router.hotspot.login(MAC, "ann")
    router.table(USERS).set("ann", comment="x")
    assert router.hotspot.passes(MAC)
    router.table(USERS).set("ann", disabled="yes")
    assert router.hotspot.passes(MAC) is not is_on


@pytest.mark.parametrize("is_on", [False, True])
def test_hotspot_remove_drops_session(clock: ManualClock, is_on: bool) -> None:
    router = isp(clock, hotspot_remove_drops_session=is_on)
    router.hotspot.login(MAC, "ann")
    router.table(USERS).remove("ann")
    assert router.hotspot.passes(MAC) is not is_on


@pytest.mark.parametrize("is_on", [False, True])
def test_rate_change_is_live(clock: ManualClock, is_on: bool) -> None:
    router = isp(clock, rate_change_is_live=is_on)
    router.hotspot.login(MAC, "ann")
    router.table(PROFILES).set("gold", rate_limit="1M/2M")
    assert only(router, QUEUES)["max-limit"] == ("1000000/2000000" if is_on else "5000000/10000000")
    router.hotspot.logout(MAC)
    router.hotspot.login(MAC)
    assert only(router, QUEUES)["max-limit"] == "1000000/2000000"


@pytest.mark.parametrize("is_on", [False, True])
def test_logout_takes_all_devices(clock: ManualClock, is_on: bool) -> None:
    router = isp(clock, logout_takes_all_devices=is_on)
    router.table(PROFILES).set("gold", shared_users="2")
    router.table(USERS).add(name="ben")
    for number, name in enumerate(("ann", "ann", "ben"), 1):
        mac = f"48:8F:5A:00:00:0{number}"
        if number > 1:
            router.hotspot.add(mac)
        router.hotspot.login(mac, name)
    router.table(ACTIVE).remove(router.table(ACTIVE).rows[0][".id"])
    assert [router.hotspot.passes(f"48:8F:5A:00:00:0{number}") for number in (1, 2, 3)] == [False, not is_on, True]


# Bindings


def test_a_bypassed_device_needs_no_login(router: SimRouter) -> None:
    router.table(BINDINGS).add(mac_address=OTHER_MAC, type="bypassed", to_address="10.90.9.9")
    router.hotspot.add(OTHER_MAC)
    assert router.hotspot.passes(OTHER_MAC)
    host = router.table(HOSTS).find(mac_address=OTHER_MAC) or {}
    assert (host["bypassed"], host["authorized"], host["to-address"]) == ("true", "false", "10.90.9.9")
    assert not any(router.table(menu).rows for menu in (ACTIVE, QUEUES))
    router.hotspot.use(OTHER_MAC, bytes_in=7)
    assert (router.table(HOSTS).find(mac_address=OTHER_MAC) or {})["bytes-in"] == "7"


def test_a_blocked_device_may_not_log_in(router: SimRouter) -> None:
    router.table(BINDINGS).add(mac_address=MAC, type="blocked")
    assert not router.hotspot.login(MAC, "ann")
    assert router.hotspot[MAC].refusal == "blocked by ip binding"
    router.table(BINDINGS).set("*1", disabled="yes")
    assert router.hotspot.login(MAC, "ann")


def test_the_first_binding_that_fits_counts(router: SimRouter) -> None:
    table = router.table(BINDINGS)
    table.add(address="10.90.0.0/24", type="blocked")
    table.add(mac_address=MAC, type="bypassed")
    table.add(type="bypassed", server="hotspot1", address="10.90.1.1-10.90.1.9")
    assert not router.hotspot.passes(MAC)
    table.move_before([2], 1)
    router.table(HOSTS).remove("*1")
    assert router.hotspot.passes(MAC)
    router.hotspot.add(OTHER_MAC, address="10.90.1.9")
    assert router.hotspot.passes(OTHER_MAC)
    router.hotspot.add("48:8F:5A:00:00:03", address="10.90.1.10")
    assert not router.hotspot.passes("48:8F:5A:00:00:03")


@pytest.mark.parametrize(
    ("reaches", "when_bound", "when_disabled"),
    [("waiting", True, True), ("none", False, False), ("all", True, False)],
)
def test_binding_reaches_hosts(clock: ManualClock, reaches: str, when_bound: bool, when_disabled: bool) -> None:
    router = isp(clock, binding_reaches_hosts=reaches)
    table = router.table(BINDINGS)
    table.add(mac_address=MAC, type="bypassed")
    assert router.hotspot.passes(MAC) is when_bound
    table.set("*1", disabled="yes")
    assert router.hotspot.passes(MAC) is when_disabled
    table.set("*1", disabled="no")
    router.table(HOSTS).remove(only(router, HOSTS)[".id"])
    assert router.hotspot.passes(MAC)  # seen again, under another id
    table.remove("*1")
    assert router.hotspot.passes(MAC) is (reaches != "all")
    router.table(HOSTS).remove(only(router, HOSTS)[".id"])
    assert not router.hotspot.passes(MAC)
    router.hotspot.login(MAC, "ann")
    table.add(mac_address=MAC, type="blocked")
    assert router.hotspot.passes(MAC) is (reaches != "all")


@pytest.mark.parametrize(("reaches", "then"), [("waiting", True), ("none", False)])
def test_a_binding_counts_once_a_login_has_ended(clock: ManualClock, reaches: str, then: bool) -> None:
    router = isp(clock, binding_reaches_hosts=reaches)
    router.hotspot.login(MAC, "ann")
    router.table(BINDINGS).add(mac_address=MAC, type="bypassed")
    assert only(router, HOSTS)["bypassed"] == "false"
    router.table(ACTIVE).remove("ann")
    assert router.hotspot.passes(MAC) is then


async def test_a_device_that_is_no_longer_bypassed_logs_in_again(clock: ManualClock) -> None:
    router = isp(clock, binding_reaches_hosts="all")
    router.table(BINDINGS).add(mac_address=MAC, type="bypassed")
    router.table(USERS).set("ann", disabled="yes")
    router.hotspot.login(MAC, "ann")
    await clock.advance(30)
    refusals = router.hotspot[MAC].refusals
    await clock.advance(30)
    assert router.hotspot[MAC].refusals == refusals  # it has no need to
    router.table(USERS).set("ann", disabled="no")
    router.table(BINDINGS).set("*1", disabled="yes")
    assert not router.hotspot.passes(MAC)
    await clock.advance(6)
    assert router.hotspot.passes(MAC)
    await router.close()


# Coming and going


async def test_removing_a_host_ends_its_login(router: SimRouter, clock: ManualClock) -> None:
    router.hotspot.login(MAC, "ann")
    talker = await login(router)
    await talker.ret(f"{HOSTS}/remove", "=.id=*1")
    assert not router.hotspot.passes(MAC)
    assert only(router, HOSTS)[".id"] == "*2"
    assert await talker.trap(f"{HOSTS}/remove", "=.id=*1") == "no such item (4)"
    assert await talker.trap(f"{ACTIVE}/remove", "=.id=*A5A0002") == "no such item (4)"
    assert await talker.trap(f"{ACTIVE}/set", "=.id=*1", "=comment=x") == "no such command"
    await clock.advance(6)
    assert router.hotspot.passes(MAC)
    await router.close()


async def test_a_device_that_is_gone_without_a_word(router: SimRouter, clock: ManualClock) -> None:
    router.hotspot.login(MAC, "ann")
    router.hotspot.unplug(MAC)
    assert router.table(ACTIVE).rows
    assert not router.hotspot.passes(MAC)
    await clock.advance(121)
    assert not router.table(ACTIVE).rows
    assert not router.table(HOSTS).rows
    router.hotspot.plug(MAC)
    await clock.advance(6)
    assert router.hotspot.passes(MAC)
    router.hotspot.remove(MAC)
    assert not router.table(ACTIVE).rows
    assert not len(router.hotspot)
    await router.close()


def test_without_a_server_nothing_is_in_the_way(router: SimRouter) -> None:
    router.hotspot.login(MAC, "ann")
    router.table(SERVERS).set("hotspot1", disabled="yes")
    assert not router.table(HOSTS).rows
    assert not router.table(ACTIVE).rows
    assert router.hotspot.passes(MAC)
    router.table(SERVERS).set("hotspot1", disabled="no")
    assert not router.hotspot.passes(MAC)
    assert router.table(HOSTS).rows
    router.table(SERVERS).set("hotspot1", interface="ether5")
    assert router.hotspot.passes(MAC)


async def test_a_reboot_keeps_users_counters_and_cookies(router: SimRouter, clock: ManualClock) -> None:
    give_cookies(router)
    router.hotspot.login(MAC, "ann")
    router.hotspot.use(MAC, bytes_in=5000)
    await clock.advance(60)
    router.reboot(down_s=30)
    assert not router.hotspot.passes(MAC)
    assert not any(router.table(menu).rows for menu in (ACTIVE, HOSTS, QUEUES, LISTS))
    assert len(router.table(COOKIES).rows) == 1
    assert (user(router)["uptime"], user(router)["bytes-in"]) == ("1m", "5000")
    await clock.advance(37)
    assert router.hotspot.passes(MAC)
    assert only(router, ACTIVE)["login-by"] == "mac-cookie"
    await router.close()
