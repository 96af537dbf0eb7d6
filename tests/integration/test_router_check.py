"""`imsys router test`: which step fails, and what to do. Against simulated routers on real TCP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from imsys.kit.clock import SystemClock
from imsys.onboarding.check import STEPS, Report, Step, check_endpoint, parse_clock
from imsys.onboarding.rights import Known
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.sim import SimRouter, SimServer, SimUser
from imsys.sim.menus import MENUS

Check = Callable[..., Coroutine[Any, Any, Report]]
SOON = Limits(connect_s=0.5, login_s=0.5)
POLICIES = frozenset({"api", "read", "write", "sensitive", "test"})


@asynccontextmanager
async def router(
    *, secrets: int = 2, prepare: Callable[[SimRouter], object] = str, **options: Any
) -> AsyncIterator[Check]:
    """A router to check; the check takes what differs from the right endpoint."""
    sim = SimRouter("rt-1", **({"users": GROUP} | options))
    sim.seed_secrets(secrets)
    prepare(sim)
    async with await SimServer.start([sim]) as server:

        async def check(*, known: Known | None = None, **different: Any) -> Report:
            right = {"host": "127.0.0.1", "port": server.port(sim), "username": "imsys", "password": "pw"}
            return await check_endpoint(Endpoint(**(right | different)), limits=SOON, known=known)

        yield check


GROUP = {"imsys": SimUser("pw", group="imsys", policies=POLICIES)}


def user(*policies: str) -> dict[str, SimUser]:
    return {"imsys": SimUser("pw", group="imsys", policies=frozenset(policies))}


def step(report: Report, name: str) -> Step:
    return next(step for step in report.steps if step.name == name)


def switch(sim: SimRouter, menu: str, **values: str) -> None:
    """Change a row of settings."""
    sim.tamper(menu, "", {name.replace("_", "-"): value for name, value in values.items()})


def results(report: Report) -> dict[str, str]:
    return {step.name: step.result for step in report.steps}


def remedy(report: Report) -> str:
    assert report.failed is not None
    return report.failed.remedy


async def test_all_is_well() -> None:
    async with router() as check:
        report = await check()
    assert [step.name for step in report.steps] == list(STEPS)
    assert results(report) == dict.fromkeys(STEPS, "ok") | {"tls": "warning", "fasttrack": "warning"}
    assert (report.ok, report.identity, report.version) == (True, "rt-1", "7.16.2 (stable)")
    assert (report.can_write, report.shows_passwords) == (True, True)
    assert report.serial.startswith("HF")
    assert abs(report.clock_offset_s or 0) <= 2


async def test_nothing_is_changed_on_the_router() -> None:
    sim = SimRouter("rt-1", users={"imsys": SimUser("pw")})
    sim.seed_secrets(2)
    before = sim.dump()
    async with await SimServer.start([sim]) as server:
        await check_endpoint(Endpoint("127.0.0.1", server.port(sim), "imsys", "pw"))
    after = sim.dump()
    assert {menu: rows for menu, rows in after.items() if menu != "/user"} == {
        menu: rows for menu, rows in before.items() if menu != "/user"
    }
    assert len(sim.journal) == 0


@pytest.mark.parametrize("version", ["6.43", "6.49.17", "7.12.1", "7.18.2"])
async def test_every_version_is_read(version: str) -> None:
    async with router(version=version) as check:
        report = await check()
    assert report.ok
    assert results(report)["version"] == "ok"
    assert abs(report.clock_offset_s or 99) <= 2 or report.clock_offset_s == 0


async def test_a_port_that_nobody_listens_on() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        report = await check_endpoint(Endpoint("127.0.0.1", bound.getsockname()[1], "imsys", "pw"))
    assert results(report) == dict.fromkeys(STEPS, "skipped") | {"tcp": "failed"}
    assert "/ip/service api is enabled" in remedy(report)


async def test_something_else_answers() -> None:
    async with other_program(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        report = await check_endpoint(Endpoint("127.0.0.1", port, "imsys", "pw"), limits=SOON)
    assert results(report)["login"] == "failed"
    assert report.failed is not None
    assert "8728" in remedy(report)


async def test_a_wrong_password() -> None:
    async with router() as check:
        report = await check(password="wrong")
    assert (results(report)["tcp"], results(report)["login"]) == ("ok", "failed")
    assert "wrong" not in repr(report) + str(report.as_dict()["steps"])
    assert "username or password" in remedy(report)


async def test_a_group_that_may_not_read() -> None:
    async with router(users=user("api")) as check:
        report = await check()
    assert (results(report)["login"], results(report)["read"], results(report)["write"]) == ("ok", "failed", "skipped")
    assert remedy(report) == "Give its group the read policy on the router."


async def test_a_group_that_may_not_write_is_enough_to_observe() -> None:
    async with router(users=user("api", "read", "sensitive")) as check:
        report = await check()
    assert (report.ok, report.can_write, results(report)["write"]) == (True, False, "warning")


async def test_a_group_without_sensitive_hides_passwords() -> None:
    async with router(users=user(*POLICIES - {"sensitive"})) as check:
        report = await check()
    assert (report.ok, report.shows_passwords, results(report)["sensitive"]) == (True, False, "warning")


async def test_without_a_secret_the_groups_policy_tells() -> None:
    async with router(secrets=0) as check:
        report = await check()
    assert (report.shows_passwords, results(report)["sensitive"]) == (None, "ok")
    async with router(secrets=0, users=user(*POLICIES - {"sensitive"})) as check:
        report = await check()
    assert (report.shows_passwords, results(report)["sensitive"]) == (False, "warning")


async def test_a_password_that_is_kept_here_reads_back() -> None:
    async with router() as check:
        report = await check(known=Known({"rt-1-u00001": b"1-terces"}, lambda text: text[::-1].encode()))
    assert step(report, "sensitive").text == "the password of rt-1-u00001 reads back as it is kept here"


async def test_what_the_group_may_do() -> None:
    async with router(users=user(*POLICIES - {"test"})) as check:
        report = await check()
    assert step(report, "policies") == Step(
        "policies", "warning", "the group imsys lacks test", "Give the group these policies on the router: test."
    )
    async with router(users={"imsys": SimUser("pw", group="full", address="127.0.0.0/8")}) as check:
        report = await check()
    assert step(report, "policies").result == "warning"
    assert step(report, "policies").text.startswith("more than is needed: ftp, local,")
    assert "imsys router script" in step(report, "policies").remedy
    assert report.ok


@pytest.mark.parametrize("version", ["6.49.17", "7.18.2"])
async def test_a_clock_that_follows_nobody(version: str) -> None:
    async with router(version=version, prepare=lambda sim: switch(sim, "/system/ntp/client", enabled="no")) as check:
        report = await check()
    assert step(report, "ntp").text == "the NTP client is off"
    if version.startswith("7"):
        async with router(prepare=lambda sim: sim.table("/system/ntp/client").amend(0, status="waiting")) as check:
            report = await check()
        assert step(report, "ntp").text == "the NTP client is not in step: waiting"


async def test_without_fasttrack() -> None:
    def disable(sim: SimRouter) -> None:
        rule = sim.table("/ip/firewall/filter").find(action="fasttrack-connection")
        assert rule is not None
        sim.table("/ip/firewall/filter").set(rule[".id"], disabled="yes")

    async with router(prepare=disable) as check:
        report = await check()
    assert (report.has_fasttrack, results(report)["fasttrack"]) == (False, "ok")


async def test_radius_is_told_by_service() -> None:
    def use_radius(sim: SimRouter) -> None:
        switch(sim, "/ppp/aaa", use_radius="yes")
        sim.table("/ip/hotspot/profile").set("hsprof1", use_radius="yes")

    async with router(prepare=use_radius) as check:
        report = await check()
    assert (report.radius, results(report)["radius"], report.ok) == (["ppp", "hotspot"], "warning", True)


async def test_an_api_that_is_nearly_full() -> None:
    async with router(
        version="7.18.2", prepare=lambda sim: sim.table("/ip/service").set("api", max_sessions="2")
    ) as check:
        report = await check()
    assert (report.max_sessions, results(report)["max-sessions"]) == (2, "warning")
    assert step(report, "max-sessions").text == "1 of 2 sessions of api are taken"


async def test_what_the_router_can_do_is_told_by_menu() -> None:
    async with router(version="6.49.17", secrets=300) as check:
        report = await check()
    assert report.services == ["pppoe", "static", "hotspot"]
    assert report.counts["/ppp/secret"] == 300
    assert {"name", "password", "profile", "disabled"} <= set(report.menus["/ppp/secret"]["fields"])
    assert report.menus["/radius"] is None
    assert report.booted_at is not None


async def test_a_router_without_hotspot(monkeypatch: pytest.MonkeyPatch) -> None:
    for menu in [menu for menu in MENUS if menu.startswith("/ip/hotspot")]:
        monkeypatch.delitem(MENUS, menu)
    async with router() as check:
        report = await check()
    assert report.services == ["pppoe", "static"]
    assert step(report, "services").text.endswith("not hotspot, for lack of /ip/hotspot/user")


async def test_a_virtual_router_is_known_by_its_license() -> None:
    async with router(board="CHR") as check:
        report = await check()
    assert report.serial
    assert results(report)["serial"] == "ok"


async def test_a_clock_that_is_wrong() -> None:
    async with router(clock=Late()) as check:
        report = await check()
    assert (results(report)["clock"], report.ok) == ("warning", True)
    assert -3602 <= (report.clock_offset_s or 0) <= -3598


async def test_tls_where_there_is_none() -> None:
    async with router() as check:
        report = await check(tls="anonymous")
    assert (results(report)["tcp"], results(report)["tls"], results(report)["login"]) == ("ok", "failed", "skipped")


@pytest.mark.parametrize(
    ("row", "moment"),
    [
        ({"date": "2026-11-23", "time": "14:05:09", "gmt-offset": "+03:00"}, "2026-11-23T11:05:09+00:00"),
        ({"date": "nov/23/2026", "time": "14:05:09", "gmt-offset": "-02:30"}, "2026-11-23T16:35:09+00:00"),
        ({"date": "2026-11-23", "time": "14:05:09"}, "2026-11-23T14:05:09+00:00"),
        ({"date": "soon", "time": "14:05:09"}, None),
        ({}, None),
    ],
)
def test_the_clocks_spellings(row: dict[str, str], moment: str | None) -> None:
    assert parse_clock(row) == (moment and datetime.fromisoformat(moment))


class Late(SystemClock):
    """An hour behind."""

    def now(self) -> datetime:
        return super().now() - timedelta(hours=1)


@asynccontextmanager
async def other_program(greeting: bytes) -> AsyncIterator[int]:
    """The port of something that greets, and then listens for ever."""
    connections: set[asyncio.Task[None]] = set()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read()
        writer.close()
        await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(greet(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*connections, return_exceptions=True)


async def test_a_service_that_does_not_admit_this_machine() -> None:
    """The router accepts the connection and closes it at once: TCP is fine, the login is not."""
    sim = SimRouter("rt-1", users={"imsys": SimUser("pw")})
    sim.table("/ip/service").set("api", address="10.9.9.9/32")
    async with await SimServer.start([sim]) as server:
        report = await check_endpoint(Endpoint("127.0.0.1", server.port(sim), "imsys", "pw"), limits=SOON)
    assert (results(report)["tcp"], results(report)["login"]) == ("ok", "failed")
    assert "admits this machine's address" in remedy(report)
