"""Gives a scenario its seeds: a test that has an argument `seed` runs once for each.

Those that once failed stay, in the module's `PAST_SEEDS`. A few fixed ones make the suite repeatable; `make soak` sets
SOAK_SEED and gets fresh ones. The seed is in the test's name, and so in what is printed when it fails.
"""

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.scenario.isp import Isp
    from tests.world import World

USUAL_SEEDS = (1, 2)
FRESH_SEEDS_PER_ROUND = 5


def seeds(past: tuple[int, ...]) -> list[int]:
    if first := os.environ.get("SOAK_SEED"):
        return [int(first) + step for step in range(FRESH_SEEDS_PER_ROUND)]
    return list(dict.fromkeys([*past, *USUAL_SEEDS]))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds(getattr(metafunc.module, "PAST_SEEDS", ())))


@pytest.fixture
def isp(world: "World", capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> "Isp":
    """An ISP without routers yet, run from the command line."""
    from tests.scenario.isp import Isp

    return Isp(world, capsys, monkeypatch)


@pytest.fixture
def shop(isp: "Isp") -> "Isp":
    """The same with two packages to sell, and a worker up."""
    from imsys.fleet.selectors import live_workers

    isp("package", "add", "home", "--rate-limit", "10M/10M", "--price", "20")
    isp("package", "add", "gold", "--rate-limit", "50M/50M", "--price", "60")
    isp.world.start_worker()
    isp.world.until(lambda: live_workers() > 0, "the worker is known")  # or a command would do the work itself
    return isp
