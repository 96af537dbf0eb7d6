"""An ISP run from the command line, with a worker up, on routers that other people use too.

What is ours on a router is told from what is theirs by the ids of the rows that were there first. What ours should
look like comes from a twin: a router of the same version on which a person has made the rows by hand.
"""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from imsys.cli.main import main
from imsys.sim.accounts import OUTSIDER
from imsys.sim.router import SimRouter
from tests.world import World

VERSIONS = ("6.49.15", "7.12.2", "7.18.2")
TCP_VERSION = "7.18.2"
"""The version that is spoken to over TCP; the others over memory."""

SECRET, PROFILE, ACTIVE = "/ppp/secret", "/ppp/profile", "/ppp/active"
QUEUE, LEASE, SERVER = "/queue/simple", "/ip/dhcp-server/lease", "/ip/dhcp-server"
LIST, FILTER, CONNECTION = "/ip/firewall/address-list", "/ip/firewall/filter", "/ip/firewall/connection"
HOTSPOT, HOTSPOT_USER, HOTSPOT_PROFILE = "/ip/hotspot", "/ip/hotspot/user", "/ip/hotspot/user/profile"
BINDING, HOTSPOT_ACTIVE, COOKIE = "/ip/hotspot/ip-binding", "/ip/hotspot/active", "/ip/hotspot/cookie"
BLOCKED = "BLOCKED_USERS"
RULE_COMMENT = "IMSys: drops suspended subscribers"
DROP_RULE = (
    FILTER,
    {"chain": "forward", "action": "drop", "src-address-list": BLOCKED, "disabled": "no", "comment": RULE_COMMENT},
)

Made = tuple[str, dict[str, str]]
"""A row as a person would add it: menu and properties."""
Dump = dict[str, list[dict[str, str]]]

TOLD_BY_THE_ROUTER = frozenset(
    {
        *(".id", "creation-time", "last-logged-out", "last-caller-id", "last-disconnect-reason"),
        *("uptime", "bytes-in", "bytes-out", "packets-in", "packets-out"),
    }
)

THEIRS: Sequence[Made] = (
    (PROFILE, {"name": "isp-own", "rate-limit": "2M/2M", "comment": "of the owner"}),
    (SECRET, {"name": "router-to-router", "service": "l2tp", "password": "x", "profile": "isp-own"}),
    (SECRET, {"name": "anna", "service": "pppoe", "comment": "IMSys: not really"}),
    (SECRET, {"name": "off duty", "disabled": "yes"}),
    (QUEUE, {"name": "office", "target": "192.168.77.0/24", "max-limit": "1M/1M"}),
    (LEASE, {"address": "192.168.77.2", "mac-address": "02:00:00:00:77:02", "server": "dhcp1", "comment": "printer"}),
    (LIST, {"list": BLOCKED, "address": "192.168.77.3", "comment": "a scanner"}),
    (LIST, {"list": BLOCKED, "address": "192.168.78.0/24", "disabled": "yes"}),
    (LIST, {"list": "WHITE", "address": "10.20.0.7"}),
    (LIST, {"list": "BLOCKED_USERS_OLD", "address": "10.20.0.250"}),
    (FILTER, {"chain": "input", "action": "drop", "src-address-list": BLOCKED}),
    (FILTER, {"chain": "forward", "action": "drop", "src-address-list": "BLOCKED_USERS_OLD", "comment": "theirs"}),
    (FILTER, {"chain": "forward", "action": "drop", "src-address-list": BLOCKED, "protocol": "udp", "dst-port": "53"}),
    (HOTSPOT, {"name": "lobby", "interface": "ether5"}),
    (HOTSPOT_PROFILE, {"name": "guests", "rate-limit": "1M/1M"}),
    (HOTSPOT_USER, {"name": "ann", "server": "lobby", "password": "x", "profile": "guests", "comment": "room 7"}),
    (HOTSPOT_USER, {"name": "desk", "password": "x"}),
    (BINDING, {"mac-address": "02:00:00:00:77:09", "type": "blocked"}),
    (BINDING, {"mac-address": "AA:BB:CC:00:00:01", "server": "lobby", "type": "blocked", "comment": "not in here"}),
)


class Isp:
    """Call it with a command line: it runs `imsys` with --json, looks at the exit code, and returns what was said."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self._theirs: dict[str, Dump] = {}
        self._given: dict[str, list[Made]] = {}

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> Any:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        found = main([*arguments, "--json"])
        out, err = self._capsys.readouterr()
        assert found == code, f"{arguments}: {found} {out} {err}\n{self.world.story()}"
        return json.loads(out) if out else err

    # -- routers

    def router(
        self, name: str = "r1", *, version: str = "7.16.2", theirs: Sequence[Made] = THEIRS, **options: Any
    ) -> SimRouter:
        """A router that we keep, with rows of other people on it."""
        router = SimRouter(name, version=version, seed=self.world.seed)
        self.world.call(lambda: add_rows(router, theirs))
        self.world.add_router(name, sim=router, tcp=version == TCP_VERSION, **options)
        self._theirs[name], self._given[name] = self.dump(name), [*theirs]
        return router

    def dump(self, name: str = "r1") -> Dump:
        """Configuration as printed, but for /user, which notes each login of ours."""
        return self.world.call(lambda: {m: rows for m, rows in self.world.routers[name].dump().items() if m != "/user"})

    def do(self, function: Callable[[], Any]) -> Any:
        """Run it where the routers live."""
        return self.world.call(function)

    def find(self, menu: str, *, on: str = "r1", **properties: str) -> dict[str, str] | None:
        found: dict[str, str] | None = self.do(lambda: self.world.routers[on].table(menu).find(**properties))
        return found

    def row(self, menu: str, *, on: str = "r1", **properties: str) -> dict[str, str]:
        """The one that is there."""
        found = self.find(menu, on=on, **properties)
        assert found is not None, f"{menu} {properties} on {on}"
        return found

    def others_add(self, *rows: Made, on: str = "r1") -> None:
        """People add rows of their own."""
        router = self.world.routers[on]
        ours = {(m, row.get(".id")) for m, rows_of in self._ours(on).items() for row in rows_of}
        self.do(lambda: add_rows(router, rows))
        now = self.dump(on)
        self._theirs[on] = {m: [row for row in now[m] if (m, row.get(".id")) not in ours] for m in now}
        self._given[on] += [(m, {k: v for k, v in values.items() if k != "place-before"}) for m, values in rows]

    def others_remove(self, menu: str, *, on: str = "r1", **properties: str) -> None:
        row_id = self.row(menu, on=on, **properties)[".id"]
        self.do(lambda: self.world.routers[on].table(menu).remove(row_id))
        self._theirs[on][menu] = [row for row in self._theirs[on][menu] if row.get(".id") != row_id]

    def _ours(self, on: str) -> Dump:
        now, known = self.dump(on), {m: {row.get(".id") for row in rows} for m, rows in self._theirs[on].items()}
        return {m: [row for row in now[m] if row.get(".id") not in known[m]] for m in now}

    # -- subscribers

    def add(self, username: str, *options: str, password: str | None = None, to: str = "r1") -> Any:
        """`password`: None when it is not managed."""
        given = ("--password-file", "-") if password is not None else ()
        line = ("subscriber", "add", username, "--router", to, *options, *given)
        return self(*line, *(() if "--package" in options else ("--package", "home")), stdin=password or "")

    def online(self, *usernames: str, on: str = "r1", redial_s: float = 0.02) -> None:
        """Their CPEs dial in, with the password that the row has, and dial again whenever a session ends."""
        router = self.world.routers[on]

        def dial() -> bool:
            for name in usernames:
                router.cpes.add(name, redial_s=redial_s)
            return sum(router.cpes.dial(name) for name in usernames) == len(usernames)

        assert self.do(dial)

    def sync(self, code: int = 0) -> Any:
        return self("sync", "--timeout", "15", code=code)

    def shown(self, username: str) -> Any:
        return self("subscriber", "show", username)

    # -- what must be so

    def has(self, *rows: Made, on: str = "r1") -> None:
        """The router has these rows of ours and no other, what is theirs is as it was, and a second run is idle."""
        self.looks(*rows, on=on)
        self.is_idle(on)
        self.looks(*rows, on=on)

    def has_on_the_way(self, *rows: Made, on: str = "r1") -> None:
        """The same while another router cannot be read."""
        self.looks(*rows, on=on)
        self.is_idle(on)

    def looks(self, *rows: Made, on: str = "r1") -> None:
        self.theirs_are_untouched(on)
        wanted = twin(self.world.routers[on].version.text, self._given[on], rows)
        for menu, ours in self._ours(on).items():
            assert bare(ours) == bare(wanted[menu]), f"ours in {menu} of {on}"

    def theirs_are_untouched(self, on: str = "r1") -> None:
        """Byte for byte, and in their order."""
        now = self.dump(on)
        for menu, before in self._theirs[on].items():
            known = {row.get(".id") for row in before}
            assert [row for row in now[menu] if row.get(".id") in known] == before, f"theirs in {menu} of {on}"

    def is_idle(self, name: str = "r1") -> None:
        """Another run finds nothing to do."""
        router = self.world.routers[name]
        before = self.do(lambda: (router.counters.writes, router.journal.seq))
        for report in self("reconcile", "--router", name)["routers"]:
            assert (report["drifted"], report["writes"]) == (0, 0), report
        assert self.do(lambda: (router.counters.writes, router.journal.seq)) == before


def add_rows(router: SimRouter, rows: Sequence[Made]) -> None:
    for menu, properties in rows:
        router.table(menu).add(by=OUTSIDER, **properties)


def twin(version: str, theirs: Sequence[Made], rows: Sequence[Made]) -> Dump:
    """`rows` by menu, as a router of this version prints them once a person has made them there."""
    router = SimRouter("twin", version=version)
    add_rows(router, theirs)
    known = {(menu, row.get(".id")) for menu, printed in router.dump().items() for row in printed}
    add_rows(router, rows)
    return {
        menu: [row for row in found if (menu, row.get(".id")) not in known] for menu, found in router.dump().items()
    }


def bare(rows: Sequence[dict[str, str]]) -> list[list[tuple[str, str]]]:
    """Whole rows but for what the router alone knows, in whatever order."""
    return sorted(sorted((k, v) for k, v in row.items() if k not in TOLD_BY_THE_ROUTER) for row in rows)


def profile(name: str = "home", rate: str = "10M/10M") -> Made:
    return PROFILE, {"name": name, "rate-limit": rate}


def secret(name: str, **more: str) -> Made:
    values = {"name": name, "service": "pppoe", "profile": "home"} | more
    return SECRET, {key.replace("_", "-"): value for key, value in values.items()}


def queue(name: str, address: str, rate: str = "10M/10M", **more: str) -> Made:
    return QUEUE, {"name": name, "target": address, "max-limit": rate} | more


def lease(address: str, mac: str, **more: str) -> Made:
    return LEASE, {"address": address, "mac-address": mac} | more


def entry(address: str, name: str = BLOCKED) -> Made:
    return LIST, {"list": name, "address": address}


def hotspot_profile(name: str = "home", rate: str = "10M/10M", **more: str) -> Made:
    return HOTSPOT_PROFILE, {"name": name, "rate-limit": rate} | more


def hotspot_user(name: str, **more: str) -> Made:
    return HOTSPOT_USER, {"name": name, "profile": "home", "limit-uptime": "0s", "limit-bytes-total": "0"} | more


def binding(mac: str, **more: str) -> Made:
    return BINDING, {"mac-address": mac, "type": "bypassed"} | more
