"""Remembered bytes never disagree with the rows."""

import random

import pytest

from imsys.routeros.protocol import parse_reply
from imsys.routeros.wire import SentenceReader
from imsys.sim import Behaviour, SimRouter
from imsys.sim.store import PAGE_ROWS
from imsys.sim.table import Table

TAG_WORD = b"\x06.tag=7"
NAMES = [".id", "name", "profile", "disabled", "comment"]


def printed(table: Table, names: list[str] | None = NAMES, *, tag: bytes = TAG_WORD) -> list[dict[str, str]]:
    """The table as its bytes say."""
    reader = SentenceReader()
    count = 0
    for data, rows in table.encode_all(table.projection(names, False), tag):
        reader.receive_data(data)
        count += rows
    replies = [parse_reply(words) for words in reader.sentences()]
    assert count == len(replies)
    assert all(reply.kind == "!re" and reply.tag == ("7" if tag else "") for reply in replies)
    return [dict(reply.attributes) for reply in replies]


def expected(table: Table, names: list[str] = NAMES) -> list[dict[str, str]]:
    return [{name: row[name] for name in names if name in row} for row in table.rows]


@pytest.mark.parametrize("seed", range(5))
def test_bytes_follow_every_change(seed: int) -> None:
    rng = random.Random(seed)
    router = SimRouter("r1")
    router.seed_secrets(3 * PAGE_ROWS)
    table, profiles = router.table("/ppp/secret"), router.table("/ppp/profile")
    profiles.add(name="gold")
    for step in range(60):
        ids = list(table)
        match rng.randrange(5):
            case 0:
                table.add(name=f"new-{step}", profile="*1")
            case 1:
                table.remove(f"*{rng.choice(ids):X}")
            case 2:
                table.set(f"*{rng.choice(ids):X}", comment=rng.choice([None, "x", "çà\x03!re", "\0\x03!re"]))
            case 3:
                table.set(f"*{rng.choice(ids):X}", disabled=rng.choice(["yes", "no"]), profile="*1")
            case 4:
                profiles.set("*1", name=rng.choice(["gold", "au"]))
        assert printed(table) == expected(table), f"seed {seed}, step {step}"
    assert printed(table, tag=b"") == expected(table)


def test_a_deleted_target_leaves_its_id() -> None:
    router = SimRouter("r1")
    router.table("/ppp/profile").add(name="gold")
    router.table("/ppp/secret").add(name="ann", profile="gold")
    assert printed(router.table("/ppp/secret"))[0]["profile"] == "gold"
    router.table("/ppp/profile").remove("gold")
    assert printed(router.table("/ppp/secret"))[0]["profile"] == "*1"
    router.table("/ppp/profile").add(name="gold")  # the same name is another row: not linked again
    assert printed(router.table("/ppp/secret"))[0]["profile"] == "*1"


def test_a_change_elsewhere_in_the_row_keeps_the_bytes() -> None:
    router = SimRouter("r1")
    router.seed_secrets(10)
    table = router.table("/ppp/secret")
    printed(table)
    projection = table.projection(NAMES, False)
    kept = projection.pages[0]
    table.amend(1, last_caller_id="48:00:00:00:00:01")
    assert projection.pages[0] is kept
    table.amend(1, comment="changed")
    assert 0 not in projection.pages


def test_ids_are_not_reused_unless_switched() -> None:
    for reuse, wanted in ((False, "*4"), (True, "*2")):
        router = SimRouter("r1", behaviour=Behaviour(reuse_ids=reuse))
        router.seed_secrets(3)
        table = router.table("/ppp/secret")
        table.remove("*2")
        assert table.add(name="next") == wanted
        assert printed(table) == expected(table)
        assert [row[".id"] for row in table.rows] == sorted(row[".id"] for row in table.rows)


def test_queues_keep_the_order_that_people_gave_them() -> None:
    router = SimRouter("r1")
    table = router.table("/queue/simple")
    for name in ("a", "b", "c"):
        table.add(name=name, target="10.0.0.1", max_limit="10M/5M")
    table.add(name="first", target="10.0.0.2", place_before="*1")
    assert [row["name"] for row in printed(table, [".id", "name"])] == ["first", "a", "b", "c"]
    router.tamper("/queue/simple", "c", {"destination": "*1"}, verb="move")
    assert [row["name"] for row in table.rows] == ["first", "c", "a", "b"]
    assert table.rows[0]["max-limit"] == "0/0"
    assert table.rows[1]["max-limit"] == "10000000/5000000"
    assert table.rows[1]["target"] == "10.0.0.1/32"


def test_the_default_profile_is_printed_first_and_the_encrypted_one_last() -> None:
    router = SimRouter("r1")
    router.table("/ppp/profile").add(name="gold")
    assert [(row[".id"], row["name"]) for row in router.table("/ppp/profile").rows] == [
        ("*0", "default"),
        ("*1", "gold"),
        ("*FFFFFFFE", "default-encryption"),
    ]


def test_names_are_folded_only_behind_the_switch() -> None:
    router = SimRouter("r1", behaviour=Behaviour(names_case_sensitive=False))
    table = router.table("/ppp/secret")
    table.add(name="Ann")
    assert table.id_of("ann") == 1
    assert SimRouter("r2").table("/ppp/secret").id_of("ann") is None
