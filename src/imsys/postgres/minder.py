"""The minder: the one parent of the server of one folder.

It makes the cluster if there is none, starts the server, starts it again after a crash, and stops it when nobody uses
it or its folder is gone. It belongs to no user: whichever process needs the server first starts it, as a daemon with
the standard library only. Single-threaded on purpose (see spawn.py), so it looks around instead of waiting for locks.

When it is killed, the kernel asks the server to stop; the next `ensure()` of a user starts another minder.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from imsys.postgres.account import Account, choose_account
from imsys.postgres.alias import remove_alias
from imsys.postgres.binaries import usable_programs
from imsys.postgres.cluster import create_cluster, has_cluster, make_run_folder
from imsys.postgres.errors import PostgresError, folder_error, to_words
from imsys.postgres.layout import Layout
from imsys.postgres.locks import is_current, open_lock, try_flock, unlock
from imsys.postgres.server import is_ready, start_server, stop_server, take_server_lock, why_it_ended

FIRST_LOOKS_S = 0.01  # between looks until the server is ready
LOOK_S = 0.25  # and afterwards
LOG_CAP_BYTES = 16 * 2**20
CRASHES_IN_A_ROW = 5
LIVED_S = 30.0  # a server that lived this long did not crash in a row
SIGNALS = (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP)

End = Literal["exited", "unused", "vanished"]


@dataclass(frozen=True, slots=True)
class Order:
    """What the process that starts a minder tells it; `minder_fd` is the minder lock, already held."""

    base: str
    site: str
    account: str | None
    linger_s: float
    settings: dict[str, str]
    minder_fd: int


class Minder:
    def __init__(self, order: Order) -> None:
        self.layout = Layout(Path(order.base))
        self.order = order
        self.use_fd = open_lock(self.layout.use_lock)
        self.unused_since: float | None = None
        self.in_a_hurry = False
        self.has_told = False

    def run(self) -> None:
        self.layout.minder_pid.write_text(f"{os.getpid()}\n")
        account = choose_account(self.order.account, self.layout.data)
        bin_dir = usable_programs(Path(self.order.site), self.layout, account)
        crashes = 0
        while True:
            began, log_from = time.monotonic(), os.fstat(2).st_size
            server = self._start(bin_dir, account)
            if self._serve(server) != "exited":
                remove_alias(self.layout)
                return
            crashes = 1 if time.monotonic() - began > LIVED_S else crashes + 1
            refuses = not self.has_told and server.returncode > 0
            if refuses or crashes == CRASHES_IN_A_ROW:
                raise why_it_ended(self.layout, server.returncode, log_from)
            self._look_after(0.1 * crashes)

    def _serve(self, server: subprocess.Popen[bytes]) -> End:
        """Mind this server until it ends or is no longer wanted; then it is down."""
        try:
            end = self._watch(server)
        except BaseException:
            stop_server(server, folder_is_gone=False)
            raise
        if end != "exited":
            stop_server(server, folder_is_gone=end == "vanished")
        return end

    def _start(self, bin_dir: Path, account: Account) -> subprocess.Popen[bytes]:
        is_first = not has_cluster(self.layout)
        lock_fd = take_server_lock(self.layout)
        try:
            if is_first:
                durable = self.order.settings.get("fsync") != "off"
                create_cluster(self.layout, bin_dir=bin_dir, account=account, lock_fd=lock_fd, durable=durable)
            make_run_folder(self.layout.run, account)
            return start_server(
                self.layout, bin_dir=bin_dir, account=account, lock_fd=lock_fd, settings=self.order.settings
            )
        finally:
            os.close(lock_fd)  # the server has it now; when it and all its processes are gone, it is free

    def _watch(self, server: subprocess.Popen[bytes]) -> End:
        while server.poll() is None:
            if not is_current(self.use_fd, self.layout.use_lock) or not self.layout.data.exists():
                return "vanished"
            if self._is_unused():
                return "unused"
            if not self.has_told and is_ready(self.layout):
                self._tell({})
            self._bound_log()
            self._look_after(LOOK_S if self.has_told else FIRST_LOOKS_S)
        return "exited"

    def _look_after(self, seconds: float) -> None:
        """Wait, unless a signal comes: a child ended, or somebody asks us not to linger."""
        got = signal.sigtimedwait(SIGNALS, seconds)
        if got is not None and got.si_signo == signal.SIGTERM:
            self.in_a_hurry = True

    def _is_unused(self) -> bool:
        """Has nobody used the server for the linger? When so, the exclusive use lock stays with us to the end."""
        hurry, self.in_a_hurry = self.in_a_hurry, False
        if not try_flock(self.use_fd):
            self.unused_since = None
            return False
        now = time.monotonic()
        self.unused_since = self.unused_since or now
        if hurry or now - self.unused_since >= self.order.linger_s:
            return True
        unlock(self.use_fd)
        return False

    def _bound_log(self) -> None:
        """Move a log that has grown to the cap aside; everybody appends, so it can be cut under them."""
        if os.fstat(2).st_size < LOG_CAP_BYTES:
            return
        previous = self.layout.log.with_suffix(".log.1")
        with contextlib.suppress(OSError):  # a full disk: cutting the log is what helps
            previous.write_bytes(self.layout.log.read_bytes())
        os.truncate(2, 0)

    def _tell(self, words: dict[str, str]) -> None:
        """Answer the process that started us: no words when the server is ready, else an error's."""
        if self.has_told:
            return
        self.has_told = True
        with contextlib.suppress(BrokenPipeError):  # it was killed, or has stopped waiting
            os.write(1, json.dumps(words).encode())
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)

    def tell_failure(self, error: PostgresError) -> None:
        self._tell(to_words(error))


def main(text: str) -> None:
    if os.fork():  # nobody's child: the starter need not wait for it, and it outlives the starter
        os._exit(0)
    os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    fields: dict[str, Any] = json.loads(text)
    minder = Minder(Order(**fields))
    try:
        minder.run()
    except PostgresError as error:
        minder.tell_failure(error)
        sys.exit(f"imsys: {error}")
    except OSError as error:
        told = folder_error(error, minder.layout.base)
        minder.tell_failure(told)
        sys.exit(f"imsys: {told}")
