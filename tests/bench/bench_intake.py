"""What people ask for at once: importing, suspending and resuming 100,000 subscribers, each one transaction."""

from collections.abc import Iterator

from tests.bench.measure import Measure, stopwatch
from tests.bench.stage import ACTOR, installation

COUNT = 100_000
ROUTERS = 100


def run() -> list[Measure]:
    with installation():
        return list(measure())


def measure() -> Iterator[Measure]:
    from imsys.conf.sql import execute
    from imsys.network.services import add_router
    from imsys.subscribers import services

    for n in range(ROUTERS):
        add_router(name=f"rt-{n}", host="127.0.0.1", username="api", password="", actor=ACTOR)
    services.add_package(name="10M", rate_limit="10M/10M", price=20, actor=ACTOR)
    names = [f"u{n:06d}" for n in range(COUNT)]
    rows = (f"{name},pw-{n},rt-{n % ROUTERS},10M,Full Name {n}\n" for n, name in enumerate(names))
    content = ("username,password,router,package,full_name\n" + "".join(rows)).encode()
    with stopwatch() as watch:
        report = services.import_rows(content, actor=ACTOR)
    assert report.added == COUNT, report.errors[:3]
    yield Measure(what=f"import {COUNT:,} from a CSV file", value=watch.wall_s, unit="s")
    execute("update subscribers_syncstate set sync_status = 'synced', next_attempt_at = null")
    execute("analyze")
    with stopwatch() as watch:
        assert len(services.suspend(names, actor=ACTOR).changed) == COUNT
    yield Measure(what=f"suspend {COUNT:,}", value=watch.wall_s, unit="s", budget=5)
    with stopwatch() as watch:
        assert services.suspend(names, actor=ACTOR).already == COUNT
    yield Measure(what="suspend them again: nothing to do", value=watch.wall_s, unit="s")
    with stopwatch() as watch:
        assert len(services.resume(names, actor=ACTOR).changed) == COUNT
    yield Measure(what=f"resume {COUNT:,}", value=watch.wall_s, unit="s", budget=5)
    with stopwatch() as watch:
        services.set_package("10M", rate_limit="12M/12M", actor=ACTOR)
    yield Measure(what=f"another speed for {COUNT:,}", value=watch.wall_s, unit="s", budget=5)
