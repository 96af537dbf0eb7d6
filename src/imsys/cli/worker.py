"""`imsys worker`: a process that keeps routers and runs jobs; any number of them, on any number of machines."""

import logging
import os
from typing import Annotated

import typer

from imsys.cli.app import Json, command


def add_to(app: typer.Typer) -> None:
    @command(app, "worker", examples=["imsys worker", "IMSYS_DATABASE_URL=postgresql://db/imsys imsys worker"])
    def worker(
        as_json: Json = False,
        parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    ) -> None:
        """Keep routers and run jobs, until SIGTERM or Ctrl-C.

        Workers share the routers among themselves and take over from one that dies. The first signal finishes what is
        in flight, a second one ends at once; nothing is lost, the next worker reads the router first.
        """
        if parent is not None:
            from imsys.cli.child import die_with

            die_with(parent)
        from imsys.cli.database import database

        if as_json:
            print_logs_as_json()
        import asyncio

        with database(long_running=True):
            asyncio.run(run_until_signal())


async def run_until_signal() -> None:
    import asyncio
    import signal

    from imsys.fleet.process import run_worker

    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
    await run_worker(stop=stop)


def print_logs_as_json() -> None:
    """Log records on standard output, one JSON object a line, with the keys that the record was given."""
    from imsys.cli.output import print_json_line
    from imsys.kit.redact import RedactFilter

    usual = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            extra = {key: str(value) for key, value in vars(record).items() if key not in usual}
            print_json_line({"level": record.levelname, "logger": record.name, "message": record.getMessage(), **extra})

    handler = Lines()
    handler.addFilter(RedactFilter())
    logging.getLogger("imsys").addHandler(handler)
