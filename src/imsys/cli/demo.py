"""`imsys demo`: IMSys with simulated routers and sample subscribers, and the story of an outage told on them."""

from typing import Annotated

import typer

from imsys.cli.app import Json, command


def add_to(app: typer.Typer) -> None:
    @command(app, "demo", examples=["imsys demo", "imsys demo --once", "imsys demo --once --json"])
    def demo(
        once: Annotated[bool, typer.Option("--once", help="End after the story; exit 0 if all claims held.")] = False,
        port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages; 0 takes a free one.")] = 0,
        as_json: Json = False,
    ) -> None:
        """Show IMSys at work on simulated routers: no real router is needed, none is touched, nothing is kept.

        Starts everything in a temporary folder: PostgreSQL, three simulated routers, 300 subscribers, pages and a
        worker. Then a hundred are suspended, a router dies half-way and comes back, and a technician lets five in
        again; each claim is checked on the routers' own tables.
        """
        from imsys.cli.demo_story import tell

        tell(once=once, port=port, as_json=as_json)
