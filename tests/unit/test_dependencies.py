"""What is imported is declared, what is declared is pinned, what is pinned is installed."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines())


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    """The names that requirements ask for; `psycopg[binary,pool]` asks for psycopg-binary and psycopg-pool too."""
    names = set()
    for requirement in requirements:
        match = re.match(r"([A-Za-z0-9_.-]+)(?:\[([^\]]*)\])?", requirement)
        assert match
        names |= {
            canonical(match[1]),
            *(canonical(f"{match[1]}-{extra.strip()}") for extra in (match[2] or "").split(",") if extra),
        }
    return names


def imported(folder: Path) -> set[str]:
    """The distributions whose packages the code under `folder` imports by name."""
    owners = packages_distributions()
    tops = {
        name.partition(".")[0]
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in names_of(node)
    }
    foreign = tops - set(sys.stdlib_module_names) - {"imsys", "tests"}
    return {canonical(owners[name][0]) if name in owners else name for name in foreign}


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def test_pins_are_exact_and_in_order() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line)]
    assert lines == sorted(lines, key=str.lower)


def test_what_is_pinned_is_installed() -> None:
    assert {name: version(name) for name in PINS} == PINS


def test_what_is_declared_is_pinned() -> None:
    wanted = declared(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
    extras = {"procrastinate-django"}  # asks for Django, which is declared
    assert wanted - extras <= {canonical(name) for name in PINS}


def test_what_the_program_imports_is_declared() -> None:
    assert imported(ROOT / "src") <= declared(PROJECT["dependencies"])


def test_what_the_tests_import_is_declared() -> None:
    assert imported(ROOT / "tests") <= declared(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
