"""A PostgreSQL for the tests that ask for a database, started at the first of them and gone after the last."""

import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models.signals import post_migrate

from imsys.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from tests.world import World

JOB_TABLES = (
    "procrastinate_events", "procrastinate_periodic_defers", "procrastinate_jobs", "procrastinate_workers",
)  # fmt: skip
# What a crash would cost is nothing here, so the disk need not be waited for.
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def embedded_postgres() -> EmbeddedPostgres:
    return EmbeddedPostgres(settings.DATA_DIR, account=settings.PG_ACCOUNT, settings=HASTY)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The server of this test run. Test processes share it, each with a database of its own."""
    with embedded_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    postgres: EmbeddedPostgres, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """pytest-django makes the test database after this: by then the server is there."""
    post_migrate.connect(put_roles_back, sender=apps.get_app_config("accounts"), weak=False)


def put_roles_back(**_: object) -> None:
    """Django empties all tables after a test that commits, also of what a migration put there, and then sends this."""
    import_module("imsys.accounts.migrations.0002_roles").make_roles(apps, None)


@pytest.fixture(autouse=True)
def _no_jobs_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Django empties its own tables after a test that commits; the job engine's are not its own."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if (marker and marker.kwargs.get("transaction")) or "transactional_db" in request.fixturenames:
        from django.db import connection

        with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
            for table in JOB_TABLES:
                cursor.execute(f"delete from {table}")


@pytest.fixture
def world(transactional_db: None) -> Iterator["World"]:
    """An ISP with no router yet; see tests/world.py."""
    from tests.world import World

    isp = World()
    try:
        yield isp
    finally:
        isp.close()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process is the last to leave: it stops the server and takes the folder away."""
    if "PYTEST_XDIST_WORKER" in os.environ or not settings.configured:
        return
    folder = Path(settings.DATA_DIR)
    if (folder / "postgres").exists():
        server = embedded_postgres()
        server.ensure()
        server.close(wait=True)
    shutil.rmtree(folder, ignore_errors=True)
