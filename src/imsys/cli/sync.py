"""Seeing to it that the routers follow, and seeing how far they have: sync, reconcile, status, events."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from imsys.cli.app import Json, RouterFilter, command
from imsys.cli.exits import Code

if TYPE_CHECKING:
    from imsys.cli.output import Progress

DEFAULT_TIMEOUT_S = 120.0
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="Give up after so many seconds.")]

RECONCILE_COLUMNS = {
    "router": "Router",
    "result": "Result",
    "subscribers": "Subscribers",
    "drifted": "Drifted",
    "repaired": "Repaired",
    "unmanaged": "Unmanaged",
    "commands": "Commands",
    "writes": "Writes",
    "rows": "Rows",
    "seconds": "Seconds",
}
STATUS_COLUMNS = {
    "router": "Router",
    "mode": "Mode",
    "state": "State",
    "subscribers": "Subscribers",
    "pending": "Pending",
    "errors": "Error",
    "ghosts": "Ghosts",
    "online": "Online",
    "last_seen_at": "Last seen",
}
EVENT_COLUMNS = {
    "at": "Time",
    "what": "What",
    "username": "Subscriber",
    "router": "Router",
    "actor": "By",
    "change": "Change",
    "cause": "Cause",
    "note": "Note",
}


def add_to(app: typer.Typer) -> None:
    declare_sync(app)
    declare_reconcile(app)
    declare_status(app)
    declare_events(app)


def declare_sync(app: typer.Typer) -> None:
    @command(
        app, "sync", examples=["imsys sync", "imsys sync ann ben --timeout 30", "imsys sync --router rt-ngong --json"]
    )
    def sync(
        usernames: Annotated[
            list[str] | None, typer.Argument(help="Only these subscribers.", show_default=False)
        ] = None,
        router: RouterFilter = None,
        timeout_s: Timeout = DEFAULT_TIMEOUT_S,
        as_json: Json = False,
    ) -> None:
        """Try at once, and wait until nothing in scope is pending on enforced routers.

        Exit code: 0 all synced, 1 some in error, 2 timed out, 3 only blocked work is left. Where no worker keeps a
        router, this command does the work itself.
        """
        from imsys.cli.database import database
        from imsys.cli.output import print_fields, print_json, progress

        with database(), progress("syncing") as bar:
            from imsys.fleet import commands

            outcome = commands.sync(usernames or None, router, timeout_s=timeout_s, on_progress=sync_progress(bar))
        fields = outcome.as_dict()
        if as_json:
            print_json(fields)
        else:
            blocked = {reason: count for reason, count in outcome.blocked.items() if count}
            print_fields({**fields, "blocked": blocked or "none"}, as_json=False)
        raise typer.Exit(outcome.exit_code)


def sync_progress(bar: "Progress") -> Any:
    """The fleet tells how many are left of each kind; the bar wants done and total."""
    most = 0

    def update(counts: dict[str, Any]) -> None:
        nonlocal most
        left = int(counts.get("pending", 0))
        most = max(most, left + int(counts.get("synced", 0)) + int(counts.get("error", 0)))
        bar(most - left, most)

    return update


def declare_reconcile(app: typer.Typer) -> None:
    @command(app, "reconcile", examples=["imsys reconcile", "imsys reconcile --router rt-ngong --json"])
    def reconcile(
        router: RouterFilter = None,
        timeout_s: Timeout = DEFAULT_TIMEOUT_S,
        as_json: Json = False,
    ) -> None:
        """Read everything on the routers now, compare, and repair what drifted where the mode is enforce.

        Exit code: 0 when every router was read, 1 when one was not, 2 timed out.
        """
        from imsys.cli.database import database
        from imsys.cli.output import print_json, print_list

        with database():
            from imsys.fleet import commands

            reports = commands.reconcile(router, timeout_s=timeout_s)
        if as_json:
            print_json({"routers": reports})
        else:
            print_list(reports, RECONCILE_COLUMNS, as_json=False, empty="No router yet.")
        if any(report["result"] not in ("ok", "observed", "paused", "held") for report in reports):
            raise typer.Exit(Code.FAILED)


def declare_status(app: typer.Typer) -> None:
    @command(app, "status", examples=["imsys status", "imsys status --json"])
    def status(as_json: Json = False) -> None:
        """Show how far the routers follow: a freeze, sync counts, routers, the oldest pending, the enforcement gap."""
        from imsys.cli.database import database
        from imsys.cli.output import print_json

        with database():
            from imsys.fleet import selectors

            values = selectors.status()
        if as_json:
            print_json(values)
        else:
            print_status(values)


def print_status(values: dict[str, Any]) -> None:
    from imsys.cli.output import local_time, print_list
    from imsys.web.rows import state_word
    from imsys.web.templatetags.imsys import span

    def known(count: int | None) -> str:
        return "unknown" if count is None else str(count)

    if frozen := values["frozen"]:
        print(f"FROZEN by {frozen['by']} since {local_time(frozen['since'])}: {frozen['reason']}")
    counts, gap, oldest = values["subscribers"], values["gap"], values["oldest_pending_s"]
    print(f"suspended but online  {known(gap['suspended_online'])}")
    print(f"entitled but cut off  {known(gap['entitled_cut'])}")
    if gap["left_behind"]:
        print(f"left behind           {gap['left_behind']} rows on routers that cannot be reached")
    if values["unmanaged"]["rows"]:
        strays = values["unmanaged"]
        print(f"nobody's logins       {strays['rows']}, {strays['live']} of them online: imsys unmanaged list")
    if values["expired_left_alone"]:
        print(f"served though expired {values['expired_left_alone']}, as a person decided: imsys expiry plan")
    print(f"subscribers           {counts['synced']} synced, {counts['pending']} pending, {counts['error']} in error")
    print(f"oldest pending        {'none' if oldest is None else span(oldest)}")
    print(f"incidents             {values['incidents'] or 'none'}{': imsys incidents' if values['incidents'] else ''}")
    print(f"workers               {values['workers'] or 'none: start imsys serve, or imsys worker'}")
    print()
    rows = [{**row, "state": state_word(row)} for row in values["routers"]]
    empty = "No router yet. Add one: imsys router add NAME --host H --username U"
    print_list(rows, STATUS_COLUMNS, as_json=False, empty=empty)


def declare_events(app: typer.Typer) -> None:
    @command(
        app, "events", examples=["imsys events --limit 20", "imsys events ann", "imsys events --router rt-ngong --json"]
    )
    def events(
        username: Annotated[str | None, typer.Argument(help="Only this subscriber's.", show_default=False)] = None,
        router: RouterFilter = None,
        limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 100,
        as_json: Json = False,
    ) -> None:
        """Show the timeline: what happened, when, and who did it; newest first."""
        from imsys.cli.database import database
        from imsys.cli.output import print_list

        with database():
            from imsys.network.selectors import get_router
            from imsys.timeline import selectors

            if router is not None:
                get_router(router)
            rows = selectors.events(username=username or "", router=router or "", limit=limit)
        shown = rows if as_json else [{**row, "change": _change(row)} for row in rows]
        print_list(shown, EVENT_COLUMNS, as_json=as_json, empty="Nothing has happened yet.")


def _change(row: dict[str, Any]) -> str:
    """What it was and what it became, in a line."""
    before, after = row["before"] or {}, row["after"] or {}
    parts = [f"{key}: {before[key]} -> {after[key]}" for key in after if key in before]
    return ", ".join([*parts, *(f"{key}: {value}" for key, value in after.items() if key not in before)])
