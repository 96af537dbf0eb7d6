"""The short name of a socket whose real path is too long for clients: a symbolic link in /tmp.

It names the folder of the socket, it does not hold it, so it may come and go (old files in /tmp are swept away) without
disturbing the server: `ensure()` lays it again. Anybody may make names in /tmp, so the owner is checked.
"""

import contextlib
import os
from pathlib import Path

from imsys.postgres.errors import SocketAliasTaken
from imsys.postgres.layout import FOLDER_BYTES, Layout, alias_of


def lay_alias(layout: Layout) -> None:
    """See that the alias is there and is ours, when the cluster needs one. Raises: SocketAliasTaken."""
    alias = alias_of(layout)
    if alias is None or _is_ours(alias, layout.run):
        return
    try:
        alias.symlink_to(layout.run)
    except OSError as error:
        if _is_ours(alias, layout.run):  # another process of ours was quicker
            return
        raise SocketAliasTaken(
            f"{alias}, the short name that the database socket needs, cannot be made ({error.strerror}).",
            remedy=f"Remove it if it is there, or set IMSYS_DATA_DIR to a folder with a path of at most {FOLDER_BYTES} "
            "bytes and no comma.",
        ) from error


def remove_alias(layout: Layout) -> None:
    alias = alias_of(layout)
    if alias is not None and _is_ours(alias, layout.run):
        with contextlib.suppress(OSError):
            alias.unlink()


def _is_ours(alias: Path, target: Path) -> bool:
    try:
        return alias.lstat().st_uid == os.geteuid() and alias.readlink() == target
    except OSError:  # nothing there, or no symbolic link
        return False
