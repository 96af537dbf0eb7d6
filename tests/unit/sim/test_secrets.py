"""/ppp/secret and /ppp/profile as they are printed and as they refuse."""

import pytest

from imsys.sim import Behaviour, SimRouter
from tests.unit.sim.talker import Talker, login

AMBIGUOUS = "ambiguous value of {}, more than one possible value matches input"
NO_MATCH = "input does not match any value of {}"


@pytest.fixture
def router_with_rows(router: SimRouter) -> SimRouter:
    router.seed_secrets(4, name="u{number}", password="p{number}")
    for name in ("100Megas", "100MegasD", "gold"):
        router.table("/ppp/profile").add(name=name)
    router.journal.clear()
    return router


async def test_a_row_is_printed_with_its_defaults_and_without_what_is_unset(talker: Talker) -> None:
    assert await talker.ret("/ppp/secret/add", "=name=ann", "=password=1") == "*1"
    assert await talker.rows("/ppp/secret/print") == [
        {
            ".id": "*1",
            "name": "ann",
            "service": "any",
            "caller-id": "",
            "password": "1",
            "profile": "default",
            "routes": "",
            "ipv6-routes": "",
            "limit-bytes-in": "0",
            "limit-bytes-out": "0",
            "disabled": "false",
        }
    ]


@pytest.mark.parametrize(
    ("words", "text", "category"),
    [
        (["=name=u1"], "failure: secret with the same name already exists", None),
        (["=name=u1", "=service=l2tp"], "failure: secret with the same name already exists", None),
        (["=name=x", "=profile=nope"], NO_MATCH.format("profile"), "1"),
        (["=name=x", "=profile=100"], AMBIGUOUS.format("profile"), "1"),
        (["=name=x", "=profile="], AMBIGUOUS.format("profile"), "1"),
        (["=name=x", "=profile=*FF"], NO_MATCH.format("profile"), "1"),
        (["=name=x", "=service=pp"], AMBIGUOUS.format("service"), "1"),
        (["=name=x", "=service=foo"], NO_MATCH.format("service"), "1"),
        (["=name=x", "=remote-address="], "invalid value for argument remote-address", "1"),
        (["=name=x", "=remote-address=pppoe"], "invalid value for argument remote-address", "1"),
        (["=name=x", "=local-address=10.0.0.300"], "invalid value for argument local-address", "1"),
        (["=name=x", "=colour=red"], "unknown parameter colour", None),
        (["=name=x", "=last-caller-id=1"], "unknown parameter last-caller-id", None),
        (["=password=x"], "missing =name=", None),
    ],
)
async def test_add_refuses_as_a_whole(
    router_with_rows: SimRouter, talker: Talker, words: list[str], text: str, category: str | None
) -> None:
    trap, done = await talker.say("/ppp/secret/add", *words)
    assert (trap.kind, trap.message, trap.attributes.get("category")) == ("!trap", text, category)
    assert (done.kind, dict(done.attributes)) == ("!done", {})
    assert list(trap.attributes)[-1] == "message"  # the category comes before it
    assert len(router_with_rows.table("/ppp/secret")) == 4
    assert router_with_rows.counters.refused_writes == 1


async def test_references_take_ids_exact_names_and_unique_prefixes(router_with_rows: SimRouter, talker: Talker) -> None:
    for name, given, shown in (("a", "*1", "100Megas"), ("b", "100Megas", "100Megas"), ("c", "go", "gold")):
        await talker.ret("/ppp/secret/add", f"=name={name}", f"=profile={given}")
        row = router_with_rows.table("/ppp/secret").find(name=name)
        assert row is not None
        assert row["profile"] == shown


async def test_a_set_of_many_rows_goes_in_order_until_the_first_bad_id(
    router_with_rows: SimRouter, talker: Talker
) -> None:
    assert await talker.trap("/ppp/secret/set", "=.id=*2,*1,*77,*3", "=comment=x") == "no such item"
    assert [row.get("comment") for row in router_with_rows.table("/ppp/secret").rows] == ["x", "x", None, None]
    assert [(entry.ids, entry.path) for entry in router_with_rows.journal] == [(("*2", "*1"), "/ppp/secret/set")]


async def test_fields_are_cleared_with_a_bang_or_unset(router_with_rows: SimRouter, talker: Talker) -> None:
    table = router_with_rows.table("/ppp/secret")
    await talker.ret("/ppp/secret/set", "=.id=*1,*2", "=remote-address=10.0.0.9", "=comment=x", "=profile=gold")
    await talker.ret("/ppp/secret/set", "=.id=*1", "=!remote-address=", "=comment=", "=!profile=")
    await talker.ret("/ppp/secret/unset", "=.id=*2", "=value-name=remote-address")
    one, two = table.rows[:2]
    assert "remote-address" not in one
    assert "comment" not in one
    assert one["profile"] == "default"
    assert "remote-address" not in two
    assert two["comment"] == "x"


async def test_references_to_rows(router_with_rows: SimRouter, talker: Talker) -> None:
    """Names, positions, comments and lower-case ids name rows; an empty list names none."""
    table = router_with_rows.table("/ppp/secret")
    await talker.ret("/ppp/secret/set", "=numbers=u2", "=comment=by name")
    await talker.ret("/ppp/secret/set", "=.id=0", "=comment=by position")
    await talker.ret("/ppp/secret/set", "=.id=by name", "=caller-id=AA")
    assert table.rows[1]["caller-id"] == "AA"
    assert table.rows[0]["comment"] == "by position"
    await talker.ret("/ppp/secret/remove", "=numbers=")
    assert len(table) == 4
    assert await talker.trap("/ppp/secret/remove", "=.id=*zz") == "invalid internal item number"
    assert await talker.trap("/ppp/secret/set", "=comment=x") == "missing =.id="
    router_with_rows.seed_secrets(10, first=5, name="u{number}")
    await talker.ret("/ppp/secret/remove", "=.id=*a")
    assert table.find(name="u10") is None


async def test_enable_disable_and_writes_that_change_nothing(router_with_rows: SimRouter, talker: Talker) -> None:
    counters = router_with_rows.counters
    await talker.ret("/ppp/secret/disable", "=.id=*1,*2")
    await talker.ret("/ppp/secret/disable", "=.id=*1,*2,*3")
    assert router_with_rows.journal[-1].ids == ("*3",)  # the others were so already
    await talker.ret("/ppp/secret/disable", "=.id=*1")
    await talker.ret("/ppp/secret/set", "=.id=*1", "=disabled=yes")
    await talker.ret("/ppp/secret/enable", "=.id=*1")
    assert [row["disabled"] for row in router_with_rows.table("/ppp/secret").rows] == ["false", "true", "true", "false"]
    assert (counters.writes, counters.noop_writes, len(router_with_rows.journal)) == (5, 2, 3)


async def test_queries_on_writes_are_ignored(router_with_rows: SimRouter, talker: Talker) -> None:
    await talker.ret("/ppp/secret/remove", "=numbers=", "?name=u1")
    assert len(router_with_rows.table("/ppp/secret")) == 4


async def test_counting_projecting_and_getting(router_with_rows: SimRouter, talker: Talker) -> None:
    assert await talker.ret("/ppp/secret/print", "=count-only=") == "4"
    assert await talker.ret("/ppp/secret/print", "=count-only=", "?name=u1") == "1"
    assert await talker.rows("/ppp/secret/print", "=.proplist=name,nope", "?name=u1") == [{"name": "u1"}]  # no .id
    assert await talker.rows("/ppp/secret/getall", "=.proplist=comment") == [{}, {}, {}, {}]
    assert await talker.ret("/ppp/secret/get", "=.id=*2", "=value-name=password") == "p2"
    assert await talker.trap("/ppp/secret/print", "=colour=") == "unknown parameter colour"


async def test_values_are_bytes_of_any_kind(talker: Talker) -> None:
    for value in ("é", "a=b=c", "\udced", "x" * 70_000, "line\nline", ";$\\"):
        row_id = await talker.ret("/ppp/secret/add", f"=name={value}", f"=comment={value}")
        assert (await talker.rows("/ppp/secret/print", f"?.id={row_id}"))[0]["comment"] == value


async def test_unknown_paths_and_verbs(talker: Talker) -> None:
    replies = await talker.say("/bad/path/print")
    assert [(r.kind, r.message, r.attributes.get("category")) for r in replies] == [
        ("!trap", "no such command or directory (bad)", "0"),
        ("!trap", "no such command prefix", None),
        ("!done", "", None),
    ]
    assert await talker.trap("/ppp/secrets/print") == "no such command or directory (secrets)"
    assert await talker.trap("/ppp/secret/frobnicate") == "no such command"
    assert await talker.trap("/ppp/active/add", "=name=x") == "no such command"


async def test_profiles(router_with_rows: SimRouter, talker: Talker) -> None:
    assert await talker.trap("/ppp/profile/add", "=name=gold") == "failure: profile with the same name already exists"
    await talker.ret("/ppp/profile/set", "=.id=*3", "=rate-limit=5000k/10M", "=local-address=pppoe", "=dns-server=")
    gold = router_with_rows.table("/ppp/profile").find(name="gold")
    assert gold is not None
    assert gold["rate-limit"] == "5000k/10M"  # as typed
    assert gold["local-address"] == "pppoe"
    assert "dns-server" not in gold
    assert "default" in await talker.trap("/ppp/profile/remove", "=.id=*0")
    assert await talker.trap("/ppp/profile/set", "=.id=*3", "=remote-address=") == (
        "invalid value for argument remote-address"
    )
    await talker.ret("/ppp/profile/set", "=.id=*3", "=session-timeout=3661")
    assert router_with_rows.table("/ppp/profile").rows[3]["session-timeout"] == "1h1m1s"
    assert await talker.trap("/ppp/profile/set", "=.id=*3", "=idle-timeout=soon") == (
        "invalid time value for argument idle-timeout"
    )


async def test_a_profile_in_use_goes_unless_switched() -> None:
    for switch, refused in (("dangling", False), ("refused", True)):
        router = SimRouter("r1", behaviour=Behaviour(profile_in_use=switch))  # type: ignore[arg-type]
        router.table("/ppp/profile").add(name="gold")
        router.table("/ppp/secret").add(name="ann", profile="gold")
        talker = await login(router)
        replies = await talker.say("/ppp/profile/remove", "=.id=*1")
        assert (replies[0].kind == "!trap") is refused


async def test_address_lists(router: SimRouter, talker: Talker) -> None:
    path = "/ip/firewall/address-list"
    await talker.ret(f"{path}/add", "=list=debtors", "=address=10.0.0.1/32")
    for again in ("10.0.0.1", "10.0.0.1/32"):
        assert await talker.trap(f"{path}/add", "=list=debtors", f"=address={again}", "=timeout=1h") == (
            "failure: already have such entry"
        )
    await talker.ret(f"{path}/add", "=list=debtors", "=address=10.0.0.1", "=disabled=yes")  # such a twin is allowed
    await talker.ret(f"{path}/add", "=list=debtors", "=address=192.168.0.0-192.168.1.255")
    await talker.ret(f"{path}/add", "=list=debtors", "=address=10.0.0.9", "=timeout=01:00:00")
    assert await talker.trap(f"{path}/add", "=address=10.0.0.9") == "missing =list="
    rows = router.table(path).rows
    assert [row["address"] for row in rows] == ["10.0.0.1", "10.0.0.1", "192.168.0.0/23", "10.0.0.9"]
    assert [(row["dynamic"], row.get("timeout")) for row in rows[2:]] == [("false", None), ("true", "1h")]


async def test_queues(talker: Talker) -> None:
    path = "/queue/simple"
    await talker.ret(f"{path}/add", "=name=q", "=target=10.0.0.2", "=max-limit=10M/512k")
    (row,) = await talker.rows(f"{path}/print", "=.proplist=target,max-limit,priority")
    assert row == {"target": "10.0.0.2/32", "max-limit": "10000000/512000", "priority": "8/8"}
    assert await talker.trap(f"{path}/add", "=name=q", "=target=10.0.0.3") == "failure: already have such name"
    assert await talker.trap(f"{path}/set", "=.id=q", "=limit-at=20M/1k") == (
        "failure: upload-max-limit less than upload-limit"
    )
    assert await talker.trap(f"{path}/set", "=.id=q", "=place-before=*1") == "unknown parameter place-before"
    assert await talker.trap(f"{path}/move", "=numbers=*1", "=destination=*1") == (
        "failure: can not move object before itself"
    )
