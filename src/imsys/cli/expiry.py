"""`imsys expiry`: who is cut because their service has ended, and when too many are held."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imsys.cli.app import Json, command, group
from imsys.cli.exits import Code

if TYPE_CHECKING:
    from imsys.billing.due import Due
    from imsys.billing.selectors import RouterPlan

app = group("Expiry: who is cut because their service has ended.")

PLAN_COLUMNS = {"router": "Router", "subscriber": "Subscriber", "expires_at": "Expires", "outcome": "What happens"}
ROUTER_COLUMNS = {
    "router": "Router",
    "subscribers": "Subscribers",
    "cap": "At most at once",
    "cut": "To cut",
    "already_off": "Off already",
    "held": "To hold",
    "rejected": "Left alone",
}
RUN_COLUMNS = {"router": "Router", "cut": "Cut", "already_off": "Off already", "held": "Held", "cap": "At most at once"}


@command(
    app,
    "plan",
    examples=["imsys expiry plan", "imsys expiry plan --until 2027-01-31", "imsys expiry plan --until +7d --json"],
)
def plan(
    until: Annotated[
        str | None,
        typer.Option(metavar="T", help="A date (its end), a moment such as 2027-01-31T18:00, or +7d; else now."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show who would be cut until then, and where they would be held because they are too many. Changes nothing.

    It reckons with one run a minute, and that nobody pays meanwhile. Left alone are those whom a person rejected.
    """
    from imsys.cli.database import database
    from imsys.cli.output import print_json, print_list
    from imsys.cli.subscriber import parse_instant

    with database():
        from imsys.billing import selectors

        moment = parse_instant(until)
        plans = selectors.plan(moment)
    if as_json:
        print_json({"until": moment, "routers": [{**_summary(each), "steps": _steps(each)} for each in plans]})
        return
    print_list([row for each in plans for row in _steps(each)], PLAN_COLUMNS, as_json=False, empty="Nobody is due.")
    _print_summary([_summary(each) for each in plans])


@command(app, "run", examples=["imsys expiry run", "imsys expiry run --json"])
def run(as_json: Json = False) -> None:
    """Cut those whose service has ended, at once instead of within a minute. The brake holds here too.

    Where more are due on one router than may be cut at once, none is cut there: `imsys hold list`.
    Exit code: 0 done, 3 something is held.
    """
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json, print_list
    from imsys.cli.undo import told

    with database():
        from imsys.billing import services

        outcome = services.run_expiry(actor=actor())
    rows = [{key: getattr(router, key) for key in RUN_COLUMNS} for router in outcome.routers]
    if as_json:
        print_json({"change": outcome.change, "held": outcome.held, "routers": rows})
    else:
        print_list(rows, RUN_COLUMNS, as_json=False, empty="Nobody is due.")
        told(outcome.change)
    if outcome.held:
        raise typer.Exit(Code.BLOCKED)


def _summary(plan: "RouterPlan") -> dict[str, Any]:
    off = sum(due.is_suspended for due in plan.go)
    return {
        "router": plan.router,
        "subscribers": plan.subscribers,
        "cap": plan.cap,
        "cut": len(plan.go) - off,
        "already_off": off,
        "held": len(plan.held),
        "rejected": len(plan.rejected),
    }


def _steps(plan: "RouterPlan") -> list[dict[str, Any]]:
    def row(due: "Due", outcome: str) -> dict[str, Any]:
        return {
            "router": plan.router,
            "subscriber": due.username,
            "expires_at": due.expires_at,
            "outcome": "off already" if outcome == "cut" and due.is_suspended else outcome,
        }

    groups = (("cut", plan.go), ("held", plan.held), ("left alone", plan.rejected))
    return [row(due, outcome) for outcome, group in groups for due in group]


def _print_summary(rows: list[dict[str, Any]]) -> None:
    """For the person at the terminal; a pipe has the steps."""
    from imsys.cli.output import print_table

    if rows and sys.stdout.isatty():
        print_table(rows, ROUTER_COLUMNS)
