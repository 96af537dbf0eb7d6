"""Databases of the embedded cluster."""

from imsys.postgres.errors import DatabaseUnavailable
from imsys.postgres.handle import EmbeddedPostgres

MAINTENANCE = "postgres"  # a database that every cluster has


def ensure_database(pg: EmbeddedPostgres, name: str) -> bool:
    """Is the database there and new? It is there when this returns; several callers at once are fine."""
    import psycopg  # not needed by those who only compute a DSN or start the server
    from psycopg import sql

    try:
        with psycopg.connect(pg.dsn(MAINTENANCE), autocommit=True, connect_timeout=10) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                return False
            try:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return False
            return True
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL did not answer or could not create the database {name!r}.",
            remedy=f"Try again; if it happens again, its log says more: {pg.log}.",
        ) from error
