"""sync, reconcile, plan, status and router test on simulated routers, with no worker up: the command does the work."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imsys.cli.demo_fleet import DemoFleet
from imsys.cli.main import main
from imsys.network.services import add_router
from imsys.subscribers import services

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

ACTOR = "cli:maria"
NAMES = ["ann", "ben", "cat"]

Imsys = Callable[..., Any]


@pytest.fixture
def imsys(capsys: pytest.CaptureFixture[str]) -> Imsys:
    """Run a command with --json; what it printed, after a look at its exit code."""

    def run(*arguments: str, code: int = 0) -> Any:
        found = main([*arguments, "--json"])
        captured = capsys.readouterr()
        assert found == code, captured.out + captured.err
        return json.loads(captured.out) if captured.out else captured.err

    return run


@pytest.fixture
def fleet() -> Iterator[DemoFleet]:
    with DemoFleet(["rt-1", "rt-2"], username="imsys", password="pw") as fleet:
        for name in fleet.names:
            add(name, fleet.port(name))
        services.add_package(name="home", rate_limit="5M/10M", price=20, actor=ACTOR)
        for username in NAMES:
            services.add_subscriber(username=username, password="pw", router="rt-1", package="home", actor=ACTOR)
        yield fleet


def add(name: str, port: int, **more: str) -> None:
    options = {"mode": "enforce", "password": "pw"} | more
    add_router(name=name, host="127.0.0.1", port=port, username="imsys", actor=ACTOR, **options)  # type: ignore[arg-type]


def test_sync_brings_the_routers_to_what_is_wanted(imsys: Imsys, fleet: DemoFleet) -> None:
    outcome = imsys("sync")
    assert (outcome["synced"], outcome["pending"], outcome["error"]) == (3, 0, 0)
    assert set(outcome["blocked"]) == {"observe", "paused", "window", "frozen", "held", "fight", "down", "refused"}
    assert fleet.secrets("rt-1") == dict.fromkeys(NAMES, False)
    imsys("subscriber", "suspend", "ben")
    assert imsys("sync", "ben")["synced"] == 1
    assert fleet.secrets("rt-1") == {"ann": False, "ben": True, "cat": False}
    shown = imsys("subscriber", "show", "ben")
    assert (shown["sync_status"], shown["is_suspended"], shown["last_synced_at"] is None) == ("synced", True, False)
    imsys("subscriber", "remove", "ben")
    imsys("sync")
    assert set(fleet.secrets("rt-1")) == {"ann", "cat"}


def test_plan_shows_and_writes_nothing(imsys: Imsys, fleet: DemoFleet) -> None:
    routers = {one["router"]: one["steps"] for one in imsys("plan")["routers"]}
    added = [step for step in routers["rt-1"] if step["menu"] == "/ppp/secret"]
    assert sorted((step["subscriber"], step["key"], step["action"]) for step in added) == [
        (name, name, "add") for name in NAMES
    ]
    assert all({"before", "after", "reason"} <= step.keys() for step in added)
    assert "pw" not in json.dumps(routers).replace("password", "")
    assert fleet.secrets("rt-1") == {}
    imsys("sync")
    assert [one["steps"] for one in imsys("plan", "--router", "rt-1")["routers"]] == [[]]


def test_drift_is_shown_in_every_mode_and_says_why_it_stays(imsys: Imsys, fleet: DemoFleet) -> None:
    imsys("sync")
    imsys("subscriber", "suspend", "ann")
    for mode, blocked in (("observe", "observe"), ("paused", "paused"), ("enforce", None)):
        imsys("router", "set", "rt-1", "--mode", mode)
        (plan,) = imsys("plan", "--router", "rt-1")["routers"]
        assert [(step["key"], step["after"], step["blocked"]) for step in plan["steps"]] == [
            ("ann", {"disabled": "yes"}, blocked)
        ]
    assert fleet.secrets("rt-1")["ann"] is False, "nobody is disabled yet"


def test_reconcile_repairs_and_reports(imsys: Imsys, fleet: DemoFleet) -> None:
    imsys("subscriber", "suspend", "ann", "ben")
    imsys("sync")
    fleet.enable_in_winbox("rt-1", ["ann", "ben"], by="juma")
    reports = {report["router"]: report for report in imsys("reconcile")["routers"]}
    one = reports["rt-1"]
    assert (one["result"], one["subscribers"], one["drifted"], one["repaired"]) == ("ok", 3, 2, 2)
    assert {"unmanaged", "commands", "writes", "rows", "seconds"} <= one.keys()
    assert reports["rt-2"]["result"] == "ok"
    assert fleet.secrets("rt-1") == {"ann": True, "ben": True, "cat": False}
    events = imsys("events", "ann")
    assert any("juma" in event["actor"] for event in events)


def test_what_is_only_observed_is_blocked_and_said_so(imsys: Imsys, fleet: DemoFleet) -> None:
    imsys("router", "set", "rt-1", "--mode", "observe")
    outcome = imsys("sync", code=3)
    assert (outcome["pending"], outcome["blocked"]["observe"]) == (0, 3)
    assert fleet.secrets("rt-1") == {}
    imsys("router", "set", "rt-1", "--mode", "paused")
    assert imsys("sync", code=3)["blocked"]["paused"] == 3


def test_a_router_that_is_down(imsys: Imsys, fleet: DemoFleet) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        add("rt-down", bound.getsockname()[1])
        services.add_subscriber(username="dan", router="rt-down", package="home", actor=ACTOR)
        assert imsys("sync", "dan", code=3)["blocked"]["down"] == 1
        reports = {report["router"]: report["result"] for report in imsys("reconcile", code=1)["routers"]}
        assert reports == {"rt-1": "ok", "rt-2": "ok", "rt-down": "unreachable"}
        report = imsys("router", "test", "rt-down", code=1)
        assert (report["ok"], report["failed"]) == (False, "tcp")
    assert imsys("router", "test", "rt-1")["ok"] is True


def test_a_router_that_refuses_the_login(imsys: Imsys, fleet: DemoFleet) -> None:
    add("rt-locked", fleet.port("rt-2"), password="wrong")
    services.add_subscriber(username="dan", router="rt-locked", package="home", actor=ACTOR)
    assert imsys("sync", "dan", code=3)["blocked"]["refused"] == 1
    row = imsys("router", "show", "rt-locked")
    assert (row["state"], bool(row["remedy"])) == ("LoginRefused", True)
    assert imsys("router", "test", "rt-locked", code=1)["failed"] == "login"


def test_a_subscriber_in_error(imsys: Imsys, fleet: DemoFleet) -> None:
    services.add_package(name="vip", profile="no-such-profile", price=99, actor=ACTOR)
    services.add_subscriber(username="dan", router="rt-2", package="vip", actor=ACTOR)
    outcome = imsys("sync", code=1)
    assert (outcome["synced"], outcome["error"]) == (3, 1)
    assert "no-such-profile" in imsys("subscriber", "show", "dan")["sync_error"]


def test_bad_input_is_told_from_a_timeout(imsys: Imsys, fleet: DemoFleet) -> None:
    assert "no subscriber 'nobody'" in imsys("sync", "nobody", code=64)
    assert "no router 'rt-9'" in imsys("reconcile", "--router", "rt-9", code=64)


def test_status_is_earned(imsys: Imsys, fleet: DemoFleet) -> None:
    imsys("reconcile")
    gap = imsys("status")["gap"]
    assert (gap["suspended_online"], gap["entitled_cut"]) == (0, 0)
