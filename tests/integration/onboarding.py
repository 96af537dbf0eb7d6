"""What the tests of onboarding share: simulated routers on TCP beside the program, which is called as from a shell."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from imsys.cli.main import main
from imsys.network.services import add_router
from imsys.onboarding.rights import POLICIES
from imsys.sim import SimRouter, SimUser
from tests.integration.sim_thread import SimThread

ACTOR = "test:onboarding"
USERS = {"imsys": SimUser("r0uter", group="imsys", policies=frozenset(POLICIES))}


class Program:
    """`imsys`, one call after the other."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.err = ""

    def __call__(self, *words: str, code: int = 0) -> str:
        found = main(words)
        out, self.err = self._capsys.readouterr()
        assert found == code, self.err
        return out

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code))


@contextmanager
def kept(sim: SimRouter, name: str = "core", **options: Any) -> Iterator[SimThread]:
    """The router serves on a port, and is one that we keep."""
    with SimThread(sim) as thread:
        login = {"host": "127.0.0.1", "port": thread.port, "username": "imsys", "password": "r0uter"}
        add_router(name=name, actor=ACTOR, **(login | options))
        yield thread
