"""What counts as wrong: each condition on rows as keepers leave them, and on those beside them that are fine."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from imsys.cli.main import main
from imsys.conf.sql import execute
from imsys.fleet.incidents import CONDITIONS, look
from imsys.fleet.models import Fight
from imsys.network import services as network
from imsys.network.models import Router, RouterState
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.timeline import holds
from imsys.timeline.incidents import incidents
from imsys.timeline.models import Held, Incident

ACTOR = "test:clerk"
DOWN = {"condition": "ConnectFailed", "condition_text": "No answer.", "remedy": "Look at its power."}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def isp() -> None:
    """Two enforced routers that are fine, one that is observed, one that is paused, and a worker."""
    for name, mode in (("rt-1", "enforce"), ("rt-2", "enforce"), ("rt-3", "observe"), ("rt-4", "paused")):
        add_router(name=name, host="192.0.2.1", username="imsys", password="", mode=mode, actor=ACTOR)
    services.add_package(name="home", rate_limit="5M/5M", price=20, actor=ACTOR)
    for name in ("rt-1", "rt-2", "rt-3", "rt-4"):
        for number in range(3):
            services.add_subscriber(username=f"{name}-{number}", router=name, package="home", actor=ACTOR)
    RouterState.objects.update(is_reachable=True)
    SyncState.objects.update(sync_status="synced", next_attempt_at=None, last_synced_at=timezone.now())
    execute("insert into fleet_worker (id, name) values (gen_random_uuid(), 'here')")


def state(name: str, *, for_s: float = 3600, **values: Any) -> None:
    since = timezone.now() - timedelta(seconds=for_s)
    RouterState.objects.filter(router__name=name).update(condition_since=since, **values)


def sync_states(name: str, count: int = 3, **values: Any) -> None:
    ids = SyncState.objects.filter(subscriber__router__name=name).order_by("subscriber_id").values("subscriber_id")
    SyncState.objects.filter(subscriber_id__in=ids[:count]).update(**values)


def found() -> list[tuple[str, str]]:
    look()
    return [(row["kind"], row["subject"]) for row in incidents()]


def test_nothing_is_wrong() -> None:
    assert found() == []


def test_a_router_is_down_once_it_has_been_for_a_while() -> None:
    for name in ("rt-1", "rt-3", "rt-4"):
        state(name, is_reachable=False, **DOWN)
    state("rt-2", for_s=20, is_reachable=False, **DOWN)
    assert found() == [("router-down", "rt-1"), ("router-down", "rt-3")]
    assert Incident.objects.get(subject="rt-1").text == "rt-1 is down. No answer."
    state("rt-1", is_reachable=True, condition="", condition_text="", remedy="")
    assert found() == [("router-down", "rt-3")]


def test_a_router_refuses_us() -> None:
    state("rt-1", condition="LoginRefused", condition_text="It refused the login.", remedy="Correct the password.")
    assert found() == [("router-refused", "rt-1")]
    (row,) = incidents()
    assert (row["severity"], row["remedy"]) == ("critical", "Correct the password.")


def test_a_fight_is_one_incident_for_each_router_menu_and_field() -> None:
    now = timezone.now()

    def fight(router: str, key: str, field: str, *, begun: bool = True, over_s: float = 60, **values: Any) -> None:
        at = {"begun_at": now if begun else None, "over_at": now + timedelta(seconds=over_s), "repaired_at": [now]}
        row = {"router": Router.objects.get(name=router), "menu": "/ppp/secret", "key": key, "field": field}
        Fight.objects.create(**row, **at, **values)

    fight("rt-1", "ann", "profile", who="radman via api", found="fast", wanted="home")
    fight("rt-1", "ben", "profile", who="juma via ssh", found="slow", wanted="home")
    fight("rt-1", "cat", "caller-id", wanted="02:00:00:00:00:01")
    fight("rt-2", "dan", "profile", begun=False)
    fight("rt-2", "eve", "profile", over_s=-1)
    fight("rt-4", "fay", "profile")
    assert found() == [("fight", "rt-1 /ppp/secret caller-id"), ("fight", "rt-1 /ppp/secret profile")]
    of_one, of_two = (row["text"] for row in incidents())
    assert of_one.startswith(
        "On rt-1 caller-id of cat in /ppp/secret is changed back by somebody each time it is put right"
    )
    assert of_one.endswith("it is nothing and should be 02:00:00:00:00:01.")
    assert of_two.startswith(
        "On rt-1 profile of ann in /ppp/secret and of 1 more is changed back by juma via ssh and radman"
    )
    Fight.objects.filter(field="caller-id").update(over_at=now - timedelta(hours=1))
    assert found() == [("fight", "rt-1 /ppp/secret profile")]


@pytest.mark.parametrize("kind", Held.values)
def test_what_waits_for_a_person(kind: str) -> None:
    router = Router.objects.get(name="rt-1")
    what = {"kind": kind, "router_id": router.pk, "router": "rt-1", "code": "RowsVanished", "text": "Rows are gone."}
    holds.keep(**what, held={"a": {"key": "ann"}, "b": {"key": "ben"}})
    state("rt-1", condition="RowsVanished", condition_text="Rows are gone.")
    subject = "rt-1" if kind == "steps" else "rt-1 expiry"
    assert found() == [("router-held", subject)]
    assert incidents()[0]["text"] == "2 changes on rt-1 wait for a person. Rows are gone."
    holds.decide(holds.holds()[0]["id"], "rejected", actor="test")
    assert found() == []  # nobody is told again, though they are held on
    holds.keep(**what, held={"a": {"key": "ann"}, "c": {"key": "cat"}})
    assert found() == [("router-held", subject)]


def test_a_router_hides_passwords() -> None:
    state("rt-1", condition="PasswordsHidden", condition_text="Give it `sensitive`.", remedy="Add the policy.")
    assert found() == [("passwords-hidden", "rt-1")]


def test_subscribers_in_error_are_one_incident_for_each_router_and_error() -> None:
    error = {"sync_status": "error", "sync_error": "No profile home.", "next_attempt_at": timezone.now()}
    sync_states("rt-1", 2, error_code="MissingProfile", **error)
    sync_states("rt-2", 1, error_code="BadAddress", **error)
    sync_states("rt-3", error_code="MissingProfile", **error)
    assert found() == [("subscriber-errors", "rt-1 MissingProfile"), ("subscriber-errors", "rt-2 BadAddress")]
    assert [row["text"] for row in incidents()] == [
        "2 subscribers on rt-1 are in error (MissingProfile). No profile home.",
        "1 subscriber on rt-2 is in error (BadAddress). No profile home.",
    ]
    sync_states("rt-1", error_code="MissingProfile", **error)
    assert len(found()) == 2
    assert incidents()[0]["text"].startswith("3 subscribers on rt-1 are")


class TestNothingSynced:
    LONG_AGO = timedelta(minutes=11)

    def overdue(self, name: str) -> None:
        then = timezone.now() - self.LONG_AGO
        sync_states(name, sync_status="pending", next_attempt_at=then, last_synced_at=then)

    def test_work_is_due_and_none_comes_to_an_end(self) -> None:
        for name in ("rt-1", "rt-3", "rt-4"):
            self.overdue(name)
        assert found() == [("nothing-synced", "rt-1")]
        assert "for 10 minutes, though 3 subscribers are due" in incidents()[0]["text"]

    def test_it_goes_on_slowly(self) -> None:
        self.overdue("rt-1")
        sync_states("rt-1", 1, sync_status="synced", next_attempt_at=None, last_synced_at=timezone.now())
        assert found() == []

    def test_it_is_not_due_for_long_or_waits_for_something(self) -> None:
        then = timezone.now() - timedelta(minutes=11)
        sync_states("rt-1", sync_status="pending", next_attempt_at=timezone.now(), last_synced_at=then)
        sync_states("rt-2", sync_status="pending", next_attempt_at=None, last_synced_at=then)
        assert found() == []

    def test_the_router_is_down_and_that_says_enough(self) -> None:
        self.overdue("rt-1")
        state("rt-1", is_reachable=False, **DOWN)
        assert found() == [("router-down", "rt-1")]


def test_no_worker() -> None:
    execute("update fleet_worker set seen_at = now() - interval '1 minute'")
    assert found() == [("no-worker", "The fleet")]
    Router.objects.update(mode="paused")
    assert found() == []


def test_a_freeze_that_is_forgotten() -> None:
    network.freeze("the core is moved", actor="cli:ann")
    execute("update network_freeze set since = now() - interval '23 hours'")
    assert found() == []
    execute("update network_freeze set since = now() - interval '25 hours'")
    assert found() == [("frozen", "The fleet")]
    (incident,) = incidents()
    assert incident["text"].endswith("frozen by cli:ann, the core is moved")
    assert incident["remedy"].endswith("imsys thaw")
    network.thaw(actor=ACTOR)
    assert found() == []


def test_every_kind_is_explained_and_has_words_of_its_own() -> None:
    from tests.unit.test_docs import ROOT

    page = (ROOT / "docs/howto/notifications.md").read_text()
    for condition in CONDITIONS:
        assert f"| `{condition.kind}` | {condition.severity.value} |" in page
    assert len({condition.wording for condition in CONDITIONS}) == len({c.kind for c in CONDITIONS}) == len(CONDITIONS)


def test_they_are_listed_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    def imsys(*arguments: str) -> Any:
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    state("rt-1", condition="LoginRefused", condition_text="No.", remedy="Correct the password.")
    look()
    assert [(row["kind"], row["closed_at"]) for row in imsys("incidents")] == [("router-refused", None)]
    assert imsys("status")["incidents"] == 1
    assert main(["status"]) == 0
    assert "incidents             1: imsys incidents" in capsys.readouterr().out
    state("rt-1", condition="", condition_text="", remedy="")
    look()
    assert imsys("incidents") == []
    assert [bool(row["closed_at"]) for row in imsys("incidents", "--all")] == [True]
    assert imsys("status")["incidents"] == 0
