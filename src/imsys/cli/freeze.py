"""`imsys freeze` and `imsys thaw`: nothing is written to any router in between."""

from typing import Annotated

import typer

from imsys.cli.app import Json, command


def add_to(app: typer.Typer) -> None:
    declare_freeze(app)
    declare_thaw(app)


def declare_freeze(app: typer.Typer) -> None:
    @command(
        app, "freeze", examples=["imsys freeze 'the core is moved tonight'", "imsys freeze 'audit until Monday' --json"]
    )
    def freeze(
        reason: Annotated[str, typer.Argument(help="What everybody should know, in one line.", show_default=False)],
        as_json: Json = False,
    ) -> None:
        """Write to no router at all until `imsys thaw`. Routers are read, and changes of intent are kept until then."""
        from imsys.cli.database import actor, database
        from imsys.cli.output import print_json

        with database():
            from imsys.network import selectors, services

            services.freeze(reason, actor=actor())
            if as_json:
                print_json({"frozen": selectors.frozen()})
            else:
                print("frozen: nothing is written to any router until imsys thaw")


def declare_thaw(app: typer.Typer) -> None:
    @command(app, "thaw", examples=["imsys thaw", "imsys thaw --json"])
    def thaw(as_json: Json = False) -> None:
        """End the freeze. Every router is read, and what has come due meanwhile is done; see first: imsys plan."""
        from imsys.cli.database import actor, database
        from imsys.cli.output import print_json

        with database():
            from imsys.network import services

            count = services.thaw(actor=actor())
        if as_json:
            print_json({"frozen": None, "routers": count})
        else:
            print(f"thawed: {count} {'router is' if count == 1 else 'routers are'} read now")
