"""How the minder starts a program: in a clean environment, and so that the program does not outlive it.

The kernel's parent-death signal follows the thread that forked, not its process: call these from the main thread only.
"""

import ctypes
import os
import signal
from collections.abc import Callable

# Nothing of the caller's PG* variables, locale or libraries; TZ spares initdb a search through all time zones.
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
PR_SET_PDEATHSIG = 1


def dies_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """A preexec_fn: the child is sent `signum` when its parent dies, and starts with no signal blocked."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def in_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:  # it died before the call
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    return in_child
