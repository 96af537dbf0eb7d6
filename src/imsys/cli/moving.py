"""`imsys subscriber rename` and `move`: the same subscriber under another name, and on another router."""

from typing import Annotated

import typer

from imsys.cli.app import Json, command, read_names
from imsys.cli.subscriber import EXACT_HELP, app, print_subscriber
from imsys.kit.errors import InputError


@command(
    app,
    "rename",
    examples=["imsys subscriber rename ann ann.wanjiku", "imsys subscriber rename ben Ann --exact"],
)
def rename(
    old: Annotated[str, typer.Argument(help="The username.", show_default=False)],
    new: Annotated[str, typer.Argument(help="The username that it becomes.", show_default=False)],
    exact: Annotated[bool, typer.Option("--exact", help=EXACT_HELP)] = False,
    as_json: Json = False,
) -> None:
    """Give a subscriber another username. The row on the router is renamed in place, and its counters stay.

    The new name may be one that somebody else has just given up.
    """
    from imsys.cli.database import actor, database

    with database():
        from imsys.subscribers import services

        services.rename_subscriber(old, new, exact=exact, actor=actor())
        print_subscriber(new, as_json)


@command(
    app,
    "move",
    examples=[
        "imsys subscriber move ann --router rt-thika",
        "imsys subscriber move ann ben --router rt-thika",
        "imsys subscriber move --file estate.txt --router rt-thika",
    ],
)
def move(
    router: Annotated[str, typer.Option(metavar="NAME", help="The router that serves them from now on.")],
    usernames: Annotated[list[str] | None, typer.Argument(help="Usernames.", show_default=False)] = None,
    file: Annotated[str | None, typer.Option(metavar="FILE|-", help="Usernames, one a line.")] = None,
    as_json: Json = False,
) -> None:
    """Move subscribers to another router: all of them in one step, or nobody. Naming is confirmation.

    Their rows are made there, and then taken from the router that they leave. Where that one cannot be reached, service
    begins on the new one all the same; `imsys subscriber show` says what is left behind until it is taken away.
    """
    names = [*(usernames or []), *(read_names(file) if file else [])]
    if not names:
        raise InputError("Nobody was named.", remedy="Pass usernames, or --file FILE")
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json

    with database():
        from imsys.subscribers import services

        outcome = services.move_subscribers(names, router, actor=actor())
    if as_json:
        print_json({"moved": len(outcome.moved), "already": outcome.already, "router": router})
    else:
        there = f", {outcome.already} {'was' if outcome.already == 1 else 'were'} there already"
        print(f"moved {len(outcome.moved)} to {router}{there if outcome.already else ''}")
