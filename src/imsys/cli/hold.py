"""`imsys hold`: what machines concluded and nobody asked for, and which waits for a person's word."""

from typing import Annotated, Any

import typer

from imsys.cli.app import Json, RouterFilter, command, group

app = group("What waits for a person: changes that nobody asked for, and too many of them or after a suspicious read.")

HoldId = Annotated[int, typer.Argument(help="The hold's number; imsys hold list shows it.", show_default=False)]
COLUMNS = {
    "id": "Hold",
    "router": "Router",
    "code": "Cause",
    "steps": "Steps",
    "state": "State",
    "opened_at": "Since",
    "text": "What",
}
DECIDED_COLUMNS = {**COLUMNS, "decided_by": "By", "decided_at": "Decided"}
EXPIRY_COLUMNS = {"action": "Action", "subscriber": "Subscriber", "expires_at": "End of service"}
STEP_COLUMNS = {"action": "Action", "subscriber": "Subscriber", "menu": "Menu", "key": "Key", "reason": "Reason"}


@command(app, "list", examples=["imsys hold list", "imsys hold list --all --router rt-ngong", "imsys hold list --json"])
def list_holds(
    router: RouterFilter = None,
    everything: Annotated[bool, typer.Option("--all", help="Those decided and over too, the newest first.")] = False,
    as_json: Json = False,
) -> None:
    """List what waits for a person."""
    from imsys.cli.database import database
    from imsys.cli.output import print_list

    with database():
        from imsys.network.selectors import get_router
        from imsys.timeline.holds import holds

        if router is not None:
            get_router(router)
        rows = holds(with_decided=everything, router=router or "")
    print_list(rows, DECIDED_COLUMNS if everything else COLUMNS, as_json=as_json, empty="Nothing waits for a person.")


@command(app, "show", examples=["imsys hold show 3", "imsys hold show 3 --json"])
def show(hold: HoldId, as_json: Json = False) -> None:
    """Show one hold, with every step that it keeps back."""
    from imsys.cli.database import database
    from imsys.cli.output import print_fields, print_json, print_list

    with database():
        from imsys.timeline.holds import get_hold

        found = get_hold(hold)
    if as_json:
        print_json(found)
        return
    steps = found.pop("steps")
    print_fields({**found, "steps": len(steps)}, as_json=False)
    print()
    print_list(steps, EXPIRY_COLUMNS if found["kind"] == "expiry" else STEP_COLUMNS, as_json=False, empty="No step.")


@command(app, "approve", examples=["imsys hold approve 3"])
def approve(hold: HoldId, as_json: Json = False) -> None:
    """Let it go on: the router is read anew, and what is still due of the held steps is done.

    A hold that was rejected may be approved after all.
    """
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json
    from imsys.cli.undo import told

    with database():
        from imsys.fleet.services import approve_hold

        decided, done = approve_hold(hold, actor=actor())
    fields: dict[str, Any] = {"hold": hold, "router": decided.router, "state": decided.state}
    if as_json:
        more = {"cut": done.cut, "no_longer_due": done.no_longer_due, "change": done.change} if done else {}
        print_json({**fields, "steps": len(decided.steps), **more})
    elif done is None:
        print(f"approved hold {hold}: what is still due of {_steps(decided)} on {decided.router} is done")
    else:
        print(f"approved hold {hold}: {done.cut} cut on {decided.router}, {done.no_longer_due} no longer due")
        told(done.change)


@command(app, "reject", examples=["imsys hold reject 3"])
def reject(hold: HoldId, as_json: Json = False) -> None:
    """Leave it undone, and tell nobody of it again until it changes. To take that back, approve it."""
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json

    with database():
        from imsys.fleet.services import reject_hold

        decided = reject_hold(hold, actor=actor())
    if as_json:
        fields = {"hold": hold, "router": decided.router, "state": decided.state}
        print_json({**fields, "steps": len(decided.steps)})
    else:
        left = "keep their service though it has ended" if decided.kind == "expiry" else "stay undone"
        print(f"rejected hold {hold} on {decided.router}: {_steps(decided)} {left}")
        print(f"to take that back: imsys hold approve {hold}")


def _steps(hold: Any) -> str:
    return "1 step" if len(hold.steps) == 1 else f"{len(hold.steps)} steps"
