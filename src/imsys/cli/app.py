"""What every command shares: how it is declared, its common options, and how text reaches it.

Commands import Django, rich and the other parts inside their bodies: `imsys --help` stays quick.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from imsys.kit.errors import InputError

F = TypeVar("F", bound=Callable[..., None])

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
PasswordFile = Annotated[
    str | None,
    typer.Option(metavar="FILE|-", help="Read the password from the first line of FILE; - is standard input."),
]
RouterFilter = Annotated[str | None, typer.Option("--router", metavar="NAME", help="Only this router.")]


def group(help_text: str) -> typer.Typer:
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None)


def command(app: typer.Typer, name: str, *, examples: Sequence[str], hidden: bool = False) -> Callable[[F], F]:
    """Declare a command whose help ends with examples; the reference page and a test read them from here."""

    def declare(function: F) -> F:
        text = inspect.cleandoc(function.__doc__ or "")
        shown = "\n".join(f"  {example}" for example in examples)
        help_text = f"{text}\n\n\b\nExamples:\n{shown}" if examples else text
        app.command(name, help=help_text, hidden=hidden)(function)
        return function

    return declare


def read_password(source: str | None, *, prompt: str | None = None) -> str | None:
    """The password in `source` (a file, or `-`); without one, ask on a terminal when `prompt` is given, else None."""
    if source == "-":
        line = sys.stdin.readline()
    elif source is not None:
        line = _first_line(Path(source))
    elif prompt is not None and sys.stdin.isatty():
        line = typer.prompt(prompt, hide_input=True, default="", show_default=False, err=True)
    else:
        return None
    return line.rstrip("\r\n")


def confirm_number(what: str, number: int) -> None:
    """Before `what` is done to so many: a person on a terminal types the number, anybody else has to pass --yes."""
    if not sys.stdin.isatty():
        raise InputError(f"This would {what}.", remedy="Pass --yes to do it")
    answer = typer.prompt(f"This will {what}. Type their number to go on", default="", show_default=False, err=True)
    if answer.strip() != str(number):
        raise typer.Abort


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return file.readline()
    except OSError as error:
        raise InputError(
            f"The password file {path} cannot be read: {error.strerror}.", remedy="Name a file."
        ) from error


def read_names(source: str) -> list[str]:
    """Usernames from a file (or `-`), one a line; empty lines and lines that start with # are left out."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"The file {source} cannot be read: {error.strerror}.", remedy="Name a file.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The file {source} is not UTF-8 text.", remedy="Save it as UTF-8.") from error
    lines = (line.strip() for line in text.lstrip("\ufeff").splitlines())
    names = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not names:
        raise InputError(f"The file {source} names nobody.", remedy="Write one username a line.")
    return names
