"""A router comes back from an outage with 100 changes due: from its return to the last of them right."""

import random
import statistics
import time

from tests.bench import stage
from tests.bench.measure import Measure

EACH, LATENCY_MS, DUE = 1_000, 5.0, 100
OUTAGES = 6
AWAY_S = (3.0, 8.0)


def run() -> list[Measure]:
    chance = random.Random(1)
    with stage.installation(), stage.simulated(routers=1, subscribers=EACH, latency_ms=LATENCY_MS) as sim:
        stage.load(sim, subscribers=EACH)
        with stage.database() as database, stage.worker():
            database.until(lambda: database.are_synced() and database.are_resynced())
            taken = [outage(sim, database, number, chance) for number in range(OUTAGES)]
    note = f"of {OUTAGES} outages of {AWAY_S[0]:g} to {AWAY_S[1]:g} s"
    return [
        Measure(what=f"return to all {DUE} right, worst", value=max(taken), unit="s", budget=3, note=note),
        Measure(what=f"return to all {DUE} right, median", value=statistics.median(taken), unit="s"),
    ]


def outage(sim: stage.Simulated, database: stage.Database, number: int, chance: random.Random) -> float:
    """Some are suspended while the router is away, and given back in the next outage."""
    from imsys.subscribers import services

    names = [f"r1-u{n:05d}" for n in range(1, DUE + 1)]
    is_cut = number % 2 == 0
    sim.ask("power-off")
    time.sleep(chance.uniform(*AWAY_S) / 2)
    change = services.suspend if is_cut else services.resume
    assert len(change(names, actor=stage.ACTOR).changed) == DUE
    time.sleep(chance.uniform(*AWAY_S) / 2)
    assert not database.are_synced()
    sim.ask("boot")
    returned = time.perf_counter()
    database.until(database.are_synced)
    took = time.perf_counter() - returned
    rows = {row["name"]: row["disabled"] == "true" for row in sim.ask("rows", menu="/ppp/secret")["r1"]}
    assert all(rows[name] is is_cut for name in names)
    time.sleep(1)
    return took
