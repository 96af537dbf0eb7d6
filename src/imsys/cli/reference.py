"""Writes docs/reference/cli.md from the commands themselves: `python -m imsys.cli.reference docs/reference/cli.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from imsys.cli.main import app

WIDTH = 100
INTRODUCTION = """\
# Commands

Made from the program by `python -m imsys.cli.reference`; a test keeps this page equal to it. `imsys COMMAND --help`
prints the same.

What holds for all of them:

- `--json` prints JSON: a list is an array, one thing is an object, `watch` prints one object a line.
- On a terminal a list is a table. In a pipe it is one line per row, values between tabs, without a heading, so that
  `cut` and `xargs` can use it.
- What fails is said on standard error, in one line that begins with `error:` and ends with what to do about it.
  `IMSYS_DEBUG=1` adds the trace.
- Naming subscribers is confirmation; whole routers ask for their number, or take `--yes`.
- The database starts by itself, in the data folder, unless `IMSYS_DATABASE_URL` names a server.

Exit codes: [exit-codes.md](exit-codes.md). Settings: [settings.md](settings.md).
"""


def render() -> str:
    root: Any = typer.main.get_command(app)
    parts = [INTRODUCTION]
    for path, command in commands(root, ["imsys"]):
        context = command.make_context(" ".join(path), [], resilient_parsing=True, terminal_width=WIDTH)
        parts.append(f"## {' '.join(path)}\n\n```text\n{context.get_help().strip()}\n```\n")
    return "\n".join(parts)


def commands(command: Any, path: list[str]) -> Iterator[tuple[list[str], Any]]:
    """Every command that does something, with the words that call it; hidden ones left out."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name in sorted(children):
        if not children[name].hidden:
            yield from commands(children[name], [*path, name])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render())
