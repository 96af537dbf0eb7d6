"""The known traps of RouterOS that concern PPP, the protocol and the engine each have a test that names them."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
CONCERN_US = {1, 2, 3, 5, *range(8, 13), *range(18, 22), *range(24, 30), *range(31, 38), *range(43, 47)}
_NAME = re.compile(r"def test_trap_(?P<numbers>\d\d(?:_(?:and_)?\d\d)*)_(?P<words>[a-z]\w*)\(")


def named(source: str) -> set[int]:
    """The numbers of the traps that the tests in `source` are named after, one or several."""
    return {int(number) for match in _NAME.finditer(source) for number in re.findall(r"\d\d", match["numbers"])}


def test_names_are_understood() -> None:
    source = "def test_trap_01_and_02_x_y(a) -> None:\n async def test_trap_20_z_1():\n def test_trap_21_22_w():"
    assert named(source) == {1, 2, 20, 21, 22}
    assert named("def test_trap_33():\n test_trap_34_x() \n def test_trap_5_y():") == set()


def test_each_trap_has_a_test_of_its_name() -> None:
    sources = [path.read_text() for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    found = {number for source in sources for number in named(source)}
    assert sorted(CONCERN_US - found) == []
