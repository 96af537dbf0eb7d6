"""The account that runs the server: PostgreSQL refuses to run as root, so root lends it another one."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from imsys.postgres.errors import AccountUnusable

PREFERRED = ("postgres", "nobody")


class SpawnArguments(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int

    @property
    def is_own(self) -> bool:
        """Is it the account of this process?"""
        return self.uid == os.geteuid()

    def spawn_arguments(self) -> SpawnArguments:
        """What subprocess needs to run a program under this account."""
        if self.is_own:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": os.getgrouplist(self.name, self.gid)}

    def give(self, path: Path) -> None:
        if not self.is_own:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_reach(self, folder: Path) -> bool:
        """May the account use names inside `folder`? Asked of the kernel, which alone knows all the rules."""
        probe = ["/bin/sh", "-c", 'test -x "$1/."', "sh", os.fspath(folder)]
        return subprocess.run(probe, cwd="/", check=False, **self.spawn_arguments()).returncode == 0

    def blocked_at(self, folder: Path) -> Path:
        """The outermost folder on the way to `folder` that the account may not enter."""
        chain = [*reversed(folder.parents), folder]
        return next((step for step in chain if not self.can_reach(step)), folder)


def choose_account(wanted: str | None, data: Path) -> Account:
    """Who runs the cluster in `data`: its owner when it exists, else ourselves, or for root the `wanted` account."""
    uid = os.geteuid()
    marker = data / "PG_VERSION"
    owner = marker.stat().st_uid if marker.exists() else None
    if uid != 0:
        if owner not in (None, uid):
            raise AccountUnusable(
                f"The cluster in {data} belongs to account {_name_of(owner)}.",
                remedy="Start IMSys under that account or as root, or set IMSYS_DATA_DIR to another folder.",
            )
        return _account(uid)
    chosen = _find(wanted)
    if owner is None or owner == chosen.uid:
        return chosen
    if wanted:
        raise AccountUnusable(
            f"The cluster in {data} belongs to account {_name_of(owner)}, not to {wanted!r}.",
            remedy=f"Set IMSYS_PG_ACCOUNT to {_name_of(owner)}, or leave it unset.",
        )
    return _account(owner)


def _find(wanted: str | None) -> Account:
    for name in (wanted,) if wanted else PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise AccountUnusable(
        f"PostgreSQL needs an account other than root, and {wanted or ' or '.join(PREFERRED)!r} is none.",
        remedy="Create one (useradd --system imsys) and set IMSYS_PG_ACCOUNT to its name.",
    )


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise AccountUnusable(
            f"PostgreSQL needs a name for the account it runs as, and uid {uid} has none.",
            remedy="Add a line for it to /etc/passwd, or run the container as a user that has one.",
        ) from None
    if uid == 0:
        raise AccountUnusable(
            "The cluster belongs to root, and PostgreSQL refuses to run as root.",
            remedy="Give its data folder to an ordinary account (chown -R).",
        )
    return Account(entry.pw_name, uid, entry.pw_gid)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
