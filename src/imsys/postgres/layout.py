"""Where each part of one embedded cluster lies, and how a client names it: path arithmetic that touches no disk.

Everything is in FOLDER/postgres. The server sees its own files through /proc/self/cwd, so neither the length of the
path nor closed parents (root's home is 0700) matter to it. Clients do meet the length: a socket's address holds
107 bytes. When the path is longer, or has a character that libpq would take for something else, they use an alias:
a symbolic link in /tmp, named after the account and the folder.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

MAJOR = 18
PORT = 5432
SUPERUSER = "imsys"
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_ADDRESS_BYTES = 107
FOLDER_BYTES = SOCKET_ADDRESS_BYTES - len(f"/postgres/data/run/{SOCKET}")  # longer ones need the alias
ALIAS_FOLDER = Path("/tmp")  # noqa: S108  the owner of the alias is checked before it is used


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one cluster; `base` is FOLDER/postgres and belongs to whoever starts the server."""

    base: Path

    @property
    def data(self) -> Path:
        """The cluster itself; belongs to the server's account."""
        return self.base / "data"

    @property
    def unfinished(self) -> Path:
        """A cluster that initdb has not finished; renamed to `data` when it has."""
        return self.base / "data.new"

    @property
    def run(self) -> Path:
        """Where the socket really is."""
        return self.data / "run"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def use_lock(self) -> Path:
        """Shared: this process uses the server. Exclusive: the minder is stopping it."""
        return self.base / "use.lock"

    @property
    def start_lock(self) -> Path:
        """Exclusive: this process is looking for a minder or starting one."""
        return self.base / "start.lock"

    @property
    def minder_lock(self) -> Path:
        """Exclusive, for the minder's whole life."""
        return self.base / "minder.lock"

    @property
    def minder_pid(self) -> Path:
        return self.base / "minder.pid"

    @property
    def server_lock(self) -> Path:
        """Held by the server and each of its processes; free proves that none is left."""
        return self.base / "server.lock"


def layout_of(folder: str | os.PathLike[str]) -> Layout:
    return Layout(Path(os.path.abspath(folder)) / "postgres")


def alias_of(layout: Layout) -> Path | None:
    """The short name that this account's clients use instead of `layout.run`; None when they can do without."""
    path = str(layout.run)
    is_short = len(os.fsencode(path)) + 1 + len(SOCKET) <= SOCKET_ADDRESS_BYTES
    if is_short and path.isprintable() and "," not in path:  # libpq reads a comma as a list of hosts
        return None
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return ALIAS_FOLDER / f"imsys-{os.geteuid()}-{name}"


def socket_dir(folder: str | os.PathLike[str]) -> Path:
    """The `host` under which this account reaches the cluster of `folder`, whether or not it runs."""
    layout = layout_of(folder)
    return alias_of(layout) or layout.run


def connection_params(folder: str | os.PathLike[str], dbname: str) -> dict[str, str]:
    """libpq's parameters for a database of the cluster in `folder`."""
    return {"host": str(socket_dir(folder)), "port": str(PORT), "user": SUPERUSER, "dbname": dbname}


def conninfo(folder: str | os.PathLike[str], dbname: str) -> str:
    """The same as one libpq connection string."""
    return " ".join(f"{key}={_quoted(value)}" for key, value in connection_params(folder, dbname).items())


def _quoted(value: str) -> str:
    if value and not set(value) & set(" '\\"):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
