"""What RouterOS does to engines that compare texts and trust readings: each trap by its number and name."""

from dataclasses import replace

import pytest

from imsys.reconcile.diff import owes_kick
from imsys.reconcile.guard import Brake, split, suspicion
from imsys.reconcile.intent import Ghost, PackageIntent, RouterIntent
from imsys.reconcile.kinds import KINDS, PROFILE, SECRET, UNVERIFIABLE
from imsys.reconcile.kinds.ppp_secret import HIDDEN
from imsys.reconcile.observed import near_doubles, table
from imsys.reconcile.sessions import ACTIVE, among, sessions, still_there
from imsys.reconcile.show import as_dict
from tests.unit.reconcile.rows import (
    HOME_ROW,
    actions,
    changes,
    fingerprint,
    intent,
    observed,
    plan,
    secret,
    sent,
    subscriber,
)

WALLED = RouterIntent(1, suspend_by="profile", suspend_profile="walled")
WALLED_ROW = {".id": "*2", "name": "walled"}


@pytest.mark.parametrize("printed", ["5M/10M", "5000k/10000k", "5000000/10000000", "5M/10M 0/0 0/0 0/0 8"])
def test_trap_02_a_profile_that_means_the_same_is_not_rewritten(printed: str) -> None:
    row = {**HOME_ROW, "rate-limit": printed}
    assert not plan(intent(subscriber()), secret(), profiles=[row]).steps


def test_trap_02_a_profile_that_means_something_else_is() -> None:
    row = {**HOME_ROW, "rate-limit": "10M/5M"}
    assert sent(plan(intent(subscriber()), secret(), profiles=[row])) == {"rate-limit": "5M/10M"}


@pytest.mark.parametrize("printed", ["false", "no"])
def test_trap_05_flags_mean_the_same_in_either_spelling(printed: str) -> None:
    assert not plan(intent(subscriber()), secret(disabled=printed)).steps


@pytest.mark.parametrize("printed", ["true", "yes"])
def test_trap_05_a_suspended_subscriber_who_is_disabled_in_either_spelling_is_left(printed: str) -> None:
    assert not plan(intent(subscriber(is_suspended=True)), secret(disabled=printed)).steps


@pytest.mark.parametrize("absent", ["remote-address", "disabled", "service", "password"])
def test_trap_08_absent_means_the_default(absent: str) -> None:
    row = {name: text for name, text in secret(remote_address="").items() if name != absent}
    assert not plan(intent(subscriber()), row).steps


@pytest.mark.parametrize("printed", ["", "0.0.0.0"])
def test_trap_08_an_address_that_is_not_set_is_none(printed: str) -> None:
    assert not plan(intent(subscriber()), secret(remote_address=printed)).steps


def test_trap_09_an_address_is_cleared_with_a_bang_and_not_with_an_empty_word() -> None:
    assert sent(plan(intent(subscriber()), secret(remote_address="10.0.0.9"))) == {"remote-address": None}


def test_trap_11_a_reference_is_matched_by_its_full_name_before_the_router_can_guess() -> None:
    """The router itself would take `hom` for `home`."""
    refers = PackageIntent(1, profile="hom", is_owned=False)
    made = plan(intent(subscriber(), packages=[refers]), secret())
    assert not made.steps
    assert made.problems[1].code == "UnknownProfile"


def test_trap_11_the_other_changes_of_such_a_row_do_not_wait() -> None:
    refers = PackageIntent(1, profile="hom", is_owned=False)
    made = plan(intent(subscriber(is_suspended=True), packages=[refers]), secret())
    assert changes(made) == {"disabled": True}
    assert made.problems[1].code == "UnknownProfile"


def test_trap_12_a_hidden_password_is_neither_drift_nor_a_value() -> None:
    known = subscriber(password_mac=fingerprint("pw"), applied_mac=fingerprint("pw"), is_newer=True)
    made = plan(intent(known), secret(password=HIDDEN))
    assert not made.steps
    tables = observed(secret(password=HIDDEN))
    assert tables[SECRET.menu].rows["ann"].values["password"] is UNVERIFIABLE
    assert tables[SECRET.menu].hides_secrets


def test_trap_12_a_hidden_password_is_written_when_its_intent_changes() -> None:
    managed = subscriber(password_mac=fingerprint("pw"), applied_mac=fingerprint("old"), is_newer=True)
    assert set(changes(plan(intent(managed), secret(password=HIDDEN)))) == {"password"}


def test_trap_12_a_login_that_sees_passwords_is_not_taken_for_one_that_does_not() -> None:
    """Somebody's password may be five stars."""
    tables = observed(secret("ann", password=HIDDEN), secret("ben", password="pw"))
    assert not tables[SECRET.menu].hides_secrets


def test_trap_13_dynamic_rows_are_never_ours() -> None:
    row = secret(dynamic="true", disabled="true")
    assert not observed(row)[SECRET.menu].rows


def test_trap_19_ids_come_from_the_read_that_the_plan_is_made_of() -> None:
    made = plan(intent(subscriber(is_suspended=True)), secret(**{".id": "*7F"}))
    assert [step.row_id for step in made.steps] == ["*7F"]


def test_trap_21_22_only_fields_that_each_version_has_are_asked_for_and_sent() -> None:
    """A field that is new in some version would have the whole command refused by an older one."""
    assert {menu: [field.name for field in kind.fields] for menu, kind in KINDS.items()} == {
        "/ppp/profile": ["rate-limit"],
        "/ppp/secret": ["service", "profile", "remote-address", "caller-id", "disabled", "password"],
        "/ip/hotspot/user/profile": ["rate-limit", "shared-users"],
        "/ip/hotspot/user": ["profile", "limit-uptime", "limit-bytes-total", "disabled", "password"],
        "/ip/hotspot/ip-binding": ["type", "disabled"],
        "/queue/simple": [
            *("target", "max-limit", "limit-at", "burst-limit", "burst-threshold", "burst-time", "priority"),
            "disabled",
        ],
        "/ip/dhcp-server/lease": ["mac-address", "disabled"],
        "/ip/firewall/address-list": ["disabled"],
        "/ip/firewall/filter": ["disabled"],
    }


def test_trap_24_a_suspended_subscriber_is_cut_by_the_row_and_by_the_session() -> None:
    assert changes(plan(intent(subscriber(is_suspended=True)), secret())) == {"disabled": True}
    present = sessions(ACTIVE, [{".id": "*8", "name": "ann", "session-id": "0x1"}, {".id": "*9", "name": "ben"}])
    assert [session.row_id for session in among(present, {(ACTIVE.menu, "ann")})] == ["*8"]


def test_trap_24_a_session_is_gone_when_a_later_read_does_not_have_it_a_redial_is_another() -> None:
    (before,) = sessions(ACTIVE, [{".id": "*8", "name": "ann", "session-id": "0x1"}])
    assert still_there([before], [before]) == [before]
    assert not still_there([before], sessions(ACTIVE, [{".id": "*9", "name": "ann", "session-id": "0x2"}]))


def test_trap_26_a_row_that_is_right_is_no_reason_to_kick() -> None:
    asked = intent(subscriber(is_suspended=True), router=WALLED)
    right = plan(asked, secret(profile="walled"), profiles=[HOME_ROW, WALLED_ROW])
    assert not right.steps
    (step,) = plan(asked, secret(), profiles=[HOME_ROW, WALLED_ROW]).steps
    assert owes_kick(step, WALLED)


def test_trap_27_a_suspended_subscriber_keeps_the_row() -> None:
    for router, rows in ((RouterIntent(1), [HOME_ROW]), (WALLED, [HOME_ROW, WALLED_ROW])):
        made = plan(intent(subscriber(is_suspended=True), router=router), secret(), profiles=rows)
        assert [step.action for step in made.steps] == ["set"]


def test_trap_28_counters_and_people_s_fields_are_not_compared() -> None:
    row = secret(
        limit_bytes_in="99", last_logged_out="2026-02-02 10:00:00", comment="pays late", caller_id="00:0C:42:00:00:01"
    )
    assert not plan(intent(subscriber()), row).steps


def test_trap_29_only_what_differs_is_sent() -> None:
    row = secret(comment="pays late", disabled="true", profile="home")
    assert sent(plan(intent(subscriber(address="10.0.0.5")), row)) == {"remote-address": "10.0.0.5", "disabled": "no"}


def test_trap_30_a_comment_in_a_code_page_is_no_drift() -> None:
    assert not plan(intent(subscriber()), secret(comment="caf\udce9")).steps


@pytest.mark.parametrize("name", ["0012", "true", "yes", "123", "*A"])
def test_trap_31_names_that_look_like_values_stay_texts(name: str) -> None:
    assert not plan(intent(subscriber(name)), secret(name)).steps


@pytest.mark.parametrize("password", ["true", "0012", "42", "no"])
def test_trap_31_passwords_that_look_like_values_stay_texts(password: str) -> None:
    managed = subscriber(password_mac=fingerprint(password))
    assert not plan(intent(managed), secret(password=password)).steps
    assert plan(intent(managed), secret(password=f"{password} ")).steps


def test_trap_33_a_menu_that_was_not_read_is_not_an_empty_one() -> None:
    ghost = Ghost(SECRET.menu, "gone")
    made = plan(intent(subscriber(), ghosts=[ghost]), kinds=[PROFILE.menu])
    assert not made.steps
    assert not made.forgotten


def test_trap_34_while_a_router_settles_absence_proves_nothing() -> None:
    ghost = Ghost(SECRET.menu, "gone")
    made = plan(intent(subscriber(), ghosts=[ghost]), is_settled=False, profiles=[])
    assert not made.steps
    assert not made.forgotten
    assert made.waiting == {1}


def test_trap_34_rows_that_are_there_are_changed_meanwhile() -> None:
    made = plan(intent(subscriber(is_suspended=True)), secret(), is_settled=False)
    assert changes(made) == {"disabled": True}


def test_trap_35_other_hardware_has_its_drift_held() -> None:
    made = plan(intent(subscriber(), subscriber("ben", subscriber_id=2, is_newer=True)), profiles=[HOME_ROW])
    doubt = suspicion(made, placed_rows={}, known_serial="AAA", serial="BBB")
    assert doubt is not None
    assert doubt.code == "OtherRouter"
    parted, _ = split(made, doubt, Brake(), RouterIntent(1))
    assert [step.key for step in parted.steps] == ["ben"]
    assert [step.key for step in parted.held] == ["ann"]


def test_trap_35_a_table_that_has_lost_half_of_its_rows_has_its_drift_held() -> None:
    people = [subscriber(f"u{n}", subscriber_id=n) for n in range(20)]
    rows = [secret(f"u{n}") for n in range(10)]
    lost_half = plan(intent(*people), *rows)
    doubt = suspicion(lost_half, placed_rows={SECRET.menu: 20})
    assert doubt is not None
    assert doubt.code == "RowsVanished"
    assert not split(lost_half, doubt, Brake(), RouterIntent(1))[0].steps
    lost_one = plan(intent(*people), *[secret(f"u{n}") for n in range(19)])
    assert suspicion(lost_one, placed_rows={SECRET.menu: 20}) is None


def test_trap_36_a_run_after_an_unknown_outcome_finds_nothing_to_do_or_the_same_thing() -> None:
    asked = intent(subscriber(is_newer=True))
    assert not plan(asked, secret()).steps
    assert actions(plan(asked)) == [("add", SECRET.menu, "ann")]


@pytest.mark.parametrize("near", ["Ann", "ann ", " ANN"])
def test_trap_45_names_match_to_the_byte_and_near_doubles_are_told(near: str) -> None:
    made = plan(intent(subscriber()), secret(near))
    assert actions(made) == [("add", SECRET.menu, "ann")]
    doubled = table(SECRET, [secret("ann"), secret(near)], fingerprint)
    assert set(near_doubles(doubled.rows)) == {"ann", near}


def test_trap_50_what_refers_goes_before_what_is_referred_to() -> None:
    """A profile that is removed under a secret leaves a dangling reference, and no trap says so."""
    old = {".id": "*5", "name": "old", "rate-limit": "1M/1M"}
    asked = intent(subscriber(), ghosts=[Ghost(PROFILE.menu, "old"), Ghost(SECRET.menu, "gone")])
    made = plan(asked, secret(profile="old"), secret("gone", profile="old"), profiles=[old])
    assert actions(made) == [
        ("add", PROFILE.menu, "home"),
        ("remove", SECRET.menu, "gone"),
        ("set", SECRET.menu, "ann"),
    ]
    assert not made.forgotten
    assert actions(plan(asked, secret(), profiles=[HOME_ROW, old])) == [("remove", PROFILE.menu, "old")]


def test_trap_50_a_profile_stays_while_those_that_may_name_it_were_not_read() -> None:
    old = {".id": "*5", "name": "old", "rate-limit": "1M/1M"}
    made = plan(intent(ghosts=[Ghost(PROFILE.menu, "old")]), profiles=[old], kinds=[PROFILE.menu])
    assert not made.steps
    assert not made.forgotten


def test_trap_50_a_profile_stays_while_a_row_of_ours_that_is_not_looked_at_names_it() -> None:
    """Such as one of somebody who has moved away and is not made elsewhere yet."""
    old = {".id": "*5", "name": "old", "rate-limit": "1M/1M"}
    asked = replace(intent(ghosts=[Ghost(PROFILE.menu, "old")]), known=frozenset({(SECRET.menu, "away")}))
    made = plan(asked, secret("away", profile="old"), profiles=[old])
    assert not made.steps
    assert not made.forgotten


def test_trap_50_a_profile_that_other_people_s_rows_name_is_theirs() -> None:
    old = {".id": "*5", "name": "old", "rate-limit": "1M/1M"}
    made = plan(intent(ghosts=[Ghost(PROFILE.menu, "old")]), secret("staff", profile="old"), profiles=[old])
    assert not made.steps
    assert [ghost.key for ghost in made.forgotten] == ["old"]


def test_no_secret_is_shown_in_a_plan() -> None:
    managed = subscriber(password_mac=fingerprint("pw-new"), is_newer=True)
    (step,) = plan(intent(managed), secret(password="pw-old")).steps
    shown = str(as_dict(step, {1: "ann"}))
    assert "pw-" not in shown
    assert "<hidden>" in shown
