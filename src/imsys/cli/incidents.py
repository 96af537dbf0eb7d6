"""`imsys incidents` lists what is not as it should be; `imsys notify test` tries whether messages about it arrive."""

from typing import Annotated

import typer

from imsys.cli.app import Json, command, group
from imsys.cli.exits import Code
from imsys.kit.errors import InputError

notify_app = group("Messages about incidents.")

COLUMNS = {
    "severity": "Severity",
    "opened_at": "Since",
    "closed_at": "Until",
    "count": "Times",
    "text": "What",
    "remedy": "What to do",
}
OPEN_COLUMNS = {key: heading for key, heading in COLUMNS.items() if key != "closed_at"}
CHANNEL_COLUMNS = {"channel": "Channel", "result": "Result", "problem": "Problem"}


def add_to(app: typer.Typer) -> None:
    @command(
        app, "incidents", examples=["imsys incidents", "imsys incidents --all --limit 20", "imsys incidents --json"]
    )
    def incidents(
        everything: Annotated[bool, typer.Option("--all", help="Those that are over too, the newest first.")] = False,
        limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many.")] = 100,
        as_json: Json = False,
    ) -> None:
        """List what is not as it should be, the worst first: routers down or refusing us, what is held, errors.

        A running worker looks every 15 seconds. Whoever the settings name is told by a message.
        """
        from imsys.cli.database import database
        from imsys.cli.output import complain, print_list

        with database():
            from imsys.fleet.selectors import live_workers
            from imsys.timeline.incidents import incidents as listed

            are_workers_up = live_workers() > 0
            rows = listed(with_closed=everything, limit=limit)
        columns = COLUMNS if everything else OPEN_COLUMNS
        nothing = "Nothing is wrong, as far as the workers have looked."
        print_list(rows, columns, as_json=as_json, empty=nothing)
        if not are_workers_up:
            complain("note: No worker is up, so nobody looks. Start one: imsys serve, or imsys worker")


@notify_app.callback()
def notify() -> None:
    """Messages about incidents."""


@command(notify_app, "test", examples=["imsys notify test", "imsys notify test --json"])
def send_test(as_json: Json = False) -> None:
    """Send a test message to every address of the settings, and say which did not take it.

    Exit code: 0 when every one took it, 1 when one did not, 2 when the settings name none.
    """
    from imsys.cli.database import set_up_django
    from imsys.cli.output import print_list

    set_up_django()
    from imsys.timeline.notify import send_test as send

    sent = send()
    if not sent:
        raise InputError(
            "Nobody is to be told: IMSYS_NOTIFY_URLS is empty.", remedy="Put an address of apprise into it"
        )
    rows = [
        {"channel": target.name, "result": "failed" if problem else "ok", "problem": problem}
        for target, problem in sent
    ]
    print_list(rows, CHANNEL_COLUMNS, as_json=as_json, empty="")
    if any(row["problem"] for row in rows):
        raise typer.Exit(Code.FAILED)
