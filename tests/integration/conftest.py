"""A fresh simulated router on a TCP port, and two client libraries that know nothing of us, logged in to it."""

from collections.abc import Iterator
from typing import Any

import librouteros
import pytest
import routeros_api

from imsys.sim import SimRouter, SimUser
from tests.integration.sim_thread import SimThread


@pytest.fixture
def sim() -> Iterator[SimThread]:
    with SimThread(SimRouter("r1", version="7.18.2", users={"admin": SimUser("pw")})) as sim:
        yield sim


@pytest.fixture
def api(sim: SimThread) -> Iterator[Any]:
    api = librouteros.connect("127.0.0.1", "admin", "pw", port=sim.port, encoding="utf-8")
    yield api
    api.close()


@pytest.fixture
def other(sim: SimThread) -> Iterator[Any]:
    pool = routeros_api.RouterOsApiPool(
        "127.0.0.1", username="admin", password="pw", port=sim.port, plaintext_login=True
    )
    yield pool.get_api()
    pool.disconnect()
