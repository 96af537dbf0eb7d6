"""Gives a command its database: starts or joins the embedded server, sets Django up, sees that the tables are right.

On an embedded server any command migrates, under one lock. On a server named by IMSYS_DATABASE_URL only `serve` and
`migrate` do, and other commands say so when tables are missing.
"""

import getpass
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from imsys.kit.errors import PermanentError

if TYPE_CHECKING:
    from imsys.postgres import EmbeddedPostgres

MIGRATION_LOCK = 7_215_001  # any number, the same in every process


def actor() -> str:
    """Who acts, for the timeline: the login name of the person at the shell."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # an account without a name, as in some containers
        return f"cli:{os.getuid()}"


def display_zone() -> ZoneInfo:
    from django.conf import settings

    return ZoneInfo(settings.TIME_ZONE)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database: its embedded server (None for a server of your own), and the migrations just applied."""

    server: "EmbeddedPostgres | None"
    migrated: list[str]


@contextmanager
def database(*, migrate: bool = False, long_running: bool = False) -> Iterator[Opened]:
    """The database while the block runs, with Django set up and the tables right.

    `migrate`: also on a server of your own. `long_running`: keep no connection of this set-up, and let the parts log.
    """
    set_up_django()
    from django.conf import settings
    from django.db import connection, connections

    with ExitStack() as stack:
        if not long_running:
            stack.enter_context(quiet())
        server = None
        if settings.EMBEDDED:
            from imsys.postgres import EmbeddedPostgres, ensure_database

            server = stack.enter_context(EmbeddedPostgres(settings.DATA_DIR, account=settings.PG_ACCOUNT))
            ensure_database(server, connection.settings_dict["NAME"])
        migrated = see_to_tables(may_migrate=migrate or settings.EMBEDDED)
        if long_running:
            connections.close_all()
        try:
            yield Opened(server, migrated)
        finally:
            if not connection.in_atomic_block:  # a test's transaction is its own to end
                connections.close_all()


@contextmanager
def quiet() -> Iterator[None]:
    """A command prints its result, not the story of its run."""
    log = logging.getLogger("imsys")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def see_to_tables(*, may_migrate: bool) -> list[str]:
    missing = missing_migrations()
    if missing and not may_migrate:
        raise MigrationsMissing(missing)
    return run_migrations() if missing else []


def set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imsys.conf.settings")
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


class MigrationsMissing(PermanentError):
    default_code = "MigrationsMissing"

    def __init__(self, missing: list[str]) -> None:
        count = "1 migration" if len(missing) == 1 else f"{len(missing)} migrations"
        super().__init__(f"The database lacks {count} of this version of IMSys.", remedy="Run `imsys migrate`")


def missing_migrations() -> list[str]:
    """Migrations of this version that the database does not know, found by file name, which is quick."""
    from django.db import connection
    from django.db.utils import ProgrammingError

    try:
        with connection.cursor() as cursor:
            cursor.execute("select app || '.' || name from django_migrations")
            applied = {name for (name,) in cursor.fetchall()}
    except ProgrammingError:  # an empty database has no such table
        applied = set()
    return sorted(known_migrations() - applied)


def known_migrations() -> set[str]:
    from django.apps import apps

    return {
        f"{config.label}.{file.stem}"
        for config in apps.get_app_configs()
        for file in (Path(config.path) / "migrations").glob("*.py")
        if file.stem != "__init__"
    }


def run_migrations() -> list[str]:
    """Apply what is missing and say what it was. Of several processes that call this at once, one works."""
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            missing = missing_migrations()
            if missing:
                call_command("migrate", verbosity=0, interactive=False)
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [MIGRATION_LOCK])
    return missing
