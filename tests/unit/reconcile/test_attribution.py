"""Who changed a row, by the log lines of both generations of RouterOS."""

import pytest

from imsys.reconcile.attribution import attribute
from imsys.reconcile.kinds import KINDS, SECRET, Kind

ANN = (SECRET.menu, "ann")
V7 = "ppp secret <{key}> changed by tcp-msg(winbox):juma@10.0.0.9/terminal/action:245 (/ppp secret set ann)"


@pytest.mark.parametrize(
    ("message", "who"),
    [
        ("ppp secret <ann> changed by juma", "juma"),
        ("ppp secret <ann> removed by juma", "juma"),
        ("ppp secret <ann> added by juma", "juma"),
        (V7.format(key="ann"), "juma via winbox"),
        ("ppp secret <ann> changed by api:juma@10.0.0.2/action:243 (/ppp secret set)", "juma via api"),
        ("ppp secret <ann> added by api:juma@:: (/ppp secret add)", "juma via api"),
        ("ppp secret <ann> changed by winbox-3.41/tcp-msg(winbox):juma@10.0.0.9/action:1 (x)", None),
    ],
)
def test_the_person_is_named(message: str, who: str | None) -> None:
    found = attribute([{"message": message}], {ANN}, own_user="imsys")
    if who is None:  # a form that nobody has seen yet still names something
        assert ANN in found
    else:
        assert found == {ANN: who}


@pytest.mark.parametrize(
    "message",
    [
        "ppp secret <ann> changed by imsys",
        "ppp secret <ann> changed by api:imsys@10.0.0.2/action:243 (/ppp secret set)",
        "ppp profile <ann> changed by juma",
        "user juma logged in from 10.0.0.9 via winbox",
        "",
    ],
)
def test_our_own_changes_and_other_lines_name_nobody(message: str) -> None:
    assert attribute([{"message": message}, {}], {ANN}, own_user="imsys") == {}


def test_our_login_used_by_hand_is_a_person() -> None:
    message = "ppp secret <ann> changed by tcp-msg(winbox):imsys@10.0.0.9/action:1 (/ppp secret set ann)"
    assert attribute([{"message": message}], {ANN}, own_user="imsys") == {ANN: "imsys via winbox"}


def test_the_last_line_of_each_key_counts_and_only_keys_asked_for() -> None:
    lines = [
        {"message": "ppp secret <ann> changed by juma"},
        {"message": "ppp secret <ben> changed by juma"},
        {"message": "ppp secret <ann> changed by asha"},
        {"message": "ppp secret <ann> changed by imsys"},
    ]
    assert attribute(lines, {ANN}, own_user="imsys") == {ANN: "asha"}


def test_a_key_may_have_what_looks_like_the_end_of_it() -> None:
    place = (SECRET.menu, "a> b")
    assert attribute([{"message": V7.format(key="a> b")}], {place}, own_user="imsys") == {place: "juma via winbox"}


NAMED = [kind for kind in KINDS.values() if kind.is_key_logged]
KEYLESS = [kind for kind in KINDS.values() if not kind.is_key_logged]


@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.menu)
def test_each_menu_has_its_noun_and_a_name_means_a_row_of_that_menu_alone(kind: Kind) -> None:
    everywhere = {(menu, "ann") for menu in KINDS}
    line = {"message": f"{kind.log_noun} <ann> changed by juma"}
    assert attribute([line], everywhere, own_user="imsys") == {(kind.menu, "ann"): "juma"}


@pytest.mark.parametrize("form", ["{noun} <*5> removed by juma", "{noun} removed by juma"])
@pytest.mark.parametrize("kind", KEYLESS, ids=lambda kind: kind.menu)
def test_where_the_log_names_no_key_whoever_changed_the_menu_is_named(kind: Kind, form: str) -> None:
    everywhere = {(menu, "ann") for menu in KINDS}
    lines = [{"message": form.format(noun=kind.log_noun)}, {"message": f"{kind.log_noun} <*6> added by imsys"}]
    assert attribute(lines, everywhere, own_user="imsys") == {(kind.menu, "ann"): "juma"}


def test_what_a_lost_safe_mode_undid_was_nobodys_hand() -> None:
    places = {(SECRET.menu, "ann"), (SECRET.menu, "ben")}
    lines = [
        {"message": V7.format(key="ann")},
        {"message": "safe mode of juma lost: 1 changes undone"},
        {"message": V7.format(key="ben")},
    ]
    assert attribute(lines, places, own_user="imsys") == {(SECRET.menu, "ben"): "juma via winbox"}
