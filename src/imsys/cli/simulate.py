"""`imsys simulate`: RouterOS routers to practise on, over real TCP."""

from typing import Annotated

import typer

from imsys.cli.app import Json, PasswordFile, command


def add_to(app: typer.Typer) -> None:
    @command(
        app,
        "simulate",
        examples=[
            "imsys simulate --routers 3 --subscribers 100",
            "imsys simulate --routers 10 --base-port 18728 --subscribers 1000 --latency-ms 5 --control-port 18700",
            "imsys simulate --routers 1 --version 6.49.17 --fault lost-ok:3",
        ],
    )
    def simulate(
        routers: Annotated[int, typer.Option(min=1, max=10_000, help="How many routers.")] = 1,
        base_port: Annotated[
            int, typer.Option(min=0, max=65535, help="Port of the first; the others follow. 0: free ones.")
        ] = 18728,
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        subscribers: Annotated[int, typer.Option(min=0, help="PPP secrets on each router at the start.")] = 0,
        latency_ms: Annotated[float, typer.Option(min=0, help="Time that each command takes.")] = 0.0,
        row_latency_us: Annotated[float, typer.Option(min=0, help="Time that each printed row takes.")] = 0.0,
        control_port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="Port on which faults are asked for, as lines of JSON.")
        ] = None,
        fault: Annotated[
            list[str] | None, typer.Option(metavar="SPEC", help="A fault to begin with; may be repeated.")
        ] = None,
        version: Annotated[str, typer.Option(help="The RouterOS version that they behave like.")] = "7.16.2",
        username: Annotated[str, typer.Option(help="Login of the API user.")] = "admin",
        password_file: PasswordFile = None,
        seed: Annotated[int, typer.Option(help="The same seed gives the same routers.")] = 0,
        as_json: Json = False,
    ) -> None:
        """Run simulated routers, until Ctrl-C. No real router is touched, and nothing is kept.

        They speak the RouterOS API as the real ones do, with their texts, ids, policies and faults; subscribers redial.
        docs/reference/simulator.md has the faults and the control port.
        """
