"""kill -9 of anything, at any time: the rows that were acknowledged are there, and nothing is left running."""

import os
import signal
from pathlib import Path
from subprocess import Popen

import pytest

from imsys.postgres.layout import Layout, layout_of
from imsys.postgres.locks import is_held
from imsys.postgres.server import is_ready
from tests.integration.embedded import (
    has_ended,
    is_over,
    kill,
    leftovers,
    minder_pid,
    query,
    quick,
    server_pid,
    start_python,
    wait_until,
)

# Writes numbers, and notes each that the server acknowledged; after a failure it asks for the server and goes on.
WRITER = """
import psycopg
from imsys.postgres import EmbeddedPostgres
number, hasty = 0, dict(fsync="off", shared_buffers="16MB", autovacuum="off")
with EmbeddedPostgres(sys.argv[1], linger_s=0.3, settings=hasty) as pg, open(sys.argv[2], "a") as acknowledged:
    while True:
        try:
            with psycopg.connect(pg.dsn("postgres"), autocommit=True) as connection:
                connection.execute("create table if not exists written (number bigint primary key)")
                while True:
                    number += 1
                    connection.execute("insert into written values (%s)", [number])
                    print(number, file=acknowledged, flush=True)
        except psycopg.Error:
            pg.ensure()
"""


class Writer:
    def __init__(self, folder: Path) -> None:
        self.layout = layout_of(folder)
        self.notes = folder / "acknowledged"
        self.notes.touch()
        self.process: Popen[str] = start_python(WRITER, folder, self.notes)
        self.wait_for_rows(20)

    def acknowledged(self) -> set[int]:
        return {int(line) for line in self.notes.read_text().splitlines(keepends=True) if line.endswith("\n")}

    def wait_for_rows(self, more: int) -> None:
        goal = len(self.acknowledged()) + more
        wait_until(lambda: len(self.acknowledged()) >= goal or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[1]

    def wait_for_recovery(self, dead: list[int]) -> None:
        """Until those are gone, another server is ready, and rows are written: an orphan may write on for a while."""
        wait_until(lambda: all(has_ended(pid) for pid in dead))
        wait_until(lambda: is_ready(self.layout) and is_held(self.layout.minder_lock))
        self.wait_for_rows(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def of_backend(layout: Layout) -> int:
    postmaster = server_pid(layout)
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return next(int(pid) for pid in children if b"[local]" in Path(f"/proc/{pid}/cmdline").read_bytes())


VICTIMS = {
    "server": [server_pid],
    "backend": [of_backend],
    "minder": [minder_pid],
    "minder and server": [minder_pid, server_pid],
}


@pytest.mark.parametrize("victims", VICTIMS)
def test_a_user_goes_on_after_a_kill(tmp_path: Path, victims: str) -> None:
    writer = Writer(tmp_path)
    for _ in range(3):
        pids = [find(writer.layout) for find in VICTIMS[victims]]
        for pid in pids:
            kill(pid)
        writer.wait_for_recovery(pids)
    writer.kill()
    assert_all_there(tmp_path, writer)


def test_a_user_goes_on_after_an_administrator_restarts_the_server(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    pid = server_pid(writer.layout)
    os.kill(pid, signal.SIGINT)
    writer.wait_for_recovery([pid])
    writer.kill()
    assert_all_there(tmp_path, writer)


@pytest.mark.parametrize("minder_too", [False, True])
def test_the_next_start_recovers_after_a_kill_of_everything(tmp_path: Path, minder_too: bool) -> None:
    writer = Writer(tmp_path)
    victims = [*leftovers(writer.layout), *([minder_pid(writer.layout)] if minder_too else [])]
    for pid in victims:
        kill(pid)
    writer.kill()
    wait_until(lambda: all(has_ended(pid) for pid in victims))
    assert_all_there(tmp_path, writer)


def test_a_killed_user_leaves_nothing_behind(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.kill()
    wait_until(lambda: is_over(writer.layout))
    assert not leftovers(writer.layout)
    assert_all_there(tmp_path, writer)


def test_a_start_that_was_killed_half_way_is_no_obstacle(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    code = "from imsys.postgres import EmbeddedPostgres\nEmbeddedPostgres(sys.argv[1], linger_s=0.3).ensure()"
    starter = start_python(code, tmp_path)
    wait_until(layout.unfinished.exists)
    kill(minder_pid(layout))
    starter.kill()
    starter.communicate()
    with quick(tmp_path) as pg:
        assert query(pg, "select 1") == [(1,)]


def assert_all_there(folder: Path, writer: Writer) -> None:
    with quick(folder) as pg:
        written = {row[0] for row in query(pg, "select number from written")}
        assert not writer.acknowledged() - written
        pg.close(wait=True)
    assert not leftovers(writer.layout)
    assert is_over(writer.layout)
