"""An embedded PostgreSQL: found, started, shared and stopped for one data folder. Linux only.

    with EmbeddedPostgres(folder) as pg:
        ensure_database(pg, "imsys")
        psycopg.connect(pg.dsn("imsys"))

`socket_dir`, `connection_params` and `conninfo` say how to connect without starting anything. Knows nothing of Django.
"""

import sys

from imsys.postgres.errors import PostgresError, require_linux

if sys.platform == "win32":
    require_linux()  # what follows imports modules that are not there

from imsys.postgres.database import ensure_database
from imsys.postgres.handle import EmbeddedPostgres
from imsys.postgres.layout import connection_params, conninfo, socket_dir

__all__ = ["EmbeddedPostgres", "PostgresError", "connection_params", "conninfo", "ensure_database", "socket_dir"]
