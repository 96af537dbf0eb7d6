"""Which commands may make tables, and what is said when the database is not as it should be. Real processes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from imsys.postgres import EmbeddedPostgres

pytestmark = pytest.mark.timeout(60)


def imsys(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("IMSYS_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "imsys", *arguments],
        env=inherited | settings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def external(postgres: EmbeddedPostgres, worker_id: str) -> Iterator[str]:
    """An empty database on a server that IMSys did not start, as IMSYS_DATABASE_URL names it."""
    name = f"external_{worker_id}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name}")  # type: ignore[arg-type]
        yield postgres.dsn(name)
        connection.execute(f"drop database {name} with (force)")  # type: ignore[arg-type]


def test_on_a_server_of_your_own_only_migrate_makes_tables(external: str, tmp_path: Path) -> None:
    settings = {"IMSYS_DATABASE_URL": external, "IMSYS_DATA_DIR": str(tmp_path)}
    refused = imsys("status", **settings)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: The database lacks ")
    assert refused.stderr.endswith(" of this version of IMSys. Run `imsys migrate`\n")
    migrated = imsys("migrate", "--json", **settings)
    assert len(json.loads(migrated.stdout)["applied"]) > 10, migrated.stderr
    assert imsys("migrate", **settings).stdout == "nothing to migrate\n"
    assert imsys("status", **settings).returncode == 0


def test_on_the_embedded_server_the_first_command_makes_them_once(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    folder = tmp_path / "data"
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: imsys("status", "--json", IMSYS_DATA_DIR=str(folder)), range(3)))
    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 3
    server = EmbeddedPostgres(folder)
    server.ensure()
    server.close(wait=True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://imsys:s3cret@127.0.0.1:1/imsys", "The database cannot be reached."),
        ("postgresql//imsys:s3cret@db", "IMSYS_DATABASE_URL is neither a postgresql:// address nor"),
    ],
)
def test_a_database_that_is_not_there_is_one_line_without_its_password(url: str, said: str, tmp_path: Path) -> None:
    result = imsys("status", IMSYS_DATABASE_URL=url, IMSYS_DATA_DIR=str(tmp_path))
    assert result.returncode in (1, 2)
    assert result.stderr.startswith(f"error: {said}")
    assert result.stderr.count("\n") == 1
    assert "s3cret" not in result.stderr


def test_a_setting_that_makes_no_sense_is_one_line(tmp_path: Path) -> None:
    result = imsys("status", IMSYS_TIME_ZONE="Mars/Olympus", IMSYS_DATA_DIR=str(tmp_path))
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("error: IMSYS_TIME_ZONE: ")
