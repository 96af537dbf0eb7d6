"""The shape of the command line: help, examples, errors, exit codes. Nothing here needs a database."""

import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from imsys.cli import exits, output, reference
from imsys.cli.main import app, main
from imsys.cli.package import parse_price
from imsys.kit.errors import ImsysError, InputError

ROOT = Path(__file__).parents[3]
ROOT_COMMAND: Any = typer.main.get_command(app)
COMMANDS = list(reference.commands(ROOT_COMMAND, ["imsys"]))
STABLE = """
    demo, serve, worker, migrate, user add, simulate, sync, reconcile, plan, status, incidents, events, watch,
    notify test, freeze, thaw, expiry plan, expiry run, changes, undo,
    hold list, hold show, hold approve, hold reject,
    unmanaged list, unmanaged keep, unmanaged adopt, unmanaged quarantine, unmanaged remove,
    fight list, fight end,
    router add, router list, router show, router test, router set, router remove,
    router script, router snapshot, router adopt, import-legacy,
    package add, package list, package set, package remove,
    subscriber add, subscriber set, subscriber remove, subscriber show, subscriber list, subscriber import,
    subscriber suspend, subscriber resume, subscriber rename, subscriber move
"""


def test_the_names_that_scripts_rely_on() -> None:
    names = {" ".join(path[1:]) for path, _ in COMMANDS}
    assert names >= {name.strip() for name in STABLE.split(",")}


def examples(command: Any) -> list[str]:
    lines = command.help.split("Examples:\n", 1)[-1].splitlines()
    return [line.strip() for line in lines if "imsys" in line]


@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_every_command_explains_itself_and_speaks_json(path: list[str], command: Any) -> None:
    assert command.help.strip()
    assert "Examples:" in command.help
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--json" in options
    assert [parameter.name for parameter in command.params if not parameter.help and not parameter.hidden] == []


def all_examples() -> Iterator[list[str]]:
    for path, command in COMMANDS:
        for example in examples(command):
            words = shlex.split(example.split(" | ")[0])
            words = words[next(number for number, word in enumerate(words) if "=" not in word) :]
            assert words[: len(path)] == path, example
            yield words


@pytest.mark.parametrize("words", list(all_examples()), ids=" ".join)
def test_every_example_is_a_command_line(words: list[str]) -> None:
    command, rest = ROOT_COMMAND, words[1:]
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    assert command.make_context(" ".join(words), rest).params


NAMED_COMMAND = re.compile(r"(?<![-=\w./])imsys ([a-z]+(?:-[a-z]+)?\b(?! ?=)(?: [a-z]+\b)?)(?!`: )")


def told_commands() -> set[tuple[str, str]]:
    """(file, words) wherever a text tells a person to run `imsys ...`: messages, templates, pages of ours."""
    places = [(ROOT / "src", "**/*.py"), (ROOT / "src", "**/*.html"), (ROOT / "docs", "**/*.md"), (ROOT, "*.md")]
    return {
        (str(file.relative_to(ROOT)), words)
        for folder, pattern in places
        for file in folder.glob(pattern)
        for words in NAMED_COMMAND.findall(file.read_text())
    }


def test_every_command_that_a_text_names_exists() -> None:
    names = {" ".join(path[1:]) for path, _ in COMMANDS}
    groups = {name.split()[0] for name in names if " " in name}
    told = {(file, words) for file, words in told_commands() if words not in names}
    assert not {(file, words) for file, words in told if words in groups or words.split()[0] not in names - groups}


def test_the_reference_page_is_what_the_commands_say() -> None:
    page = ROOT / "docs/reference/cli.md"
    assert page.read_text() == reference.render(), f"run: python -m imsys.cli.reference {page.relative_to(ROOT)}"


def test_every_exit_code_is_explained() -> None:
    page = (ROOT / "docs/reference/exit-codes.md").read_text()
    assert not [code for code in exits.Code if f"| {code.value} |" not in page]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["bogus"], 2),
        (["router"], 2),
        (["router", "add"], 2),
        (["router", "set", "rt-1"], 2),
        (["router", "add", "rt-1", "--host", "h", "--username", "u", "--tls", "maybe"], 2),
        (["subscriber", "suspend"], 2),
        (["subscriber", "suspend", "--all"], 2),
        (["subscriber", "suspend", "ann", "--router", "rt-1", "--all"], 2),
        (["subscriber", "resume", "ann", "--cause", "whatever"], 2),
        (["subscriber", "suspend", "--file", "/nowhere/names.txt"], 2),
        (["subscriber", "import", "/nowhere.csv"], 2),
        (["subscriber", "rename", "ann"], 2),
        (["subscriber", "move", "--router", "rt-1"], 2),
        (["subscriber", "move", "ann"], 2),
        (["subscriber", "add", "ann", "--router", "r", "--package", "p", "--service", "ipoe"], 2),
        (["package", "set", "home", "--apply", "later"], 2),
        (["package", "set", "home", "--shared-users", "0"], 2),
        (["router", "set", "rt-1", "--kicks-per-second", "0"], 2),
        (["package", "add", "p", "--price", "cheap"], 2),
        (["sync", "--timeout", "soon"], 64),
        (["reconcile", "--bogus"], 64),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_wrong_usage_is_one_line_and_a_code(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(arguments) == code
    captured = capsys.readouterr()
    if arguments == ["router"]:
        assert "Commands:" in captured.out
        return
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("error: ")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("No such thing 'x'.", remedy="Name another"), 2, "error: No such thing 'x'. Name another.\n"),
        (ImsysError("It is broken", remedy="Mend it."), 1, "error: It is broken. Mend it.\n"),
        (ImsysError("Late", code="TimedOut"), 2, "error: Late.\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            ZeroDivisionError("division\nby zero"),
            1,
            "error: Unexpected ZeroDivisionError: division. "
            "This is a defect: run again with IMSYS_DEBUG=1 and report what it prints.\n",
        ),
        (
            FileNotFoundError(2, "No such file", "a.txt"),
            1,
            "error: a.txt: No such file. Correct the path or its permissions.\n",
        ),
    ],
)
def test_a_failure_is_one_line_with_its_remedy(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("imsys.cli.main.app", fail)
    assert main(["status"]) == code
    assert capsys.readouterr().err == line


def test_debug_adds_the_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError("no")

    monkeypatch.setattr("imsys.cli.main.app", fail)
    monkeypatch.setenv("IMSYS_DEBUG", "1")
    assert main(["status"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_help_is_quick_because_it_loads_nothing_heavy() -> None:
    code = "import sys; from imsys.cli.main import main; main(['--help']); print(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.splitlines()[-1].split())
    assert not loaded & {
        "django",
        "psycopg",
        "procrastinate",
        "asyncio",
        "rich",
        "cryptography",
        "uvicorn",
        "imsys.sim",
    }


def test_a_closed_pipe_is_no_crash() -> None:
    result = subprocess.run(
        f"{shlex.quote(sys.executable)} -m imsys --help | true", shell=True, capture_output=True, text=True, check=True
    )
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1.234", "", "20,50"])
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(InputError):
        parse_price(text)


class TestOutput:
    ROWS = (
        {"name": "a\tb", "count": 3, "none": None, "yes": True},
        {"name": "c", "count": 0, "none": "", "yes": False},
    )
    COLUMNS = {"name": "Name", "count": "Count", "none": "None", "yes": "Yes"}  # noqa: RUF012

    def test_a_pipe_gets_values_between_tabs(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.print_list(self.ROWS, self.COLUMNS, as_json=False, empty="none")
        assert capsys.readouterr().out == "a b\t3\t\tyes\nc\t0\t\tno\n"

    def test_json_has_whole_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.print_list(self.ROWS, {"name": "Name"}, as_json=True, empty="none")
        assert json.loads(capsys.readouterr().out) == list(self.ROWS)

    def test_an_empty_list_is_empty_and_its_hint_is_no_result(self, capsys: pytest.CaptureFixture[str]) -> None:
        output.print_list([], self.COLUMNS, as_json=False, empty="Add one")
        assert capsys.readouterr().out == ""
        output.print_list([], self.COLUMNS, as_json=True, empty="Add one")
        assert capsys.readouterr().out == "[]\n"

    def test_a_terminal_gets_a_table(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        output.print_list(self.ROWS, self.COLUMNS, as_json=False, empty="none")
        out = capsys.readouterr().out
        assert "Name" in out
        assert "Count" in out
