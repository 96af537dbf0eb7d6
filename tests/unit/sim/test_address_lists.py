"""/ip/firewall/address-list: what is a duplicate, canonical forms, and timed entries."""

import pytest

from imsys.sim import Behaviour, SimRouter, SimTrap
from tests.unit.sim.talker import ManualClock, Talker, login

PATH = "/ip/firewall/address-list"
TWICE = "failure: already have such entry"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("10.0.0.1/32", "10.0.0.1"),
        ("10.0.0.0/24", "10.0.0.0/24"),
        ("10.0.0.7/24", "10.0.0.0/24"),
        ("192.168.0.0-192.168.1.255", "192.168.0.0/23"),
        ("10.0.0.1-10.0.0.1", "10.0.0.1"),
        ("10.0.0.1-10.0.0.5", "10.0.0.1-10.0.0.5"),
        ("debtors.example.net", "debtors.example.net"),
    ],
)
async def test_addresses_are_kept_in_one_form(talker: Talker, given: str, shown: str) -> None:
    await talker.ret(f"{PATH}/add", "=list=debtors", f"=address={given}")
    assert (await talker.rows(f"{PATH}/print", "=.proplist=address"))[0]["address"] == shown
    assert await talker.trap(f"{PATH}/add", "=list=debtors", f"=address={shown}") == TWICE


@pytest.mark.parametrize("given", ["", "10.0.0.300", "10.0.0.5-10.0.0.1", "10.0.0.0/33"])
async def test_bad_addresses(talker: Talker, given: str) -> None:
    assert (
        await talker.trap(f"{PATH}/add", "=list=debtors", f"=address={given}") == "invalid value for argument address"
    )


async def test_a_row_is_printed_with_its_defaults(talker: Talker) -> None:
    assert await talker.trap(f"{PATH}/add", "=list=debtors") == "missing =address="
    await talker.ret(f"{PATH}/add", "=list=debtors", "=address=10.0.0.1")
    assert await talker.rows(f"{PATH}/print") == [
        {
            ".id": "*1",
            "list": "debtors",
            "address": "10.0.0.1",
            "creation-time": "2026-03-09 12:00:00",
            "dynamic": "false",
            "disabled": "false",
        }
    ]


def test_what_counts_as_a_duplicate() -> None:
    table = SimRouter("r1").table(PATH)
    table.add(list="debtors", address="10.0.0.1", comment="a")
    table.add(list="others", address="10.0.0.1")
    table.add(list="debtors", address="10.0.0.0/24")  # overlapping is fine
    for more in ({}, {"comment": "b"}, {"timeout": "1h"}):
        with pytest.raises(SimTrap, match=TWICE):
            table.add(list="debtors", address="10.0.0.1/32", **more)
    table.add(list="debtors", address="10.0.0.2", timeout="1h")
    with pytest.raises(SimTrap, match=TWICE):
        table.add(list="debtors", address="10.0.0.2")  # the other way round too
    off = table.add(list="debtors", address="10.0.0.1", disabled="yes")
    table.add(list="debtors", address="10.0.0.1", disabled="yes")
    with pytest.raises(SimTrap, match=TWICE):
        table.set(off, disabled="no")
    table.set("*1", disabled="yes")
    table.set(off, disabled="no")
    with pytest.raises(SimTrap, match=TWICE):
        table.set("*1", disabled="no", comment="c")
    with pytest.raises(SimTrap, match=TWICE):
        table.set("*3", address="10.0.0.1")
    table.remove(off)
    table.set("*1", disabled="no")


async def test_a_timed_entry_is_dynamic_and_expires(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    await talker.ret(f"{PATH}/add", "=list=debtors", "=address=10.0.0.1", "=timeout=01:00:00")
    (row,) = await talker.rows(f"{PATH}/print")
    assert (row["dynamic"], row["timeout"]) == ("true", "1h")
    talker.send(f"{PATH}/listen", tag="l")
    await clock.advance(3599)
    assert (await talker.rows(f"{PATH}/print"))[0]["timeout"] == "1h"
    await clock.advance(1)
    assert await talker.rows(f"{PATH}/print") == []
    assert [dict(reply.attributes) for reply in talker.of("l")] == [{".id": "*1", ".dead": "true"}]
    await talker.ret(f"{PATH}/add", "=list=debtors", "=address=10.0.0.1")
    assert router.table(PATH).rows[0][".id"] == "*2"


async def test_a_timeout_can_be_changed_and_not_taken_away(
    router: SimRouter, talker: Talker, clock: ManualClock
) -> None:
    table = router.table(PATH)
    row_id = table.add(list="debtors", address="10.0.0.1", timeout="10m")
    await clock.advance(300)
    table.set(row_id, timeout="10m")  # the same again: nothing changes
    table.set(row_id, timeout="1h")
    await clock.advance(3599)
    assert len(table) == 1
    assert await talker.trap(f"{PATH}/set", f"=.id={row_id}", "=!timeout=") == "invalid value for argument timeout"
    assert await talker.trap(f"{PATH}/unset", f"=.id={row_id}", "=value-name=timeout") == "no such command"
    await clock.advance(1)
    assert len(table) == 0


async def test_timed_and_dynamic_entries_are_gone_after_a_reboot(router: SimRouter, clock: ManualClock) -> None:
    table = router.table(PATH)
    table.add(list="debtors", address="10.0.0.1")
    table.add(list="debtors", address="10.0.0.2", timeout="1h")
    table.add(list="debtors", address="10.0.0.3", dynamic="yes")
    router.power_off()
    router.boot()
    assert [row["address"] for row in table.rows] == ["10.0.0.1"]
    await clock.advance(7200)
    assert len(table) == 1


def test_without_a_loop_an_entry_has_expired_when_somebody_looks() -> None:
    clock = ManualClock()
    router = SimRouter("r1", clock=clock)
    router.table(PATH).add(list="debtors", address="10.0.0.1", timeout="1m")
    clock._passed_s = 60
    assert router.table(PATH).rows == []


async def test_list_timeout_counts_down(clock: ManualClock) -> None:
    for is_on, shown in ((False, "1h"), (True, "50m")):
        router = SimRouter("r1", clock=clock, behaviour=Behaviour(list_timeout_counts_down=is_on))
        talker = await login(router)
        await talker.ret(f"{PATH}/add", "=list=debtors", "=address=10.0.0.1", "=timeout=1h")
        await clock.advance(600)
        assert (await talker.rows(f"{PATH}/print"))[0]["timeout"] == shown
        await clock.advance(3000)
        assert len(router.table(PATH)) == 0
        await router.close()


async def test_queries_by_address(router: SimRouter, talker: Talker) -> None:
    for number in range(1, 6):
        router.table(PATH).add(list="debtors", address=f"10.0.0.{number}")
    rows = await talker.rows(f"{PATH}/print", "?list=debtors", "?address=10.0.0.3")
    assert [row[".id"] for row in rows] == ["*3"]
    assert await talker.rows(f"{PATH}/print", "?address=10.0.0.9") == []
    router.table(PATH).set("*3", address="10.0.0.9")
    assert [row[".id"] for row in await talker.rows(f"{PATH}/print", "?address=10.0.0.9")] == ["*3"]


def test_an_add_looks_only_at_rows_with_the_same_address() -> None:
    """A list of thousands takes no longer for each further row."""
    table = SimRouter("r1").table(PATH)
    for number in range(1000):
        table.add(list="debtors", address=f"10.{number // 250}.{number % 250}.1")
    looked: list[int] = []
    get = table.get
    table.get = lambda row_id: looked.append(row_id) or get(row_id)  # type: ignore[method-assign,func-returns-value]
    table.add(list="debtors", address="10.200.0.1")
    assert len(looked) < 5
