"""/queue/simple: printed forms, order, names, targets, and the rows of sessions."""

import pytest

from imsys.sim import Behaviour, SimRouter, SimTrap
from tests.unit.sim.talker import Talker

PATH = "/queue/simple"


def names(router: SimRouter) -> list[str]:
    return [row["name"] for row in router.table(PATH).rows]


def add(router: SimRouter, *given: str) -> None:
    for name in given:
        router.table(PATH).add(name=name, target="10.0.0.1")


async def test_a_row_is_printed_with_its_defaults(talker: Talker) -> None:
    await talker.ret(f"{PATH}/add", "=name=q", "=target=10.0.0.2")
    (row,) = await talker.rows(f"{PATH}/print")
    assert row == {
        ".id": "*1",
        "name": "q",
        "target": "10.0.0.2/32",
        "parent": "none",
        "packet-marks": "",
        "priority": "8/8",
        "queue": "default-small/default-small",
        "limit-at": "0/0",
        "max-limit": "0/0",
        "burst-limit": "0/0",
        "burst-threshold": "0/0",
        "burst-time": "0s/0s",
        "bucket-size": "0.1/0.1",
        "bytes": "0/0",
        "packets": "0/0",
        "dropped": "0/0",
        "rate": "0/0",
        "packet-rate": "0/0",
        "queued-bytes": "0/0",
        "queued-packets": "0/0",
        "invalid": "false",
        "dynamic": "false",
        "disabled": "false",
    }


@pytest.mark.parametrize(
    ("field", "given", "shown"),
    [
        ("max-limit", "10M/512k", "10000000/512000"),
        ("max-limit", "10M", "10000000/10000000"),
        ("limit-at", "1k/0", "1000/0"),
        ("burst-time", "8/16s", "8s/16s"),
        ("burst-time", "00:01:00", "1m/1m"),
        ("priority", "3", "3/3"),
        ("priority", "1/8", "1/8"),
        ("bucket-size", "0.10/1", "0.1/1"),
        ("queue", "pcq", "pcq/pcq"),
        ("target", "10.0.0.2,10.1.0.0/16", "10.0.0.2/32,10.1.0.0/16"),
        ("target", "2001:db8::1", "2001:db8::1/128"),
        ("target", "ether4,10.0.0.9/32", "ether4,10.0.0.9/32"),
        ("target", "", ""),
        ("dst", "ether1", "ether1"),
        ("total-max-limit", "5M", "5000000"),
    ],
)
async def test_values_are_normalised(talker: Talker, field: str, given: str, shown: str) -> None:
    await talker.ret(f"{PATH}/add", "=name=q", "=target=10.0.0.1")
    await talker.ret(f"{PATH}/set", "=.id=*1", f"={field}={given}")
    assert (await talker.rows(f"{PATH}/print"))[0][field] == shown


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["=name=q", "=target=10.0.0.3"], "failure: already have such name"),
        (["=name=x"], "missing =target="),
        (["=name=x", "=target=ether9"], "input does not match any value of interface"),
        (["=name=x", "=target=10.0.0.300"], "invalid value for argument target"),
        (["=name=x", "=target=10.0.0.1", "=parent=nope"], "input does not match any value of parent"),
        (["=name=x", "=target=10.0.0.1", "=priority=9"], "value of priority out of range (1..8)"),
        (["=name=x", "=target=10.0.0.1", "=burst-time=soon"], "invalid time value for argument burst-time"),
        (["=name=x", "=target=10.0.0.1", "=max-limit=10X/1"], "invalid value for argument max-limit"),
        (["=name=x", "=target=10.0.0.1", "=max-limit=1/2/3"], "invalid value for argument max-limit"),
        (
            ["=name=x", "=target=10.0.0.1", "=max-limit=1M/9M", "=limit-at=1M/10M"],
            "failure: download-max-limit less than download-limit",
        ),
        (["=name=x", "=target=10.0.0.1", "=bytes=1/1"], "unknown parameter bytes"),
        (["=name=x", "=target=10.0.0.1", "=place-before=*77"], "no such item"),
    ],
)
async def test_add_refuses(router: SimRouter, talker: Talker, words: list[str], text: str) -> None:
    add(router, "q")
    assert await talker.trap(f"{PATH}/add", *words) == text
    assert names(router) == ["q"]


async def test_set_refuses(router: SimRouter, talker: Talker) -> None:
    add(router, "a", "b")
    assert await talker.trap(f"{PATH}/set", "=.id=a", "=place-before=b") == "unknown parameter place-before"
    assert await talker.trap(f"{PATH}/set", "=.id=a", "=name=b") == "failure: already have such name"
    assert await talker.trap(f"{PATH}/set", "=.id=a", "=limit-at=2M/0", "=max-limit=1M/0") == (
        "failure: upload-max-limit less than upload-limit"
    )


async def test_a_queue_without_a_name_gets_one(router: SimRouter, talker: Talker) -> None:
    for _ in range(2):
        await talker.ret(f"{PATH}/add", "=target=10.0.0.1")
    add(router, "queue4")
    for _ in range(2):
        await talker.ret(f"{PATH}/add", "=target=10.0.0.1")
    assert names(router) == ["queue1", "queue2", "queue4", "queue3", "queue5"]


async def test_moving(router: SimRouter, talker: Talker) -> None:
    add(router, "a", "b", "c", "d")
    await talker.ret(f"{PATH}/move", "=numbers=*4,*3", "=destination=*1")
    assert names(router) == ["d", "c", "a", "b"]
    await talker.ret(f"{PATH}/move", "=numbers=*4")  # no destination: the end
    assert names(router) == ["c", "a", "b", "d"]
    await talker.ret(f"{PATH}/move", "=numbers=*3", "=destination=*77")  # nor a known one
    assert names(router) == ["a", "b", "d", "c"]
    await talker.ret(f"{PATH}/move", "=numbers=1", "=destination=0")  # places count as ids do
    assert names(router) == ["b", "a", "d", "c"]
    assert await talker.trap(f"{PATH}/move", "=numbers=*1", "=destination=*1") == (
        "failure: can not move object before itself"
    )
    assert [row[".id"] for row in router.table(PATH).rows] == ["*2", "*1", "*4", "*3"]  # a moved row keeps its id
    printed = await talker.rows(f"{PATH}/print", "=.proplist=name")
    assert [row["name"] for row in printed] == ["b", "a", "d", "c"]


async def test_place_before(router: SimRouter, talker: Talker) -> None:
    add(router, "a", "b")
    await talker.ret(f"{PATH}/add", "=name=c", "=target=10.0.0.1", "=place-before=b")
    await talker.ret(f"{PATH}/add", "=name=d", "=target=10.0.0.1", "=place-before=*1")
    assert names(router) == ["d", "a", "c", "b"]


def test_the_order_and_the_parent_outlive_a_reboot_with_other_ids() -> None:
    router = SimRouter("r1", behaviour=Behaviour(renumber_on_reboot=True))
    add(router, "a", "b")
    router.table(PATH).add(name="c", target="10.0.0.1", parent="b", place_before="*1")
    router.power_off()
    router.boot()
    assert [(row["name"], row["parent"]) for row in router.table(PATH).rows] == [
        ("c", "b"),
        ("a", "none"),
        ("b", "none"),
    ]
    assert [row[".id"] for row in router.table(PATH).rows] == ["*4", "*5", "*6"]


def online(**switches: str) -> SimRouter:
    """A router with a dynamic queue and a static one below it."""
    router = SimRouter("r1", behaviour=Behaviour(**switches))  # type: ignore[arg-type]
    router.table("/ppp/profile").set("default", rate_limit="5M/10M")
    add(router, "own")
    router.table("/ppp/secret").add(name="ann", password="x")
    router.cpes.add("ann")
    router.cpes.dial("ann")
    return router


def test_the_queue_of_a_session_stands_at_the_top() -> None:
    router = online()
    assert names(router) == ["<pppoe-ann>", "own"]
    row = router.table(PATH).rows[0]
    assert (row["dynamic"], row["max-limit"], row["limit-at"]) == ("true", "5000000/10000000", "5000000/10000000")
    router.power_off()
    assert names(router) == ["own"]


def test_dynamic_queue_edit() -> None:
    refusing = online().table(PATH)
    for act in (
        lambda: refusing.set("<pppoe-ann>", max_limit="1M/1M"),
        lambda: refusing.remove("<pppoe-ann>"),
        lambda: refusing.router.tamper(PATH, "<pppoe-ann>", verb="move"),
        lambda: refusing.router.tamper(PATH, "<pppoe-ann>", verb="disable"),
    ):
        with pytest.raises(SimTrap, match="dynamic"):
            act()
    assert refusing.rows[0]["max-limit"] == "5000000/10000000"
    accepting = online(dynamic_queue_edit="accepted").table(PATH)
    accepting.set("<pppoe-ann>", max_limit="6M/10M")
    assert accepting.rows[0]["max-limit"] == "6000000/10000000"
    accepting.remove("<pppoe-ann>")
    accepting.router.cpes.hang_up("ann")  # its queue being gone already does not matter
    assert [row["name"] for row in accepting.rows] == ["own"]


def test_a_queue_is_invalid_when_its_interface_has_gone() -> None:
    router = online()
    router.table(PATH).add(name="via", target="<pppoe-ann>")
    router.table(PATH).add(name="port", target="ether4")
    assert [router.table(PATH).rows[at]["invalid"] for at in (2, 3)] == ["false", "false"]
    router.table("/interface").set("ether4", name="uplink")
    assert router.table(PATH).rows[3]["target"] == "uplink"
    router.cpes.hang_up("ann", redial=False)
    row = router.table(PATH).find(name="via")
    assert row is not None
    assert (row["invalid"], row["target"][0]) == ("true", "*")
    router.table(PATH).set("via", target="10.0.0.5")
    row = router.table(PATH).find(name="via")
    assert row is not None
    assert (row["invalid"], row["target"]) == ("false", "10.0.0.5/32")
