"""`imsys migrate`: bring the tables of the database to this version."""

import typer

from imsys.cli.app import Json, command


def add_to(app: typer.Typer) -> None:
    @command(app, "migrate", examples=["imsys migrate", "IMSYS_DATABASE_URL=postgresql://db/imsys imsys migrate"])
    def migrate(as_json: Json = False) -> None:
        """Bring the database to this version of IMSys.

        Only a database of your own (IMSYS_DATABASE_URL) needs it: on the embedded one every command does it by itself.
        """
        from imsys.cli.database import database
        from imsys.cli.output import print_json

        with database(migrate=True) as opened:
            applied = opened.migrated
        if as_json:
            print_json({"applied": applied})
        else:
            print(f"applied {len(applied)} migrations" if applied else "nothing to migrate")
