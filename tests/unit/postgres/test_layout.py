"""Where a cluster lies and how clients name it."""

import os
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from imsys.postgres import connection_params, conninfo, socket_dir
from imsys.postgres.layout import FOLDER_BYTES, SOCKET, SOCKET_ADDRESS_BYTES


def test_a_short_folder_holds_its_own_socket() -> None:
    assert socket_dir("/var/lib/imsys") == Path("/var/lib/imsys/postgres/data/run")


def test_a_relative_folder_is_meant_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert socket_dir("data") == socket_dir(tmp_path / "data")


def test_the_last_byte_that_fits() -> None:
    fits = "/" + "x" * (FOLDER_BYTES - 1)
    assert len(os.fsencode(socket_dir(fits) / SOCKET)) == SOCKET_ADDRESS_BYTES
    assert socket_dir(fits).is_relative_to(fits)
    assert not socket_dir(fits + "x").is_relative_to(fits)


@pytest.mark.parametrize("folder", ["/" + "x" * 200, "/a,b", "/line\nbreak", "/not-utf-8-\udcff", "/" + "ä" * 60])
def test_what_a_client_cannot_name_gets_an_alias(folder: str) -> None:
    alias = socket_dir(folder)
    assert alias.parent == Path("/tmp")
    assert alias == socket_dir(folder)
    assert alias != socket_dir(folder + "x")
    assert f"-{os.geteuid()}-" in alias.name


@pytest.mark.parametrize("folder", ["/plain", "/with space", "/quo'te", "/back\\slash", "/ends\\", "/per%20cent"])
@pytest.mark.parametrize("dbname", ["imsys", "it's", ""])
def test_libpq_reads_back_what_was_meant(folder: str, dbname: str) -> None:
    assert conninfo_to_dict(conninfo(folder, dbname)) == connection_params(folder, dbname)


def test_naming_a_cluster_touches_nothing(tmp_path: Path) -> None:
    conninfo(tmp_path, "imsys")
    assert not list(tmp_path.iterdir())
