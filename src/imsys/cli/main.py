"""`imsys`: the program. Puts the command groups together and turns every failure into one line and an exit code."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from imsys.cli import (
    demo,
    expiry,
    fight,
    freeze,
    hold,
    incidents,
    legacy,
    migrate,
    moving,  # noqa: F401 - declares rename and move in the group
    onboarding,  # noqa: F401 - declares script, snapshot and adopt in the group
    package,
    plan,
    router,
    serve,
    simulate,
    subscriber,
    suspension,  # noqa: F401 - declares suspend and resume in the group
    sync,
    undo,
    unmanaged,
    user,
    watch,
    worker,
)
from imsys.cli.exits import WAITERS, Code
from imsys.cli.output import complain
from imsys.kit.errors import ImsysError, InputError

app = typer.Typer(
    name="imsys",
    help="Keeps an ISP's MikroTik routers in the state its database says they should be in.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"imsys {version('imsys')}")
        raise typer.Exit(Code.OK)


@app.callback()
def top(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


for module in (demo, serve, worker, migrate, simulate, sync, plan, freeze, incidents, watch, legacy, undo):
    module.add_to(app)
app.add_typer(router.app, name="router")
app.add_typer(package.app, name="package")
app.add_typer(subscriber.app, name="subscriber")
app.add_typer(hold.app, name="hold")
app.add_typer(unmanaged.app, name="unmanaged")
app.add_typer(fight.app, name="fight")
app.add_typer(user.app, name="user")
app.add_typer(expiry.app, name="expiry")
app.add_typer(incidents.notify_app, name="notify")


def run() -> None:
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """The exit code of one command line; whatever fails is said on standard error in one line."""
    usage = Code.USAGE_OF_WAITERS if arguments and arguments[0] in WAITERS else Code.USAGE
    try:
        result = app(args=list(arguments), prog_name="imsys", standalone_mode=False)
        _flush()
        return int(result or Code.OK)
    except typer.TyperException as error:
        return _refuse_usage(error, usage)
    except typer.Abort:
        complain("error: Nothing was confirmed, nothing was done. Answer the question, or pass --yes.")
        return Code.FAILED
    except KeyboardInterrupt:
        return Code.INTERRUPTED
    except InputError as error:
        return _fail(error, error, usage)
    except ImsysError as error:
        return _fail(error, error, Code.TIMED_OUT if error.code == "TimedOut" else Code.FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
        return Code.FAILED
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person gets one line, never a trace
        return _fail(error, _translate(error), Code.FAILED)


def _flush() -> None:
    sys.stdout.flush()  # here, where a closed pipe is still caught


def _refuse_usage(error: typer.TyperException, usage: int) -> int:
    text = error.format_message()
    if "Usage:" in text:  # a group without a command: its help
        print(text)
        return usage
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "imsys"
    complain(f"error: {_sentence(text)} Run `{path} --help`.")
    return usage


def _fail(cause: Exception, error: ImsysError, code: int) -> int:
    if os.environ.get("IMSYS_DEBUG"):
        import traceback

        traceback.print_exception(cause)
    complain("error: " + " ".join(_sentence(part) for part in (error.message, error.remedy) if part))
    return code


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?", "`")) else line + "."


def _is_collision(error: Exception | None) -> bool:
    """Two transactions waited for each other, and PostgreSQL ended this one. Django wraps what psycopg says."""
    states = ("40P01", "40001")
    return error is not None and (
        getattr(error, "sqlstate", None) in states or getattr(error.__cause__, "sqlstate", None) in states
    )


def _translate(error: Exception) -> ImsysError:
    """Foreign errors that people meet, in our words; the rest keeps its type and first line."""
    psycopg = sys.modules.get("psycopg")
    django_db = sys.modules.get("django.db")
    if _is_collision(error):
        return ImsysError(
            "Somebody else changed the same things at that moment; nothing was changed here.",
            remedy="Run it again",
            code="Collision",
        )
    lost = (django_db.OperationalError, django_db.InterfaceError) if django_db else ()
    if isinstance(error, lost) or (psycopg and isinstance(error, psycopg.OperationalError)):
        return ImsysError(
            "The database cannot be reached.",
            remedy="Start it, or correct IMSYS_DATABASE_URL, and try again.",
            code="DatabaseLost",
        )
    if isinstance(error, PermissionError | FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return ImsysError(f"{error.filename}: {error.strerror}", remedy="Correct the path or its permissions.")
    first = (str(error).strip().splitlines() or [""])[0]
    return ImsysError(
        f"Unexpected {type(error).__name__}: {first}",
        remedy="This is a defect: run again with IMSYS_DEBUG=1 and report what it prints",
        code="Defect",
    )


if __name__ == "__main__":
    run()
