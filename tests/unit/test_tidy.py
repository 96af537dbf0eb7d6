"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC, TESTS = ROOT / "src" / "imsys", ROOT / "tests"
MOST_LINES = 500
LONGEST_POLL_S = 0.2

# What asks for a state of the world. Only these apps' services write it.
INTENT = {
    "network": {"Router"},
    "subscribers": {"Package", "Subscriber", "Suspension"},
}
WRITES = {"create", "get_or_create", "update_or_create", "update", "delete", "bulk_create", "bulk_update"}
WRITES |= {f"a{name}" for name in WRITES}
TABLES = {f"{app}_{model.lower()}" for app, models in INTENT.items() for model in models}
SQL_WRITE = re.compile(
    rf"\b(?:insert\s+into|update|delete\s+from|copy)\s+\"?({'|'.join(sorted(TABLES))})\b", re.IGNORECASE
)


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


def test_intent_is_written_in_services_alone() -> None:
    found = [
        f"{named(path)}:{line}: {what}"
        for path in modules()
        if not is_migration(path)
        for line, model, what in intent_writes(path)
        if not is_service_of(path, model)
    ]
    assert not found


def intent_writes(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line, model or table, code) of each write to a model of intent that can be recognised in the text."""
    models = set().union(*INTENT.values())
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            base = ast.unparse(node.func.value)
            if match := re.match(r"(?:\w+\.)*(\w+)\.(?:objects|_default_manager)\b", base):
                if match[1] in models:
                    yield node.lineno, match[1], ast.unparse(node)[:80]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for match in SQL_WRITE.finditer(node.value):
                yield node.lineno, match[1], match[0]


def is_service_of(path: Path, model: str) -> bool:
    app = next(
        app for app, models in INTENT.items() if model in models or model in {f"{app}_{m.lower()}" for m in models}
    )
    return path in ((SRC / app / "services.py"),) or path.is_relative_to(SRC / app / "services")


@pytest.mark.parametrize(
    "code",
    [
        "Subscriber.objects.filter(pk=1).update(note='')",
        "models.Router.objects.create(name='a')",
        "cursor.execute('update subscribers_subscriber set is_suspended = true')",
        "copy = f'COPY subscribers_suspension (subscriber_id) from stdin'",
    ],
)
def test_a_write_to_intent_is_recognised(code: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(code)
    assert list(intent_writes(path))


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
