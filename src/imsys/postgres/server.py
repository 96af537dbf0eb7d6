"""The server's processes: start them, tell whether they are ready, stop them, end what a dead one left behind.

postmaster.pid names a process id, and an id alone proves nothing: it may be reused, by another program or even by
another cluster's server. So a process counts as ours only when it is called postgres and works in our data folder.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from imsys.postgres.account import Account
from imsys.postgres.cluster import HERE, NO_SPACE
from imsys.postgres.errors import OtherServer, PostgresError, StartFailed, disk_full
from imsys.postgres.layout import PORT, SOCKET, Layout
from imsys.postgres.locks import try_lock
from imsys.postgres.spawn import CLEAN_ENVIRONMENT, dies_with_parent

STATUS_LINE = 7  # of postmaster.pid, counted from 0
POLL_S = 0.05
ORDERLY_S = 10.0  # for an earlier server to write its last checkpoint
ROUGH_S = 5.0  # for each harder way to end it

# What the rest of IMSys relies on; the command line wins over postgresql.conf.
FIXED = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_directories": f"{HERE}/run",
    "logging_collector": "off",
}


def serves(pid: int | str, data: Path) -> bool:
    try:
        if Path(f"/proc/{pid}/comm").read_text().rstrip("\n") not in ("postgres", "initdb"):
            return False
        return os.path.samefile(f"/proc/{pid}/cwd", data)
    except OSError:
        return False


def is_ready(layout: Layout) -> bool:
    """Does the server accept connections? A moment later it may not: a failed connect is the only proof."""
    try:
        lines = (layout.data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return [line.strip() for line in lines[STATUS_LINE:]] == ["ready"] and serves(lines[0], layout.data)


def start_server(
    layout: Layout, *, bin_dir: Path, account: Account, lock_fd: int, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the postmaster; `lock_fd`, the server lock, lives on in it and in every process that it forks."""
    chosen = [word for name, value in {**settings, **FIXED}.items() for word in ("-c", f"{name}={value}")]
    return subprocess.Popen(
        [bin_dir / "postgres", "-D", HERE, *chosen],
        cwd=layout.data,
        env=CLEAN_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=2,
        stderr=2,
        start_new_session=True,
        pass_fds=[lock_fd],
        preexec_fn=dies_with_parent(signal.SIGINT),
        **account.spawn_arguments(),
    )


def stop_server(server: subprocess.Popen[bytes], *, folder_is_gone: bool) -> None:
    """Stop the postmaster. Without its folder it cannot write a last checkpoint, so it is not asked for one."""
    signals = [(signal.SIGQUIT, 5.0)] if folder_is_gone else [(signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0)]
    for signum, patience_s in [*signals, (signal.SIGKILL, 10.0)]:
        server.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience_s)
            return


def take_server_lock(layout: Layout) -> int:
    """The server lock, once no process of an earlier server is left; their stale files are removed.

    Raises: OtherServer, when somebody else's server runs on this cluster or an earlier one cannot be ended.
    """
    fd = try_lock(layout.server_lock)
    if fd is None:
        fd = _end_leftovers(layout)
    elif strangers := _processes_of(layout):
        os.close(fd)
        raise OtherServer(
            f"Another PostgreSQL (process {strangers[0]}) runs on the cluster in {layout.data}.",
            remedy="Stop it, then start again; two servers on one cluster would destroy it.",
        )
    for stale in (layout.data / "postmaster.pid", layout.run / SOCKET, layout.run / f"{SOCKET}.lock"):
        stale.unlink(missing_ok=True)  # postmaster.pid may name a process of today; PostgreSQL would refuse to start
    return fd


def _end_leftovers(layout: Layout) -> int:
    """End an earlier server, whose minder is dead, and return the server lock.

    Only a postmaster is asked for an orderly end: processes that have lost theirs would take the signal otherwise.
    """
    postmaster = _postmaster_of(layout)
    steps = [(signal.SIGINT, ORDERLY_S)] if postmaster else []
    for signum, patience_s in [*steps, (signal.SIGQUIT, ROUGH_S), (signal.SIGKILL, ROUGH_S)]:
        for pid in postmaster if signum == signal.SIGINT else _processes_of(layout):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        fd = _server_lock_within(layout, patience_s)
        if fd is not None:
            return fd
    raise OtherServer(
        f"Processes of an earlier server still use the cluster in {layout.data} and cannot be ended.",
        remedy=f"Find them with: fuser {layout.server_lock}; end them, then start again.",
    )


def _server_lock_within(layout: Layout, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    while (fd := try_lock(layout.server_lock)) is None and time.monotonic() < end:
        time.sleep(POLL_S)
    return fd


def _postmaster_of(layout: Layout) -> list[int]:
    """The living postmaster of the cluster, or nothing."""
    try:
        pid = (layout.data / "postmaster.pid").read_text().partition("\n")[0].strip()
    except OSError:
        return []
    return [int(pid)] if serves(pid, layout.data) else []


def _processes_of(layout: Layout) -> list[int]:
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if serves(pid, layout.data) or serves(pid, layout.unfinished)]


def why_it_ended(layout: Layout, status: int, log_from: int) -> PostgresError:
    """What the server's own words in the log, from byte `log_from` on, say about its end."""
    try:
        with layout.log.open("rb") as log:
            log.seek(log_from)
            lines = log.read(2**20).decode(errors="replace").splitlines()
        free = os.statvfs(layout.base).f_bavail
    except OSError:
        lines, free = [], 1
    if free == 0 or any(NO_SPACE in line for line in lines):
        return disk_full(layout.base)
    grave = [line for line in lines if "FATAL:" in line or "PANIC:" in line] or lines[-1:]
    words = grave[-1].split("FATAL:")[-1].split("PANIC:")[-1].strip() if grave else f"exit status {status}"
    return StartFailed(f"PostgreSQL did not start: {words}.", remedy=f"Its log says more: {layout.log}.")
