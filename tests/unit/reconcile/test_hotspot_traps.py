"""What RouterOS does to engines that keep hotspot logins: each trap by its number and name."""

import pytest

from imsys.reconcile.desired import live_keys
from imsys.reconcile.intent import Ghost, PackageIntent, SubscriberIntent
from imsys.reconcile.kinds import BINDING, HOTSPOT_PROFILE, HOTSPOT_USER, KINDS
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import COOKIE, HOST, HOTSPOT_ACTIVE, sessions, still_there
from tests.unit.reconcile.rows import (
    Row,
    actions,
    binding,
    changes,
    fingerprint,
    hotspot_user,
    intent,
    plan_on,
    sent,
    subscriber,
)

MAC = "00:0C:42:1A:2B:3C"
PROFILE_ROW = {".id": "*2", "name": "home", "rate-limit": "5M/10M", "shared-users": "1", "keepalive-timeout": "2m"}


def login(**more: object) -> SubscriberIntent:
    return subscriber(**{"service": "hotspot", **more})  # type: ignore[arg-type]


def package(**more: object) -> PackageIntent:
    return PackageIntent(**{"package_id": 1, "profile": "home", "is_owned": True, "rate_limit": "5M/10M", **more})  # type: ignore[arg-type]


def made(
    asked: SubscriberIntent,
    *users: Row,
    bindings: tuple[Row, ...] = (),
    profiles: tuple[Row, ...] = (PROFILE_ROW,),
    sold: PackageIntent | None = None,
    ghosts: tuple[Ghost, ...] = (),
) -> Plan:
    rows = {HOTSPOT_USER.menu: users, BINDING.menu: bindings, HOTSPOT_PROFILE.menu: profiles}
    return plan_on(intent(asked, packages=[sold or package()], ghosts=ghosts), rows)


@pytest.mark.parametrize("printed", ["5000k/10000k", "5000000/10000000", "5M/10M 0/0 0/0 0/0 8"])
def test_trap_02_a_hotspot_profile_that_means_the_same_is_not_rewritten(printed: str) -> None:
    assert not made(login(), hotspot_user(), profiles=({**PROFILE_ROW, "rate-limit": printed},)).steps


@pytest.mark.parametrize("printed", ["1d", "24h", "86400", "1d00:00:00", "24:00:00"])
def test_trap_06_a_limit_of_time_compares_as_seconds(printed: str) -> None:
    assert not made(login(), hotspot_user(limit_uptime=printed), sold=package(limit_uptime="1d")).steps


def test_trap_06_another_limit_is_sent_as_the_router_prints_it() -> None:
    sold = package(limit_uptime="90m", limit_bytes=10**9)
    found = made(login(), hotspot_user(limit_uptime="1h"), sold=sold)
    assert sent(found) == {"limit-uptime": "1h30m", "limit-bytes-total": "1000000000"}


@pytest.mark.parametrize("printed", [MAC, MAC.lower(), MAC.replace(":", "-")])
def test_trap_07_a_binding_is_the_same_in_any_spelling(printed: str) -> None:
    assert not made(login(mac=MAC), hotspot_user(), bindings=(binding(printed),)).steps


@pytest.mark.parametrize("absent", ["limit-uptime", "limit-bytes-total", "server", "disabled", "password"])
def test_trap_08_what_a_login_does_not_print_is_its_default(absent: str) -> None:
    defaults = {"limit-uptime": "0s", "limit-bytes-total": "0", "server": "all", "password": ""}
    row = {**hotspot_user(), **defaults}
    assert not made(login(), row).steps
    assert not made(login(), {name: text for name, text in row.items() if name != absent}).steps


def test_trap_08_a_profile_without_a_count_of_devices_has_one() -> None:
    row = {name: text for name, text in PROFILE_ROW.items() if name != "shared-users"}
    assert not made(login(), hotspot_user(), profiles=(row,)).steps
    unlimited = {**PROFILE_ROW, "shared-users": "unlimited"}
    assert sent(made(login(), hotspot_user(), profiles=(unlimited,))) == {"shared-users": "1"}


def test_trap_10_a_limit_that_ends_is_sent_as_zero_and_not_as_nothing() -> None:
    limited = hotspot_user(limit_uptime="1d", limit_bytes_total="5")
    assert sent(made(login(), limited)) == {"limit-uptime": "0s", "limit-bytes-total": "0"}


def test_trap_11_a_hotspot_profile_is_matched_by_its_full_name() -> None:
    found = made(login(), hotspot_user(), sold=package(profile="hom", is_owned=False))
    assert not found.steps
    assert found.problems[1].code == "UnknownProfile"
    assert "hotspot" in found.problems[1].text


def test_trap_11_a_ppp_profile_of_that_name_does_not_count() -> None:
    rows = {HOTSPOT_USER.menu: [hotspot_user()], "/ppp/profile": [{".id": "*1", "name": "gold"}]}
    asked = intent(login(), packages=[package(profile="gold", is_owned=False)])
    assert plan_on(asked, rows).problems[1].code == "UnknownProfile"


def test_trap_13_a_dynamic_login_is_never_ours() -> None:
    assert actions(made(login(), hotspot_user(dynamic="true"))) == [("add", HOTSPOT_USER.menu, "ann")]


def test_trap_17_a_login_of_the_same_name_under_a_server_is_another() -> None:
    elsewhere = hotspot_user(server="hs1", disabled="true")
    assert actions(made(login(), elsewhere)) == [("add", HOTSPOT_USER.menu, "ann")]
    both = (elsewhere, hotspot_user(**{".id": "*12"}))
    (step,) = made(login(is_suspended=True), *both).steps
    assert step.row_id == "*12"


def test_trap_17_a_ghost_takes_only_the_login_for_all_servers() -> None:
    rows = (hotspot_user(), hotspot_user("ben", server="hs1"), hotspot_user("ben", **{".id": "*12"}))
    (step,) = made(login(), *rows, ghosts=(Ghost(HOTSPOT_USER.menu, "ben"),)).steps
    assert (step.action, step.row_id) == ("remove", "*12")


def test_trap_18_a_dangling_hotspot_profile_is_linked_again() -> None:
    assert sent(made(login(), hotspot_user(profile="*5"))) == {"profile": "home"}


def test_trap_22_a_hotspot_profile_is_never_sent_a_comment() -> None:
    (profile,) = (step for step in made(login(), profiles=()).steps if step.menu == HOTSPOT_PROFILE.menu)
    assert set(profile.changes) | set(KINDS[profile.menu].key_fields(profile.key)) == {
        *("name", "rate-limit", "shared-users")
    }


def test_trap_24_a_session_a_cookie_and_a_bypassed_device_all_end() -> None:
    cut = login(mac=MAC, is_suspended=True)
    assert live_keys(cut, intent(cut)) == {(HOTSPOT_ACTIVE.menu, "ann"), (COOKIE.menu, "ann"), (HOST.menu, MAC)}


def test_trap_24_a_hotspot_session_keeps_its_id_over_logins_and_is_told_by_its_uptime() -> None:
    row = {".id": "*C0A80A08", "user": "ann", "uptime": "2h"}
    (before,) = sessions(HOTSPOT_ACTIVE, [row])
    assert still_there([before], sessions(HOTSPOT_ACTIVE, [{**row, "uptime": "2h1s"}]))
    assert not still_there([before], sessions(HOTSPOT_ACTIVE, [{**row, "uptime": "3s"}]))


def test_trap_27_a_suspended_login_keeps_its_rows() -> None:
    found = made(login(mac=MAC, is_suspended=True), hotspot_user(), bindings=(binding(),))
    assert [(step.action, dict(step.changes)) for step in found.steps] == [("set", {"disabled": True})] * 2


def test_trap_28_counters_and_people_s_fields_are_not_compared() -> None:
    row = hotspot_user(
        uptime="9h", bytes_in="9", packets_out="9", email="a@b.c", comment="till June", address="10.5.0.2"
    )
    assert not made(login(), row).steps


def test_trap_29_of_a_login_only_what_differs_is_sent() -> None:
    assert set(changes(made(login(), hotspot_user(disabled="yes", comment="till June")))) == {"disabled"}


@pytest.mark.parametrize("name", ["0012", "true", "123", "*A"])
def test_trap_31_a_login_that_looks_like_a_value_stays_text(name: str) -> None:
    asked = login(username=name, password_mac=fingerprint(name))
    assert not made(asked, hotspot_user(name, password=name)).steps


@pytest.mark.parametrize("near", ["Ann", "ann ", " ANN"])
def test_trap_45_a_login_matches_to_the_byte(near: str) -> None:
    assert actions(made(login(), hotspot_user(near))) == [("add", HOTSPOT_USER.menu, "ann")]


def test_trap_50_a_hotspot_profile_goes_after_the_logins_that_name_it() -> None:
    old = {".id": "*9", "name": "old"}
    found = made(
        login(),
        hotspot_user(profile="old"),
        hotspot_user("gone", **{".id": "*12"}),
        profiles=(old,),
        ghosts=(Ghost(HOTSPOT_PROFILE.menu, "old"), Ghost(HOTSPOT_USER.menu, "gone")),
    )
    assert actions(found) == [
        ("add", HOTSPOT_PROFILE.menu, "home"),
        ("remove", HOTSPOT_USER.menu, "gone"),
        ("set", HOTSPOT_USER.menu, "ann"),
    ]
    after = made(login(), hotspot_user(), profiles=(old,), ghosts=(Ghost(HOTSPOT_PROFILE.menu, "old"),))
    assert ("remove", HOTSPOT_PROFILE.menu, "old") in actions(after)
