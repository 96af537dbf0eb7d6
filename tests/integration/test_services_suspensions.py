"""Suspending and resuming: who is off, what the keepers are told, what the timeline keeps."""

import threading
from collections.abc import Iterator

import pytest
from django.db import close_old_connections, connection, transaction

from imsys.kit.errors import InputError
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber, Suspension, SyncState
from imsys.timeline.models import Event

ACTOR = "cli:ann"


@pytest.fixture
def isp(db: None) -> None:
    for name in ("rt-1", "rt-2"):
        add_router(name=name, host="127.0.0.1", username="api", password="", actor=ACTOR)
    services.add_package(name="10M", rate_limit="10M/10M", price=20, actor=ACTOR)
    for username, router in (("ann", "rt-1"), ("bob", "rt-1"), ("cat", "rt-2")):
        services.add_subscriber(username=username, router=router, package="10M", actor=ACTOR)
    SyncState.objects.update(sync_status="synced", next_attempt_at=None, attempts=3, applied_generation=1)


def suspended() -> set[str]:
    return set(Subscriber.objects.filter(is_suspended=True).values_list("username", flat=True))


def due() -> dict[str, int]:
    """Who is due, and the generation that is wanted."""
    rows = SyncState.objects.filter(sync_status="pending", next_attempt_at__isnull=False, attempts=0)
    return dict(rows.values_list("subscriber__username", "generation"))


def told(what: str) -> list[tuple[str, str]]:
    return list(Event.objects.filter(what=what).order_by("id").values_list("username", "cause"))


@pytest.mark.usefixtures("isp")
class TestSuspend:
    def test_cuts_bumps_and_tells(self) -> None:
        done = services.suspend(["bob", "ann", "ann"], cause="non-payment", note="March", actor=ACTOR)
        assert (done.changed, done.already) == (["ann", "bob"], 0)
        assert suspended() == {"ann", "bob"}
        assert due() == {"ann": 2, "bob": 2}
        assert told("suspended") == [("ann", "non-payment"), ("bob", "non-payment")]
        event = Event.objects.filter(what="suspended", username="ann").get()
        assert (event.before, event.after) == ({"is_suspended": False}, {"is_suspended": True})
        assert (event.router, event.actor, event.note) == ("rt-1", ACTOR, "March")
        assert Suspension.objects.get(subscriber__username="ann").by == ACTOR

    def test_twice_is_once(self) -> None:
        services.suspend(["ann"], actor=ACTOR)
        SyncState.objects.update(sync_status="synced", next_attempt_at=None)
        done = services.suspend(["ann"], actor=ACTOR)
        assert (done.changed, done.already) == ([], 1)
        assert not due()
        assert len(told("suspended")) == 1

    def test_a_second_cause_stands_beside_the_first_and_changes_nothing_on_the_router(self) -> None:
        services.suspend(["ann"], actor=ACTOR)
        SyncState.objects.update(sync_status="synced", next_attempt_at=None)
        assert services.suspend(["ann"], cause="abuse", actor=ACTOR).changed == ["ann"]
        assert not due()
        assert told("suspended") == [("ann", "non-payment"), ("ann", "abuse")]

    def test_one_unknown_name_and_nothing_is_done(self) -> None:
        with pytest.raises(InputError, match=r"There is no subscriber 'anne'\. Did you mean 'ann'\?"):
            services.suspend(["bob", "anne"], actor=ACTOR)
        with pytest.raises(InputError, match=r"'x0', 'x1', 'x2', 'x3', 'x4' and 3 more: 8 unknown names"):
            services.suspend(["bob", *(f"x{n}" for n in range(8))], actor=ACTOR)
        for never in ("a\0", "\udcff"):
            with pytest.raises(InputError, match="There is no subscriber"):
                services.suspend(["bob", never], actor=ACTOR)
        assert not suspended()
        assert not due()

    def test_an_unknown_cause_names_the_known(self) -> None:
        with pytest.raises(InputError, match="expiry, non-payment, abuse, request, other"):
            services.suspend(["ann"], cause="because", actor=ACTOR)

    def test_all_of_a_router(self) -> None:
        services.suspend(["ann"], actor=ACTOR)
        done = services.suspend_all("rt-1", actor=ACTOR)
        assert (done.changed, done.already) == (["bob"], 1)
        assert suspended() == {"ann", "bob"}
        assert services.resume_all("rt-1", actor=ACTOR).changed == ["ann", "bob"]
        assert not suspended()

    def test_nobody_is_nobody(self) -> None:
        assert services.suspend([], actor=ACTOR) == services.Changed([], 0)
        assert services.resume([], actor=ACTOR) == services.Changed([], 0)


@pytest.mark.usefixtures("isp")
class TestResume:
    def test_lifts_all_that_people_set(self) -> None:
        services.suspend(["ann"], cause="abuse", actor=ACTOR)
        services.suspend(["ann"], cause="non-payment", actor=ACTOR)
        done = services.resume(["ann", "bob"], actor=ACTOR)
        assert (done.changed, done.already, done.still_suspended, done.hint) == (["ann"], 1, [], "")
        assert not suspended()
        assert due() == {"ann": 3}
        assert told("resumed") == [("ann", "abuse, non-payment")]

    def test_leaves_expiry_and_says_so(self) -> None:
        services.suspend(["ann", "bob"], cause="expiry", actor="system")
        services.suspend(["bob"], cause="abuse", actor=ACTOR)
        SyncState.objects.update(sync_status="synced", next_attempt_at=None)
        done = services.resume(["ann", "bob"], actor=ACTOR)
        assert (done.changed, done.already, done.still_suspended) == (["bob"], 0, ["ann", "bob"])
        assert "--reason expiry" in done.hint
        assert suspended() == {"ann", "bob"}
        assert not due()
        assert Event.objects.get(what="resumed").after == {"is_suspended": True}

    def test_one_cause_alone(self) -> None:
        services.suspend(["ann"], cause="expiry", actor="system")
        services.suspend(["ann"], cause="abuse", actor=ACTOR)
        done = services.resume(["ann"], cause="expiry", actor=ACTOR)
        assert (done.changed, done.still_suspended) == (["ann"], ["ann"])
        assert "--reason abuse" in done.hint
        assert services.resume(["ann"], cause="expiry", actor=ACTOR).changed == []
        assert services.resume(["ann"], cause="abuse", actor=ACTOR).changed == ["ann"]
        assert not suspended()


class Listening:
    """Hears what a transaction notifies, on a connection of its own."""

    def __init__(self, channel: str = "imsys_wake") -> None:
        import psycopg

        from imsys.conf.database import dsn

        self.connection = psycopg.connect(dsn(), autocommit=True)
        self.connection.execute(f"listen {channel}")

    def heard(self) -> list[str]:
        """All that was notified until now: the server delivers before it answers the next statement."""
        self.connection.execute("select 1")
        return [notice.payload for notice in self.connection.notifies(timeout=0)]


@pytest.fixture
def listening(transactional_db: None) -> Iterator[Listening]:
    listener = Listening()
    yield listener
    listener.connection.close()


@pytest.mark.django_db(transaction=True)
class TestWake:
    def test_one_notification_for_each_transaction_that_changed_something(
        self, listening: Listening, request: pytest.FixtureRequest
    ) -> None:
        request.getfixturevalue("isp")
        routers = dict(Subscriber.objects.values_list("username", "router_id"))
        listening.heard()
        services.suspend(["ann", "cat"], actor=ACTOR)
        assert listening.heard() == [f"{routers['ann']},{routers['cat']}"]
        services.suspend(["ann", "cat"], actor=ACTOR)
        assert listening.heard() == []
        services.resume(["cat"], actor=ACTOR)
        assert listening.heard() == [str(routers["cat"])]

    def test_a_rollback_wakes_nobody(self, listening: Listening, request: pytest.FixtureRequest) -> None:
        request.getfixturevalue("isp")
        listening.heard()
        with transaction.atomic():
            services.suspend(["ann"], actor=ACTOR)
            transaction.set_rollback(True)
        assert listening.heard() == []
        assert not suspended()

    def test_suspending_and_resuming_at_once_end_in_agreement(self, request: pytest.FixtureRequest) -> None:
        """Whatever the order, `is_suspended` says whether a suspension stands."""
        request.getfixturevalue("isp")
        names = ["ann", "bob", "cat"]
        errors: list[Exception] = []

        def work(turn: int) -> None:
            try:
                for n in range(12):
                    if (n + turn) % 2:
                        services.suspend(names[:: 1 if n % 3 else -1], cause="abuse", actor=ACTOR)
                    else:
                        services.resume(names, actor=ACTOR)
            except Exception as exc:  # noqa: BLE001 - told by the test's own thread
                errors.append(exc)
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(turn,)) for turn in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        close_old_connections()
        assert not errors
        standing = set(Suspension.objects.values_list("subscriber__username", flat=True))
        assert suspended() == standing


def test_far_many_routers_are_woken_as_all(db: None) -> None:
    from imsys.network.wake import MOST_NAMED, _payload

    assert _payload({3, 1, 20}) == "1,3,20"
    assert _payload(set(range(MOST_NAMED + 1))) == "all"
    assert len(_payload({2**62 + n for n in range(MOST_NAMED)})) < 8000  # what NOTIFY takes
