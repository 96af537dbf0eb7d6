"""Rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC, TESTS = ROOT / "src" / "imsys", ROOT / "tests"
MOST_LINES = 500
LONGEST_POLL_S = 0.2


def modules(folder: Path = SRC) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def is_migration(path: Path) -> bool:
    return "migrations" in path.parts


def test_every_module_says_what_belongs_there() -> None:
    bare = [path for path in modules() if path.stat().st_size and not is_migration(path) and path.name != "apps.py"]
    assert not [named(path) for path in bare if not ast.get_docstring(tree(path))]


def test_every_package_says_what_belongs_there() -> None:
    packages = [path for path in modules() if path.name == "__init__.py" and path.parent.parent == SRC]
    with_code = [
        path for path in packages if any(other != path and other.stat().st_size for other in path.parent.rglob("*.py"))
    ]
    assert not [named(path) for path in with_code if not ast.get_docstring(tree(path))]


def test_no_module_has_grown_a_second_subject() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in modules()}
    assert not {name: length for name, length in lengths.items() if length > MOST_LINES}


def test_nothing_prints_but_the_command_line() -> None:
    printing = {
        named(path)
        for path in modules()
        if not path.is_relative_to(SRC / "cli")
        for call in calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    }
    assert not printing


def test_only_the_settings_read_the_environment() -> None:
    allowed = (SRC / "conf", SRC / "cli", SRC / "postgres")  # the doors of a process; the rest is handed values
    readers = {
        named(path)
        for path in modules()
        if not any(path.is_relative_to(folder) for folder in allowed)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and ast.unparse(node.value) == "os"
    }
    assert not readers


def test_tests_do_not_sleep() -> None:
    """A test waits for a state, with a bound. The helper that does so polls, shortly."""
    sleeps = [
        f"{named(path)}:{call.lineno}"
        for path in modules(TESTS)
        if not path.is_relative_to(TESTS / "bench")
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "sleep"
        and ast.unparse(call.func.value) in ("time", "asyncio")
        for seconds in call.args[:1]
        if isinstance(seconds, ast.Constant)
        and isinstance(seconds.value, int | float)
        and seconds.value > LONGEST_POLL_S
    ]
    assert not sleeps
