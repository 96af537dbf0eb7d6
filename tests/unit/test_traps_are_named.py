"""The known traps of RouterOS each have a test that names them, but for those that nothing here can fall into."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TRAPS = range(1, 51)
NOT_OURS = {
    23: "PPPoE servers added disabled: the servers are people's, none is added or changed",
    39: "FastTrack on a router: its rules are people's; of ours the drop rule stands above it, which is trap 49",
    41: "counters that start again: no traffic is counted",
    42: "wireless menus by version: no radio is read",
    48: "RADIUS users who are no secrets: nothing is made for a session, only for a subscriber",
}
"""Traps with no test, each with why. One leaves this list when what it is about is built."""
_NAME = re.compile(r"def test_trap_(?P<numbers>\d\d(?:_(?:and_)?\d\d)*)_(?P<words>[a-z]\w*)\(")


def named(source: str) -> set[int]:
    """The numbers of the traps that the tests in `source` are named after, one or several."""
    return {int(number) for match in _NAME.finditer(source) for number in re.findall(r"\d\d", match["numbers"])}


def everywhere() -> set[int]:
    sources = [path.read_text() for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    return {number for source in sources for number in named(source)}


def test_names_are_understood() -> None:
    source = "def test_trap_01_and_02_x_y(a) -> None:\n async def test_trap_20_z_1():\n def test_trap_21_22_w():"
    assert named(source) == {1, 2, 20, 21, 22}
    assert named("def test_trap_33():\n test_trap_34_x() \n def test_trap_5_y():") == set()


def test_each_trap_has_a_test_of_its_name() -> None:
    assert sorted(set(TRAPS) - set(NOT_OURS) - everywhere()) == []


def test_a_trap_with_a_test_is_no_exception() -> None:
    assert sorted(everywhere() & set(NOT_OURS)) == []
    assert everywhere() <= set(TRAPS)
