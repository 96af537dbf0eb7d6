"""How a command speaks: JSON, a table on a terminal, tab-separated lines in a pipe, progress on a terminal only.

In a pipe a list has no header, no colour and no shortened value, so `cut` and `xargs` can use it.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console

Row = Mapping[str, Any]


def print_json(value: object) -> None:
    print(json.dumps(value, default=_plain, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def print_json_line(value: object) -> None:
    """One object of a stream, on a line of its own and out at once."""
    print(json.dumps(value, default=_plain, ensure_ascii=False), flush=True)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def console(*, error: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=error, highlight=False, soft_wrap=False)


def print_list(rows: Sequence[Row], columns: Mapping[str, str], *, as_json: bool, empty: str) -> None:
    """`columns` maps a row's key to its heading. JSON has whole rows; on a terminal an empty list says what to do."""
    if as_json:
        print_json([dict(row) for row in rows])
    elif not sys.stdout.isatty():
        for row in rows:
            print("\t".join(_one_line(cell(row.get(key))) for key in columns))
    elif rows:
        print_table(rows, columns)
    else:
        console(error=True).print(empty)


def print_table(rows: Sequence[Row], columns: Mapping[str, str], *, title: str | None = None) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for key, heading in columns.items():
        numeric = any(isinstance(row.get(key), int | float) and not isinstance(row.get(key), bool) for row in rows)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(row.get(key)), style=style_of(cell(row.get(key)))) for key in columns))
    console().print(table)


def print_fields(fields: Row, *, as_json: bool) -> None:
    """One thing: its fields, a line each; values that are lists or mappings come as indented lines."""
    if as_json:
        print_json(dict(fields))
        return
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        if isinstance(value, list):
            print(f"{name:<{width}}  {len(value)}")
            for item in value:
                print("  - " + (_mapping_line(item) if isinstance(item, Mapping) else cell(item)))
        else:
            print(f"{name:<{width}}  {_mapping_line(value) if isinstance(value, Mapping) else cell(value)}".rstrip())


def _mapping_line(value: Row) -> str:
    return ", ".join(f"{name} {_one_line(cell(item))}" for name, item in value.items() if item not in (None, ""))


def cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return local_time(value)
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value)
    return str(value)


def _one_line(text: str) -> str:
    return text.replace("\t", " ").replace("\r", " ").replace("\n", " ")


def local_time(moment: datetime) -> str:
    """In the ISP's zone once Django is set up, else UTC; with its offset, so that a copied line stays true."""
    from django.conf import settings

    if settings.configured:
        from imsys.cli.database import display_zone

        moment = moment.astimezone(display_zone())
    return moment.isoformat(sep=" ", timespec="seconds")


STYLES = {
    "synced": "green",
    "ok": "green",
    "up": "green",
    "pending": "yellow",
    "error": "red",
    "down": "red",
    "failed": "red",
    "enforce": "bold",
    "observe": "cyan",
    "paused": "magenta",
}


def style_of(text: str) -> str:
    return STYLES.get(text, "")


def say(text: str) -> None:
    """A line for the person at the terminal; a pipe gets results only."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def say_without_a_worker() -> None:
    """To a person: what was changed here comes to the routers once somebody works. Inside `database()`."""
    from imsys.fleet.selectors import live_workers

    if live_workers() == 0:
        say("note: no worker is up; imsys sync brings it to the routers, or start imsys serve")


def complain(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except (BrokenPipeError, ValueError):  # nobody listens any more
        sys.stderr = open(os.devnull, "w")


class Progress(Protocol):
    def __call__(self, done: int, total: int, note: str = "") -> None: ...


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """A bar on standard error when it is a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield lambda done, total, note="": None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bars(*columns, console=console(error=True), transient=True) as bars:
        bar = bars.add_task(title, total=None, note="")

        def update(done: int, total: int, note: str = "") -> None:
            bars.update(bar, completed=done, total=total, note=note)

        yield update
