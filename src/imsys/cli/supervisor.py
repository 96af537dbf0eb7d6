"""Keeps child processes running, whatever they exit with, until told to stop. Knows nothing of what they do.

One thread: signals only set flags, a loop looks ten times a second. A stop sends SIGTERM to every child at once, kills
one that takes longer than its grace, and kills the rest on a second signal. A killed supervisor takes its children with
it: see `imsys.cli.child`.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from types import FrameType

from imsys.kit.backoff import delay_s

TICK_S = 0.1
CALM_S = 30.0  # a child that ran this long starts again without a delay
FIRST_DELAY_S = 0.2
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """`grace_s` is the time from SIGTERM to SIGKILL; `delay_cap_s` bounds the wait before it is started again."""

    name: str
    argv: Sequence[str]
    grace_s: float
    delay_cap_s: float = 10.0
    pass_fds: tuple[int, ...] = ()


class Child:
    """One child: running, or waiting for the moment to start again."""

    def __init__(self, spec: ChildSpec, say: Say) -> None:
        self.spec = spec
        self._say = say
        self.process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._started_at = 0.0
        self._start_at = 0.0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tick(self, now: float) -> None:
        """Start it when it is due; notice that it ended. Main thread only."""
        if self.process is not None and self.process.poll() is not None:
            self._note_end(self.process.returncode, now)
        if self.process is None and now >= self._start_at:
            # a session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops them in order
            self.process = subprocess.Popen(self.spec.argv, start_new_session=True, pass_fds=self.spec.pass_fds)
            self._started_at = now

    def _note_end(self, status: int, now: float) -> None:
        self._failures = 0 if now - self._started_at > CALM_S else self._failures + 1
        wait_s = delay_s(self._failures, first_s=FIRST_DELAY_S, cap_s=self.spec.delay_cap_s)
        self._say(f"{self.spec.name} ended with {describe_status(status)}; starting it again in {wait_s:.1f} s")
        self.process, self._start_at = None, now + wait_s

    def terminate(self) -> None:
        if self.is_running and self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        if self.is_running and self.process is not None:
            self._say(f"{self.spec.name} did not end in time and was killed")
            os.killpg(self.process.pid, signal.SIGKILL)  # not reaped yet, so the group is still its own
            self.process.wait()


class Supervisor:
    def __init__(self, specs: Sequence[ChildSpec], *, say: Say, each_second: Callable[[], None] | None = None) -> None:
        self.children = [Child(spec, say) for spec in specs]
        self._say = say
        self._each_second = each_second
        self._stop, self._kill = Event(), Event()

    def listen_to_signals(self) -> None:
        for number in STOPPING:
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        (self._kill if self._stop.is_set() else self._stop).set()

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    def run(self) -> None:
        """Until the first of the stopping signals; every child has ended when this returns."""
        try:
            looked_at = 0.0
            while not self._stop.is_set():
                now = time.monotonic()
                if self._each_second is not None and now - looked_at >= 1.0:
                    looked_at = now
                    self._each_second()
                for child in self.children:
                    child.tick(now)
                self._stop.wait(TICK_S)
        finally:
            self._stop_children()

    def _stop_children(self) -> None:
        begun = time.monotonic()
        for child in self.children:
            child.terminate()
        while running := [child for child in self.children if child.is_running]:
            for child in running:
                if self._kill.is_set() or time.monotonic() - begun > child.spec.grace_s:
                    child.kill()
            self._kill.wait(0.02)


def describe_status(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
