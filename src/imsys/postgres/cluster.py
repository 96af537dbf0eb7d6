"""One cluster on the disk: made by initdb, recognised on later starts, refused when it is of another major version."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from imsys.postgres.account import Account
from imsys.postgres.errors import NotACluster, OtherMajor, StartFailed, disk_full
from imsys.postgres.layout import MAJOR, SUPERUSER, Layout
from imsys.postgres.spawn import CLEAN_ENVIRONMENT, dies_with_parent

NEW_CLUSTER_BYTES = 70 * 2**20
NO_SPACE = "No space left on device"
HERE = "/proc/self/cwd"  # how the programs name the cluster they run in: no length, no parents to pass

# Written into a new cluster's postgresql.conf; from then on they are the operator's.
DEFAULTS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "io_method": "sync",  # the workers of the other method cost memory and bring nothing at this size
    "dynamic_shared_memory_type": "mmap",  # a container's /dev/shm is often too small
    "log_checkpoints": "off",
}


def has_cluster(layout: Layout) -> bool:
    """Is there a cluster of our major version? Raises: OtherMajor, NotACluster."""
    if not layout.data.exists():
        return False
    try:
        found = (layout.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if not any(layout.data.iterdir()):
            return False
        raise NotACluster(
            f"{layout.data} has files in it but is no PostgreSQL cluster.",
            remedy="Restore it from a backup, or move it away to begin with an empty database.",
        ) from None
    if found != str(MAJOR):
        raise OtherMajor(
            f"The cluster in {layout.data} is of PostgreSQL {found}; this IMSys brings {MAJOR}.",
            remedy=f"Dump it with the IMSys that made it and load that here, or keep using a server of version {found} "
            "through IMSYS_DATABASE_URL.",
        )
    return True


def create_cluster(layout: Layout, *, bin_dir: Path, account: Account, lock_fd: int, durable: bool) -> None:
    """Make a new cluster beside its final place and move it there when it is whole and on the disk.

    `lock_fd` is the server lock: initdb inherits it, so nobody else begins while a process of this attempt lives.
    """
    if free_bytes(layout.base) < NEW_CLUSTER_BYTES:
        raise disk_full(layout.base)
    shutil.rmtree(layout.unfinished, ignore_errors=True)
    layout.unfinished.mkdir(mode=0o700)
    account.give(layout.unfinished)
    _run_initdb(layout, bin_dir=bin_dir, account=account, lock_fd=lock_fd)
    _write_access_rules(layout.unfinished, account)
    if durable:
        _sync_file_system(layout.unfinished)
    layout.unfinished.rename(layout.data)
    _sync_folder(layout.base)


def make_run_folder(run: Path, account: Account) -> None:
    """The socket's folder; made at each start, because a cluster put back from a backup may lack it."""
    if not run.is_dir():
        run.mkdir(mode=0o700)
        account.give(run)


def free_bytes(folder: Path) -> int:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def _run_initdb(layout: Layout, *, bin_dir: Path, account: Account, lock_fd: int) -> None:
    settings = [word for name, value in DEFAULTS.items() for word in ("-c", f"{name}={value}")]
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = subprocess.run(
        [bin_dir / "initdb", "-D", HERE, "-U", SUPERUSER, "--auth=reject", "--no-sync", *locale, *settings],
        cwd=layout.unfinished,
        env=CLEAN_ENVIRONMENT,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        pass_fds=[lock_fd],
        preexec_fn=dies_with_parent(signal.SIGKILL),
        **account.spawn_arguments(),
    )
    if done.returncode == 0:
        return
    words = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
    shutil.rmtree(layout.unfinished, ignore_errors=True)
    if NO_SPACE in done.stderr or free_bytes(layout.base) < NEW_CLUSTER_BYTES // 4:
        raise disk_full(layout.base)
    reason = next((line for line in words if "error" in line or "FATAL" in line), words[-1])
    raise StartFailed(
        f"initdb could not make a cluster in {layout.base}: {reason}",
        remedy="Correct that and start again; the unfinished cluster was removed.",
    )


def _write_access_rules(data: Path, account: Account) -> None:
    """The kernel says who is at the other end of the socket: root and the server's own account, nobody else."""
    names = sorted({account.name, pwd.getpwuid(0).pw_name})
    _replace(data / "pg_hba.conf", "local all all peer map=imsys\n", account)
    _replace(data / "pg_ident.conf", "".join(f'imsys "{name}" {SUPERUSER}\n' for name in names), account)


def _replace(path: Path, text: str, account: Account) -> None:
    """Write a file of the server's account. Made anew: root follows no link that this account may have laid."""
    path.unlink()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
    account.give(path)


def _sync_file_system(folder: Path) -> None:
    """Put all of the file system that holds `folder` on the disk: far quicker than a thousand files one by one."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(fd):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(fd)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
