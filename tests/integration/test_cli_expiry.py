"""`imsys expiry`, `imsys changes` and `imsys undo`, through the same door as the program."""

from pathlib import Path

import pytest

from imsys.cli.main import main
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber
from tests.integration.onboarding import Program

ACTOR = "test:expiry"
pytestmark = pytest.mark.django_db


@pytest.fixture
def imsys(capsys: pytest.CaptureFixture[str]) -> Program:
    """Two routers of 15 subscribers each; on rt-1 8 are expired, on rt-2 two, of whom one is off already."""
    services.add_package(name="home", rate_limit="10M/10M", price=20, actor=ACTOR)
    for router, expired in (("rt-1", 8), ("rt-2", 2)):
        add_router(name=router, host="127.0.0.1", username="api", password="", actor=ACTOR)
        lines = [f"{router}-{n:02d},{router},home,{'2026-01-31' if n < expired else ''}" for n in range(15)]
        content = "\n".join(["username,router,package,expires_at", *lines]) + "\n"
        assert services.import_rows(content.encode(), actor=ACTOR).errors == []
    services.suspend(["rt-2-00"], cause="abuse", actor=ACTOR)
    return Program(capsys)


def suspended() -> set[str]:
    return set(Subscriber.objects.filter(is_suspended=True).values_list("username", flat=True))


class TestExpiry:
    def test_the_plan_names_everybody_and_the_brake(self, imsys: Program) -> None:
        first, second = imsys.json("expiry", "plan")["routers"]
        assert {key: value for key, value in first.items() if key != "steps"} == {
            "router": "rt-1",
            "subscribers": 15,
            "cap": 7,
            "cut": 0,
            "already_off": 0,
            "held": 8,
            "rejected": 0,
        }
        assert {step["outcome"] for step in first["steps"]} == {"held"}
        assert [(step["subscriber"], step["outcome"]) for step in second["steps"]] == [
            ("rt-2-00", "off already"),
            ("rt-2-01", "cut"),
        ]
        lines = imsys("expiry", "plan").splitlines()
        assert (len(lines), lines[-1].split("\t")[:2], lines[-1].split("\t")[-1]) == (10, ["rt-2", "rt-2-01"], "cut")
        assert imsys.json("expiry", "plan", "--until", "2026-01-30")["routers"] == []
        imsys("expiry", "plan", "--until", "soon", code=2)
        assert "'soon' is not a time" in imsys.err
        assert suspended() == {"rt-2-00"}

    def test_a_run_says_what_was_cut_and_what_is_held(self, imsys: Program) -> None:
        done = imsys.json("expiry", "run", code=3)
        assert done["held"] == 8
        assert done["routers"] == [
            {"router": "rt-1", "cut": 0, "already_off": 0, "held": 8, "cap": 7},
            {"router": "rt-2", "cut": 1, "already_off": 1, "held": 0, "cap": 7},
        ]
        assert suspended() == {"rt-2-00", "rt-2-01"}
        assert imsys("expiry", "run", code=3) == "rt-1\t0\t0\t8\t7\n"
        for number in range(8):
            imsys("subscriber", "set", f"rt-1-{number:02d}", "--expires-at", "never")
        assert imsys.json("expiry", "run") == {"change": None, "held": 0, "routers": []}


class TestUndo:
    def test_a_run_is_undone_and_stays_so(self, imsys: Program) -> None:
        change = imsys.json("expiry", "run", code=3)["change"]
        assert imsys("undo", str(change), "--dry-run") == "2 would be restored\n"
        assert suspended() == {"rt-2-00", "rt-2-01"}
        first, second = imsys("undo", str(change)).splitlines()
        assert (first, second.split(":")[1]) == ("restored 2", " undo with")
        assert suspended() == {"rt-2-00"}
        imsys("expiry", "run", code=3)
        assert suspended() == {"rt-2-00"}
        plan = imsys.json("expiry", "plan")["routers"][1]
        assert (plan["router"], plan["cut"], plan["rejected"]) == ("rt-2", 0, 2)

    def test_who_was_changed_since_is_listed(self, imsys: Program, tmp_path: Path) -> None:
        (tmp_path / "names").write_text("rt-1-10\nrt-1-11\n")
        said = imsys("subscriber", "suspend", "--file", str(tmp_path / "names")).splitlines()
        change = said[1].split()[-1]
        assert said == ["suspended 2", f"change {change}: undo with: imsys undo {change}"]
        imsys("subscriber", "resume", "rt-1-10")
        trial = imsys.json("undo", change, "--dry-run")
        assert (trial["restored"], trial["dry_run"], trial["change"]) == (1, True, None)
        done = imsys.json("undo", change)
        assert (done["undone"], done["what"], done["restored"]) == (int(change), "suspend", 1)
        (left,) = done["left"]
        assert left["username"] == "rt-1-10"
        assert left["why"].startswith("resumed since by cli:")
        imsys("undo", change, code=2)
        assert imsys.err.startswith(f"error: Change {change} was undone by cli:")
        assert imsys.err.endswith(f"already. To do it again: imsys undo {done['change']}.\n")

    def test_the_list_says_what_undid_what(self, imsys: Program) -> None:
        change = imsys.json("subscriber", "suspend", "--router", "rt-1", "--all", "--yes")["change"]
        undone = imsys.json("undo", str(change))["change"]
        rows = imsys.json("changes", "--limit", "2")
        assert [(row["id"], row["what"], row["count"], row["router"], row["undoes"]) for row in rows] == [
            (undone, "undo", 15, "rt-1", change),
            (change, "suspend", 15, "rt-1", None),
        ]
        assert rows[1]["undone_by"].startswith("cli:")
        assert [line.split("\t")[2] for line in imsys("changes").splitlines()] == [
            "undo",
            "suspend",
            "import",
            "import",
        ]

    @pytest.mark.parametrize("number", ["0", "x", str(2**63)])
    def test_what_is_no_number_of_a_change(self, imsys: Program, number: str) -> None:
        assert main(["undo", number]) == 2
