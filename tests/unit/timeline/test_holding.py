"""One hold waits at a time, follows what is held, and does not ask again for what a person has rejected."""

from imsys.timeline.holding import Settled, Standing, settle

ANN, BEN, CAT = ({name: {"subscriber": name}} for name in ("ann", "ben", "cat"))


def test_what_is_held_opens_one_hold() -> None:
    assert settle([], ANN | BEN) == Settled(opened=ANN | BEN)
    assert settle([], {}) == Settled()


def test_the_waiting_one_grows_and_shrinks_with_what_is_held() -> None:
    waiting = Standing(1, "waiting", frozenset({"ann", "ben"}))
    assert settle([waiting], ANN | BEN) == Settled(waiting=1)
    assert settle([waiting], ANN | BEN | CAT) == Settled(filled=ANN | BEN | CAT, waiting=1)
    assert settle([waiting], BEN) == Settled(filled=BEN, waiting=1)


def test_it_ends_by_itself_when_nothing_is_held_any_more() -> None:
    assert settle([Standing(1, "waiting", frozenset({"ann"}))], {}) == Settled(over=(1,))


def test_what_was_rejected_is_not_asked_for_again_until_it_changes() -> None:
    rejected = Standing(1, "rejected", frozenset({"ann", "ben"}))
    assert settle([rejected], ANN | BEN) == Settled()
    assert settle([rejected], ANN) == Settled()
    assert settle([rejected], ANN | CAT) == Settled(opened=CAT)
    assert settle([rejected], {}) == Settled(over=(1,))
    assert settle([rejected], CAT) == Settled(opened=CAT, over=(1,))


def test_an_approval_stands_while_anything_of_it_is_to_be_done() -> None:
    approved = Standing(1, "approved", frozenset({"ann", "ben"}))
    assert settle([approved], {}, outstanding={"ben"}) == Settled()
    assert settle([approved], ANN) == Settled(opened=ANN)  # as it cannot be: it would pass
    assert settle([approved], {}) == Settled(over=(1,))
