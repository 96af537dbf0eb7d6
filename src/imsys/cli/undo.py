"""`imsys changes` lists what was done to many in one step; `imsys undo` takes one of them back."""

from typing import Annotated

import typer

from imsys.cli.app import Json, command

COLUMNS = {
    "id": "Change",
    "at": "Time",
    "what": "What",
    "count": "Subscribers",
    "cause": "Cause",
    "router": "Router",
    "actor": "By",
    "undoes": "Undoes",
    "undone_by": "Undone by",
}
LEFT_COLUMNS = {"username": "Left as they are", "why": "Why"}


def add_to(app: typer.Typer) -> None:
    @command(app, "changes", examples=["imsys changes", "imsys changes --limit 5 --json"])
    def changes(
        limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 20,
        as_json: Json = False,
    ) -> None:
        """List what was done to many in one step, the newest first: expiry runs, suspensions, resumptions, imports."""
        from imsys.cli.database import database
        from imsys.cli.output import print_list

        with database():
            from imsys.timeline.changes import changes as listed

            rows = listed(limit=limit)
        empty = "No change yet: suspending or resuming several at once is one."
        print_list(rows, COLUMNS, as_json=as_json, empty=empty)

    @command(app, "undo", examples=["imsys undo 17 --dry-run", "imsys undo 17"])
    def undo(
        change: Annotated[
            int, typer.Argument(min=1, max=2**63 - 1, help="Its number; see `imsys changes`.", show_default=False)
        ],
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")] = False,
        as_json: Json = False,
    ) -> None:
        """Take a change back: what it suspended is lifted, what it lifted stands again, whom it imported go.

        Whoever was changed since is left as they are, and listed; of an import also those who have rows on a router.
        Expiry runs leave those whose expiry was undone alone, until their end of service changes. Undoing is a change
        itself: undo that one to do the first again.
        """
        from imsys.cli.database import actor, database
        from imsys.cli.output import print_json, print_list

        with database():
            from imsys.subscribers import services

            outcome = services.undo(change, dry_run=dry_run, actor=actor())
        left = [{"username": each.username, "why": each.why} for each in outcome.left]
        if as_json:
            fields = {"undone": change, "what": outcome.what, "restored": outcome.restored, "change": outcome.change}
            print_json({**fields, "dry_run": dry_run, "left": left})
            return
        print(f"{outcome.restored} would be restored" if dry_run else f"restored {outcome.restored}")
        told(outcome.change)
        if left:
            print(f"{len(left)} {'is' if len(left) == 1 else 'are'} left as they are:")
            print_list(left, LEFT_COLUMNS, as_json=False, empty="")


def told(change: int | None) -> None:
    """The line that says how to take it back, where there is something to take back."""
    if change is not None:
        print(f"change {change}: undo with: imsys undo {change}")
