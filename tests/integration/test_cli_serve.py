"""`imsys serve` as people run it: a process of its own, its children, signals, and a database of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from imsys.postgres import conninfo

pytestmark = pytest.mark.timeout(60)


def wait_until(holds: Callable[[], Any], *, within_s: float = 15.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def commands() -> dict[int, str]:
    """Every process by id, with its command line."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue
    return found


class Served:
    """A running `imsys serve` with its data folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("IMSYS_", "DJANGO_"))}
        self.env = {**inherited, "IMSYS_DATA_DIR": str(folder / "data")}
        self.log = folder / "log"
        self.start(*options)

    def start(self, *options: str) -> None:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "imsys", "serve", "--port", "0", "--json", *options],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.env,
                text=True,
            )
        self.url = self._listening()

    def _listening(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if said["event"] == "listening":
                return str(said["url"])
        raise AssertionError(self.log.read_text())

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")
        except OSError:
            return 0, None

    def children(self, what: str) -> list[int]:
        mine = f"--parent {self.process.pid} "
        return [pid for pid, command in commands().items() if what in command and mine in command + " "]

    def imsys(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "imsys", *arguments], env=self.env, capture_output=True, text=True, check=True
        )

    def ask(self, query: str) -> Any:
        """The one value that the database answers, None while it does not."""
        try:
            with psycopg.connect(conninfo(self.folder / "data", "imsys"), connect_timeout=5) as connection:
                return connection.execute(query).fetchone()[0]  # type: ignore[index]
        except psycopg.OperationalError:
            return None

    def postmaster(self) -> int:
        """Its process id; 0 while there is none."""
        try:
            return int((self.folder / "data/postgres/data/postmaster.pid").read_text().splitlines()[0])
        except (OSError, IndexError, ValueError):
            return 0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for the tests that leave it running."""
    yield from serving(tmp_path_factory.mktemp("serve"), "--workers", "1")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    """One to be ended."""
    yield from serving(tmp_path, "--workers", "1")


def serving(folder: Path, *options: str) -> Iterator[Served]:
    folder.chmod(0o755)
    for parent in list(folder.parents)[:2]:  # PostgreSQL may run under another account, which has to get there
        parent.chmod(0o755)
    it = Served(folder, *options)
    yield it
    assert it.process.stdout is not None
    it.process.terminate()
    it.process.wait(20)
    it.process.stdout.close()


def test_it_answers_and_becomes_ready(served: Served) -> None:
    assert served.get("healthz") == (200, {"web": "ok"})
    assert wait_until(lambda: served.get("readyz")[0] == 200)
    assert served.get("readyz")[1] == {"ready": True, "web": "ok", "database": "ok", "worker": "ok"}


def test_pages_and_their_assets_come_through(served: Served) -> None:
    with urllib.request.urlopen(served.url, timeout=10) as answer:
        assert answer.url == served.url + "login?next=/"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        html = answer.read().decode()
    with urllib.request.urlopen(served.url + "static/web/tokens.css", timeout=10) as answer:
        assert b"@layer tokens" in answer.read()
    assert "tokens.css" in html


@pytest.mark.parametrize("what", ["imsys worker", "imsys.cli.webserver"])
def test_a_killed_child_is_started_again(served: Served, what: str) -> None:
    (first,) = wait_until(lambda: served.children(what))
    os.kill(first, signal.SIGKILL)
    (second,) = wait_until(lambda: [pid for pid in served.children(what) if pid != first])
    assert second != first
    assert wait_until(lambda: served.get("readyz")[0] == 200)


def test_it_outlives_its_database(served: Served) -> None:
    """The postmaster is killed: web and worker come back within seconds of it, and nothing exits."""
    wait_until(lambda: served.get("readyz")[0] == 200)
    children = {what: served.children(what) for what in ("imsys worker", "imsys.cli.webserver")}
    first = served.postmaster()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: served.postmaster() not in (0, first))
    came_back = wait_until(lambda: served.ask("select now()"))
    wait_until(lambda: served.ask("select max(seen_at) from fleet_worker") > came_back)
    wait_until(lambda: served.get("readyz")[0] == 200)
    assert children == {what: served.children(what) for what in children}


def test_commands_join_its_database(served: Served) -> None:
    wait_until(lambda: json.loads(served.imsys("status", "--json").stdout)["workers"] >= 1)


def test_a_port_in_use_is_said_in_one_line(served: Served) -> None:
    port = served.url.rsplit(":", 1)[1].strip("/")
    again = subprocess.run(
        [sys.executable, "-m", "imsys", "serve", "--port", port],
        env=served.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 2
    assert again.stderr == (
        f"error: Port {port} of 127.0.0.1 cannot be listened on: Address already in use. "
        "Stop what uses it, or choose another with --host and --port.\n"
    )


def test_sigterm_ends_it_with_zero_and_nothing_is_left(own: Served) -> None:
    wait_until(lambda: own.get("readyz")[0] == 200)
    children = own.children("")
    assert len(children) == 2
    own.process.terminate()
    assert own.process.wait(15) == 0
    assert not [pid for pid in children if is_alive(pid)]
    assert "Traceback" not in own.log.read_text()
    host, port = own.url.removeprefix("http://").strip("/").split(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


def test_when_it_is_killed_its_children_end_too(own: Served) -> None:
    wait_until(lambda: own.get("readyz")[0] == 200)
    children = own.children("")
    own.process.kill()
    own.process.wait(5)
    wait_until(lambda: not [pid for pid in children if is_alive(pid)], within_s=5.0)
