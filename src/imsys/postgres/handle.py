"""EmbeddedPostgres: one process's use of the server of one data folder."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from imsys.postgres import layout as _layout
from imsys.postgres.alias import lay_alias
from imsys.postgres.binaries import find_site
from imsys.postgres.errors import (
    FolderVanished,
    StartFailed,
    folder_error,
    from_words,
    require_linux,
)
from imsys.postgres.locks import Deadline, holding, is_current, is_held, is_shared, try_lock, wait_lock
from imsys.postgres.server import is_ready

# The minder needs nothing of the environment that IMSys runs in, so it starts without site-packages (-S) and without
# PYTHON* variables (-I); only the folder that holds this package is added, behind the standard library.
BOOT = "import sys; sys.path.append(sys.argv[1]); from imsys.postgres.minder import main; main(sys.argv[2])"
PACKAGE_FOLDER = Path(__file__).resolve().parents[2]


class EmbeddedPostgres:
    """The PostgreSQL server of a data folder, shared by all processes that use it.

    As a context manager, or `ensure()` and `close()`. Any number of processes may do so; the first starts the server,
    and it stops `linger_s` seconds after the last is gone, however that ended. `account` matters to root only: who
    runs the server of a new cluster. `settings` are server settings of the start that this process happens to do.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        account: str | None = None,
        linger_s: float = 10.0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(os.path.abspath(folder))
        self._layout = _layout.layout_of(folder)
        self._account = account
        self._linger_s = linger_s
        self._settings = dict(settings or {})
        self._use_fd: int | None = None
        self._one_thread = threading.Lock()  # at a time begins or ends the use

    def __repr__(self) -> str:
        return f"EmbeddedPostgres({str(self.folder)!r})"

    @property
    def socket_dir(self) -> Path:
        return _layout.socket_dir(self.folder)

    @property
    def log(self) -> Path:
        """The server's log; for people."""
        return self._layout.log

    def params(self, dbname: str = "imsys") -> dict[str, str]:
        """libpq's connection parameters for one of the databases."""
        return _layout.connection_params(self.folder, dbname)

    def dsn(self, dbname: str = "imsys") -> str:
        """The same as a libpq connection string."""
        return _layout.conninfo(self.folder, dbname)

    def __enter__(self) -> Self:
        return self.ensure()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ensure(self, timeout_s: float = 60.0) -> Self:
        """Return when the server is ready, started or started again if need be.

        Cheap when it runs (well under a millisecond), so: after every failed connect, and now and then in a
        supervisor. The first successful call makes this process a user of the server until `close()`.
        Raises: PostgresError. Blocks: in async code call it in a thread.
        """
        was_user = self._use_fd is not None
        deadline = Deadline(timeout_s)
        try:
            self._begin_use(deadline)
            self._reach_ready(deadline)
            lay_alias(self._layout)
        except OSError as error:
            self._end_use(unless=was_user)
            raise folder_error(error, self._layout.base) from error
        except BaseException:
            self._end_use(unless=was_user)
            raise
        return self

    def close(self, *, wait: bool = False, timeout_s: float = 60.0) -> None:
        """Use the server no longer. With `wait`: no linger; return when it is down, or runs on for somebody else."""
        if self._use_fd is None:
            return
        self._end_use()
        if wait:
            self._wait_for_end(Deadline(timeout_s))

    def _begin_use(self, deadline: Deadline) -> None:
        require_linux()
        with self._one_thread:
            if self._use_fd is None:
                self._layout.base.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._use_fd = wait_lock(self._layout.use_lock, deadline, shared=True)
            elif not is_current(self._use_fd, self._layout.use_lock):
                raise FolderVanished(
                    f"The folder {self._layout.base} was removed or replaced while it was in use.",
                    remedy="Put it back from a backup, then restart IMSys.",
                )

    def _end_use(self, *, unless: bool = False) -> None:
        with self._one_thread:
            if self._use_fd is not None and not unless:
                os.close(self._use_fd)
                self._use_fd = None

    def _reach_ready(self, deadline: Deadline) -> None:
        while not self._is_up():
            with holding(self._layout.start_lock, deadline):
                if self._is_up():
                    return
                minder_fd = try_lock(self._layout.minder_lock)
                if minder_fd is not None:
                    self._start_minder(minder_fd, deadline)
                    return
            deadline.pause(f"the PostgreSQL server in {self._layout.base}")  # its minder is at work on it

    def _is_up(self) -> bool:
        return is_ready(self._layout) and is_held(self._layout.minder_lock)

    def _start_minder(self, minder_fd: int, deadline: Deadline) -> None:
        """Start a minder that inherits its lock, so that there is no moment without one; wait for its answer."""
        try:
            order = {
                "base": str(self._layout.base),
                "site": str(find_site()),
                "account": self._account,
                "linger_s": self._linger_s,
                "settings": self._settings,
                "minder_fd": minder_fd,
            }
            with open(self._layout.log, "ab", opener=_open_private) as log:
                starter = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", BOOT, PACKAGE_FOLDER, json.dumps(order)],
                    cwd="/",
                    env={"PATH": os.defpath},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    pass_fds=[minder_fd],
                    start_new_session=True,
                )
        finally:
            os.close(minder_fd)
        with starter:
            self._hear_answer(starter, deadline)

    def _hear_answer(self, starter: subprocess.Popen[bytes], deadline: Deadline) -> None:
        assert starter.stdout is not None
        while not select.select([starter.stdout], [], [], min(1.0, deadline.left_s()))[0]:
            deadline.pause(f"the start of PostgreSQL in {self._layout.base}", seconds=0)
        answer = starter.stdout.read()
        if not answer:
            raise StartFailed(
                "The process that minds PostgreSQL ended before it could say why.",
                remedy=f"Start again; if it happens again, its log says more: {self._layout.log}.",
            )
        words: dict[str, str] = json.loads(answer)
        if words:
            raise from_words(words)

    def _wait_for_end(self, deadline: Deadline) -> None:
        """Ask the minder not to linger, until it is gone or somebody else uses the server."""
        layout, seen_in_use = self._layout, 0
        try:
            while is_held(layout.minder_lock):
                # The minder's own look at the use lock takes a moment; three in a row are a user.
                seen_in_use = seen_in_use + 1 if is_shared(layout.use_lock) else 0
                if seen_in_use == 3:
                    return
                if not seen_in_use:
                    _ask_to_hurry(int(layout.minder_pid.read_text()))
                deadline.pause(f"the end of the PostgreSQL server in {layout.base}")
        except FileNotFoundError:
            return  # the folder was removed; the minder ends by itself


def _ask_to_hurry(pid: int) -> None:
    try:
        if b"imsys.postgres.minder" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return  # it has just ended


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
