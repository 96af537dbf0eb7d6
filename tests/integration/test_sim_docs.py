"""docs/reference/simulator.md names all that there is, and its examples work."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from imsys.sim import Behaviour, parse_fault
from imsys.sim.arming import parameters
from imsys.sim.command import Options, running
from imsys.sim.control import ACTIONS
from imsys.sim.faults import ALIASES, KINDS
from imsys.sim.menus import MENUS

PAGE = (Path(__file__).parents[2] / "docs/reference/simulator.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """The table under a heading: first cell to the rest."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([^`]+)` \|(.*)$", section, re.MULTILINE))


def test_every_menu_is_named() -> None:
    assert sorted(rows("Menus")) == sorted(MENUS)


def test_every_fault_is_named_with_what_it_takes() -> None:
    table = rows("Faults")
    assert sorted(table) == sorted(KINDS)
    common = {"menu", "verb", "nth", "times", "probability"}
    for kind, rest in table.items():
        own = set(parameters(KINDS[kind])) - common
        assert not [name for name in own if f"`{name}" not in rest], kind
    assert all(f"`{alias}`" in PAGE for alias in ALIASES)
    assert all(f"`{name}`" in PAGE for name in common)


def test_every_switch_is_named_with_its_default() -> None:
    table = rows("Switches")
    assert sorted(table) == sorted(item.name for item in fields(Behaviour))
    for name, rest in table.items():
        default = getattr(Behaviour(), name)
        shown = {True: "yes", False: "no"}[default] if isinstance(default, bool) else str(default)
        assert rest.split("|")[0].strip().strip("`") == shown, name


def test_every_spec_in_the_page_is_one() -> None:
    for spec in re.findall(r"parse_fault\(\"([^\"]+)\"\)", PAGE):
        parse_fault(spec)


async def test_the_examples_of_the_control_port_work() -> None:
    examples = [line for line in PAGE.splitlines() if line.startswith('{"do"')]
    assert {json.loads(line)["do"] for line in examples} == set(ACTIONS)
    async with running(Options(routers=2, subscribers=2, control_port=0)) as simulation:
        assert simulation.control is not None
        for line in examples:
            assert simulation.control.answer(line)["ok"], line


@pytest.mark.parametrize("command", ["imsys simulate --routers 3 --subscribers 100 --control-port 18700"])
def test_the_command_is_shown(command: str) -> None:
    assert command in PAGE
