"""How pages word ages, days, changes and statuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imsys.web.rows import access_word, state_word, sync_word
from imsys.web.templatetags.imsys import SHAPES, STATUSES, age, changes, last_day, span, status


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86_400, "1 d"), (3_600_000, "41 d")],
)
def test_a_span_has_its_largest_unit(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_an_age_carries_its_moment() -> None:
    moment = datetime.now(UTC) - timedelta(minutes=5, seconds=2)
    html = age(moment)
    assert ">5 min</time>" in html
    assert moment.strftime("%Y-%m-%d %H:%M:%S") in html
    assert ">in 4 min</time>" in age(datetime.now(UTC) + timedelta(minutes=4, seconds=30))
    assert age(None) == ""


def test_what_ends_at_midnight_ends_with_the_day_before() -> None:
    assert last_day(datetime(2027, 2, 1, tzinfo=UTC)) == "31 Jan 2027"
    assert last_day(datetime(2027, 2, 1, 18, tzinfo=UTC)) == "1 Feb 2027"


@pytest.mark.parametrize(
    ("what", "before", "after", "words"),
    [
        ("changed", {"package": "a"}, {"package": "b"}, "package a → b"),
        ("changed", {"address": ""}, {"address": "10.0.0.1"}, "address none → 10.0.0.1"),
        ("changed", None, {"password": "changed"}, "password changed"),
        ("drift-repaired", {"disabled": False}, {"disabled": True}, "disabled no → yes"),
        ("router-changed", {"caps": {}}, {"caps": {"removes": 3, "kicks": 0}}, "caps none → removes=3 kicks=0"),
        ("suspended", {"is_suspended": False}, {"is_suspended": True}, ""),
        ("added", None, {"address": "", "package": "a", "is_suspended": False}, "package a"),
        ("removed", {"package": "a", "is_suspended": False}, None, "package a"),
        ("synced", None, None, ""),
    ],
)
def test_changes_in_words(what: str, before: Any, after: Any, words: str) -> None:
    assert changes({"what": what, "before": before, "after": after}) == words


@pytest.mark.parametrize("word", [*STATUSES, "LoginRefused"])
def test_a_status_is_a_shape_and_a_word(word: str) -> None:
    html = status(word)
    assert "<svg" in html
    assert (STATUSES[word][2] if word in STATUSES else word) in html


def test_no_two_states_of_one_column_look_alike() -> None:
    columns = [
        ("synced", "pending", "error", "held", "observed"),
        ("active", "suspended", "expired"),
        ("ok", "down", "unknown"),
        ("enforce", "observe", "paused"),
    ]
    for column in columns:
        shapes = [STATUSES[word][0] for word in column]
        assert len(set(shapes)) == len(shapes)
        assert set(shapes) <= SHAPES.keys()


def test_a_name_cannot_bring_its_own_html() -> None:
    assert "&lt;b&gt;" in status("<b>")


def test_words_for_states() -> None:
    assert (access_word(False, []), access_word(True, ["expiry"])) == ("active", "expired")
    assert access_word(True, ["abuse", "expiry"]) == "suspended"
    assert (sync_word("pending", "observe"), sync_word("pending", "enforce")) == ("observed", "pending")
    assert sync_word("synced", "observe") == "synced"
    assert sync_word("pending", "observe", is_enforced=True) == "pending"
    assert state_word({"condition": "", "is_reachable": None}) == "unknown"
    assert state_word({"condition": "", "is_reachable": True}) == "ok"
    assert state_word({"condition": "", "is_reachable": False}) == "down"
    assert state_word({"condition": "LoginRefused", "is_reachable": True}) == "LoginRefused"
