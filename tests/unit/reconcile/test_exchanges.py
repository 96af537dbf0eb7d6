"""Leases that exchange their MAC addresses, of which a router lets one lease have each."""

from collections.abc import Mapping

from imsys.reconcile.kinds import LEASE, Phase
from tests.unit.reconcile.rows import Row, intent, plan_on, subscriber

MACS = ["AA:BB:CC:00:00:01", "AA:BB:CC:00:00:02", "AA:BB:CC:00:00:03"]


def lines(macs: Mapping[int, str], rows: list[Row]) -> list[tuple[str, str, object]]:
    """The steps on leases where .1 to .3 are to have these MAC addresses: what is done to which row, in order."""
    wanted = [
        subscriber(f"s{n}", subscriber_id=n, service="static", address=f"10.0.0.{n}", mac=mac)
        for n, mac in macs.items()
    ]
    made = plan_on(intent(*wanted), {LEASE.menu: rows})
    return [(s.row_id, s.phase.name, dict(s.changes)) for s in made.steps if s.menu == LEASE.menu]


def lease(number: int, mac: str, **more: str) -> Row:
    return {".id": f"*{number}", "address": f"10.0.0.{number}", "mac-address": mac, "disabled": "false", **more}


def test_those_in_a_circle_step_aside_before_any_gets_another_ones() -> None:
    rows = [lease(n, mac) for n, mac in enumerate(MACS, 1)]
    steps = lines({1: MACS[1], 2: MACS[2], 3: MACS[0]}, rows)
    assert steps[:3] == [(f"*{n}", Phase.TWINS.name, {"disabled": True}) for n in (1, 2, 3)]
    assert sorted(steps[3:]) == [
        ("*1", Phase.SET.name, {"mac-address": MACS[1]}),
        ("*2", Phase.SET.name, {"mac-address": MACS[2]}),
        ("*3", Phase.SET.name, {"mac-address": MACS[0]}),
    ]


def test_what_is_left_then_is_to_enable_them() -> None:
    rows = [lease(1, MACS[1], disabled="true"), lease(2, MACS[0], disabled="true")]
    assert lines({1: MACS[1], 2: MACS[0]}, rows) == [(f"*{n}", Phase.SET.name, {"disabled": False}) for n in (1, 2)]


def test_of_a_chain_only_those_whose_address_is_wanted_step_aside() -> None:
    rows = [lease(1, MACS[0]), lease(2, MACS[1])]
    steps = lines({1: MACS[1], 2: MACS[2]}, rows)
    assert [step[:2] for step in steps] == [("*2", "TWINS"), ("*1", "SET"), ("*2", "SET")]


def test_nobody_steps_aside_for_a_mac_address_that_nobody_has() -> None:
    assert lines({1: MACS[2]}, [lease(1, MACS[0]), lease(9, MACS[1])]) == [("*1", "SET", {"mac-address": MACS[2]})]
