"""A clean resync of 10,000 subscribers on 10 routers: what it costs a worker to find that nothing has to be done.

Held against reading the same bytes by plain asyncio and digesting them, plus 2 ms for each router.
"""

import asyncio
import hashlib
import statistics
import time
from collections.abc import Collection, Mapping, Sequence

from tests.bench import stage
from tests.bench.measure import Measure
from tests.bench.plainscript import sentence

ROUTERS, EACH = 10, 1_000
ROUNDS = 30
PER_ROUTER_S = 0.002


def run() -> list[Measure]:
    with stage.installation(), stage.simulated(routers=ROUTERS, subscribers=EACH) as sim:
        stage.load(sim, subscribers=EACH)
        with stage.database() as database, stage.worker() as pid:
            database.until(lambda: database.are_synced() and database.are_resynced())
            resync(database)  # proves the tables clean
            writes = sim.counters()["writes"]
            rounds = [resync(database, pid) for _ in range(ROUNDS)]
            idle_s = idle(pid, seconds=3)
            writes = sim.counters()["writes"] - writes
        floor, size = asyncio.run(plain(sim.ports.values(), ROUNDS, questions()))
    cpu_s = statistics.median(cpu for cpu, _ in rounds)
    took_s = statistics.median(took for _, took in rounds)
    allowed_s = 2 * floor + PER_ROUTER_S * ROUTERS
    return [
        Measure(what="writes in clean resyncs", value=writes, budget=0),
        Measure(
            what=f"worker CPU, {ROUTERS * EACH:,} subscribers on {ROUTERS} routers, unchanged",
            value=cpu_s * 1000,
            unit="ms",
            budget=round(allowed_s * 1000, 1),
            note=f"2 x the plain read + 2 ms a router; median of {ROUNDS}",
        ),
        Measure(what="CPU to read and digest these bytes plainly", value=floor * 1000, unit="ms", note=f"{size:,} B"),
        Measure(what="from the wish to the last router's record", value=took_s * 1000, unit="ms"),
        Measure(what="worker CPU when nothing is asked of it", value=idle_s * 1000, unit="ms/s"),
    ]


def resync(database: stage.Database, pid: int | None = None) -> tuple[float, float]:
    """CPU seconds of the worker, and seconds, of a whole resync of all routers."""
    from imsys.network.services import ask_resync

    cpu, started = stage.fine_cpu_s(pid) if pid else 0.0, time.perf_counter()
    ask_resync(None)
    database.until(database.are_resynced)
    took = time.perf_counter() - started
    time.sleep(0.02)  # the keepers look once more whether something is due
    return (stage.fine_cpu_s(pid) - cpu if pid else 0.0), took


def idle(pid: int, *, seconds: float) -> float:
    cpu = stage.fine_cpu_s(pid)
    time.sleep(seconds)
    return (stage.fine_cpu_s(pid) - cpu) / seconds


# -- the plain way


class Reading(asyncio.Protocol):
    """Asks for the tables and digests what comes, until it is as long as it was the first time."""

    def __init__(self, asked: bytes) -> None:
        self.asked = asked
        self.size = 0  # of the whole answer, once known
        self.length = 0
        self.digest = hashlib.blake2b(key=b"bench", digest_size=16)
        self.changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.length += len(data)
        self.digest.update(data)
        if not self.size or self.length >= self.size:
            self.changed.set()

    def ask(self, words: bytes) -> None:
        self.length = 0
        self.digest = hashlib.blake2b(key=b"bench", digest_size=16)
        self.changed.clear()
        self.transport.write(words)  # type: ignore[attr-defined]

    async def until_quiet(self) -> None:
        while True:
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), 0.3)
            except TimeoutError:
                return


def questions() -> bytes:
    """What a resync of PPPoE subscribers asks for."""
    from imsys.reconcile.kinds import PROFILE, SECRET
    from imsys.reconcile.sessions import ACTIVE

    return asked_for({PROFILE.menu: PROFILE.proplist, SECRET.menu: SECRET.proplist, ACTIVE.menu: ACTIVE.steady})


def asked_for(columns: Mapping[str, Sequence[str]], queries: Mapping[str, Sequence[str]] = {}) -> bytes:
    """One print of each menu. `queries`: by menu, the query words of those that are not read whole."""
    return b"".join(
        sentence(f"{menu}/print", f"=.proplist={','.join(names)}", *queries.get(menu, ()), f".tag=r{n:05d}")
        for n, (menu, names) in enumerate(columns.items())
    )


async def plain(ports: Collection[int], rounds: int, asked: bytes) -> tuple[float, int]:
    """CPU seconds of one plain read of all routers (median of `rounds`), and its bytes."""
    loop = asyncio.get_running_loop()
    readings = []
    for port in ports:
        _, reading = await loop.create_connection(lambda: Reading(asked), "127.0.0.1", port)
        reading.ask(sentence("/login", "=name=admin", "=password="))
        await reading.until_quiet()
        reading.ask(asked)
        await reading.until_quiet()
        reading.size = reading.length
        readings.append(reading)
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        for reading in readings:
            reading.ask(asked)
        await asyncio.gather(*(reading.changed.wait() for reading in readings))
        for reading in readings:
            reading.digest.digest()
        taken.append(time.process_time() - started)
    for reading in readings:
        reading.transport.close()
    return statistics.median(taken), sum(reading.size for reading in readings)
