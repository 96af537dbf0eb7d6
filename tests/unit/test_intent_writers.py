"""Who may write: rows of intent through their app's services alone, sync states also through the fleet's records.

Recognised by reading the code: writes through a model or an instance of it, and SQL in any string, f-strings included.
Migrations are left out.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "imsys"

WRITERS = {
    "network_router": ("network/services",),
    "network_freeze": ("network/services",),
    "network_routerstate": ("network/services", "fleet/statements"),
    "subscribers_package": ("subscribers/services",),
    "subscribers_subscriber": ("subscribers/services",),
    "subscribers_suspension": ("subscribers/services",),
    "subscribers_syncstate": ("subscribers/services", "fleet/statements"),
    "subscribers_departure": ("subscribers/services", "fleet/statements"),
    "timeline_event": ("timeline/services", "fleet/statements"),
}
MODELS = {
    "Router": "network_router",
    "Freeze": "network_freeze",
    "RouterState": "network_routerstate",
    "Package": "subscribers_package",
    "Subscriber": "subscribers_subscriber",
    "Suspension": "subscribers_suspension",
    "SyncState": "subscribers_syncstate",
    "Departure": "subscribers_departure",
    "Event": "timeline_event",
}
WRITES = {"save", "create", "get_or_create", "update_or_create", "update", "delete", "bulk_create", "bulk_update"}
WRITES |= {f"a{name}" for name in WRITES}
SQL = re.compile(
    rf"\b(?:insert\s+into|update|delete\s+from|copy|truncate(?:\s+table)?|merge\s+into)\s+(?:only\s+)?\"?({'|'.join(WRITERS)})\b",
    re.IGNORECASE,
)


def writes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, table) of each write. An instance is known by being made, fetched or annotated as its model."""
    instances = dict(named_instances(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            if table := table_of(node.func.value, instances):
                yield node.lineno, table
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for match in SQL.finditer(node.value):
                yield node.lineno, match[1].lower()


def table_of(base: ast.expr, instances: dict[str, str]) -> str | None:
    """The table behind `Router.objects.filter(...)`, `Router(...)` or a name that stands for one of its rows."""
    while True:
        match base:
            case ast.Call(func=inner) | ast.Attribute(value=inner) | ast.Await(value=inner):
                base = inner
            case ast.Name(id=name):
                return MODELS.get(name) or instances.get(name)
            case _:
                return None


def named_instances(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name, annotation=ast.Name(id=model)) if model in MODELS:
                yield name, MODELS[model]
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=model)) if model in MODELS:
                yield name, MODELS[model]
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if table := table_of(value, {}):
                yield name, table
            case ast.For(target=ast.Name(id=name), iter=value) if table := table_of(value, {}):
                yield name, table


def is_writer(path: Path, table: str) -> bool:
    module = path.relative_to(SRC).with_suffix("").as_posix()
    return any(module == writer or module.startswith(f"{writer}/") for writer in WRITERS[table])


def test_only_the_writers_write() -> None:
    found = [
        f"{path.relative_to(SRC)}:{line}: {table}"
        for path in sorted(SRC.rglob("*.py"))
        if "migrations" not in path.parts
        for line, table in writes(ast.parse(path.read_text()))
        if not is_writer(path, table)
    ]
    assert not found


def test_the_writers_are_there_and_write() -> None:
    """A rename would otherwise make the rule above say nothing."""
    for table, modules in WRITERS.items():
        for module in modules:
            paths = [SRC / f"{module}.py", *(SRC / module).glob("*.py")]
            assert any(path.exists() for path in paths), module
        own = [path for path in SRC.rglob("*.py") if is_writer(path, table)]
        assert any(table == found for path in own for _, found in writes(ast.parse(path.read_text()))), table


@pytest.mark.parametrize(
    "code",
    [
        "Router.objects.filter(name='x').update(mode='enforce')",
        "await Subscriber.objects.acreate(username='x')",
        "def f(router: Router):\n    router.save()",
        "s = Subscriber.objects.get(pk=1)\ns.delete()",
        "for p in Package.objects.all():\n    p.save()",
        "Router().save()",
        "execute('UPDATE subscribers_syncstate SET attempts = 0')",
        "execute(f'insert into subscribers_suspension ({columns}) values')",
        "execute('delete from only network_router')",
    ],
)
def test_a_write_is_recognised(code: str) -> None:
    assert list(writes(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "names = set()\nnames.update(['x'])",
        "hash.update(b'x')",
        "Router.objects.filter(name='x').first()",
        "execute('select 1 from subscribers_subscriber for update')",
        "def f(router: RouterReport):\n    router.save()",
    ],
)
def test_other_things_are_not(code: str) -> None:
    assert not list(writes(ast.parse(code)))
