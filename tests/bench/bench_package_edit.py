"""Another speed for a package that 10,000 subscribers on 10 routers have, from the call to all of them seen.

At the next login it is one write for each router; applied now, every session is ended as well and dials in again.
"""

import statistics
import time

from tests.bench import stage
from tests.bench.measure import Measure

ROUTERS, EACH, LATENCY_MS = 10, 1_000, 5.0
COUNT = ROUTERS * EACH
ROUNDS = 5
UNPACED = 1_000
"""Sessions ended a second: so many that the pace, 5 a second as it comes, is not what is measured."""


def run() -> list[Measure]:
    with (
        stage.installation(),
        stage.simulated(routers=ROUTERS, subscribers=EACH, latency_ms=LATENCY_MS) as sim,
    ):
        load(sim)
        with stage.database() as database, stage.worker():
            database.until(lambda: database.are_synced() and database.are_resynced())
            later = [edit(sim, database, f"{n}M/{n}M") for n in range(20, 20 + ROUNDS)]
            apply_now()
            now = [edit(sim, database, f"{n}M/{n}M") for n in range(40, 40 + ROUNDS)]
    took, call, commands, writes = (statistics.median(column) for column in zip(*later, strict=True))
    took_now, _, commands_now, _ = (statistics.median(column) for column in zip(*now, strict=True))
    return [
        Measure(what=f"another speed for {COUNT:,} at their next login, call to all seen", value=took, unit="s"),
        Measure(what="of which the call itself", value=call, unit="s"),
        Measure(what="writes per router", value=writes / ROUTERS, budget=1),
        Measure(what="commands per subscriber", value=commands / COUNT, budget=0.1),
        Measure(what="the same applied now, every session ended", value=took_now, unit="s", note=f"{UNPACED} a second"),
        Measure(what="commands per subscriber, kicks included", value=commands_now / COUNT, budget=0.1),
    ]


def load(sim: stage.Simulated) -> None:
    from imsys.subscribers import services

    stage.add_routers(sim, kicks_per_s=UNPACED)
    services.add_package(name=stage.PACKAGE, rate_limit="10M/10M", price=20, actor=stage.ACTOR)
    lines = [
        f"{router}-u{n:05d},secret-{n},{router},{stage.PACKAGE}" for router in sim.ports for n in range(1, EACH + 1)
    ]
    stage.import_lines("username,password,router,package", lines)


def apply_now() -> None:
    from imsys.subscribers import services

    services.set_package(stage.PACKAGE, apply="now", actor=stage.ACTOR)


def edit(sim: stage.Simulated, database: stage.Database, rate_limit: str) -> tuple[float, ...]:
    """Seconds until all are seen, seconds of the call, commands and writes that it took."""
    from imsys.subscribers import services

    before = sim.counters()
    started = time.perf_counter()
    services.set_package(stage.PACKAGE, rate_limit=rate_limit, actor=stage.ACTOR)
    called = time.perf_counter()
    database.until(database.are_synced)
    ended = time.perf_counter()
    after = sim.counters()
    commands, writes = (after[name] - before[name] for name in ("total_commands", "writes"))
    return ended - started, called - started, commands, writes
