"""The most dangerous minute: a live network of 2,000 lines, half of them messy, is taken over step by step.

Until a person says so the router's journal has not one write of ours; then it has exactly the planned ones.
"""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imsys.network.services import add_router
from imsys.sim import SimRouter
from imsys.subscribers.models import Subscriber
from tests.integration.messy import SECRETS, messy_router
from tests.integration.onboarding import Program
from tests.integration.sim_thread import SimThread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

SECRET, ACTIVE, RULE = "/ppp/secret", "/ppp/active", "/ip/firewall/filter"
DEBTORS = [f"clean{number:04d}" for number in range(100, 130)]
Write = tuple[str, str, str]
"""(verb, menu, whose row)."""


@pytest.fixture
def imsys(capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(capsys)


class Watched:
    """The router, with what was written to it by name of the row."""

    def __init__(self, thread: SimThread, sim: SimRouter) -> None:
        self.thread, self.sim = thread, sim
        self.seen = 0

    def rows(self, menu: str) -> dict[str, dict[str, str]]:
        found: list[dict[str, str]] = self.thread.call(lambda: list(self.sim.table(menu).rows))
        return {row[".id"]: row for row in found}

    def names(self) -> dict[tuple[str, str], str]:
        """By menu and id. Sessions come and go, so these are noted before what is watched."""
        named = {(menu, i): row["name"] for menu in (SECRET, ACTIVE) for i, row in self.rows(menu).items()}
        rules = {
            (RULE, i): row["src-address-list"] for i, row in self.rows(RULE).items() if row.get("src-address-list")
        }
        return named | rules

    def writes(self, names: dict[tuple[str, str], str]) -> list[Write]:
        """Since the last time."""
        entries = self.thread.call(partial(self.sim.journal.since, self.seen))
        self.seen = entries[-1].seq if entries else self.seen
        found = []
        for entry in entries:
            menu, _, verb = entry.path.rpartition("/")
            found += [(verb, menu, names[menu, row_id]) for row_id in entry.ids]
        return sorted(found)


def planned(imsys: Program, *, blocked: str | None = None) -> list[Write]:
    (plan,) = imsys.json("plan", "--router", "core")["routers"]
    assert (plan["problem"], plan["held"]) == (None, None)
    verbs = {"kick": "remove"}
    return sorted(
        (verbs.get(s["action"], s["action"]), s["menu"], s["key"]) for s in plan["steps"] if s["blocked"] == blocked
    )


def test_a_live_network_is_taken_over_step_by_step(imsys: Program, tmp_path: Path) -> None:
    sim, file = messy_router(), str(tmp_path / "core.csv")
    (tmp_path / "password").write_text("r0uter\n")
    with SimThread(sim) as thread:
        watched = Watched(thread, sim)
        thread.call(lambda: sim.cpes.add_all(redial_s=60))
        online = len(watched.rows(ACTIVE))
        assert online > SECRETS / 2
        before = watched.rows(SECRET)

        # nothing but looking
        login = ("--username", "imsys", "--password-file", str(tmp_path / "password"))
        imsys("router", "add", "core", "--host", "127.0.0.1", "--port", str(thread.port), *login)
        assert imsys.json("router", "test", "core")["ok"]
        imsys("router", "snapshot", "core", "--csv", file)
        assert imsys.json("router", "adopt", "core", "--map", file)["subscribers"] > SECRETS / 2
        imsys("router", "set", "core", "--suspend-list", "MOROSOS")
        imsys("reconcile", "--router", "core")
        imsys("subscriber", "suspend", *DEBTORS)
        imsys("sync", "--router", "core", code=3)
        assert planned(imsys) == []
        wanted = planned(imsys, blocked="observe")
        assert {write for write in wanted if write[1] == SECRET} == {("set", SECRET, name) for name in DEBTORS}
        assert (len(sim.journal), watched.rows(SECRET)) == (0, before)

        # one subscriber
        one = DEBTORS[0]
        names = watched.names()
        imsys("subscriber", "set", one, "--enforce")
        expected = planned(imsys)
        assert expected == [("remove", ACTIVE, one), ("set", SECRET, one)]
        assert imsys.json("sync", one)["synced"] == 1
        assert watched.writes(names) == expected
        after = watched.rows(SECRET)
        assert [row["name"] for i, row in after.items() if row != before[i]] == [one]
        assert len(watched.rows(ACTIVE)) == online - 1

        # the router
        names = watched.names()
        expected = planned(imsys, blocked="observe")
        assert ("move", RULE, "MOROSOS") in expected
        imsys("router", "set", "core", "--mode", "enforce")
        assert planned(imsys) == expected
        imsys("sync", "--router", "core")
        assert watched.writes(names) == expected
        after = watched.rows(SECRET)
        assert sorted(row["name"] for i, row in after.items() if row != before[i]) == DEBTORS
        assert planned(imsys) == []
        imsys("reconcile", "--router", "core")
        assert watched.writes(names) == []
    assert Subscriber.objects.filter(sync__sync_status="synced").count() == Subscriber.objects.count()


def test_a_policy_that_would_cut_all_of_them_off_is_held(imsys: Program) -> None:
    """Nobody is adopted, and the policy says to remove what is nobody's: all 2,000 would be cut off."""
    sim = messy_router()
    with SimThread(sim) as thread:
        add_router(
            name="core", host="127.0.0.1", port=thread.port, username="imsys", password="r0uter", mode="enforce",
            unmanaged="remove", actor="test",
        )  # fmt: skip
        report: dict[str, Any] = imsys.json("reconcile", "--router", "core")["routers"][0]
        assert (report["result"], report["writes"], len(sim.journal)) == ("held", 0, 0)
        (hold,) = imsys.json("hold", "list")
        assert hold["steps"] >= SECRETS
        imsys("hold", "reject", str(hold["id"]))
        imsys("reconcile", "--router", "core")
        assert (len(sim.journal), imsys.json("hold", "list")) == (0, [])
