"""Received buffers to events: runs of rows, interleaved commands, and replies compared by their bytes."""

from collections.abc import Iterable

import pytest

from imsys.routeros.errors import ProtocolError
from imsys.routeros.known import KnownReply, Watch
from imsys.routeros.protocol import DONE, EMPTY, RE, TRAP, Reply, Row, encode_reply
from imsys.routeros.replies import Event, ReplyReader, Rows, Sentence, Unchanged
from imsys.routeros.wire import Bounds, encode_sentence

TAG = "r00001"
BOUNDS = Bounds()


def table(count: int) -> list[Row]:
    return [
        {".id": f"*{n:X}", "name": f"user{n}", "password": f"pw-{n * 7919}", "profile": "10M", "disabled": "false"}
        for n in range(count)
    ]


def answer(rows: Iterable[Row], tag: str = TAG) -> bytes:
    return b"".join(encode_reply(Reply(RE, tag, row)) for row in rows) + encode_reply(Reply(DONE, tag))


def events(data: bytes, *, step: int = 0, reader: ReplyReader | None = None) -> list[Event]:
    used = reader or ReplyReader(BOUNDS)
    step = step or len(data)
    return [event for at in range(0, len(data), step) for event in used.receive(data[at : at + step])]


def rows_of(found: Iterable[Event], tag: str = TAG) -> list[Row]:
    return [row for event in found if isinstance(event, Rows) and event.tag == tag for row in event.rows]


def watched(data: bytes, watch: Watch, *, step: int = 0) -> list[Event]:
    reader = ReplyReader(BOUNDS)
    reader.watch(TAG, watch)
    return events(data, step=step, reader=reader)


def known_of(data: bytes, *, keep_rows: bool = False) -> KnownReply:
    watch = Watch(keep_rows=keep_rows)
    watched(data, watch)
    return watch.result()


@pytest.mark.parametrize("step", [0, 1, 7, 1000, 4096])
@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 700])
def test_rows_come_out_as_they_went_in_however_they_were_cut(count: int, step: int) -> None:
    rows = table(count)
    found = events(answer(rows), step=step)
    assert rows_of(found) == rows
    last = found[-1]
    assert isinstance(last, Sentence)
    assert last.reply == Reply(DONE, TAG)
    assert sum(event.size for event in found) == len(answer(rows))


def test_rows_whose_tag_stands_last() -> None:
    rows = table(500)
    data = b"".join(
        encode_sentence([b"!re", *(f"={name}={value}".encode() for name, value in row.items()), b".tag=r00001"])
        for row in rows
    )
    assert rows_of(events(data + encode_sentence([b"!done", b".tag=r00001"]))) == rows


def test_rows_whose_tag_stands_between() -> None:
    rows = [{"name": f"u{n}", "profile": "p"} for n in range(100)]
    data = b"".join(
        encode_sentence([b"!re", f"=name={row['name']}".encode(), b".tag=r00001", b"=profile=p"]) for row in rows
    )
    assert rows_of(events(data)) == rows


def test_rows_of_many_shapes() -> None:
    rows = table(3000)
    for n, row in enumerate(rows):
        if n % 3 == 0:
            row["comment"] = f"Größe {n}" if n % 2 else "a=b=c"
        if n % 5 == 0:
            del row["profile"]
        if n % 97 == 0:
            row["comment"] = "long " * 60
        if n % 101 == 0:
            row["extra"] = ""
    for step in (0, 3000):
        assert rows_of(events(answer(rows), step=step)) == rows


def test_bare_rows() -> None:
    rows: list[Row] = [{}] * 50
    assert rows_of(events(answer(rows))) == rows


@pytest.mark.parametrize(
    "evil",
    [
        "\x00\x03!re\x0b.tag=r00001\x08=.id=*FF",  # the end of a row and the beginning of another
        "\x00\x05!done\x0b.tag=r00001\x00",
        "x\x0f=disabled=false",
        "a\x0c=profile=10M\x0f=disabled=false\x00",
        "=disabled=",
        "\x00" * 20,
        "é" * 10,
        "\udcff\udc80",
    ],
)
@pytest.mark.parametrize("field", ["name", "profile", "disabled"])
def test_a_value_that_looks_like_protocol_stays_a_value(evil: str, field: str) -> None:
    rows = table(400)
    for n in (0, 3, 200, 398, 399):
        rows[n][field] = evil
    assert rows_of(events(answer(rows))) == rows
    for row in rows:
        row[field] = evil
    assert rows_of(events(answer(rows))) == rows


def test_commands_interleave_freely() -> None:
    one, two = table(300), [{"name": f"other{n}"} for n in range(300)]
    pieces = [
        encode_reply(Reply(RE, tag, row))
        for pair in zip(one, two, strict=True)
        for tag, row in zip((TAG, "9"), pair, strict=True)
    ]
    found = events(b"".join(pieces) + answer([], "9") + answer([]))
    assert rows_of(found) == one
    assert rows_of(found, "9") == two


def test_other_replies_between_runs_of_rows_are_routed() -> None:
    data = answer(table(100))[: -len(encode_reply(Reply(DONE, TAG)))]
    found = events(data + encode_reply(Reply(TRAP, "4", {"message": "no such item"})) + data + answer([]))
    assert len(rows_of(found)) == 200
    assert [event.reply.tag for event in found if isinstance(event, Sentence)] == ["4", TAG]


def test_a_row_above_the_sentence_bound_is_refused_in_a_run_too() -> None:
    rows = table(50)
    rows[20] |= {f"field{n}": "x" * 100 for n in range(20)}
    reader = ReplyReader(Bounds(max_word_bytes=200, max_sentence_bytes=1000))
    with pytest.raises(ProtocolError, match="more than 1000 bytes"):
        events(answer(rows), reader=reader)
    reader = ReplyReader(Bounds(max_word_bytes=200, max_sentence_bytes=1000))
    rows[20] = {"comment": "x" * 300}
    with pytest.raises(ProtocolError, match="200 are allowed"):
        events(answer(rows), reader=reader)


def test_events_before_a_breach_come_out() -> None:
    stream = ReplyReader(BOUNDS).receive(answer(table(3)) + b"\xff")
    found = [next(stream) for _ in range(3)]
    assert rows_of(found) == table(3)
    with pytest.raises(ProtocolError):
        list(stream)


# --- compared by bytes


@pytest.mark.parametrize("step", [0, 1, 100, 5000])
@pytest.mark.parametrize("count", [0, 1, 300])
def test_equal_bytes_are_unchanged_and_nothing_is_parsed(count: int, step: int) -> None:
    data = answer(table(count))
    watch = Watch(known_of(data))
    found = watched(data, watch, step=step)
    assert [type(event) for event in found] == [Unchanged]
    assert watch.equals_known()
    assert watch.row_count == count
    assert isinstance(found[0], Unchanged)
    assert b"".join(found[0].chunks) == data


@pytest.mark.parametrize("step", [0, 1, 64, 5000])
@pytest.mark.parametrize("keep_rows", [False, True])
@pytest.mark.parametrize("change", ["value", "same length", "shorter", "longer", "gone", "added", "none left", "order"])
def test_any_change_gives_the_right_rows(change: str, keep_rows: bool, step: int) -> None:
    known = known_of(answer(table(200)), keep_rows=keep_rows)
    rows = table(200)
    if change == "value":
        rows[100]["disabled"] = "true"
    elif change == "same length":
        rows[199]["password"] = rows[199]["password"][::-1]
    elif change == "shorter":
        rows[0]["name"] = ""
    elif change == "longer":
        rows[199]["comment"] = "!done"
    elif change == "gone":
        rows.pop(50)
    elif change == "added":
        rows.append({".id": "*FFF", "name": "new"})
    elif change == "none left":
        rows = []
    else:
        rows.reverse()
    watch = Watch(known, keep_rows=keep_rows)
    found = watched(answer(rows), watch, step=step)
    assert rows_of(found) == rows
    assert not watch.equals_known()
    assert watch.result() == known_of(answer(rows), keep_rows=keep_rows)


@pytest.mark.parametrize("step", [0, 1, 97])
def test_an_early_end_is_noticed_at_once_and_not_when_more_arrives(step: int) -> None:
    known = known_of(answer(table(200)))
    for ending in (
        encode_reply(Reply(DONE, TAG)),
        encode_reply(Reply(TRAP, TAG, {"message": "not enough permissions (9)"})) + encode_reply(Reply(DONE, TAG)),
        encode_reply(Reply(EMPTY, TAG)) + encode_reply(Reply(DONE, TAG)),
        encode_sentence([b"!done", b"=ret=5", b".tag=r00001"]),
    ):
        found = watched(ending, Watch(known), step=step)
        last = found[-1]
        assert isinstance(last, Sentence)
        assert last.reply.kind == DONE


def test_interleaved_answers_fall_back_to_parsing_and_may_still_be_unchanged() -> None:
    rows = table(200)
    data = answer(rows)
    whole = [encode_reply(Reply(RE, TAG, row)) for row in rows]
    other = encode_reply(Reply(RE, "9", {".id": "*1", ".dead": "true"}))
    mixed = b"".join([*whole[:70], other, *whole[70:], other, encode_reply(Reply(DONE, TAG)), other])
    for step in (0, 500):
        watch = Watch(known_of(data))
        found = watched(mixed, watch, step=step)
        assert rows_of(found) == rows
        assert len(rows_of(found, "9")) == 3
        assert watch.equals_known()


def test_another_commands_end_does_not_wait_for_the_comparison() -> None:
    data = answer(table(200))
    reader = ReplyReader(BOUNDS)
    reader.watch(TAG, Watch(known_of(data)))
    half = len(encode_reply(Reply(RE, TAG, table(1)[0]))) * 3
    cut = data.index(b"\x00\x03!re", half) + 1
    assert not events(data[:cut], reader=reader)
    found = events(encode_reply(Reply(DONE, "9")), reader=reader)
    assert [event.reply.tag for event in found if isinstance(event, Sentence)] == ["9"]
    found += events(data[cut:], reader=reader)
    assert rows_of(found) == table(200)


def test_what_follows_an_unchanged_reply_is_read_on() -> None:
    data = answer(table(20))
    found = watched(data + answer(table(2), "9") + b"\x03!re", Watch(known_of(data)))
    assert [type(event) for event in found] == [Unchanged, Rows, Rows, Sentence]


def test_two_comparisons_after_one_another_in_one_buffer() -> None:
    one, two = answer(table(50)), answer(table(60), "r00002")
    known = known_of(one)
    watch = Watch()
    reader = ReplyReader(BOUNDS)
    reader.watch("r00002", watch)
    events(two, reader=reader)
    reader = ReplyReader(BOUNDS)
    reader.watch(TAG, Watch(known))
    reader.watch("r00002", Watch(watch.result()))
    assert [type(event) for event in events(one + two, reader=reader)] == [Unchanged, Unchanged]


def test_a_peer_that_closes_within_a_comparison_leaves_what_it_said() -> None:
    data = answer(table(200))
    reader = ReplyReader(BOUNDS)
    reader.watch(TAG, Watch(known_of(data)))
    assert not events(data[:2000], reader=reader)
    assert rows_of(reader.finish()) == table(200)[: len(rows_of(events(data[:2000])))]


def test_rows_with_the_bytes_of_before_are_the_objects_of_before() -> None:
    rows = table(300)
    known = known_of(answer(rows), keep_rows=True)
    assert known.rows is not None
    rows[100]["disabled"] = "true"
    found = rows_of(watched(answer(rows), Watch(known, keep_rows=True)))
    assert found == rows
    before = set(map(id, known.rows.values()))
    assert [n for n, row in enumerate(found) if id(row) not in before] == [100]


def test_a_known_reply_holds_no_clear_text_unless_rows_are_kept() -> None:
    known = known_of(answer([{"name": "ann", "password": "wonderland"}]))
    assert known.rows is None
    assert len(known.digest) == 16
    kept = known_of(answer([{"name": "ann", "password": "wonderland"}]), keep_rows=True)
    assert "wonderland" not in repr(kept)
