"""A router goes down and comes back: its people are told so, by the job that a look enqueues, and told once."""

from collections.abc import Iterator
from typing import Any

import pytest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from imsys.conf.environment import Hidden
from imsys.conf.sql import execute
from imsys.fleet.incidents import look
from imsys.network.models import RouterState
from imsys.subscribers import services
from imsys.timeline.incidents import incidents
from imsys.timeline.models import Severity
from tests.receiver import Receiver, receiver
from tests.world import CLERK, World


@pytest.fixture
def phone(settings: Any) -> Iterator[Receiver]:
    with receiver() as one:
        settings.NOTIFY_URLS = {**dict.fromkeys(Severity.values, ()), "info": (Hidden(one.url),)}
        settings.NOTIFY_GAP_S = settings.NOTIFY_DOWN_S = 0
        yield one


def work_off() -> None:
    """A look, and the jobs that it enqueued, as the engine calls them."""
    look()
    for job in ProcrastinateJob.objects.filter(status="todo"):
        app.tasks[job.task_name](**job.args)
    execute("delete from procrastinate_jobs")


def is_reachable(name: str) -> bool | None:
    return RouterState.objects.get(router__name=name).is_reachable


def test_a_router_that_goes_down_and_comes_back(world: World, phone: Receiver) -> None:
    for name in ("r1", "r2", "r3"):
        world.add_router(name)
        world.add_subscribers([f"ann-{name}"], router=name)
    world.start_worker()
    world.until_synced()
    work_off()
    assert phone.taken == []
    for name in ("r1", "r2"):
        world.call(world.routers[name].power_off)
    world.until(lambda: [is_reachable(name) for name in ("r1", "r2", "r3")] == [False, False, True])
    for _ in range(2):
        work_off()
    assert phone.titles == ["2 routers are down: r1, r2"]
    services.suspend(["ann-r1", "ann-r2"], actor=CLERK)
    for name in ("r1", "r2"):
        world.call(world.routers[name].boot)
    world.until_synced()
    assert world.disabled("r1") == {"ann-r1"}
    for _ in range(2):
        work_off()
    assert phone.titles[1:] == ["2 routers are no longer down: r1, r2"]
    assert incidents() == []
