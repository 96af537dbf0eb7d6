"""The embedded server's ordinary life: started once, shared, found again, and gone when nobody needs it."""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from imsys.postgres import EmbeddedPostgres, ensure_database
from imsys.postgres.errors import FolderVanished
from imsys.postgres.layout import SOCKET, layout_of
from tests.integration.embedded import (
    HASTY,
    has_ended,
    is_over,
    leftovers,
    minder_pid,
    query,
    quick,
    server_pid,
    start_python,
    wait_until,
)

USER = """
from imsys.postgres import EmbeddedPostgres
with EmbeddedPostgres(sys.argv[1], linger_s=float(sys.argv[2]), settings=dict(fsync="off")):
    print("up", flush=True)
    sys.stdin.read()
"""


def test_the_first_start_makes_a_cluster_and_a_later_one_finds_it(tmp_path: Path) -> None:
    with quick(tmp_path) as pg:
        query(pg, "create table kept as select 1 as n")
        pg.close(wait=True)
        assert is_over(layout_of(tmp_path))
    with quick(tmp_path) as pg:
        assert query(pg, "select n from kept") == [(1,)]


def test_a_default_server_does_not_trade_safety_for_speed(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, linger_s=0) as pg:
        wanted = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
        assert query(pg, f"select {', '.join(f'current_setting({name!r})' for name in wanted)}") == [("on",) * 4]
        assert query(pg, "select current_setting('listen_addresses'), current_setting('server_encoding')") == [
            ("", "UTF8")
        ]


def test_the_text_of_any_language_is_sorted_and_folded_by_code_point(tmp_path: Path) -> None:
    with quick(tmp_path) as pg:
        assert query(pg, "select lower('ÄРЖ'), 'B' < 'a'") == [("äрж", True)]


def test_nobody_else_may_connect(tmp_path: Path) -> None:
    with quick(tmp_path) as pg:
        layout = layout_of(tmp_path)
        assert layout.data.stat().st_mode & 0o077 == 0
        assert (layout.data / "pg_hba.conf").read_text() == "local all all peer map=imsys\n"
        with pytest.raises(psycopg.OperationalError, match=r"[Pp]eer authentication failed"):
            psycopg.connect(pg.dsn("postgres"), user="somebody")


def test_a_second_user_joins_the_server_of_the_first(tmp_path: Path) -> None:
    with quick(tmp_path) as first, quick(tmp_path) as second:
        query(first, "create table shared as select 2 as n")
        assert query(second, "select n from shared") == [(2,)]
        first.close(wait=True)  # returns, because there is another user
        assert query(second, "select n from shared") == [(2,)]


def test_eight_first_starts_at_once_give_one_server(tmp_path: Path) -> None:
    users = [start_python(USER, tmp_path, 0.3, stdin=subprocess.PIPE) for _ in range(8)]
    answers = [user.stdout.readline() for user in users if user.stdout]
    assert answers == ["up\n"] * 8
    log = (tmp_path / "postgres" / "server.log").read_text()
    assert log.count("ready to accept connections") == 1
    for user in users:
        user.communicate()
        assert user.returncode == 0
    wait_until(lambda: is_over(layout_of(tmp_path)))


def test_it_stops_by_itself_after_its_last_user(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    with quick(tmp_path):
        pass
    wait_until(lambda: is_over(layout))
    assert not leftovers(layout)
    assert "database system is shut down" in layout.log.read_text()


def test_it_lingers_so_that_the_next_command_finds_it_running(tmp_path: Path) -> None:
    with quick(tmp_path, linger_s=60):
        first = server_pid(layout_of(tmp_path))
    with quick(tmp_path) as pg:
        assert server_pid(layout_of(tmp_path)) == first
        pg.close(wait=True)  # and `wait` cuts the linger short
    assert is_over(layout_of(tmp_path))


def test_it_stops_when_its_folder_vanishes(tmp_path: Path) -> None:
    folder, layout = tmp_path / "data", layout_of(tmp_path / "data")
    with quick(folder) as pg:
        minder, server = minder_pid(layout), server_pid(layout)
        shutil.rmtree(folder)
        wait_until(lambda: has_ended(server) and has_ended(minder))
        with pytest.raises(FolderVanished):
            pg.ensure()
    with quick(folder) as pg:  # whoever begins afresh gets a new cluster
        assert query(pg, "select 1") == [(1,)]


def test_it_keeps_nothing_of_its_starter_open(tmp_path: Path) -> None:
    """Else `imsys status | less` would hang until the server stops."""
    code = "from imsys.postgres import EmbeddedPostgres\nEmbeddedPostgres(sys.argv[1], linger_s=60).ensure()"
    starter = start_python(code, tmp_path, stdin=subprocess.PIPE)
    output = starter.communicate(timeout=15)  # returns at the end of both streams
    assert output == ("", "")
    with quick(tmp_path) as pg:
        pg.close(wait=True)


def test_a_stale_pid_file_is_no_obstacle(tmp_path: Path) -> None:
    """After a power cut the recorded process id may belong to anything, even to a process of the server's account."""
    layout = layout_of(tmp_path)
    with quick(tmp_path) as pg:
        query(pg, "create table kept as select 3 as n")
        stale = (layout.data / "postmaster.pid").read_text()
        pg.close(wait=True)
    with quick(tmp_path / "other"):
        alive = server_pid(layout_of(tmp_path / "other"))
        (layout.data / "postmaster.pid").write_text(stale.replace(stale.splitlines()[0], str(alive), 1))
        with quick(tmp_path) as pg:
            assert query(pg, "select n from kept") == [(3,)]


def test_a_half_made_cluster_is_made_again(tmp_path: Path) -> None:
    unfinished = layout_of(tmp_path).unfinished
    (unfinished / "base").mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with quick(tmp_path) as pg:
        assert query(pg, "select 1") == [(1,)]
    assert not unfinished.exists()


def test_a_database_is_made_once(tmp_path: Path) -> None:
    with quick(tmp_path) as pg:
        assert ensure_database(pg, "imsys")
        assert not ensure_database(pg, "imsys")
        with psycopg.connect(pg.dsn()) as connection:
            assert connection.info.dbname == "imsys"
            assert connection.info.user == "imsys"


@pytest.mark.parametrize("name", ["x" * 120, "with space's", "a,b", "ümläut", "100%\\"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    """A socket's address holds 107 bytes and libpq splits a host at commas, so such folders are reached by an alias."""
    with quick(tmp_path / name) as pg:
        assert query(pg, "select 1") == [(1,)]
        assert len(os.fsencode(pg.socket_dir / SOCKET)) <= 107
        pg.close(wait=True)
        assert not pg.socket_dir.is_symlink()


def test_a_swept_alias_is_laid_again(tmp_path: Path) -> None:
    with quick(tmp_path / ("x" * 120)) as pg:
        pg.socket_dir.unlink()
        pg.ensure()
        assert query(pg, "select 1") == [(1,)]


def test_the_log_is_bounded(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    with quick(tmp_path):
        with layout.log.open("ab") as log:
            log.truncate(17 * 2**20)
        wait_until(lambda: layout.log.stat().st_size < 2**20)
        assert layout.log.with_suffix(".log.1").stat().st_size >= 17 * 2**20


def test_settings_of_the_caller_reach_the_server(tmp_path: Path) -> None:
    with quick(tmp_path, settings={**HASTY, "work_mem": "5MB"}) as pg:
        assert query(pg, "show work_mem") == [("5MB",)]
