"""What benches play on: an installation with a PostgreSQL that waits for the disk, routers and a worker.

Routers and worker are processes of their own, as in real life, so that each one's processor time can be told apart.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

ACTOR = "bench"
PACKAGE = "home"
IMPORTED_AT_ONCE = 50_000
START_S = 120.0


@contextmanager
def installation() -> Iterator[Path]:
    """IMSys in a folder of its own, on an embedded server that waits for the disk as in real life, migrated."""
    with tempfile.TemporaryDirectory(prefix="imsys-bench-") as name:
        folder = Path(name)
        os.environ |= {
            "IMSYS_DATA_DIR": name,
            "DJANGO_SETTINGS_MODULE": "imsys.conf.settings",
            "IMSYS_LOG_LEVEL": "ERROR",
        }
        os.environ.pop("IMSYS_DATABASE_URL", None)
        folder.chmod(0o755)  # the server may run as another account
        import django
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connections

        from imsys.postgres import EmbeddedPostgres, ensure_database

        django.setup()
        with EmbeddedPostgres(folder, account=settings.PG_ACCOUNT) as server:
            ensure_database(server, "imsys")
            call_command("migrate", verbosity=0)
            yield folder
            connections.close_all()
            server.close(wait=True)


@contextmanager
def process(*arguments: str, output: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """`imsys ARGUMENTS` in a process of its own, told to end after the block. It must not have ended before."""
    running = subprocess.Popen([sys.executable, "-m", "imsys", *arguments], stdout=output, text=True)
    try:
        yield running
        assert running.poll() is None, f"imsys {arguments[0]} ended with {running.returncode}"
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        if running.stdout is not None:
            running.stdout.close()


@dataclass(frozen=True, slots=True)
class Simulated:
    """Routers in a process of their own. `ports` by name."""

    pid: int
    ports: dict[str, int]
    control_port: int

    def ask(self, do: str, **more: Any) -> Any:
        """Ask the control port; see docs/reference/simulator.md."""
        with (
            socket.create_connection(("127.0.0.1", self.control_port)) as connection,
            connection.makefile("rw") as file,
        ):
            file.write(json.dumps({"do": do, **more}) + "\n")
            file.flush()
            answer = json.loads(file.readline())
        assert answer["ok"], answer
        return answer["result"]

    def counters(self) -> dict[str, int]:
        """The sums over all routers."""
        each = self.ask("counters").values()
        names = ("total_commands", "writes", "logins", "rows", "bytes_out")
        return {name: sum(counters[name] for counters in each) for name in names}


@contextmanager
def simulated(*, routers: int, subscribers: int, latency_ms: float = 0.0) -> Iterator[Simulated]:
    """So many routers, each with so many secrets. Up to 50,000 of their subscribers are online and redial."""
    options = {"routers": routers, "subscribers": subscribers, "latency-ms": latency_ms, "base-port": 0}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with process("simulate", *words, "--control-port", "0", "--json", output=subprocess.PIPE) as running:
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        yield Simulated(running.pid, told["routers"], told["control_port"])


@contextmanager
def worker() -> Iterator[int]:
    """`imsys worker`, as it comes; its process id."""
    with process("worker") as running:
        yield running.pid


def load(sim: Simulated, *, subscribers: int) -> None:
    """The routers and subscribers of `sim` as intent, with all that is on the routers already."""
    from imsys.subscribers import services

    add_routers(sim)
    services.add_package(name=PACKAGE, profile="default", price=20, actor=ACTOR)
    lines = [
        f"{router}-u{n:05d},secret-{n},{router},{PACKAGE}" for router in sim.ports for n in range(1, subscribers + 1)
    ]
    import_lines("username,password,router,package", lines)


def add_routers(sim: Simulated, **options: Any) -> None:
    from imsys.network.services import add_router

    login = {"username": "admin", "password": "", "mode": "enforce", "actor": ACTOR}
    for name, port in sim.ports.items():
        add_router(name=name, host="127.0.0.1", port=port, **login, **options)  # type: ignore[arg-type]


def import_lines(head: str, lines: Sequence[str]) -> None:
    from imsys.subscribers import services

    for start in range(0, len(lines), IMPORTED_AT_ONCE):
        part = "\n".join([head, *lines[start : start + IMPORTED_AT_ONCE], ""])
        report = services.import_rows(part.encode(), actor=ACTOR)
        assert not report.errors, report.errors[:3]
    with database() as look:
        look.execute("analyze")


class Database:
    """One connection that looks at levels, cheaply."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.execute = connection.execute

    def value(self, query: str) -> Any:
        row = self.execute(query).fetchone()
        assert row is not None
        return row[0]

    def are_synced(self) -> bool:
        # The least by an index on what is not synced; to ask for any would read the table to find the last.
        return self.value("select min(router_id) from subscribers_syncstate where sync_status <> 'synced'") is None

    def are_resynced(self) -> bool:
        """Has every router been read whole, and answered what was asked?"""
        missing = "select 1 from network_routerstate where last_resync_at is null or resync_asked_at is not null"
        return not self.value(f"select exists ({missing})")

    def until(self, holds: Callable[[], bool], *, timeout_s: float = START_S, every_s: float = 0.005) -> None:
        end = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < end, f"not within {timeout_s:.0f} s: {self.story()}"
            time.sleep(every_s)

    def story(self) -> list[Any]:
        states = self.execute("select sync_status, error_code, count(*) from subscribers_syncstate group by 1, 2")
        conditions = self.execute("select condition, count(*) from network_routerstate group by 1")
        return [*states.fetchall(), *conditions.fetchall()]

    def cpu_s(self) -> float:
        """Processor seconds of the whole server so far, of processes that have ended too."""
        backend = self.value("select pg_backend_pid()")
        postmaster = int(_stat(backend)[1])
        total = sum(map(int, _stat(postmaster)[11:15]))
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = _stat(int(folder.name))
                if int(fields[1]) == postmaster:
                    total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on, the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextmanager
def database() -> Iterator[Database]:
    from imsys.conf.database import dsn

    with psycopg.connect(dsn(), autocommit=True) as connection:
        yield Database(connection)


def fine_cpu_s(pid: int) -> float:
    """Processor seconds of a process's living threads, to the nanosecond where `measure.cpu_s` knows hundredths."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9
