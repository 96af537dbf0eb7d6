"""File locks (flock): the kernel drops them at any death, so a killed process leaves none behind.

Waiting is always bounded. A lock counts only while its file is still the one at that path: a folder that was removed
and made again has other files, and a lock on the old ones protects nothing.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from imsys.postgres.errors import StartTimeout

POLL_S = 0.02


class Deadline:
    """A moment until which a wait may go on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left_s(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def pause(self, what: str, seconds: float = POLL_S) -> None:
        """Sleep a little, or raise StartTimeout saying `what` was waited for."""
        left = self.left_s()
        if not left:
            raise StartTimeout(
                f"Waited too long for {what}.",
                remedy="Look into server.log in the folder named; a crash recovery of a big database takes minutes.",
            )
        time.sleep(min(seconds, left))


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def is_current(fd: int, path: Path) -> bool:
    """Is the file behind `fd` still the one at `path`?"""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def try_flock(fd: int, *, shared: bool = False) -> bool:
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(fd: int) -> None:
    fcntl.flock(fd, fcntl.LOCK_UN)


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """A descriptor that holds the lock until it is closed, or None when somebody else holds it."""
    fd = open_lock(path)
    if try_flock(fd, shared=shared) and is_current(fd, path):
        return fd
    os.close(fd)
    return None


def wait_lock(path: Path, deadline: Deadline, *, shared: bool = False) -> int:
    """As `try_lock`, but waits. Raises: StartTimeout."""
    while (fd := try_lock(path, shared=shared)) is None:
        deadline.pause(f"the lock {path}")
    return fd


def is_held(path: Path) -> bool:
    """Does some process hold this lock exclusively?"""
    fd = try_lock(path, shared=True)
    if fd is None:
        return True
    os.close(fd)
    return False


def is_shared(path: Path) -> bool:
    """Do processes hold this lock together?"""
    fd = try_lock(path)
    if fd is not None:
        os.close(fd)
    return fd is None and not is_held(path)


@contextlib.contextmanager
def holding(path: Path, deadline: Deadline) -> Iterator[None]:
    fd = wait_lock(path, deadline)
    try:
        yield
    finally:
        os.close(fd)
