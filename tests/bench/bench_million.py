"""Clean resyncs of 1,000,000 subscribers on 1,000 routers by one worker: unchanged since the last, and all parsed."""

import statistics

from tests.bench import stage
from tests.bench.bench_resync import resync
from tests.bench.measure import Measure, cpu_s, memory_mb

LONG = True
LIMIT_S = 1200
ROUTERS, EACH = 1_000, 1_000
ROUNDS = 3
FIRST_S = 600.0


def run() -> list[Measure]:
    with stage.installation(), stage.simulated(routers=ROUTERS, subscribers=EACH) as sim:
        stage.load(sim, subscribers=EACH)
        with stage.database() as database:
            return [*first_sight(database), *cold_and_warm(database, sim)]


def first_sight(database: stage.Database) -> list[Measure]:
    """A worker meets routers that have all rows already: each is adopted and marked as seen."""
    server = database.cpu_s()
    with stage.worker() as pid:
        database.until(lambda: database.are_synced() and database.are_resynced(), timeout_s=FIRST_S, every_s=0.2)
        cpu, memory = cpu_s(pid), memory_mb(pid)
    database.execute("vacuum analyze subscribers_syncstate")
    return [
        Measure(what="first sight of all: worker CPU", value=cpu, unit="s"),
        Measure(what="first sight of all: PostgreSQL CPU", value=database.cpu_s() - server, unit="s"),
        Measure(what="first sight of all: worker memory", value=memory, unit="MB", budget=500),
    ]


def cold_and_warm(database: stage.Database, sim: stage.Simulated) -> list[Measure]:
    """A new worker has to parse everything once; from then on bytes that are the same are not looked into."""
    writes, server = sim.counters()["writes"], database.cpu_s()
    database.execute("update network_routerstate set last_resync_at = null, resync_due_at = now()")
    with stage.worker() as pid:
        database.until(database.are_resynced, timeout_s=FIRST_S, every_s=0.2)
        cold, cold_server = cpu_s(pid), database.cpu_s() - server
        resync(database)  # by one and the same session now
        server = database.cpu_s()
        rounds = [resync(database, pid) for _ in range(ROUNDS)]
        warm_server = (database.cpu_s() - server) / ROUNDS
        memory = memory_mb(pid)
    return [
        Measure(what="cold, all parsed: worker CPU, its start included", value=cold, unit="s", budget=60),
        Measure(what="cold: PostgreSQL CPU", value=cold_server, unit="s"),
        Measure(
            what="warm, nothing changed: worker CPU",
            value=statistics.median(cpu for cpu, _ in rounds),
            unit="s",
            budget=10,
            note=f"median of {ROUNDS}",
        ),
        Measure(what="warm: PostgreSQL CPU", value=warm_server, unit="s"),
        Measure(what="warm: wall time", value=statistics.median(took for _, took in rounds), unit="s"),
        Measure(what="worker memory at the end", value=memory, unit="MB", budget=500),
        Measure(what="writes in clean resyncs", value=sim.counters()["writes"] - writes, budget=0),
    ]
