"""One change on a router 5 ms away that has 10,000 secrets and as many sessions: from the commit to seen."""

import random
import time

from tests.bench import stage
from tests.bench.measure import Measure, percentile

EACH, LATENCY_MS = 10_000, 5.0
CHANGES = 150
APART_S = (0.15, 0.35)


def run() -> list[Measure]:
    chance = random.Random(1)
    with stage.installation(), stage.simulated(routers=1, subscribers=EACH, latency_ms=LATENCY_MS) as sim:
        stage.load(sim, subscribers=EACH)
        with stage.database() as database, stage.worker():
            database.until(lambda: database.are_synced() and database.are_resynced())
            taken: dict[str, list[float]] = {"address": [], "suspend": [], "resume": []}
            for number in range(CHANGES):
                time.sleep(chance.uniform(*APART_S))
                kind = ("suspend", "resume", "address")[number % 3]
                taken[kind].append(one(database, kind, f"r1-u{number // 3 + 1:05d}", number))
    every = [took for each in taken.values() for took in each]
    return [
        Measure(what="commit to seen, p50", value=percentile(every, 0.5) * 1000, unit="ms", budget=100),
        Measure(what="commit to seen, p99", value=percentile(every, 0.99) * 1000, unit="ms", budget=500),
        *(
            Measure(what=f"of which {kind}, p50", value=percentile(each, 0.5) * 1000, unit="ms")
            for kind, each in taken.items()
        ),
    ]


def one(database: stage.Database, kind: str, name: str, number: int) -> float:
    from imsys.subscribers import services

    if kind == "suspend":
        services.suspend([name], actor=stage.ACTOR)
    elif kind == "resume":
        services.resume([name], actor=stage.ACTOR)
    else:
        services.set_subscriber(name, address=f"10.9.{number % 250}.{number // 250 + 1}", actor=stage.ACTOR)
    committed = time.perf_counter()
    database.until(database.are_synced, every_s=0.001)
    return time.perf_counter() - committed
