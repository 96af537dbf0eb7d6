"""What the tests of the embedded server share: quick servers, other processes that use them, waiting for a state."""

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from imsys.postgres import EmbeddedPostgres, binaries
from imsys.postgres.account import PREFERRED, Account
from imsys.postgres.layout import Layout
from imsys.postgres.locks import is_held
from imsys.postgres.server import serves

HASTY = {"fsync": "off", "shared_buffers": "16MB", "autovacuum": "off"}
SOURCE = Path(binaries.__file__).parents[2]
LINGER_S = 0.3


def wait_until(holds: Callable[[], object], *, within_s: float = 15.0) -> None:
    """Return as soon as `holds()` is true, which must be within the bound."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, f"not so within {within_s} s"
        time.sleep(0.01)


def quick(folder: Path, **more: object) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, **{"linger_s": LINGER_S, "settings": HASTY, **more})  # type: ignore[arg-type]


def query(pg: EmbeddedPostgres, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(pg.dsn("postgres"), autocommit=True) as connection:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []


def server_pid(layout: Layout) -> int:
    """The process id of the postmaster."""
    return int((layout.data / "postmaster.pid").read_text().splitlines()[0])


def minder_pid(layout: Layout) -> int:
    return int(layout.minder_pid.read_text())


def has_ended(pid: int) -> bool:
    """Is the process gone, or dead and only not yet collected?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def is_over(layout: Layout) -> bool:
    """Is neither a minder nor any process of a server left?"""
    return not is_held(layout.minder_lock) and not is_held(layout.server_lock)


def start_python(code: str, *arguments: object, python: str = sys.executable, **more: object) -> subprocess.Popen[str]:
    """A process that runs `code` with the same packages as we do; its output comes back as text."""
    head = f"import sys; sys.path += [{str(SOURCE)!r}, {str(binaries.find_site())!r}]\n"
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": "/"}
    argv = [python, "-c", head + code, *map(str, arguments)]
    process: subprocess.Popen[str] = subprocess.Popen(argv, text=True, **{**streams, **more})  # type: ignore[call-overload]
    return process


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was about to end by itself
        os.kill(pid, signal.SIGKILL)


def ordinary_account() -> Account:
    """An account other than root: our own, or one that root may lend."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    pytest.skip("this machine has no account for a server")


def python_of(account: Account) -> str:
    """A Python that the account can run with our packages; root's own is often closed to others."""
    for python in (sys.executable, "/usr/bin/python3"):
        if can_run(python, account):
            return python
    pytest.skip(f"account {account.name} can reach no Python 3.11 together with these packages")


def can_run(python: str, account: Account) -> bool:
    code = "import imsys.postgres.binaries as b; b.find_site(); assert sys.version_info >= (3, 11)"
    try:
        process = start_python(code, python=python, **account.spawn_arguments())
    except OSError:
        return False
    process.communicate()
    return process.returncode == 0


def leftovers(layout: Layout) -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and serves(name, layout.data)]
