"""The routers of the demo: simulated ones on real TCP ports of this machine, in a thread with a loop of its own.

What the story claims is looked up here, in the routers' own tables, and not in our database.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from imsys.sim import SimRouter, SimServer, SimUser
from imsys.sim.edit import Outcome
from imsys.sim.faults import Link, LinkGone, Moment, PartialWrite

T = TypeVar("T")

CALL_TIMEOUT_S = 30.0
REDIAL_S = 2.0


@dataclass(kw_only=True)
class DiesHalfWay(PartialWrite):
    """Of a write to many rows the first `ids` are changed; then the router loses its power for `down_s`."""

    down_s: float = 5.0

    async def after_write(self, link: Link, moment: Moment, outcome: Outcome) -> None:
        link.router.reboot(down_s=self.down_s)
        raise LinkGone


class DemoFleet:
    """A context manager; its methods may be called from any thread and answer when it is done."""

    def __init__(self, names: list[str], *, username: str, password: str) -> None:
        self.names = names
        self._users = {username: SimUser(password)}
        self._routers: dict[str, SimRouter] = {}
        self._ports: dict[str, int] = {}
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="simulated routers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(CALL_TIMEOUT_S)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_error: object) -> None:
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(CALL_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._routers = {name: SimRouter(name, users=self._users) for name in self.names}
        async with await SimServer.start(self._routers.values()) as server:
            self._ports = {name: server.port(name) for name in self.names}
            self._ready.set()
            await self._stop.wait()

    def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        async def call() -> T:
            return function(*arguments)

        return self._wait_for(call())

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_TIMEOUT_S)

    def port(self, name: str) -> int:
        return self._ports[name]

    # what happens to the routers

    def dial_everybody(self) -> None:
        """Each subscriber's equipment dials, and will dial again whenever its session ends."""
        self._call(lambda: [router.cpes.add_all(redial_s=REDIAL_S) for router in self._routers.values()])

    def let_die_half_way(self, name: str, *, after_rows: int, down_s: float) -> DiesHalfWay:
        fault = DiesHalfWay(menu="/ppp/secret", ids=after_rows, down_s=down_s)
        self._call(self._routers[name].faults.arm, fault)
        return fault

    def enable_in_winbox(self, name: str, usernames: list[str], *, by: str) -> None:
        def enable() -> None:
            for username in usernames:
                self._routers[name].tamper("/ppp/secret", username, {"disabled": "no"}, by=by, via="winbox")

        self._call(enable)

    def open_connection(self, name: str, address: str) -> bool:
        """A device behind the router opens one; the router fasttracks it."""
        return self._call(self._routers[name].firewall.open, address) and self.can_browse(name, address)

    # what is true on them

    def can_browse(self, name: str, address: str) -> bool:
        """By a connection that it has, or by a new one."""
        return self._call(self._routers[name].firewall.passes, address)

    def queue_of(self, name: str, username: str) -> str:
        """The limit of a static line's queue, upload and download in bits a second; "" without one."""

        def look() -> str:
            row = self._routers[name].table("/queue/simple").find(name=username)
            return row["max-limit"] if row is not None else ""

        return self._call(look)

    def is_up(self, name: str) -> bool:
        return self._call(lambda: self._routers[name].is_up)

    def secrets(self, name: str) -> dict[str, bool]:
        """Each secret's name, and whether it is disabled."""
        return self._call(
            lambda: {row["name"]: row["disabled"] == "true" for row in self._routers[name].table("/ppp/secret").rows}
        )

    def online(self, name: str) -> set[str]:
        return self._call(lambda: {row["name"] for row in self._routers[name].table("/ppp/active").rows})

    def counters(self, name: str) -> Mapping[str, Any]:
        return self._call(lambda: self._routers[name].counters.as_dict())

    def writes_per_row(self, name: str, *, by: str) -> dict[str, int]:
        """How often each secret was changed by a user so far, by row id."""

        def count() -> dict[str, int]:
            counts: dict[str, int] = {}
            for entry in self._routers[name].journal:
                if entry.user == by and entry.path.startswith("/ppp/secret/"):
                    for row_id in entry.ids:
                        counts[row_id] = counts.get(row_id, 0) + 1
            return counts

        return self._call(count)
