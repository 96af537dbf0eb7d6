"""A clean resync of 10,000 subscribers of all services on 10 routers: PPPoE, static lines and hotspot logins.

Held against reading the same bytes by plain asyncio and digesting them, plus 4 ms for each router: there are three
times as many menus to ask as for PPPoE alone, which is allowed 2.
"""

import asyncio
import statistics

from tests.bench import stage
from tests.bench.bench_resync import asked_for, plain, resync
from tests.bench.measure import Measure

ROUTERS, PPPOE, STATIC, HOTSPOT = 10, 400, 400, 200
COUNT = ROUTERS * (PPPOE + STATIC + HOTSPOT)
ROUNDS = 30
UNPACED = 10_000
PER_ROUTER_S = 0.004


def run() -> list[Measure]:
    with stage.installation(), stage.simulated(routers=ROUTERS, subscribers=PPPOE) as sim:
        load(sim)
        with stage.database() as database, stage.worker() as pid:
            database.until(lambda: database.are_synced() and database.are_resynced())
            resync(database)  # proves the tables clean
            writes = sim.counters()["writes"]
            rounds = [resync(database, pid) for _ in range(ROUNDS)]
            writes = sim.counters()["writes"] - writes
        floor, size = asyncio.run(plain(sim.ports.values(), ROUNDS, questions()))
    cpu_s = statistics.median(cpu for cpu, _ in rounds)
    allowed_s = 2 * floor + PER_ROUTER_S * ROUTERS
    return [
        Measure(what="writes in clean resyncs", value=writes, budget=0),
        Measure(
            what=f"worker CPU, {COUNT:,} subscribers of all services on {ROUTERS} routers, unchanged",
            value=cpu_s * 1000,
            unit="ms",
            budget=round(allowed_s * 1000, 1),
            note=f"2 x the plain read + 4 ms a router; median of {ROUNDS}",
        ),
        Measure(what="CPU to read and digest these bytes plainly", value=floor * 1000, unit="ms", note=f"{size:,} B"),
        Measure(
            what="from the wish to the last router's record",
            value=statistics.median(took for _, took in rounds) * 1000,
            unit="ms",
        ),
    ]


def load(sim: stage.Simulated) -> None:
    """PPPoE subscribers are on the routers already; the others' rows are made."""
    from imsys.subscribers import services

    stage.add_routers(sim, pace_per_s=UNPACED)
    services.add_package(name=stage.PACKAGE, profile="default", rate_limit="10M/10M", price=20, actor=stage.ACTOR)
    lines = []
    for number, router in enumerate(sim.ports):
        lines += [f"{router}-u{n:05d},secret-{n},pppoe,{router},," for n in range(1, PPPOE + 1)]
        lines += [f"{router}-s{n},,static,{router},{place(number, n)}" for n in range(1, STATIC + 1)]
        lines += [f"{router}-h{n},secret-{n},hotspot,{router},," for n in range(1, HOTSPOT + 1)]
    stage.import_lines(
        "username,password,service,router,address,mac,package", [f"{line},{stage.PACKAGE}" for line in lines]
    )
    services.suspend([f"{router}-s{n}" for router in sim.ports for n in range(1, 40)], actor=stage.ACTOR)


def place(router: int, n: int) -> str:
    """Address and MAC address of a static line."""
    return f"10.{router}.{n >> 8}.{n & 255},02:00:00:{router:02X}:{n >> 8:02X}:{n & 255:02X}"


def questions() -> bytes:
    """What a resync of a router with every service asks for."""
    from imsys.reconcile.kinds import ADDRESS_LIST, BINDING, KINDS
    from imsys.reconcile.sessions import ACTIVE, HOTSPOT_ACTIVE

    columns = {menu: kind.proplist for menu, kind in KINDS.items() if menu != BINDING.menu}
    columns |= {kind.menu: kind.steady for kind in (ACTIVE, HOTSPOT_ACTIVE)}
    return asked_for(columns, {ADDRESS_LIST.menu: ["?list=BLOCKED_USERS"]})
