"""Undo: a change to many is taken back in one step, but for those whose intent was changed since."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from imsys.billing.services import run_expiry
from imsys.conf.sql import execute
from imsys.kit.errors import InputError
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber, Suspension, SyncState
from imsys.timeline import changes
from imsys.timeline.models import Change, Event, Hold
from tests.world import World

ACTOR, BOSS = "cli:ann", "cli:boss"
NAMES = ["ann", "bob", "cat", "dan", "eve"]
ENDED = "update subscribers_subscriber set expires_at = now() - interval '1 day' where username in ('ann', 'bob')"
pytestmark = pytest.mark.django_db


@pytest.fixture
def isp(db: None) -> None:
    for name in ("rt-1", "rt-2"):
        add_router(name=name, host="127.0.0.1", username="api", password="", actor=ACTOR)
    services.add_package(name="home", rate_limit="10M/10M", price=20, actor=ACTOR)
    for username in NAMES:
        services.add_subscriber(username=username, router="rt-1", package="home", actor=ACTOR)
    settle()


def settle() -> None:
    SyncState.objects.update(sync_status="synced", next_attempt_at=None, last_synced_at=datetime.now(UTC))


def suspended() -> set[str]:
    return set(Subscriber.objects.filter(is_suspended=True).values_list("username", flat=True))


def standing() -> set[tuple[str, str, str, str]]:
    return set(Suspension.objects.values_list("subscriber__username", "cause", "note", "by"))


def due() -> set[str]:
    return set(SyncState.objects.filter(sync_status="pending").values_list("subscriber__username", flat=True))


def suspend(*names: str, cause: str = "non-payment", note: str = "March") -> int:
    change = services.suspend(names, cause=cause, note=note, actor=ACTOR).change
    assert change is not None
    settle()
    return change


@pytest.mark.usefixtures("isp")
class TestWhatIsAChange:
    def test_more_than_one_name_or_a_whole_router_is(self) -> None:
        two = suspend("ann", "bob")
        services.add_subscriber(username="far", router="rt-2", package="home", actor=ACTOR)
        whole = services.suspend_all("rt-2", cause="abuse", actor=ACTOR).change
        resumed = services.resume(["ann", "bob"], actor=ACTOR).change
        rows = list(Change.objects.order_by("pk").values_list("pk", "what", "count", "cause", "router", "actor"))
        assert rows == [
            (two, "suspend", 2, "non-payment", "", ACTOR),
            (whole, "suspend", 1, "abuse", "rt-2", ACTOR),
            (resumed, "resume", 2, "", "", ACTOR),
        ]
        told = Event.objects.filter(change_id=two).order_by("id").values_list("what", "username")
        assert list(told) == [("suspended", "ann"), ("suspended", "bob")]

    def test_one_name_is_not_and_what_altered_nobody_is_not(self) -> None:
        assert services.suspend(["ann"], actor=ACTOR).change is None
        suspend("bob", "cat")
        assert services.suspend(["bob", "cat"], actor=ACTOR).change is None
        assert Change.objects.count() == 1


@pytest.mark.usefixtures("isp")
class TestSuspension:
    def test_exactly_what_it_put_up_is_lifted(self) -> None:
        services.suspend(["cat"], cause="abuse", actor=ACTOR)
        services.suspend(["dan"], cause="non-payment", note="February", actor=ACTOR)
        change = suspend("ann", "bob", "cat", "dan")
        events = Event.objects.count()
        done = services.undo(change, actor=BOSS)
        assert (done.restored, done.left) == (3, [])
        assert suspended() == {"cat", "dan"}
        assert standing() == {("cat", "abuse", "", ACTOR), ("dan", "non-payment", "February", ACTOR)}
        assert due() == {"ann", "bob"}
        assert SyncState.objects.get(subscriber__username="ann").generation == 3
        told = Event.objects.filter(change_id=done.change).order_by("id").values_list("what", "username", "actor")
        assert list(told) == [
            ("resumed", "ann", BOSS),
            ("resumed", "bob", BOSS),
            ("resumed", "cat", BOSS),
            ("undone", "", BOSS),
        ]
        assert Event.objects.count() == events + 4
        undone = Change.objects.get(pk=change)
        assert (undone.undone_by, undone.undone_at is None) == (BOSS, False)

    def test_whoever_was_changed_since_is_left_and_listed(self) -> None:
        change = suspend(*NAMES)
        services.resume(["ann"], actor=ACTOR)
        services.suspend(["ann"], cause="non-payment", actor="cli:zoe")
        services.suspend(["bob"], cause="abuse", actor="cli:zoe")
        services.set_subscriber("cat", address="10.0.0.9", actor="cli:zoe")
        services.set_subscriber("dan", phone="0712", actor="cli:zoe")
        services.remove_subscribers(["eve"], actor="cli:zoe")
        trial = services.undo(change, dry_run=True, actor=BOSS)
        assert suspended() == {"ann", "bob", "cat", "dan"}
        done = services.undo(change, actor=BOSS)
        assert (trial.restored, trial.left, trial.change) == (done.restored, done.left, None)
        assert [(left.username, left.why) for left in done.left] == [
            ("ann", "suspended since by cli:zoe"),
            ("bob", "suspended since by cli:zoe"),
            ("cat", "changed since by cli:zoe"),
            ("eve", "removed since by cli:zoe"),
        ]
        assert done.restored == 1, "a telephone number is no intent"
        assert suspended() == {"ann", "bob", "cat"}

    def test_undoing_can_be_undone(self) -> None:
        change = suspend("ann", "bob")
        since = set(Suspension.objects.values_list("since", flat=True))
        first = services.undo(change, actor=BOSS).change
        assert first is not None
        settle()
        again = services.undo(first, actor=BOSS)
        assert standing() == {(name, "non-payment", "March", ACTOR) for name in ("ann", "bob")}
        assert set(Suspension.objects.values_list("since", flat=True)) == since
        assert due() == {"ann", "bob"}
        assert again.change is not None
        services.undo(again.change, actor=BOSS)
        assert suspended() == set()
        assert list(Change.objects.order_by("pk").values_list("what", "undoes")) == [
            ("suspend", None),
            ("undo", change),
            ("undo", first),
            ("undo", again.change),
        ]

    def test_twice_is_refused_in_one_line(self) -> None:
        change = suspend("ann", "bob")
        undone = services.undo(change, actor=BOSS).change
        with pytest.raises(InputError) as refused:
            services.undo(change, actor=ACTOR)
        assert (
            str(refused.value) == f"Change {change} was undone by {BOSS} already. To do it again: imsys undo {undone}"
        )

    def test_an_unknown_change_and_one_of_which_nothing_is_left(self) -> None:
        with pytest.raises(InputError, match=r"There is no change 4711\. See them: imsys changes"):
            services.undo(4711, actor=BOSS)
        change = suspend("ann", "bob")
        services.resume(["ann", "bob"], actor=ACTOR)
        with pytest.raises(InputError, match="its 2 subscribers were changed since"):
            services.undo(change, actor=BOSS)
        assert Change.objects.get(pk=change).undone_at is None
        assert Event.objects.filter(what="undone").count() == 0


@pytest.mark.usefixtures("isp")
class TestResume:
    def test_they_stand_again_as_they_stood(self) -> None:
        suspend("ann", "bob")
        suspend("bob", "cat", cause="abuse", note="spam")
        before = standing()
        change = services.resume(NAMES, actor="cli:zoe").change
        assert change is not None
        settle()
        assert standing() == set()
        done = services.undo(change, actor=BOSS)
        assert (standing(), done.restored) == (before, 3)
        assert suspended() == due() == {"ann", "bob", "cat"}


@pytest.mark.usefixtures("isp")
class TestExpiry:
    def test_the_next_run_leaves_them_alone_until_their_end_changes(self) -> None:
        execute(ENDED)
        services.suspend(["bob"], cause="abuse", actor=ACTOR)
        change = run_expiry(actor="system").change
        assert change is not None
        assert services.undo(change, actor=BOSS).restored == 2
        for _ in range(2):
            assert run_expiry(actor="system").routers == []
        assert standing() == {("bob", "abuse", "", ACTOR)}
        hold = Hold.objects.get()
        assert (hold.state, hold.decided_by, len(hold.steps)) == ("rejected", BOSS, 2)
        services.set_subscriber("ann", expires_at=datetime.now(UTC) - timedelta(minutes=1), actor=ACTOR)
        run_expiry(actor="system")
        assert suspended() == {"ann", "bob"}

    def test_undone_and_done_again(self) -> None:
        execute(ENDED)
        change = run_expiry(actor="system").change
        assert change is not None
        undone = services.undo(change, actor=BOSS).change
        assert undone is not None
        services.undo(undone, actor=BOSS)
        assert suspended() == {"ann", "bob"}
        run_expiry(actor="system")
        assert Hold.objects.get().state == "over"


@pytest.mark.usefixtures("isp")
class TestImport:
    def test_whom_no_router_knows_yet_is_removed(self) -> None:
        rows = b"username,router,package\nnew1,rt-1,home\nnew2,rt-1,home\nnew3,rt-1,home\n"
        report = services.import_rows(rows, actor=ACTOR)
        assert report.change is not None
        assert Change.objects.get(pk=report.change).count == 3
        SyncState.objects.filter(subscriber__username="new2").update(applied_generation=1)
        services.suspend(["new3"], actor=ACTOR)
        done = services.undo(report.change, actor=BOSS)
        assert [(left.username, left.why.split(";")[0]) for left in done.left] == [
            ("new2", "has rows on the router by now"),
            ("new3", f"suspended since by {ACTOR}"),
        ]
        assert set(Subscriber.objects.values_list("username", flat=True)) == {*NAMES, "new2", "new3"}
        assert done.change is not None
        with pytest.raises(InputError, match=r"they and their passwords are gone\. Import the file again"):
            services.undo(done.change, actor=BOSS)


@pytest.mark.usefixtures("isp")
def test_ten_thousand_are_restored_by_as_many_statements_as_ten(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    heading, line = "username,router,package\n", "u{0},rt-2,home\n"
    services.import_rows((heading + "".join(line.format(n) for n in range(10_000))).encode(), actor=ACTOR)
    change = services.suspend_all("rt-2", actor=ACTOR).change
    assert change is not None
    with django_assert_max_num_queries(30):
        assert services.undo(change, actor=BOSS).restored == 10_000
    assert suspended() == set()


def test_changes_are_forgotten_with_their_events(isp: None) -> None:
    change = suspend("ann", "bob")
    undone = services.undo(change, actor=BOSS).change
    assert undone is not None
    services.undo(undone, actor=BOSS)
    assert changes.prune(keep=timedelta(days=1)) == 0
    execute("update timeline_change set at = now() - interval '2 days'")
    while changes.prune(keep=timedelta(days=1)):
        pass
    assert not Change.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_routers_follow_an_undo(world: World) -> None:
    for router in ("r1", "r2"):
        world.add_router(router)
        world.add_subscribers([f"{router}-{number}" for number in range(20)], router=router)
    world.start_worker()
    world.until_synced()
    names = list(Subscriber.objects.values_list("username", flat=True))
    change = services.suspend(names, actor=ACTOR).change
    assert change is not None
    world.until_synced()
    assert len(world.disabled("r1")) == len(world.disabled("r2")) == 20
    services.resume(["r1-7"], actor=ACTOR)
    services.suspend(["r1-7"], cause="abuse", actor=ACTOR)
    services.undo(change, actor=BOSS)
    world.until_synced()
    assert (world.disabled("r1"), world.disabled("r2")) == ({"r1-7"}, set())
