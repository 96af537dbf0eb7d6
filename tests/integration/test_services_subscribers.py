"""Adding, changing and removing subscribers; packages and routers, and whom a change of theirs bumps."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from imsys.conf.secrets import vault
from imsys.kit.errors import InputError
from imsys.network import services as network
from imsys.network.models import Router, RouterState
from imsys.network.selectors import open_password, router_detail
from imsys.subscribers import selectors, services
from imsys.subscribers.models import Package, Subscriber, Suspension, SyncState
from imsys.timeline.models import Event

ACTOR = "cli:ann"


@pytest.fixture(autouse=True)
def isp(db: None) -> None:
    for name in ("rt-1", "rt-2"):
        network.add_router(name=name, host="127.0.0.1", username="api", password="r0uter", actor=ACTOR)
    services.add_package(name="10M", rate_limit="10M/10M", price=20, actor=ACTOR)
    services.add_package(name="20M", rate_limit="20M/20M", price="30.50", actor=ACTOR)


def add(username: str = "ann", **more: Any) -> Subscriber:
    return services.add_subscriber(**{"router": "rt-1", "package": "10M", "actor": ACTOR, "username": username} | more)


def all_synced() -> None:
    SyncState.objects.update(sync_status="synced", next_attempt_at=None, generation=1)
    RouterState.objects.update(resync_due_at=datetime(2099, 1, 1, tzinfo=UTC), failures=4, next_attempt_at=None)


def bumped() -> set[str]:
    return set(
        SyncState.objects.filter(generation=2, sync_status="pending").values_list("subscriber__username", flat=True)
    )


def events(*what: str) -> int:
    return Event.objects.filter(what__in=what).count()


class TestAdd:
    def test_is_pending_and_due_at_once(self) -> None:
        ann = add(password="s3cret", address="10.0.0.7", full_name="Ann", phone="0722", email="ann@example.net")
        state = SyncState.objects.get(subscriber=ann)
        assert (state.sync_status, state.generation, state.router_id) == ("pending", 1, ann.router_id)
        assert state.next_attempt_at is not None
        assert ann.password_sealed is not None
        assert vault().open(ann.password_sealed, context="subscriber-password") == "s3cret"
        assert ann.password_mac == vault().fingerprint("s3cret")
        event = Event.objects.get(what="added")
        assert (event.username, event.router, event.subscriber_id) == ("ann", "rt-1", ann.pk)
        assert "s3cret" not in str(event.after)

    def test_a_blank_password_is_not_managed(self) -> None:
        ann = add()
        assert (ann.password_sealed, ann.password_mac) == (None, None)

    def test_may_begin_suspended(self) -> None:
        assert add(suspended=True).is_suspended
        assert Suspension.objects.get().cause == "other"

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"username": ""}, "empty"),
            ({"username": "a\nb"}, "control character"),
            ({"username": "a\udcff"}, "not UTF-8"),
            ({"username": " ann"}, "begins or ends with a blank"),
            ({"username": "x" * 65}, "longer than 64"),
            ({"router": "rt1"}, r"There is no router 'rt1'\. Did you mean 'rt-1'\?"),
            ({"package": "10m"}, r"There is no package '10m'\. Did you mean '10M'"),
            ({"address": "10.0.0.0/24"}, "is not an IPv4 address"),
            ({"address": "pool1"}, "a pool belongs in the profile"),
            ({"service": "x"}, "not a service"),
            ({"email": "ann"}, "not an e-mail address"),
            ({"password": "s3cret\n"}, "The password holds a control character"),
        ],
    )
    def test_says_what_is_wrong(self, given: dict[str, str], says: str) -> None:
        with pytest.raises(InputError, match=says) as raised:
            add(**given)
        assert "s3cret" not in str(raised.value)
        assert not Subscriber.objects.exists()

    def test_a_name_is_there_once(self) -> None:
        add()
        with pytest.raises(InputError, match=r"'ann' already exists\. Change it with: imsys subscriber set ann"):
            add()
        with pytest.raises(InputError, match="'Ann' differs from 'ann' by upper and lower case alone"):
            add("Ann")
        assert add("Ann", exact=True).username == "Ann"
        assert add(" ann ", exact=True).username == " ann "

    def test_an_address_is_there_once_on_a_router(self) -> None:
        add(address="10.0.0.7")
        with pytest.raises(InputError, match=r"10\.0\.0\.7 on the router 'rt-1' belongs to the subscriber 'ann'"):
            add("bob", address="10.0.0.7")
        assert add("bob", address="10.0.0.7", router="rt-2").address == "10.0.0.7"
        with pytest.raises(InputError, match="IPv4"):  # remote-address of a secret takes no other
            add("cat", address="2001:db8::1")


class TestSet:
    def test_what_the_router_sees_bumps(self) -> None:
        add(address="10.0.0.7", password="one")
        changes: list[services.SubscriberChanges] = [
            {"package": "20M"},
            {"address": ""},
            {"password": "two"},
            {"password": ""},
        ]
        for change in changes:
            all_synced()
            services.set_subscriber("ann", actor=ACTOR, **change)
            assert bumped() == {"ann"}
        assert events("changed") == 4
        assert not any("two" in f"{event.before}{event.after}" for event in Event.objects.all())

    def test_to_be_enforced_by_itself_bumps_and_ends_no_session(self) -> None:
        add(address="10.0.0.7")
        services.set_package("10M", apply="now", actor=ACTOR)
        for enforced in (True, False):
            all_synced()
            services.set_subscriber("ann", actor=ACTOR, is_enforced=enforced)
            assert bumped() == {"ann"}
            assert not SyncState.objects.get().kick_owed
            event = Event.objects.filter(what="changed").latest("id")
            assert (event.before, event.after) == ({"is_enforced": not enforced}, {"is_enforced": enforced})
        all_synced()
        services.set_subscriber("ann", actor=ACTOR, is_enforced=False)
        assert not bumped()

    def test_what_it_does_not_see_does_not_bump(self) -> None:
        before = add()
        all_synced()
        at = datetime(2027, 1, 1, tzinfo=UTC)
        services.set_subscriber("ann", actor=ACTOR, full_name="Ann", phone="1", note="n", expires_at=at)
        assert not bumped()
        event = Event.objects.get(what="changed")
        assert (event.before, event.after) == (
            {"full_name": "", "phone": "", "note": "", "expires_at": None},
            {"full_name": "Ann", "phone": "1", "note": "n", "expires_at": "2027-01-01T00:00:00+00:00"},
        )
        assert Subscriber.objects.get().updated_at > before.created_at

    def test_what_is_so_already_changes_nothing(self) -> None:
        add(password="one", address="10.0.0.7")
        all_synced()
        services.set_subscriber("ann", actor=ACTOR, password="one", package="10M", address="10.0.0.7", note="")
        assert not bumped()
        assert not events("changed")

    def test_says_what_is_wrong(self) -> None:
        add(address="10.0.0.7")
        add("bob")
        with pytest.raises(InputError, match="belongs to the subscriber 'ann'"):
            services.set_subscriber("bob", actor=ACTOR, address="10.0.0.7")
        with pytest.raises(InputError, match="Did you mean 'bob'"):
            services.set_subscriber("bbo", actor=ACTOR, phone="1")
        with pytest.raises(TypeError, match="router"):
            services.set_subscriber("bob", actor=ACTOR, router="rt-2")  # type: ignore[call-arg]


class TestRemove:
    def test_leaves_an_event_and_lets_placements_become_ghosts(self) -> None:
        from imsys.fleet.models import Placement

        ann = add(suspended=True)
        add("bob")
        Placement.objects.create(router=ann.router, menu="/ppp/secret", key="ann", subscriber=ann)
        assert services.remove_subscribers(["ann"], actor=ACTOR) == 1
        assert list(Subscriber.objects.values_list("username", flat=True)) == ["bob"]
        assert not Suspension.objects.exists()
        assert Placement.objects.get().subscriber_id is None
        event = Event.objects.get(what="removed")
        assert (event.username, event.subscriber_id, event.before) == (
            "ann",
            ann.pk,
            {"package": "10M", "is_suspended": True},
        )

    def test_one_unknown_name_and_nobody_goes(self) -> None:
        add()
        with pytest.raises(InputError, match="no subscriber 'zed'"):
            services.remove_subscribers(["ann", "zed"], actor=ACTOR)
        assert Subscriber.objects.exists()


class TestAskSync:
    def test_ends_every_wait_in_scope(self) -> None:
        add()
        add("bob", router="rt-2")
        add("cat")
        later = datetime(2099, 1, 1, tzinfo=UTC)
        SyncState.objects.update(sync_status="error", next_attempt_at=later, sync_error="no such profile", attempts=5)
        RouterState.objects.update(next_attempt_at=later)
        assert services.ask_sync(["ann"]) == 1
        assert services.ask_sync(router="rt-2") == 1
        waiting = SyncState.objects.filter(next_attempt_at=later).values_list("subscriber__username", flat=True)
        assert list(waiting) == ["cat"]
        assert not RouterState.objects.filter(next_attempt_at=later).exists()
        assert services.ask_sync() == 3
        assert SyncState.objects.filter(sync_status="error", attempts=5).count() == 3

    def test_named_ones_are_looked_at_though_they_are_synced(self) -> None:
        add()
        add("bob")
        all_synced()
        assert services.ask_sync() == 0
        assert services.ask_sync(["ann"]) == 1
        state = SyncState.objects.get(subscriber__username="ann")
        assert (state.sync_status, state.generation) == ("pending", 1)


class TestPackages:
    def test_a_new_speed_bumps_all_who_have_it(self) -> None:
        add()
        add("bob", router="rt-2")
        add("cat", package="20M")
        all_synced()
        services.set_package("10M", actor=ACTOR, rate_limit="12M/12M")
        assert bumped() == {"ann", "bob"}

    def test_what_means_the_same_or_is_not_on_the_router_bumps_nobody(self) -> None:
        add()
        all_synced()
        services.set_package("10M", actor=ACTOR, rate_limit="10000k/10000k", price="25", days=7)
        assert not bumped()
        package = Package.objects.get(name="10M")
        assert (package.rate_limit, package.price, package.days) == ("10000k/10000k", Decimal("25.00"), 7)
        services.set_package("10M", actor=ACTOR, price=Decimal("25.00"))
        assert events("package-changed") == 1

    def test_a_profile_that_people_own_is_only_referred_to(self) -> None:
        add()
        all_synced()
        services.set_package("10M", actor=ACTOR, profile="gold")
        assert bumped() == {"ann"}
        all_synced()
        services.set_package("10M", actor=ACTOR, rate_limit="99M/99M")
        assert not bumped()
        assert Package.objects.get(name="10M").profile_name == "gold"

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"name": "10M"}, "already exists"),
            ({"name": ""}, "empty"),
            ({"name": "default"}, "built-in profile"),
            ({"rate_limit": "10X"}, "is not a rate"),
            ({"price": "-1"}, "is not a price"),
            ({"price": "1.999"}, "is not a price"),
            ({"price": "NaN"}, "is not a price"),
            ({"days": 0}, "1 to 3660 days"),
        ],
    )
    def test_says_what_is_wrong(self, given: dict[str, Any], says: str) -> None:
        with pytest.raises(InputError, match=says):
            services.add_package(**dict[str, Any](name="30M", price=1, actor=ACTOR) | given)

    def test_stays_while_it_is_used(self) -> None:
        add()
        with pytest.raises(InputError, match="still has 1 subscribers"):
            services.remove_package("10M", actor=ACTOR)
        services.remove_package("20M", actor=ACTOR)
        assert [package["name"] for package in selectors.list_packages()] == ["10M"]
        assert selectors.package_detail("10M")["subscribers"] == 1

    def test_does_not_take_the_walled_garden(self) -> None:
        services.set_router("rt-1", actor=ACTOR, suspend_by="profile", suspend_profile="garden")
        with pytest.raises(InputError, match="puts suspended subscribers in the profile 'garden'"):
            services.add_package(name="garden", price=1, actor=ACTOR)
        with pytest.raises(InputError, match="belongs to the package of that name"):
            services.set_router("rt-2", actor=ACTOR, suspend_by="profile", suspend_profile="10M")
        assert Router.objects.get(name="rt-2").suspend_by == "disable"


class TestRouters:
    def test_another_way_to_suspend_bumps_the_suspended_of_that_router(self) -> None:
        add(suspended=True)
        add("bob")
        add("cat", router="rt-2", suspended=True)
        all_synced()
        services.set_router("rt-1", actor=ACTOR, suspend_by="profile")
        assert bumped() == {"ann"}

    def test_an_edit_has_the_router_read_anew_at_once(self) -> None:
        all_synced()
        services.set_router("rt-1", actor=ACTOR, mode="enforce", password="n3w", host="10.0.0.1")
        state = RouterState.objects.get(router__name="rt-1")
        assert state.resync_due_at.year < 2099
        assert state.next_attempt_at is not None
        assert state.failures == 0
        assert RouterState.objects.get(router__name="rt-2").failures == 4
        router = Router.objects.get(name="rt-1")
        assert open_password(router) == "n3w"
        event = Event.objects.get(what="router-changed")
        assert event.after == {"mode": "enforce", "password": "changed", "host": "10.0.0.1"}

    def test_an_edit_that_changes_nothing_does_nothing(self) -> None:
        all_synced()
        services.set_router("rt-1", actor=ACTOR, mode="observe", password="r0uter", port=8728)
        assert RouterState.objects.get(router__name="rt-1").failures == 4
        assert not events("router-changed")

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"name": "rt-1"}, "already exists"),
            ({"name": " x"}, "begins or ends with a blank"),
            ({"host": ""}, "host is empty"),
            ({"port": 70000}, "port is not usable"),
            ({"mode": "off"}, "mode is not usable"),
            ({"tls": "pin"}, "needs its fingerprint"),
            ({"pace_per_s": 0}, "out of range"),
        ],
    )
    def test_says_what_is_wrong(self, given: dict[str, Any], says: str) -> None:
        with pytest.raises(InputError, match=says):
            network.add_router(
                **{"name": "rt-9", "host": "h", "username": "u", "password": "p", "actor": ACTOR} | given
            )

    def test_stays_while_it_has_subscribers_or_rows_of_ours(self) -> None:
        from imsys.fleet.models import Placement

        ann = add()
        with pytest.raises(InputError, match=r"still has 1 subscribers"):
            network.remove_router("rt-1", forget=True, actor=ACTOR)
        Placement.objects.create(router=ann.router, menu="/ppp/secret", key="ann", subscriber=ann)
        services.remove_subscribers(["ann"], actor=ACTOR)
        with pytest.raises(InputError, match=r"still has 1 rows on the router .* --forget"):
            network.remove_router("rt-1", actor=ACTOR)
        assert network.remove_router("rt-1", forget=True, actor=ACTOR) == 1
        assert not Placement.objects.exists()
        event = Event.objects.get(what="router-removed")
        assert (event.router, event.note) == ("rt-1", "1 placements written off")
        assert network.remove_router("rt-2", actor=ACTOR) == 0

    def test_a_resync_is_asked_for(self) -> None:
        all_synced()
        pk = Router.objects.get(name="rt-1").pk
        assert network.ask_resync([pk]) == 1
        assert RouterState.objects.get(pk=pk).resync_asked_at is not None
        assert network.ask_resync(None) == 2
        assert network.ask_attempt([]) == 0


class TestReading:
    def test_one_subscriber(self) -> None:
        add(password="s3cret", expires_at=datetime(2027, 1, 1, tzinfo=UTC))
        services.suspend(["ann"], cause="abuse", note="spam", actor=ACTOR)
        detail = selectors.subscriber_detail("ann")
        assert (detail["router"], detail["package"], detail["sync_status"]) == ("rt-1", "10M", "pending")
        assert (detail["is_suspended"], detail["has_password"], detail["generation"]) == (True, True, 2)
        (suspension,) = detail["suspensions"]
        assert (suspension["cause"], suspension["note"], suspension["by"]) == ("abuse", "spam", ACTOR)
        assert "s3cret" not in str(detail)
        assert not [name for name in detail if "sealed" in name or name.endswith("_mac")]
        with pytest.raises(InputError, match="Did you mean 'ann'"):
            selectors.subscriber_detail("Anne")

    def test_lists_are_filtered(self) -> None:
        add(full_name="Ann Wanjiru", phone="0722")
        add("bob", router="rt-2", suspended=True)
        add("cat", package="20M")
        SyncState.objects.filter(subscriber__username="cat").update(sync_status="synced")

        def names(**filters: Any) -> list[str]:
            return [row["username"] for row in selectors.list_subscribers(**filters)]

        assert names() == ["ann", "bob", "cat"]
        assert names(router="rt-1") == ["ann", "cat"]
        assert names(package="20M") == ["cat"]
        assert names(status="synced") == ["cat"]
        assert names(suspended=True) == ["bob"]
        assert names(search="wanj 07") == ["ann"]
        assert names(after="ann", limit=1) == ["bob"]
        assert selectors.count_subscribers(suspended=False) == 2
        with pytest.raises(InputError, match="pending, synced, error"):
            names(status="x")
        assert selectors.sync_counts() == {"pending": 2, "synced": 1, "error": 0}

    def test_routers_with_counts(self) -> None:
        add(suspended=True)
        first, second = selectors.list_routers()
        assert (first["name"], first["subscribers"], first["suspended"], first["pending"]) == ("rt-1", 1, 1, 1)
        assert (second["name"], second["subscribers"]) == ("rt-2", 0)
        assert router_detail("rt-1")["mode"] == "observe"
        assert not [name for name in router_detail("rt-1") if "password_sealed" in name]
