"""A RouterOS to practise on: many simulated routers in one process, over TCP or in memory, with faults on demand.

It behaves as RouterOS does, not as our client expects; what is not proven about RouterOS is a switch of `Behaviour`.
Only the CLI and the tests may import this package.
"""

from imsys.sim.accounts import Actor, SimUser
from imsys.sim.arming import parse_fault
from imsys.sim.behaviour import Behaviour
from imsys.sim.router import Latency, SimRouter
from imsys.sim.server import SimServer
from imsys.sim.traps import SimTrap

__all__ = ["Actor", "Behaviour", "Latency", "SimRouter", "SimServer", "SimTrap", "SimUser", "parse_fault"]
