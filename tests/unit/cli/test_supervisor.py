"""Children are kept running, and end with their supervisor, however that ends. Real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imsys.cli.supervisor import describe_status

SUPERVISOR = """
import sys
from imsys.cli.supervisor import ChildSpec, Supervisor
folder, child, grace_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
def say(text):
    with open(f"{folder}/said", "a") as file:
        file.write(text + "\\n")
supervisor = Supervisor(
    [ChildSpec(name, [sys.executable, "-c", child, folder, name], grace_s=grace_s) for name in ("a", "b")], say=say
)
supervisor.listen_to_signals()
supervisor.run()
say("done")
"""

# Each child writes its process id under its name, then waits.
OBEDIENT = """
import os, pathlib, signal, sys
from imsys.cli.child import die_with
die_with(os.getppid())
folder, name = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
path = pathlib.Path(folder, f"{name}.pid")
path.with_suffix(".new").write_text(str(os.getpid()))
path.with_suffix(".new").rename(path)
signal.pause()
"""
STUBBORN = OBEDIENT.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN") + "\nwhile True: signal.pause()\n"


def wait_until(holds: Callable[[], object], *, within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Running:
    """A supervisor with two children, and what it said."""

    def __init__(self, folder: Path, child: str, grace_s: float) -> None:
        self.folder = folder
        self.process = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(folder), child, str(grace_s)])

    def pid_of(self, name: str) -> int:
        try:
            return int((self.folder / f"{name}.pid").read_text())
        except OSError:
            return 0

    def start(self) -> "Running":
        wait_until(lambda: self.pid_of("a") and self.pid_of("b"))
        return self

    @property
    def children(self) -> list[int]:
        return [self.pid_of("a"), self.pid_of("b")]

    @property
    def said(self) -> str:
        path = self.folder / "said"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(child: str = OBEDIENT, *, grace_s: float = 5.0) -> Running:
        started.append(Running(tmp_path, child, grace_s))
        return started[-1].start()

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_a_stop_ends_every_child_and_then_the_supervisor(running: Callable[..., Running]) -> None:
    it = running()
    it.process.terminate()
    assert it.process.wait(10) == 0
    assert not any(is_alive(pid) for pid in it.children)
    assert it.said == "done\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_ends_is_started_again(running: Callable[..., Running], number: signal.Signals) -> None:
    """SIGTERM makes it exit with 0: that is no reason to stay away either."""
    it = running()
    first, other = it.children
    os.kill(first, number)
    wait_until(lambda: it.pid_of("a") not in (0, first) and is_alive(it.pid_of("a")))
    assert it.pid_of("b") == other
    assert "a ended with " in it.said


def test_children_of_a_killed_supervisor_end(running: Callable[..., Running]) -> None:
    it = running()
    it.process.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in it.children), within_s=5.0)


def test_a_child_that_does_not_stop_is_killed_after_its_grace(running: Callable[..., Running]) -> None:
    it = running(STUBBORN, grace_s=0.3)
    it.process.terminate()
    assert it.process.wait(10) == 0
    assert not any(is_alive(pid) for pid in it.children)
    assert "a did not end in time and was killed" in it.said


def test_a_second_signal_kills_at_once(running: Callable[..., Running]) -> None:
    it = running(STUBBORN, grace_s=60.0)
    it.process.terminate()
    while it.process.poll() is None:  # a signal that comes before the first was seen would merge with it
        it.process.terminate()
        time.sleep(0.05)
    assert it.process.returncode in (0, -signal.SIGTERM)  # one more may meet it on its way out
    assert not any(is_alive(pid) for pid in it.children)


def test_what_a_status_means() -> None:
    assert describe_status(3) == "status 3"
    assert describe_status(-9) == "signal SIGKILL"
    assert describe_status(-250) == "signal 250"
