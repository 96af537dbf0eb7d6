"""What can go wrong with the embedded server: one class per reaction, each message with its remedy.

The minder process meets most of these; `to_words` and `from_words` carry them to the process that started it.
docs/reference/embedded-postgresql.md has a line for each code, and a test looks for it.
"""

import errno
import sys
from pathlib import Path

from imsys.kit.errors import ImsysError, PermanentError, TransientError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS)


class PostgresError(ImsysError):
    """The embedded PostgreSQL cannot be used; the root of the errors of this package."""

    default_code = "PostgresFailed"


class PlatformUnsupported(PostgresError, PermanentError):
    default_code = "PostgresPlatformUnsupported"


class WheelMissing(PostgresError, PermanentError):
    default_code = "PostgresWheelMissing"


class FolderNotWritable(PostgresError, PermanentError):
    default_code = "PostgresFolderNotWritable"


class FolderUnusable(PostgresError, PermanentError):
    default_code = "PostgresFolderUnusable"


class FolderVanished(PostgresError, PermanentError):
    default_code = "PostgresFolderVanished"


class DiskFull(PostgresError, PermanentError):
    default_code = "PostgresDiskFull"


class SocketAliasTaken(PostgresError, PermanentError):
    default_code = "PostgresSocketAliasTaken"


class OtherMajor(PostgresError, PermanentError):
    default_code = "PostgresOtherMajor"


class NotACluster(PostgresError, PermanentError):
    default_code = "PostgresNotACluster"


class AccountUnusable(PostgresError, PermanentError):
    default_code = "PostgresAccountUnusable"


class AccountCannotReach(PostgresError, PermanentError):
    default_code = "PostgresAccountCannotReach"


class OtherServer(PostgresError, PermanentError):
    default_code = "PostgresOtherServer"


class StartFailed(PostgresError, PermanentError):
    default_code = "PostgresStartFailed"


class StartTimeout(PostgresError, TransientError):
    default_code = "PostgresStartTimeout"


class DatabaseUnavailable(PostgresError, TransientError):
    default_code = "PostgresDatabaseUnavailable"


def require_linux() -> None:
    if sys.platform != "linux":
        raise PlatformUnsupported(
            f"The embedded PostgreSQL runs on Linux only, and this is {sys.platform}.",
            remedy="Set IMSYS_DATABASE_URL to a PostgreSQL server.",
        )


def every_error() -> dict[str, type[PostgresError]]:
    """The classes by their code."""
    classes: list[type[PostgresError]] = [PostgresError, *PostgresError.__subclasses__()]
    return {cls.default_code: cls for cls in classes}


def to_words(error: PostgresError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "remedy": error.remedy}


def from_words(words: dict[str, str]) -> PostgresError:
    cls = every_error().get(words["code"], PostgresError)
    return cls(words["message"], remedy=words["remedy"], code=words["code"])


def disk_full(folder: Path) -> DiskFull:
    return DiskFull(
        f"The disk under {folder} is full.",
        remedy="Free space there (a new cluster needs about 70 MB), then start again; nothing was lost.",
    )


def folder_error(error: OSError, folder: Path) -> PostgresError:
    """Say what an OSError met while preparing `folder` means for the person who chose that folder."""
    if error.errno in NO_ROOM:
        return disk_full(folder)
    if error.errno in NO_ACCESS:
        return FolderNotWritable(
            f"The account of this process cannot write to {error.filename or folder} ({error.strerror}).",
            remedy="Give that folder to this account, or set IMSYS_DATA_DIR to a folder that it can write to.",
        )
    return FolderUnusable(
        f"The folder {folder} cannot hold a database ({error.strerror or type(error).__name__}).",
        remedy="Set IMSYS_DATA_DIR to an ordinary folder on a local disk.",
    )
