"""`imsys simulate`: RouterOS routers to practise on."""

import typer


def add_to(app: typer.Typer) -> None:
    pass
