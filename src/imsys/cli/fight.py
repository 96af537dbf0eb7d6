"""`imsys fight`: fields that somebody else's automation changes back each time they are put right."""

from typing import Annotated

import typer

from imsys.cli.app import Json, RouterFilter, command, group

app = group("Fields that somebody else's automation changes back each time they are put right.")

FightId = Annotated[int, typer.Argument(help="The fight's number; imsys fight list shows it.", show_default=False)]
COLUMNS = {
    "id": "Fight",
    "router": "Router",
    "menu": "Menu",
    "key": "Key",
    "field": "Field",
    "who": "By",
    "found": "Found",
    "wanted": "Wanted",
    "begun_at": "Since",
    "paused_until": "Paused until",
}


@command(
    app,
    "list",
    examples=["imsys fight list", "imsys fight list --router rt-ngong", "imsys fight list --json"],
)
def list_fights(router: RouterFilter = None, as_json: Json = False) -> None:
    """List the fields that are fought over, with whom the router's log names, and until when their repair rests.

    The field `row` means that the whole row is removed or added each time.
    """
    from imsys.cli.database import database
    from imsys.cli.output import print_list

    with database():
        from imsys.fleet.selectors import fights
        from imsys.network.selectors import get_router

        rows = fights(get_router(router).name if router is not None else None)
    print_list(rows, COLUMNS, as_json=as_json, empty="Nothing is fought over.")


@command(app, "end", examples=["imsys fight end 3", "imsys fight end 3 --json"])
def end(fight: FightId, as_json: Json = False) -> None:
    """Put the field right now, without waiting for the end of its pause. Changed back again, it rests for longer."""
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json

    with database():
        from imsys.fleet.services import end_pause

        ended = end_pause(fight, actor=actor())
    if as_json:
        print_json({"fight": fight, **ended})
    else:
        print(f"{ended['field']} of {ended['menu']} {ended['key']} on {ended['router']} is put right now")
