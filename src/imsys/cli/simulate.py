"""`imsys simulate`: RouterOS routers to practise on, over real TCP."""

from typing import TYPE_CHECKING, Annotated

import typer

from imsys.cli.app import Json, PasswordFile, command, read_password

if TYPE_CHECKING:
    from imsys.sim.command import Options, Simulation

SHOWN = 20


def add_to(app: typer.Typer) -> None:
    @command(
        app,
        "simulate",
        examples=[
            "imsys simulate --routers 3 --subscribers 100",
            "imsys simulate --routers 10 --base-port 18728 --subscribers 1000 --latency-ms 5 --control-port 18700",
            "imsys simulate --version 6.49.17 --fault drop-after:nth=3",
        ],
    )
    def simulate(
        routers: Annotated[int, typer.Option(min=1, max=10_000, help="How many routers: r1, r2 and so on.")] = 1,
        base_port: Annotated[
            int, typer.Option(min=0, max=65535, help="Port of the first; the others follow. 0: any free ones.")
        ] = 18728,
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        subscribers: Annotated[int, typer.Option(min=0, help="PPP secrets on each router: r1-u00001 and so on.")] = 0,
        latency_ms: Annotated[float, typer.Option(min=0, help="Time that each command takes.")] = 0.0,
        row_latency_us: Annotated[float, typer.Option(min=0, help="Time that each printed row takes.")] = 0.0,
        control_port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="Port for lines of JSON that steer it; 0: any free one.")
        ] = None,
        fault: Annotated[
            list[str] | None, typer.Option(metavar="SPEC", help="A fault on every router; may be repeated.")
        ] = None,
        version: Annotated[str, typer.Option(help="The RouterOS version that they behave like.")] = "7.16.2",
        username: Annotated[str, typer.Option(help="Login of the API user.")] = "admin",
        password_file: PasswordFile = None,
        seed: Annotated[int, typer.Option(help="The same seed gives the same routers.")] = 0,
        as_json: Json = False,
    ) -> None:
        """Run simulated routers, until Ctrl-C. No real router is touched, and nothing is kept.

        They speak the RouterOS API as the real ones do, with their texts, ids, policies and faults, and their
        subscribers dial in. The password is empty unless given. docs/reference/simulator.md has the faults and the
        control port.
        """
        from imsys.sim.command import Options

        options = Options(
            routers=routers,
            host=host,
            base_port=base_port,
            subscribers=subscribers,
            latency_ms=latency_ms,
            row_latency_us=row_latency_us,
            control_port=control_port,
            faults=tuple(fault or ()),
            version=version,
            username=username,
            password=read_password(password_file) or "",
            seed=seed,
        )
        import asyncio

        asyncio.run(run_until_signal(options, as_json=as_json))


async def run_until_signal(options: "Options", *, as_json: bool) -> None:
    import asyncio
    import signal

    from imsys.sim.command import simulate

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await simulate(options, stop=stop, on_ready=lambda simulation: announce(simulation, as_json=as_json))


def announce(simulation: "Simulation", *, as_json: bool) -> None:
    from imsys.cli.output import print_json_line

    ports, host = simulation.ports(), simulation.server.host
    if as_json:
        control_port = simulation.control_port
        print_json_line({"event": "listening", "host": host, "routers": ports, "control_port": control_port})
        return
    for name, port in list(ports.items())[:SHOWN]:
        print(f"{name}  {host}:{port}")
    if len(ports) > SHOWN:
        last, port = list(ports.items())[-1]
        print(f"...\n{last}  {host}:{port}")
    if simulation.control_port is not None:
        print(f"control port  {simulation.control_port}")
    print("Ctrl-C ends it.", flush=True)
