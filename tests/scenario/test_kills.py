"""kill -9 of a worker, of serve and of the database server amid a suspension of 1,000: all right afterwards."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imsys.sim.faults import Delay
from imsys.sim.router import SimRouter
from imsys.sim.server import SimServer
from tests.integration.test_cli_serve import Served, wait_until

pytestmark = pytest.mark.timeout(120)

NAMES = [f"user{number:04d}" for number in range(1000)]
SLOW_S = 1.0


class Network:
    """One simulated router on a loop of its own, watched while it runs."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.router = SimRouter("r1")
        self.server = asyncio.run_coroutine_threadsafe(SimServer.start([self.router]), self.loop).result(10)
        self.port = self.server.port(self.router)
        self.most_connections = 0

    def slow_down_after(self, writes: int) -> Delay:
        """The first writes are done at once, the others a second later: a middle to be killed in."""
        fault = Delay(menu="/ppp/secret", verb="set", nth=writes + 1, times=0, seconds=SLOW_S)
        self.loop.call_soon_threadsafe(self.router.faults.arm, fault)
        return fault

    def disabled(self) -> set[str]:
        self.most_connections = max(self.most_connections, len(self.router.sessions))
        return {row["name"] for row in list(self.router.table("/ppp/secret").rows) if row["disabled"] == "true"}

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def network() -> Iterator[Network]:
    net = Network()
    yield net
    net.close()


@pytest.fixture
def isp(tmp_path: Path, network: Network) -> Iterator[Served]:
    """serve with two workers, and 1,000 subscribers who are all in line."""
    served = Served(tmp_path, "--workers", "2")
    try:
        (tmp_path / "password").write_text("\n")
        at = ["--host", "127.0.0.1", "--port", str(network.port), "--username", "admin"]
        served.imsys("router", "add", "r1", *at, "--password-file", str(tmp_path / "password"), "--mode", "enforce")
        served.imsys("router", "set", "r1", "--pace", "10000")
        served.imsys("package", "add", "home", "--rate-limit", "10M/10M", "--price", "20")
        lines = [f"{name},secret-{name},pppoe,r1,home" for name in NAMES]
        (tmp_path / "list.csv").write_text("\n".join(["username,password,service,router,package", *lines]))
        served.imsys("subscriber", "import", str(tmp_path / "list.csv"))
        served.imsys("sync", "--timeout", "60")
        yield served
    finally:
        for pid in (served.process.pid,):
            os.kill(pid, signal.SIGTERM)
        served.process.wait(20)
        assert served.process.stdout is not None
        served.process.stdout.close()


def suspend_and_reach_the_middle(isp: Served, network: Network) -> Delay:
    fault = network.slow_down_after(4)
    (isp.folder / "names").write_text("\n".join(NAMES))
    isp.imsys("subscriber", "suspend", "--file", str(isp.folder / "names"))
    wait_until(lambda: 0 < len(network.disabled()) < 1000)
    assert fault.fired
    return fault


def all_right(isp: Served, network: Network) -> None:
    synced = "select count(*) from subscribers_syncstate where sync_status = 'synced'"
    wait_until(lambda: isp.ask(synced) == 1000, within_s=30)
    assert network.disabled() == set(NAMES)
    rows = list(network.router.table("/ppp/secret").rows)
    assert sorted(row["name"] for row in rows) == NAMES  # nobody twice, nobody lost


def keeper_pid(isp: Served) -> int:
    """The process that keeps the router: the worker that is connected to it."""
    workers = isp.children("worker")
    inodes = {}
    for pid in workers:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes[target[8:-1]] = pid
    port = f":{isp_port(isp):04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2].endswith(port) and fields[3] == "01" and fields[9] in inodes:
            return inodes[fields[9]]
    raise AssertionError("no worker is connected to the router")


def isp_port(isp: Served) -> int:
    return int(isp.ask("select port from network_router"))


def test_kill_of_the_keeping_worker(isp: Served, network: Network) -> None:
    fault = suspend_and_reach_the_middle(isp, network)
    epoch = isp.ask("select epoch from fleet_lease")
    victim = keeper_pid(isp)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: isp.ask("select epoch from fleet_lease") > epoch, within_s=15)
    network.loop.call_soon_threadsafe(network.router.faults.disarm, fault)
    all_right(isp, network)
    assert network.most_connections == 1  # nobody was ever at work twice


def test_kill_of_serve(isp: Served, network: Network) -> None:
    fault = suspend_and_reach_the_middle(isp, network)
    os.kill(isp.process.pid, signal.SIGKILL)
    isp.process.wait(5)
    wait_until(lambda: not isp.children("worker") and not isp.children("web"), within_s=5)
    network.loop.call_soon_threadsafe(network.router.faults.disarm, fault)
    assert isp.process.stdout is not None
    isp.process.stdout.close()
    isp.start("--workers", "2")
    all_right(isp, network)
    assert network.most_connections == 1


def test_kill_of_the_database_server(isp: Served, network: Network) -> None:
    fault = suspend_and_reach_the_middle(isp, network)
    os.kill(isp.postmaster(), signal.SIGKILL)
    network.loop.call_soon_threadsafe(network.router.faults.disarm, fault)
    wait_until(lambda: isp.ask("select 1"), within_s=20)
    all_right(isp, network)
    assert network.most_connections == 1
