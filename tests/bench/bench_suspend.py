"""Suspending 10,000 subscribers on 10 routers, each command 5 ms, from the call to the last one seen cut and offline.

Held against a hand-written script (plainscript.py) that sends the same commands to a second set of equal routers.
"""

import asyncio
import statistics
import time

from tests.bench import stage
from tests.bench.measure import Measure
from tests.bench.plainscript import Session, cut_all, free_all

ROUTERS, EACH, LATENCY_MS = 10, 1_000, 5.0
COUNT = ROUTERS * EACH
ROUNDS = 5


def run() -> list[Measure]:
    fleet = {"routers": ROUTERS, "subscribers": EACH, "latency_ms": LATENCY_MS}
    with stage.installation(), stage.simulated(**fleet) as ours, stage.simulated(**fleet) as theirs:  # type: ignore[arg-type]
        stage.load(ours, subscribers=EACH)
        with stage.database() as database, stage.worker():
            database.until(lambda: database.are_synced() and database.are_resynced())
            rounds = [one_round(ours, theirs, database) for _ in range(ROUNDS)]
            logins = ours.counters()["logins"]
    took, call, script, commands = (statistics.median(column) for column in zip(*rounds, strict=True))
    return [
        Measure(what=f"suspend {COUNT:,} on {ROUTERS} routers, call to all seen", value=took, unit="s"),
        Measure(what="of which the call itself", value=call, unit="s"),
        Measure(what="the same by a hand-written script", value=script, unit="s"),
        Measure(
            what="ratio to the script",
            value=statistics.median(row[0] / row[2] for row in rounds),
            unit="x",
            budget=3,
            note=f"median of {ROUNDS} rounds",
        ),
        Measure(what="commands per subscriber, kicks included", value=commands / COUNT, budget=0.1),
        Measure(what="logins per router, all rounds", value=logins / ROUTERS, budget=1),
    ]


def one_round(ours: stage.Simulated, theirs: stage.Simulated, database: stage.Database) -> tuple[float, ...]:
    """Seconds until all are seen, seconds of the call, seconds of the script, commands until all were seen."""
    from imsys.subscribers import services

    until_online(ours)
    names = [f"{router}-u{n:05d}" for router in ours.ports for n in range(1, EACH + 1)]
    before = ours.counters()["total_commands"]
    started = time.perf_counter()
    assert len(services.suspend(names, actor=stage.ACTOR).changed) == COUNT
    called = time.perf_counter()
    database.until(database.are_synced)
    ended = time.perf_counter()
    commands = ours.counters()["total_commands"] - before
    assert not any(router["online"] for router in ours.ask("routers"))
    services.resume(names, actor=stage.ACTOR)
    database.until(database.are_synced)
    until_online(theirs)
    return ended - started, called - started, asyncio.run(script(theirs)), float(commands)


def until_online(sim: stage.Simulated) -> None:
    end = time.monotonic() + 30
    while any(router["online"] < EACH for router in sim.ask("routers")):
        assert time.monotonic() < end
        time.sleep(0.05)


async def script(sim: stage.Simulated) -> float:
    """Its sessions are open beforehand, as those of a worker are."""
    sessions = await asyncio.gather(*(Session.open(port) for port in sim.ports.values()))
    started = time.perf_counter()
    await asyncio.gather(*map(cut_all, sessions))
    took = time.perf_counter() - started
    await asyncio.gather(*map(free_all, sessions))
    for session in sessions:
        session.close()
    return took
