"""A whole simulation from a set of options: what `imsys simulate` runs, and benches in a process of their own."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from imsys.kit.clock import Clock
from imsys.kit.errors import InputError
from imsys.sim.accounts import SimUser
from imsys.sim.arming import parse_fault
from imsys.sim.behaviour import Behaviour, parse_version
from imsys.sim.control import Control
from imsys.sim.router import Latency, SimRouter
from imsys.sim.server import SimServer

# More sessions than these take noticeably long to bring up one by one.
MOST_DIALLING = 50_000


LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to simulate. Ports of 0 are any free ones; without `control_port` there is no control port.

    Router number 3 is named r3 and its secrets r3-u00001 and so on, with the passwords secret-1 and so on.
    """

    routers: int = 1
    host: str = "127.0.0.1"
    base_port: int = 0
    subscribers: int = 0
    latency_ms: float = 0.0
    row_latency_us: float = 0.0
    control_port: int | None = None
    faults: tuple[str, ...] = ()
    version: str = "7.16.2"
    username: str = "admin"
    password: str = field(default="", repr=False)
    seed: int = 0
    dials: bool | None = None  # each subscriber has a CPE that dials and redials; None: up to 50,000 of them
    redial_s: float = 2.0
    behaviour: Behaviour = field(default_factory=Behaviour)
    tls: str | None = None


@dataclass(frozen=True)
class Simulation:
    """What runs."""

    routers: list[SimRouter]
    server: SimServer
    control: Control | None

    @property
    def control_port(self) -> int | None:
        return None if self.control is None else self.control.port

    def ports(self) -> dict[str, int]:
        """The API port of each router, by name."""
        return {router.name: self.server.port(router) for router in self.routers}


def build_routers(options: Options, clock: Clock | None = None) -> list[SimRouter]:
    """The routers of a simulation, secrets in them and faults armed, not yet listening. Raises: InputError."""
    parse_version(options.version)
    routers = []
    for number in range(1, options.routers + 1):
        router = SimRouter(
            f"r{number}",
            version=options.version,
            seed=options.seed,
            clock=clock,
            users={options.username: SimUser(options.password)},
            latency=Latency(options.latency_ms / 1000, options.row_latency_us / 1_000_000),
            behaviour=options.behaviour,
            tls=options.tls,
        )
        router.seed_secrets(options.subscribers)
        routers.append(router)
    return routers


@contextlib.asynccontextmanager
async def running(options: Options, clock: Clock | None = None) -> AsyncIterator[Simulation]:
    """A simulation for the length of a block."""
    for spec in options.faults:
        parse_fault(spec)  # say what is wrong before anything runs
    if options.base_port and options.base_port + options.routers - 1 > LAST_PORT:
        raise InputError(
            f"{options.routers} routers from port {options.base_port} need ports beyond {LAST_PORT}.",
            remedy="Choose a lower --base-port, or 0 for any free ones.",
        )
    routers = build_routers(options, clock)
    try:
        server = await SimServer.start(routers, options.host, options.base_port)
    except OSError as exc:
        raise InputError(
            f"The simulated routers cannot listen on {options.host} from port {options.base_port}: {exc.strerror}.",
            remedy="Choose another --base-port.",
            code="PortInUse",
        ) from exc
    control = None
    is_small = options.routers * options.subscribers <= MOST_DIALLING
    try:
        for router in routers:
            for spec in options.faults:
                router.faults.arm(parse_fault(spec))
            if options.dials if options.dials is not None else is_small:
                router.cpes.add_all(redial_s=options.redial_s)
        if options.control_port is not None:
            control = Control(server)
            await control.start(options.control_port)
        gc.collect()
        gc.freeze()  # rows live as long as the process: no need to look at them again
        yield Simulation(routers, server, control)
    finally:
        gc.unfreeze()
        if control is not None:
            await control.close()
        await server.close()


async def simulate(
    options: Options,
    *,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[Simulation], None] | None = None,
    clock: Clock | None = None,
) -> None:
    """Run a simulation until `stop` is set or the task is cancelled. Raises: InputError for unusable options."""
    async with running(options, clock) as simulation:
        if on_ready is not None:
            on_ready(simulation)
        await (stop or asyncio.Event()).wait()
