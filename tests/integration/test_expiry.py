"""Expiry: who is cut when their service ends, what is held when too many are, and what a person says to that."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from imsys.billing import selectors
from imsys.billing.services import approve_expiry, reject_expiry, run_expiry
from imsys.billing.tasks import run_expiry as run_expiry_task
from imsys.conf.sql import execute
from imsys.kit.errors import InputError
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber, Suspension, SyncState
from imsys.timeline.holds import get_hold, holds
from imsys.timeline.models import Change, Event, Hold

ACTOR = "cli:ann"
pytestmark = pytest.mark.django_db


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def later(**span: float) -> datetime:
    return datetime.now(UTC) + timedelta(**span)


def add(count: int, *, router: str = "rt-1", prefix: str = "u", expires_at: datetime | None = None) -> list[str]:
    names = [f"{prefix}{number:04d}" for number in range(count)]
    heading = "username,router,package,expires_at\n"
    end = "" if expires_at is None else expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = "".join(f"{name},{router},home,{end}\n" for name in names)
    assert services.import_rows((heading + lines).encode(), actor=ACTOR).errors == []
    return names


@pytest.fixture(autouse=True)
def isp(db: None) -> None:
    for name in ("rt-1", "rt-2"):
        add_router(name=name, host="127.0.0.1", username="api", password="", actor=ACTOR)
    services.add_package(name="home", rate_limit="10M/10M", price=20, actor=ACTOR)


def cut() -> set[str]:
    return set(Suspension.objects.filter(cause="expiry").values_list("subscriber__username", flat=True))


def held(router: str = "rt-1") -> set[str]:
    """Who waits for a person."""
    waiting = Hold.objects.filter(router=router, state="waiting", kind="expiry")
    return {step["subscriber"] for hold in waiting for step in hold.steps}


def the_hold(router: str = "rt-1") -> int:
    return Hold.objects.get(router=router, state="waiting").pk


def expire_all(names: list[str], at: datetime | None = None) -> None:
    for name in names:
        services.set_subscriber(name, expires_at=at or ago(hours=1), actor=ACTOR)


class TestWhoIsDue:
    def test_whose_end_has_passed_is_cut_with_bump_and_event(self) -> None:
        ann, *_ = add(10, expires_at=ago(minutes=1))[:1]
        expire_all(["u0001"], later(hours=1))
        for name in [f"u{n:04d}" for n in range(2, 10)]:
            services.set_subscriber(name, expires_at=None, actor=ACTOR)
        SyncState.objects.update(sync_status="synced", next_attempt_at=None)
        outcome = run_expiry(actor="system")
        assert cut() == {ann}
        assert [(run.router, run.cut, run.held) for run in outcome.routers] == [("rt-1", 1, 0)]
        state = SyncState.objects.get(subscriber__username=ann)
        assert (state.sync_status, state.generation) == ("pending", 2)
        event = Event.objects.get(what="suspended")
        assert (event.username, event.cause, event.actor, event.change_id) == (ann, "expiry", "system", outcome.change)
        change = Change.objects.get(pk=outcome.change)
        assert (change.what, change.count, change.actor) == ("expire", 1, "system")

    def test_the_task_of_each_minute_does_it(self) -> None:
        add(10)
        expire_all(["u0000"])
        run_expiry_task(0)
        assert cut() == {"u0000"}

    def test_twice_is_once(self) -> None:
        add(10)
        expire_all(["u0000"])
        run_expiry(actor="system")
        outcome = run_expiry(actor="system")
        assert (outcome.change, outcome.routers) == (None, [])
        assert Change.objects.filter(what="expire").count() == 1

    def test_unknown_expiry_suspends_nobody(self) -> None:
        add(10)
        services.add_subscriber(username="adopted", router="rt-1", package="home", exact=True, actor=ACTOR)
        assert run_expiry(actor="system").routers == []
        assert not Suspension.objects.exists()
        assert not Hold.objects.exists()

    def test_who_is_off_for_another_cause_gets_it_too_and_counts_for_nothing(self) -> None:
        names = add(15, expires_at=ago(hours=1))
        services.suspend(names[:8], cause="abuse", actor=ACTOR)
        SyncState.objects.update(sync_status="synced", next_attempt_at=None)
        (run,) = run_expiry(actor="system").routers
        assert (run.cut, run.already_off, run.held, run.cap) == (7, 8, 0, 7)
        assert cut() == set(names)
        assert SyncState.objects.filter(sync_status="pending").count() == 7
        services.resume(names, cause="abuse", actor=ACTOR)
        assert Subscriber.objects.filter(is_suspended=True).count() == 15


class TestBrake:
    @pytest.mark.parametrize(("due", "is_held"), [(7, False), (8, True)])
    def test_a_router_of_15_is_braked_too(self, due: int, is_held: bool) -> None:
        names = add(15)
        expire_all(names[:due])
        (run,) = run_expiry(actor="system").routers
        assert (run.cut, run.held) == ((0, due) if is_held else (due, 0))
        assert cut() == (set() if is_held else set(names[:due]))
        assert held() == (set(names[:due]) if is_held else set())

    def test_a_thousand_at_once_are_held_and_other_routers_go_on(self) -> None:
        names = add(1000, expires_at=ago(days=400))
        add(30, router="rt-2", prefix="v")
        expire_all(["v0003"])
        SyncState.objects.update(sync_status="synced", next_attempt_at=None)
        outcome = run_expiry(actor="system")
        assert [(run.router, run.cut, run.held) for run in outcome.routers] == [("rt-1", 0, 1000), ("rt-2", 1, 0)]
        assert cut() == {"v0003"}
        assert held() == set(names)
        assert list(SyncState.objects.filter(sync_status="pending").values_list("subscriber__username", flat=True)) == [
            "v0003"
        ]
        (hold,) = holds()
        assert (hold["kind"], hold["router"], hold["code"], hold["steps"]) == ("expiry", "rt-1", "TooManyExpired", 1000)
        assert hold["text"].startswith("1000 of the 1000 subscribers of rt-1 would be cut")
        step = get_hold(hold["id"])["steps"][0]
        assert set(step) == {"subscriber", "subscriber_id", "action", "reason", "expires_at", "mark"}
        assert Event.objects.filter(what="held").count() == 1

    @pytest.mark.parametrize("kind", ["suspends", "kicks"])
    def test_the_router_s_own_caps(self, kind: str) -> None:
        names = add(15)
        execute("update network_router set caps = jsonb_build_object(%s::text, 2)", [kind])
        expire_all(names[:3])
        run_expiry(actor="system")
        assert (cut(), held()) == (set(), set(names[:3]))

    def test_a_hold_grows_and_nothing_goes_by_itself_meanwhile(self) -> None:
        names = add(15)
        expire_all(names[:8])
        run_expiry(actor="system")
        expire_all(names[8:9])
        run_expiry(actor="system")
        assert (cut(), held()) == (set(), set(names[:9]))
        expire_all(names[:8], later(days=30))
        run_expiry(actor="system")
        assert (cut(), held()) == (set(), {names[8]}), "one alone still waits: a person was asked"
        assert Event.objects.filter(what="held").count() == 1

    def test_a_hold_ends_by_itself_when_all_have_paid(self) -> None:
        names = add(15)
        expire_all(names[:8])
        run_expiry(actor="system")
        expire_all(names[:8], later(days=30))
        run_expiry(actor="system")
        assert list(Hold.objects.values_list("state", flat=True)) == ["over"]
        expire_all(names[:1])
        run_expiry(actor="system")
        assert cut() == {names[0]}


class TestDecision:
    @pytest.fixture
    def names(self) -> list[str]:
        names = add(15)
        expire_all(names[:8])
        run_expiry(actor="system")
        return names

    def test_approve_cuts_those_who_are_still_due_as_they_were(self, names: list[str]) -> None:
        hold_id = the_hold()
        expire_all(names[:1], later(days=30))  # has paid
        expire_all(names[1:2], ago(minutes=5))  # another end than the person was shown
        services.suspend(names[2:3], cause="expiry", actor=ACTOR)
        expire_all(names[9:10])  # was not shown to anybody
        done = approve_expiry(hold_id, actor="cli:boss")
        assert (done.cut, done.already_off, done.no_longer_due) == (5, 0, 3)
        assert cut() == set(names[2:8])
        assert set(Event.objects.filter(change_id=done.change).values_list("actor", "what", "cause")) == {
            ("cli:boss", "suspended", "expiry")
        }
        hold = Hold.objects.get(pk=hold_id)
        assert (hold.state, hold.decided_by) == ("over", "cli:boss")
        run_expiry(actor="system")
        assert cut() == {*names[1:8], names[9]}
        with pytest.raises(InputError, match="does not wait any more"):
            approve_expiry(hold_id, actor=ACTOR)

    def test_one_who_moved_is_the_other_router_s_concern(self, names: list[str]) -> None:
        services.move_subscribers(names[:1], "rt-2", actor=ACTOR)
        approve_expiry(the_hold(), actor=ACTOR)
        assert cut() == set(names[1:8])

    def test_reject_is_silent_until_it_changes(self, names: list[str]) -> None:
        reject_expiry(the_hold(), actor="cli:boss")
        for _ in range(2):
            outcome = run_expiry(actor="system")
            assert (cut(), held(), outcome.routers) == (set(), set(), [])
        expire_all(names[8:15])
        (run,) = run_expiry(actor="system").routers
        assert (run.cut, run.held) == (7, 0), "what was rejected does not count"
        assert cut() == set(names[8:15])
        expire_all(names[:1], later(days=1))
        run_expiry(actor="system")
        expire_all(names[:1], ago(minutes=1))
        run_expiry(actor="system")
        assert cut() == {names[0], *names[8:15]}
        assert Hold.objects.get().state == "rejected"
        expire_all(names[1:8], later(days=1))
        run_expiry(actor="system")
        assert Hold.objects.get().state == "over"


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_cut_once_and_hold_once() -> None:
    names = add(15)
    expire_all(names[:8])
    others = add(30, router="rt-2", prefix="v")
    expire_all(others[:10])
    errors: list[BaseException] = []

    def work() -> None:
        try:
            run_expiry(actor="system")
        except BaseException as exc:  # noqa: BLE001 - told by the test's own thread
            errors.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert cut() == set(others[:10])
    assert Event.objects.filter(what="suspended").count() == 10
    assert Change.objects.filter(what="expire").count() == 1
    assert (Hold.objects.count(), held()) == (1, set(names[:8]))
    assert Event.objects.filter(what="held").count() == 1


class TestPlan:
    def test_it_changes_nothing_and_tells_what_a_run_would_do(self) -> None:
        names = add(15)
        expire_all(names[:8])
        add(30, router="rt-2", prefix="v")
        expire_all(["v0000"])
        expire_all(["v0001"], later(days=2))
        events = Event.objects.count()
        first, second = selectors.plan()
        assert (first.router, first.cap, first.subscribers, len(first.held), first.go) == ("rt-1", 7, 15, 8, [])
        assert (second.router, [due.username for due in second.go]) == ("rt-2", ["v0000"])
        (_, second) = selectors.plan(later(days=3))
        assert [due.username for due in second.go] == ["v0000", "v0001"]
        assert Event.objects.count() == events
        assert not Suspension.objects.exists()
        assert not Hold.objects.exists()


class TestEntitledAgain:
    @pytest.fixture
    def ann(self) -> str:
        add(10)
        expire_all(["u0000"])
        run_expiry(actor="system")
        SyncState.objects.update(sync_status="synced", next_attempt_at=None)
        return "u0000"

    @pytest.mark.parametrize("end", [None, timedelta(days=30)])
    def test_a_later_end_lifts_the_expiry(self, ann: str, end: timedelta | None) -> None:
        subscriber = services.set_subscriber(ann, expires_at=end and datetime.now(UTC) + end, actor=ACTOR)
        assert not subscriber.is_suspended
        assert cut() == set()
        resumed, changed = Event.objects.filter(username=ann).order_by("-id")[:2]
        assert (resumed.what, resumed.cause, resumed.actor, resumed.change_id) == ("resumed", "expiry", ACTOR, None)
        assert (changed.what, list(changed.after or {})) == ("changed", ["expires_at"])
        assert SyncState.objects.get(subscriber__username=ann).sync_status == "pending"

    @pytest.mark.parametrize("ago_minutes", [30, 120])
    def test_an_end_that_has_passed_lifts_nothing(self, ann: str, ago_minutes: int) -> None:
        services.set_subscriber(ann, expires_at=ago(minutes=ago_minutes), actor=ACTOR)
        assert cut() == {ann}

    def test_another_cause_stays(self, ann: str) -> None:
        services.suspend([ann], cause="abuse", actor=ACTOR)
        assert services.set_subscriber(ann, expires_at=later(days=1), actor=ACTOR).is_suspended
        assert list(Suspension.objects.values_list("cause", flat=True)) == ["abuse"]

    def test_an_earlier_end_is_cut_by_the_next_run(self, ann: str) -> None:
        services.set_subscriber(ann, expires_at=later(days=1), actor=ACTOR)
        services.set_subscriber(ann, expires_at=ago(minutes=1), actor=ACTOR)
        run_expiry(actor="system")
        assert cut() == {ann}

    def test_a_resume_of_somebody_still_expired_says_what_will_come(self, ann: str) -> None:
        done = services.resume([ann], cause="expiry", actor=ACTOR)
        assert done.hint == (
            "'u0000' is still expired, and cut again by the next expiry run. "
            "Say until when they may be online: imsys subscriber set NAME --expires-at T."
        )
        run_expiry(actor="system")
        assert cut() == {ann}
        services.set_subscriber(ann, expires_at=None, actor=ACTOR)
        services.suspend([ann], cause="expiry", actor=ACTOR)
        assert services.resume([ann], cause="expiry", actor=ACTOR).hint == ""
