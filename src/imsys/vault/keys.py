"""Where the master key comes from: the environment, or a file in the data folder that is made once."""

import base64
import binascii
import contextlib
import os
import secrets
import stat
from pathlib import Path

from imsys.vault.box import KEY_BYTES
from imsys.vault.errors import VaultError

KEY_FILE = "secret.key"


def load_key(data_dir: Path, given: str | None = None) -> bytes:
    """The master key: `given` (IMSYS_SECRET_KEY) when there is one, else the data folder's own, made at the first call.

    Several processes may make it at once: all return the one that won.
    """
    if given:
        return _decode(given, "IMSYS_SECRET_KEY")
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as exc:
        raise VaultError(
            f"The secret key {path} cannot be used: {exc.strerror}.",
            remedy="Run as the account that owns the data folder, or set IMSYS_DATA_DIR or IMSYS_SECRET_KEY.",
        ) from exc


def _read(path: Path) -> bytes:
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise VaultError(f"Other accounts may read the secret key {path}.", remedy=f"Run: chmod 600 {path}")
    return _decode(path.read_text("ascii", "replace"), str(path))


def _make(path: Path) -> None:
    """A hard link either appears whole or fails because somebody else's did, so nobody ever reads half a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink()


def _decode(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(
            f"{source} does not hold a secret key: {KEY_BYTES} bytes in base64 are wanted.",
            remedy="Make one with: openssl rand -base64 32",
        )
    return key
