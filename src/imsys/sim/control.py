"""The control port: one JSON object per line in, one per line out, on loopback. For scripts that steer a simulation.

`{"do": "arm", "router": "r1", "fault": "drop-after:nth=3"}` is answered `{"ok": true, "result": ...}` or
`{"ok": false, "error": "..."}`. A router named "*" means all of them.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from imsys.kit.errors import InputError
from imsys.sim.arming import make_fault, parameters, parse_fault
from imsys.sim.dhcp import DEFAULT_INTERFACE
from imsys.sim.fault import Fault
from imsys.sim.hotspot import DEFAULT_INTERFACE as HOTSPOT_INTERFACE
from imsys.sim.router import Latency, SimRouter
from imsys.sim.server import SimServer
from imsys.sim.traps import SimTrap

MAX_LINE_BYTES = 1024 * 1024
ALL = "*"
Ask = Mapping[str, Any]


class Control:
    """Serves the control port of one server."""

    def __init__(self, server: SimServer) -> None:
        self._server = server
        self._faults: dict[int, tuple[SimRouter, Fault]] = {}
        self._listener: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._listener = await asyncio.start_server(self._serve, host, port, limit=MAX_LINE_BYTES)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # gone, or a line without end
            pass
        finally:
            writer.close()

    def answer(self, line: bytes | str) -> dict[str, Any]:
        """What a line gets back; mistakes are answers too."""
        try:
            ask = json.loads(line)
            if not isinstance(ask, dict) or ask.get("do") not in ACTIONS:
                raise InputError("That is no request.", remedy=f"Say what to do: {', '.join(sorted(ACTIONS))}.")
            return {"ok": True, "result": ACTIONS[ask["do"]](self, ask)}
        except (InputError, SimTrap, json.JSONDecodeError) as error:
            return {"ok": False, "error": str(error)}
        except (KeyError, TypeError, ValueError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def _routers(self, ask: Ask) -> list[SimRouter]:
        name = ask.get("router", ALL)
        if name == ALL:
            return list(self._server.routers.values())
        if name not in self._server.routers:
            raise InputError(f"There is no router {name!r}.", remedy="See routers.")
        return [self._server.routers[name]]

    def _per_router(self, ask: Ask, work: Callable[[SimRouter], Any]) -> dict[str, Any]:
        return {router.name: work(router) for router in self._routers(ask)}

    # What can be asked

    def routers(self, _ask: Ask) -> list[dict[str, Any]]:
        return [
            {
                "name": router.name,
                "host": self._server.host,
                "port": self._server.port(router),
                "version": router.version.text,
                "is_up": router.is_up,
                "uptime_s": round(router.uptime_s, 1),
                "secrets": len(router.table("/ppp/secret")),
                "online": len(router.ppp.sessions),
                "connections": len(router.sessions),
                "faults": len(router.faults),
            }
            for router in self._server.routers.values()
        ]

    def dump(self, ask: Ask) -> dict[str, Any]:
        return self._per_router(ask, SimRouter.dump)

    def rows(self, ask: Ask) -> dict[str, Any]:
        return self._per_router(ask, lambda router: router.table(ask["menu"]).rows)

    def counters(self, ask: Ask) -> dict[str, Any]:
        result = self._per_router(ask, lambda router: router.counters.as_dict())
        if ask.get("reset"):
            self._per_router(ask, lambda router: router.counters.reset())
        return result

    def journal(self, ask: Ask) -> dict[str, Any]:
        since = int(ask.get("since", 0))
        return self._per_router(ask, lambda router: [entry.as_dict() for entry in router.journal.since(since)])

    def arm(self, ask: Ask) -> dict[str, int]:
        """A number for each fault, by which it is asked for and disarmed."""
        numbers = {}
        for router in self._routers(ask):
            fault = make_fault(ask["kind"], ask.get("with", {})) if "kind" in ask else parse_fault(str(ask["fault"]))
            numbers[router.name] = number = len(self._faults) + 1
            self._faults[number] = (router, router.faults.arm(fault))
        return numbers

    def disarm(self, ask: Ask) -> int:
        """How many faults were disarmed: the one of `number`, or all of the routers."""
        if "number" in ask:
            router, fault = self._faults[int(ask["number"])]
            router.faults.disarm(fault)
            return 1
        routers = self._routers(ask)
        count = sum(len(router.faults) for router in routers)
        for router in routers:
            router.faults.clear()
        return count

    def faults(self, ask: Ask) -> dict[str, Any]:
        def described(router: SimRouter) -> list[dict[str, Any]]:
            return [
                {name: getattr(fault, name) for name in parameters(type(fault))}
                | {"kind": fault.kind, "fired": fault.fired, "seen": fault.seen}
                for fault in router.faults
            ]

        return self._per_router(ask, described)

    def reboot(self, ask: Ask) -> None:
        for router in self._routers(ask):
            router.reboot(down_s=float(ask["down_s"]) if "down_s" in ask else None)

    def power_off(self, ask: Ask) -> None:
        for router in self._routers(ask):
            router.power_off()

    def boot(self, ask: Ask) -> None:
        for router in self._routers(ask):
            router.boot()

    def power_cut(self, ask: Ask) -> dict[str, Any]:
        """How many rows each router lost."""
        down_s = float(ask["down_s"]) if "down_s" in ask else None
        return self._per_router(ask, lambda router: router.power_cut(float(ask.get("lost_s", 40.0)), down_s))

    def hold_writes(self, ask: Ask) -> None:
        self._per_router(ask, lambda router: router.hold_writes(float(ask.get("seconds", 40.0))))

    def safe_mode(self, ask: Ask) -> dict[str, Any]:
        """`how`: who (default), take (`by`), release or lose."""
        how = ask.get("how", "who")

        def work(router: SimRouter) -> Any:
            if how == "who":
                return router.safe_mode_by
            if how == "take":
                return router.take_safe_mode(ask.get("by", "juma"))
            if how == "release":
                return router.release_safe_mode()
            if how == "lose":
                return router.lose_safe_mode()
            raise InputError(f"Safe mode cannot {how!r}.", remedy="Say who, take, release or lose.")

        return self._per_router(ask, work)

    def drop_links(self, ask: Ask) -> None:
        for router in self._routers(ask):
            router.drop_links()

    def tamper(self, ask: Ask) -> None:
        for router in self._routers(ask):
            router.tamper(
                ask["menu"],
                ask.get("key", ""),
                ask.get("fields", {}),
                by=ask.get("by", "juma"),
                via=ask.get("via", "winbox"),
                verb=ask.get("verb", "set"),
            )

    def latency(self, ask: Ask) -> None:
        for router in self._routers(ask):
            router.latency = Latency(float(ask.get("command_s", 0.0)), float(ask.get("row_s", 0.0)))

    def cpes(self, ask: Ask) -> dict[str, Any]:
        """`how`: list (default), add-all, dial, hang-up, remove; the last three for `name`."""
        how, name = ask.get("how", "list"), ask.get("name", "")

        def work(router: SimRouter) -> Any:
            if how == "add-all":
                return router.cpes.add_all(redial_s=float(ask.get("redial_s", 2.0)))
            if how == "list":
                return {cpe.name: cpe.session_id is not None for cpe in router.cpes}
            if how == "dial":
                return router.cpes.dial(name)
            if how == "hang-up":
                return router.cpes.hang_up(name, redial=bool(ask.get("redial", True)))
            if how == "remove":
                return router.cpes.remove(name)
            raise InputError(f"CPEs cannot {how!r}.", remedy="Say list, add-all, dial, hang-up or remove.")

        return self._per_router(ask, work)

    def devices(self, ask: Ask) -> dict[str, Any]:
        """DHCP devices. `how`: list (default), add, ask, release, unplug; all but list and add for `mac`."""
        how, mac = ask.get("how", "list"), ask.get("mac", "")

        def work(router: SimRouter) -> Any:
            if how == "list":
                return {device.mac: device.address for device in router.dhcp}
            if how == "add":
                device = router.dhcp.add(mac, interface=ask.get("interface", DEFAULT_INTERFACE))
                return router.dhcp.ask(device.mac)
            if how == "ask":
                return router.dhcp.ask(mac)
            if how == "release":
                return router.dhcp.release(mac)
            if how == "unplug":
                return router.dhcp.unplug(mac)
            raise InputError(f"Devices cannot {how!r}.", remedy="Say list, add, ask, release or unplug.")

        return self._per_router(ask, work)

    def hotspot(self, ask: Ask) -> dict[str, Any]:
        """Devices behind the hotspot. `how`: list (default: who passes), add, login, logout, unplug, plug, remove."""
        how, mac = ask.get("how", "list"), ask.get("mac", "")

        def work(router: SimRouter) -> Any:
            devices = router.hotspot
            if how == "list":
                return {device.mac: devices.passes(device.mac) for device in devices}
            if how == "add":
                added = devices.add(
                    mac, address=ask.get("address", ""), interface=ask.get("interface", HOTSPOT_INTERFACE)
                )
                return devices.passes(added.mac)
            if how == "login":
                return devices.login(mac, ask.get("user", ""), ask.get("password"))
            if how == "logout":
                return devices.logout(mac, again=bool(ask.get("again", False)))
            if how in ("unplug", "plug", "remove"):
                return {"unplug": devices.unplug, "plug": devices.plug, "remove": devices.remove}[how](mac)
            raise InputError(
                f"The hotspot cannot {how!r}.", remedy="Say list, add, login, logout, unplug, plug or remove."
            )

        return self._per_router(ask, work)

    def flows(self, ask: Ask) -> dict[str, Any]:
        """`how`: passes (default), open or list, for `address`."""
        how, address = ask.get("how", "passes"), ask["address"]

        def work(router: SimRouter) -> Any:
            if how == "passes":
                return router.firewall.passes(address)
            if how == "open":
                return router.firewall.open(address)
            if how == "list":
                return router.firewall.connections(address)
            raise InputError(f"Flows cannot {how!r}.", remedy="Say passes, open or list.")

        return self._per_router(ask, work)


ACTIONS: dict[str, Callable[[Control, Ask], Any]] = {
    "routers": Control.routers,
    "dump": Control.dump,
    "rows": Control.rows,
    "counters": Control.counters,
    "journal": Control.journal,
    "arm": Control.arm,
    "disarm": Control.disarm,
    "faults": Control.faults,
    "reboot": Control.reboot,
    "power-off": Control.power_off,
    "boot": Control.boot,
    "power-cut": Control.power_cut,
    "hold-writes": Control.hold_writes,
    "safe-mode": Control.safe_mode,
    "drop-links": Control.drop_links,
    "tamper": Control.tamper,
    "latency": Control.latency,
    "cpes": Control.cpes,
    "devices": Control.devices,
    "hotspot": Control.hotspot,
    "flows": Control.flows,
}
