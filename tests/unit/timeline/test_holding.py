"""One hold waits at a time, follows what is held, and does not ask again for what a person has rejected."""

from imsys.timeline.holding import Settled, Standing, settle

ANN, BEN, CAT = ({name: {"subscriber": name}} for name in ("ann", "ben", "cat"))


def test_what_is_held_opens_one_hold() -> None:
    assert settle([], ANN | BEN) == Settled(opened=ANN | BEN)
    assert settle([], {}) == Settled()


def test_the_waiting_one_shrinks_with_what_is_held() -> None:
    waiting = Standing(1, "waiting", frozenset({"ann", "ben"}))
    assert settle([waiting], ANN | BEN) == Settled()
    assert settle([waiting], BEN) == Settled(left={1: frozenset({"ben"})})


def test_what_is_held_besides_makes_a_new_one_of_all_of_it() -> None:
    waiting = Standing(1, "waiting", frozenset({"ann", "ben"}), code="TooMany")
    grown = Settled(opened=BEN | CAT, is_growth=True, over={1: "waiting"})
    assert settle([waiting], BEN | CAT, code="TooMany") == grown
    assert settle([waiting], ANN, code="Other") == Settled(opened=ANN, is_growth=True, over={1: "waiting"})


def test_it_ends_by_itself_when_nothing_is_held_any_more() -> None:
    assert settle([Standing(1, "waiting", frozenset({"ann"}))], {}) == Settled(over={1: "waiting"})


def test_what_was_rejected_is_not_asked_for_again_until_it_changes() -> None:
    rejected = Standing(1, "rejected", frozenset({"ann", "ben"}))
    assert settle([rejected], ANN | BEN) == Settled()
    assert settle([rejected], ANN) == Settled(left={1: frozenset({"ann"})})
    assert settle([rejected], ANN | CAT) == Settled(opened=CAT, left={1: frozenset({"ann"})})
    assert settle([rejected], {}) == Settled(over={1: "rejected"})
    assert settle([rejected], CAT) == Settled(opened=CAT, over={1: "rejected"})


def test_an_approval_stands_for_what_of_it_is_still_to_be_done_and_for_nothing_else() -> None:
    approved = Standing(1, "approved", frozenset({"ann", "ben"}))
    assert settle([approved], {}, outstanding={"ann", "ben", "cat"}) == Settled()
    assert settle([approved], {}, outstanding={"ben"}) == Settled(left={1: frozenset({"ben"})})
    assert settle([approved], {}) == Settled(over={1: "approved"})
