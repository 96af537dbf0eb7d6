"""`imsys serve`: the database, the web and the workers in one command, kept running until told to stop."""

import os
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from imsys.cli.app import Json, command
from imsys.kit.errors import ImsysError, InputError

if TYPE_CHECKING:
    from imsys.cli.supervisor import ChildSpec

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8160
# the longest grace is under the 10 s that containers give
WEB_GRACE_S, WORKER_GRACE_S = 5.0, 7.0


def add_to(app: typer.Typer) -> None:
    @command(app, "serve", examples=["imsys serve", "imsys serve --host 0.0.0.0 --port 8160 --workers 2"])
    def serve(
        host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
        port: Annotated[
            int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
        ] = DEFAULT_PORT,
        workers: Annotated[int, typer.Option(min=0, max=64, help="Worker processes.")] = 1,
        as_json: Json = False,
        parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    ) -> None:
        """Run IMSys: migrate, then serve the web pages and keep the routers, until SIGTERM or Ctrl-C.

        Starts the embedded PostgreSQL in the data folder unless IMSYS_DATABASE_URL names a server. A child that ends is
        started again. The first signal stops everything in order, a second one at once.
        """
        if parent is not None:
            from imsys.cli.child import die_with

            die_with(parent)
        run(host=host, port=port, workers=workers, say=_speaker(as_json))


def run(*, host: str, port: int, workers: int, say: Callable[..., None]) -> None:
    from django.db import connections

    from imsys.cli.database import database
    from imsys.cli.supervisor import Supervisor

    listener = listen(host, port)
    url = address_of(listener)
    with listener, database(migrate=True, long_running=True) as opened:
        for hint in first_steps():
            say(hint)
        connections.close_all()
        supervisor = Supervisor(
            child_specs(listener.fileno(), workers),
            say=say,
            each_second=keep_database(opened.server.ensure, say) if opened.server is not None else None,
        )
        supervisor.listen_to_signals()
        say(f"IMSys is at {url}", event="listening", url=url, workers=workers)
        supervisor.run()
    say("IMSys has stopped", event="stopped")


def _speaker(as_json: bool) -> Callable[..., None]:
    from imsys.cli.output import print_json_line

    def say(text: str, *, event: str = "note", **values: object) -> None:
        if as_json:
            print_json_line({"event": event, "text": text, **values})
        else:
            print(text, flush=True)

    return say


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that the web child inherits: connections wait in it while that child restarts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"Port {port} of {host} cannot be listened on: {error.strerror}.",
            remedy="Stop what uses it, or choose another with --host and --port",
            code="AddressInUse",
        ) from error
    listener.listen(1024)
    return listener


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/"


def child_specs(listener_fd: int, workers: int) -> list["ChildSpec"]:
    from imsys.cli.supervisor import ChildSpec

    parent = str(os.getpid())
    web = [sys.executable, "-m", "imsys.cli.webserver", "--fd", str(listener_fd), "--parent", parent]
    worker = [sys.executable, "-m", "imsys", "worker", "--parent", parent]
    return [
        ChildSpec("web", web, grace_s=WEB_GRACE_S, delay_cap_s=2.0, pass_fds=(listener_fd,)),
        *(ChildSpec(f"worker {n}", worker, grace_s=WORKER_GRACE_S) for n in range(1, workers + 1)),
    ]


def keep_database(ensure: Callable[..., object], say: Callable[..., None]) -> Callable[[], None]:
    """A check that starts the embedded server again when it is gone, and speaks once per loss and once per return."""
    lost = False

    def check() -> None:
        nonlocal lost
        try:
            ensure(timeout_s=2.0)
        except (ImsysError, OSError) as error:
            if not lost:
                say(f"The database is gone and does not start yet: {error}", event="database-lost")
            lost = True
        else:
            if lost:
                say("The database is back", event="database-back")
            lost = False

    return check


def first_steps() -> list[str]:
    from imsys.accounts.models import User

    if User.objects.exists():
        return []
    return ["Nobody can log in yet. In another terminal: imsys user add NAME --role admin"]
