"""A router without latency, and somebody logged in to it."""

from collections.abc import AsyncIterator

import pytest

from imsys.sim import SimRouter
from tests.unit.sim.talker import ManualClock, Talker, login


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def router(clock: ManualClock) -> AsyncIterator[SimRouter]:
    router = SimRouter("r1", clock=clock)
    yield router
    await router.close()


@pytest.fixture
async def talker(router: SimRouter) -> Talker:
    return await login(router)
