"""The query stack, against what the RouterOS manual says of each word."""

import pytest

from imsys.sim import Behaviour, SimRouter
from imsys.sim.query import candidates_of, compile_query


@pytest.fixture
def router() -> SimRouter:
    router = SimRouter("r1", is_blank=True)
    table = router.table("/ppp/secret")
    table.add(name="ann", service="pppoe", limit_bytes_in="9", comment="paid")
    table.add(name="bob", service="any", limit_bytes_in="10", disabled="yes")
    table.add(name="cid", service="pppoe", limit_bytes_in="100", comment="owes")
    return router


def names(router: SimRouter, *words: str) -> list[str]:
    table = router.table("/ppp/secret")
    ids = table.select(words)
    return [str(table.name_of(row_id)) for row_id in (list(table) if ids is None else ids)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["ann", "bob", "cid"]),
        (("?name=ann",), ["ann"]),
        (("?=name=ann",), ["ann"]),
        (("?.id=*2",), ["bob"]),
        (("?.id=*2", "?.id=*3", "?#|"), ["bob", "cid"]),
        (("?comment",), ["ann", "cid"]),
        (("?-comment",), ["bob"]),
        (("?comment=",), []),  # absent is not empty
        (("?>comment=",), ["ann", "cid"]),
        (("?caller-id",), ["ann", "bob", "cid"]),  # empty is a value
        (("?no-such-property",), []),
        (("?-no-such-property",), ["ann", "bob", "cid"]),
        (("?disabled=true",), ["bob"]),
        (("?disabled=yes",), []),
        (("?>limit-bytes-in=9",), ["bob", "cid"]),  # as numbers: 10 is more than 9
        (("?<limit-bytes-in=10",), ["ann"]),
        (("?service=pppoe", "?comment=paid"), ["ann"]),
        (("?name=ann", "?name=bob", "?#|"), ["ann", "bob"]),
        (("?name=ann", "?name=bob", "?name=cid", "?#||"), ["ann", "bob", "cid"]),
        (("?name=ann", "?#!"), ["bob", "cid"]),
        (("?service=pppoe", "?comment=paid", "?#&!"), ["bob", "cid"]),
        (("?name=ann", "?name=bob", "?#0"), ["bob"]),  # digits at the end: only that element stays
        (("?name=ann", "?name=bob", "?#1"), ["ann"]),
        (("?name=ann", "?service=any", "?#1&!"), ["ann"]),  # ann, not (any and copy of ann)
        (("?name=ann", "?#.&"), ["ann"]),  # a dot after another character doubles the top
        (("?name=ann", "?#&&"), ["ann"]),  # below the words there are only trues
        (("?#!",), []),
        (("?profile=default",), ["ann", "bob", "cid"]),
        (("?password=x", "?#!", "?name=bob"), ["bob"]),
    ],
)
def test_words_select(router: SimRouter, words: tuple[str, ...], found: list[str]) -> None:
    assert names(router, *words) == found


def test_yes_matches_true_behind_its_switch() -> None:
    router = SimRouter("r1", behaviour=Behaviour(yes_matches_true=True))
    router.table("/ppp/secret").add(name="bob", disabled="yes")
    assert names(router, "?disabled=yes") == ["bob"]


def test_a_name_is_found_without_looking_at_other_rows(router: SimRouter) -> None:
    table = router.table("/ppp/secret")
    known = candidates_of(compile_query(["?name=ann", "?name=cid", "?#|", "?service=pppoe"], table))
    assert known == {1, 3}
    assert candidates_of(compile_query(["?service=pppoe"], table)) is None
    assert candidates_of(compile_query(["?name=ann", "?#!"], table)) is None


def test_log_times_are_compared_as_text() -> None:
    router = SimRouter("r1")
    log = router.table("/log")
    log.put(time="2026-05-30 10:00:00", topics="system", message="old")
    log.put(time="2026-05-31 10:00:00", topics="system", message="new")
    ids = log.select(["?>time=2026-05-31 00:00:00"])
    assert [log.printed(i, log.get(i) or ())["message"] for i in ids or []] == ["new"]
