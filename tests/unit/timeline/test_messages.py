"""What a message says: one thing in full, many of a kind on one line, the worst first."""

from imsys.timeline.messages import NAMES_SHOWN, TITLE_CHARACTERS, Item, Wording, compose

WORDINGS = {
    "down": Wording("routers are down", "is no longer down", "routers are no longer down"),
    "error": Wording("kinds of errors", "has ended", "kinds of errors have ended"),
}
REMEDY = "Look at its power."


def item(subject: str, *, kind: str = "down", severity: str = "critical", **values: object) -> Item:
    fields = {"text": f"{subject} is down. No answer.", "remedy": REMEDY, "count": 1, "lasted_s": 90.0, **values}
    return Item(kind, subject, severity, **fields)  # type: ignore[arg-type]


def test_one_is_told_in_full() -> None:
    message = compose([item("rt-1")], [], WORDINGS)
    assert message.title == "IMSys: rt-1 is down. No answer"
    assert message.body == f"rt-1 is down. No answer.\n{REMEDY}"
    assert message.severity == "critical"


def test_many_of_a_kind_are_one_line_in_the_order_of_names() -> None:
    message = compose([item("rt-2"), item("rt-1")], [], WORDINGS)
    assert message.body == f"2 routers are down: rt-1, rt-2.\n{REMEDY}"
    assert message.title == "IMSys: 2 routers are down: rt-1, rt-2"


def test_different_remedies_are_left_to_the_list() -> None:
    message = compose([item("rt-1"), item("rt-2", remedy="Look at its cable.")], [], WORDINGS)
    assert message.body == "2 routers are down: rt-1, rt-2."


def test_a_long_row_of_names_is_cut_and_counted() -> None:
    message = compose([item(f"rt-{number:02}") for number in range(NAMES_SHOWN + 5)], [], WORDINGS)
    assert message.body.startswith(f"{NAMES_SHOWN + 5} routers are down: rt-00, ")
    assert "rt-09 and 5 more." in message.body


def test_the_worst_comes_first_and_names_the_message() -> None:
    error = item("rt-9", kind="error", severity="warning", text="3 subscribers are in error.", remedy="")
    message = compose([error, item("rt-1")], [item("rt-2")], WORDINGS)
    assert message.title == "IMSys: rt-1 is down. No answer (and 2 more)"
    assert message.body.split("\n\n") == [
        f"rt-1 is down. No answer.\n{REMEDY}",
        "3 subscribers are in error.",
        "rt-2 is no longer down after 1 min.",
    ]
    assert message.severity == "critical"


def test_an_end_alone_is_good_news() -> None:
    message = compose([], [item("rt-1", lasted_s=7300), item("rt-2")], WORDINGS)
    assert message.body == "2 routers are no longer down: rt-1, rt-2."
    assert message.severity == ""
    assert compose([], [item("rt-1", lasted_s=7300)], WORDINGS).title == "IMSys: rt-1 is no longer down after 2 h"


def test_one_that_flaps_says_so() -> None:
    assert "It has begun 3 times within 1 min" in compose([item("rt-1", count=3)], [], WORDINGS).body
    assert compose([], [item("rt-1", count=3)], WORDINGS).body == "rt-1 is no longer down, 3 times within 1 min."


def test_a_title_has_room_on_a_phone() -> None:
    title = compose([item("rt-1", text="x" * 500)], [], WORDINGS).title
    assert len(title) <= len("IMSys: ") + TITLE_CHARACTERS
    assert title.endswith("…")


def test_a_kind_without_words_is_told_all_the_same() -> None:
    assert compose([item("a", kind="new"), item("b", kind="new")], [], {}).body.startswith("2 incidents (new): a, b.")
    assert compose([], [item("a", kind="new")], {}).body == "a is over (new) after 1 min."
