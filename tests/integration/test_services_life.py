"""A subscriber's life: every service, another name, another router, and what ends a session when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from imsys.conf.database import dsn
from imsys.conf.sql import execute
from imsys.kit.errors import InputError
from imsys.network import services as network
from imsys.network.models import Router, RouterState
from imsys.network.wake import CHANNEL
from imsys.subscribers import selectors, services
from imsys.subscribers.models import Departure, Package, Subscriber, SyncState
from imsys.timeline import selectors as timeline
from imsys.timeline.models import Event

ACTOR = "cli:ann"
MAC = "00:0C:42:1A:2B:3C"
OTHER_MAC = "00:0C:42:1A:2B:3D"


@pytest.fixture(autouse=True)
def isp(db: None) -> None:
    for name in ("rt-1", "rt-2", "rt-3"):
        network.add_router(name=name, host="127.0.0.1", username="api", password="r0uter", actor=ACTOR)
    services.add_package(name="slow", rate_limit="10M/10M", price=20, actor=ACTOR)
    services.add_package(name="fast", rate_limit="20M/20M", price=30, apply="now", actor=ACTOR)


def add(username: str = "ann", **more: Any) -> Subscriber:
    return services.add_subscriber(**{"router": "rt-1", "package": "slow", "actor": ACTOR, "username": username} | more)


def one_of_each(**more: Any) -> None:
    add("pat", **more)
    add("sam", service="static", address="10.0.0.7", **more)
    add("hal", service="hotspot", **more)


def all_synced() -> None:
    SyncState.objects.update(
        sync_status="synced",
        next_attempt_at=None,
        generation=1,
        kick_owed=False,
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def bumped() -> set[str]:
    return set(
        SyncState.objects.filter(generation=2, sync_status="pending").values_list("subscriber__username", flat=True)
    )


def owing() -> set[str]:
    return set(SyncState.objects.filter(kick_owed=True).values_list("subscriber__username", flat=True))


def state(username: str = "ann") -> SyncState:
    return SyncState.objects.get(subscriber__username=username)


def pk_of(router: str) -> int:
    return Router.objects.get(name=router).pk


def departures() -> set[tuple[str, str]]:
    return set(Departure.objects.values_list("subscriber__username", "router__name"))


class Ear:
    """What a keeper's process hears on the channel."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        connection.execute(f"listen {CHANNEL}")

    def heard(self) -> list[set[int]]:
        """The routers that each wake-up named since last asked."""
        self._connection.execute("select 1")
        told = list(self._connection.notifies(timeout=0))
        return [{int(number) for number in notice.payload.split(",")} for notice in told]


@pytest.fixture
def ear(transactional_db: None) -> Iterator[Ear]:
    with psycopg.connect(dsn(), autocommit=True) as connection:
        yield Ear(connection)


class TestServices:
    def test_a_static_line_has_its_address(self) -> None:
        sam = add("sam", service="static", address="10.0.0.7", mac="00-0c-42-1a-2b-3c")
        assert (sam.service, sam.address, sam.mac) == ("static", "10.0.0.7", MAC)
        event = Event.objects.get(what="added")
        assert event.after == {
            "package": "slow",
            "service": "static",
            "address": "10.0.0.7",
            "mac": MAC,
            "is_suspended": False,
        }

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"service": "static"}, r"A static line needs its address\. Give it with --address"),
            ({"service": "hotspot", "address": "10.0.0.7"}, r"A hotspot line has no address of its own"),
            ({"mac": "00:0C:42"}, "is not a MAC address"),
            ({"mac": "00:00:00:00:00:00"}, "no device's MAC address"),
            ({"address": "0.0.0.0"}, "no address of one line"),
            ({"service": "ipoe"}, "Use one of: pppoe, static, hotspot"),
        ],
    )
    def test_says_what_is_wrong(self, given: dict[str, str], says: str) -> None:
        with pytest.raises(InputError, match=says):
            add(**given)
        assert not Subscriber.objects.exists()

    def test_a_device_is_served_once_on_a_router(self) -> None:
        add("sam", service="static", address="10.0.0.7", mac=MAC)
        with pytest.raises(InputError, match=f"{MAC} on the router 'rt-1' belongs to the subscriber 'sam'"):
            add("hal", service="hotspot", mac=MAC)
        add("hal", service="hotspot", mac=MAC, router="rt-2")
        add("pat", mac=MAC)
        add("pia", mac=MAC)  # one device may dial for two
        with pytest.raises(InputError, match="belongs to the subscriber 'sam'"):
            services.set_subscriber("pat", actor=ACTOR, service="static", address="10.0.0.8")

    def test_an_address_is_there_once_whatever_the_service(self) -> None:
        add("sam", service="static", address="10.0.0.7")
        with pytest.raises(InputError, match="belongs to the subscriber 'sam'"):
            add("pat", address="10.0.0.7")

    def test_the_database_holds_to_it_too(self) -> None:
        add("sam", service="static", address="10.0.0.7", mac=MAC)
        add("hal", service="hotspot")
        for statement in (
            "update subscribers_subscriber set mac = %s where username = 'hal'",
            "update subscribers_subscriber set address = left(%s, 0) where username = 'sam'",
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                execute(statement, [MAC])

    def test_a_line_may_change_its_service(self) -> None:
        add("pat", password="s3cret", mac=MAC)
        all_synced()
        with pytest.raises(InputError, match="needs its address"):
            services.set_subscriber("pat", actor=ACTOR, service="static")
        services.set_subscriber("pat", actor=ACTOR, service="static", address="10.0.0.7")
        assert bumped() == {"pat"}
        with pytest.raises(InputError, match="no address of its own"):
            services.set_subscriber("pat", actor=ACTOR, service="hotspot")
        services.set_subscriber("pat", actor=ACTOR, service="hotspot", address="")
        pat = Subscriber.objects.get()
        assert (pat.service, pat.address, pat.mac) == ("hotspot", "", MAC)
        event = Event.objects.filter(what="changed").latest("pk")
        assert (event.before, event.after) == (
            {"service": "static", "address": "10.0.0.7"},
            {"service": "hotspot", "address": ""},
        )

    def test_a_new_device_bumps(self) -> None:
        one_of_each()
        for name in ("pat", "sam", "hal"):
            all_synced()
            services.set_subscriber(name, actor=ACTOR, mac=MAC if name != "hal" else OTHER_MAC)
            assert bumped() == {name}
            all_synced()
            services.set_subscriber(name, actor=ACTOR, mac="000c421a2b3c" if name != "hal" else OTHER_MAC)
            assert not bumped()

    def test_a_static_line_logs_in_nowhere(self) -> None:
        add("sam", service="static", address="10.0.0.7")
        all_synced()
        services.set_subscriber("sam", actor=ACTOR, password="kept for later")
        assert not bumped()

    def test_it_is_shown_and_found(self) -> None:
        add("sam", service="static", address="10.0.0.7", mac=MAC)
        detail = selectors.subscriber_detail("sam")
        assert (detail["service"], detail["mac"], detail["left_on"]) == ("static", MAC, [])
        assert [row["username"] for row in selectors.list_subscribers(search="1a:2b")] == ["sam"]
        assert not selectors.list_subscribers(search="1a2b")


class TestKicks:
    """A kick that expects a redial is owed from the moment of the change, where the package says `now`."""

    @pytest.mark.parametrize(
        ("changes", "owed"),
        [
            ({"package": "fast"}, True),
            ({"address": "10.0.0.9"}, False),
            ({"package": "fast", "address": "10.0.0.9"}, True),
            ({"password": "new"}, False),
            ({"note": "n"}, False),
        ],
    )
    def test_a_change_of_a_subscriber(self, changes: services.SubscriberChanges, owed: bool) -> None:
        add("pat")
        all_synced()
        services.set_subscriber("pat", actor=ACTOR, **changes)
        assert owing() == ({"pat"} if owed else set())

    def test_by_service(self) -> None:
        one_of_each(package="fast")
        all_synced()
        services.set_subscriber("pat", actor=ACTOR, mac=MAC)
        services.set_subscriber("sam", actor=ACTOR, mac=MAC, package="slow")
        services.set_subscriber("hal", actor=ACTOR, mac=OTHER_MAC)
        assert bumped() == {"pat", "sam", "hal"}
        assert owing() == {"pat", "hal"}

    def test_the_package_that_it_gets_decides(self) -> None:
        add("pat", package="fast")
        all_synced()
        services.set_subscriber("pat", actor=ACTOR, package="slow")
        assert (bumped(), owing()) == ({"pat"}, set())

    def test_two_packages_of_one_profile_are_one_to_a_session(self) -> None:
        for name in ("gold-1", "gold-2"):
            services.add_package(name=name, profile="gold", price=1, apply="now", actor=ACTOR)
        add("pat", package="gold-1")
        all_synced()
        services.set_subscriber("pat", actor=ACTOR, package="gold-2")
        assert (bumped(), owing()) == ({"pat"}, set())

    def test_another_service_owes_none(self) -> None:
        add("pat", package="fast", password="s3cret")
        services.set_subscriber("pat", actor=ACTOR, address="10.0.0.9")
        SyncState.objects.update(applied_mac=b"x")
        assert owing() == {"pat"}
        services.set_subscriber("pat", actor=ACTOR, service="static", mac=MAC)
        assert (owing(), state("pat").applied_mac) == (set(), None)
        services.set_subscriber("pat", actor=ACTOR, service="hotspot", address="")
        assert not owing()

    def test_a_kick_that_is_owed_stays_owed(self) -> None:
        add("pat", package="fast")
        services.set_subscriber("pat", actor=ACTOR, address="10.0.0.9")
        services.set_subscriber("pat", actor=ACTOR, password="new")
        services.suspend(["pat"], actor=ACTOR)
        assert owing() == {"pat"}


class TestPackages:
    @pytest.mark.parametrize(
        ("changes", "seen", "felt"),
        [
            ({"rate_limit": "12M/12M"}, "pat sam hal", "pat hal"),
            ({"rate_limit": "20000k/20000k"}, "", ""),
            ({"shared_users": 3}, "hal", "hal"),
            ({"limit_uptime": "30d"}, "hal", ""),
            ({"limit_bytes": "10G"}, "hal", ""),
            ({"profile": "gold"}, "pat hal", "pat hal"),
            ({"apply": "next-login"}, "", ""),
            ({"price": 1, "days": 7}, "", ""),
            ({"rate_limit": "12M/12M", "apply": "next-login"}, "pat sam hal", ""),
        ],
    )
    def test_whom_a_change_bumps_and_kicks(self, changes: services.PackageChanges, seen: str, felt: str) -> None:
        one_of_each(package="fast")
        add("other")
        all_synced()
        services.set_package("fast", actor=ACTOR, **changes)
        assert bumped() == {*seen.split()}
        assert owing() == {*felt.split()}

    @pytest.mark.parametrize(
        ("changes", "seen"),
        [
            ({"rate_limit": "12M/12M"}, "sam"),  # the queue is ours, the profile is not
            ({"shared_users": 3}, ""),
            ({"limit_bytes": 1}, "hal"),
            ({"profile": ""}, "pat hal"),
        ],
    )
    def test_a_profile_that_people_own_keeps_its_own_speed(self, changes: services.PackageChanges, seen: str) -> None:
        services.set_package("fast", actor=ACTOR, profile="gold")
        one_of_each(package="fast")
        all_synced()
        services.set_package("fast", actor=ACTOR, **changes)
        assert bumped() == {*seen.split()}

    def test_limits_are_kept_in_one_spelling(self) -> None:
        package = services.add_package(
            name="hour", price=1, shared_users=2, limit_uptime="01:00:00", limit_bytes="500M", actor=ACTOR
        )
        package.refresh_from_db()
        assert (package.apply, package.shared_users, package.limit_uptime, package.limit_bytes) == (
            "next-login",
            2,
            "1h",
            500_000_000,
        )
        services.set_package("hour", actor=ACTOR, limit_uptime="60m", limit_bytes=500_000_000)
        assert not Event.objects.filter(what="package-changed").exists()
        services.set_package("hour", actor=ACTOR, limit_uptime="0", limit_bytes=0)
        assert (Package.objects.get(name="hour").limit_uptime, Package.objects.get(name="hour").limit_bytes) == ("", 0)

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"apply": "later"}, "Use one of: now, next-login"),
            ({"shared_users": 0}, "shared by 1 to 1000 devices, not 0"),
            ({"limit_uptime": "soon"}, "is not a duration"),
            ({"limit_uptime": "100ms"}, "whole seconds"),
            ({"limit_uptime": "9999d"}, "at most 3660 days"),
            ({"limit_bytes": "10GB"}, "no number of bytes"),
            ({"limit_bytes": -1}, "no number of bytes"),
        ],
    )
    def test_says_what_is_wrong(self, given: dict[str, Any], says: str) -> None:
        with pytest.raises(InputError, match=says):
            services.add_package(**dict[str, Any](name="x", price=1, actor=ACTOR) | given)


class TestRename:
    def test_the_same_subscriber_under_another_name(self, ear: Ear) -> None:
        ann = add(password="s3cret", address="10.0.0.7")
        all_synced()
        ear.heard()
        assert services.rename_subscriber("ann", "anna", actor=ACTOR).pk == ann.pk
        renamed = Subscriber.objects.get()
        assert (renamed.username, renamed.address, renamed.password_mac) == ("anna", "10.0.0.7", ann.password_mac)
        assert renamed.updated_at > ann.created_at
        assert bumped() == {"anna"}
        assert ear.heard() == [{pk_of("rt-1")}]
        event = Event.objects.get(what="renamed")
        assert (event.username, event.subscriber_id) == ("anna", ann.pk)
        assert (event.before, event.after) == ({"username": "ann"}, {"username": "anna"})

    def test_the_timeline_is_theirs_under_every_name(self) -> None:
        add()
        services.rename_subscriber("ann", "anna", actor=ACTOR)
        services.rename_subscriber("anna", "annika", actor=ACTOR)
        for name in ("ann", "anna", "annika"):
            assert [event["what"] for event in timeline.events(username=name)] == ["renamed", "renamed", "added"]

    def test_a_name_just_left_can_be_taken(self) -> None:
        add("a")
        add("b")
        add("c")
        services.remove_subscribers(["c"], actor=ACTOR)
        services.rename_subscriber("b", "c", actor=ACTOR)
        services.rename_subscriber("a", "b", actor=ACTOR)
        assert add("a").username == "a"

    def test_only_the_case_may_change(self) -> None:
        add()
        assert services.rename_subscriber("ann", "Ann", actor=ACTOR).username == "Ann"

    def test_the_same_name_changes_nothing(self) -> None:
        add()
        all_synced()
        services.rename_subscriber("ann", "ann", actor=ACTOR)
        assert not bumped()
        assert not Event.objects.filter(what="renamed").exists()

    def test_says_what_is_wrong(self) -> None:
        add()
        add("bob")
        for new, says in {
            "bob": "'bob' already exists",
            "Bob": "differs from 'bob' by upper and lower case alone",
            "": "is empty",
            " ann": "begins or ends with a blank",
        }.items():
            with pytest.raises(InputError, match=says):
                services.rename_subscriber("ann", new, actor=ACTOR)
        with pytest.raises(InputError, match="no subscriber 'an'"):
            services.rename_subscriber("an", "x", actor=ACTOR)
        assert services.rename_subscriber("ann", "Bob", exact=True, actor=ACTOR).username == "Bob"
        assert services.rename_subscriber("Bob", " x", exact=True, actor=ACTOR).username == " x"


class TestMove:
    def test_the_line_begins_anew_on_the_other_router(self, ear: Ear) -> None:
        ann = add(package="fast", password="s3cret", address="10.0.0.7", mac=MAC)
        all_synced()
        SyncState.objects.update(has_lock=True, kick_owed=True, applied_mac=b"x", applied_at=datetime.now(UTC))
        ear.heard()
        assert services.move_subscribers(["ann"], "rt-2", actor=ACTOR) == services.Moved(["ann"], 0)
        assert Subscriber.objects.get().router.name == "rt-2"
        after = state()
        assert (after.router_id, after.generation, after.sync_status) == (pk_of("rt-2"), 2, "pending")
        assert after.next_attempt_at is not None
        assert (after.made_at, after.applied_at, after.applied_mac) == (None, None, None)
        assert (after.has_lock, after.kick_owed) == (False, False)
        assert departures() == {("ann", "rt-1")}
        assert ear.heard() == [{pk_of("rt-1"), pk_of("rt-2")}]
        event = Event.objects.get(what="moved")
        assert (event.username, event.subscriber_id, event.router) == ("ann", ann.pk, "rt-2")
        assert (event.before, event.after) == ({"router": "rt-1"}, {"router": "rt-2"})

    def test_there_and_back_leaves_what_is_elsewhere(self) -> None:
        add()
        for router in ("rt-2", "rt-3", "rt-1"):
            services.move_subscribers(["ann"], router, actor=ACTOR)
        assert departures() == {("ann", "rt-2"), ("ann", "rt-3")}
        assert state().generation == 4

    def test_many_at_once_and_who_is_there_already_stays(self) -> None:
        add("ann")
        add("bob", router="rt-2")
        add("cat", router="rt-3")
        all_synced()
        assert services.move_subscribers(["cat", "bob", "ann"], "rt-2", actor=ACTOR) == services.Moved(
            ["ann", "cat"], already=1
        )
        assert bumped() == {"ann", "cat"}
        assert services.move_subscribers(["ann"], "rt-2", actor=ACTOR) == services.Moved([], already=1)
        assert Event.objects.filter(what="moved").count() == 2

    def test_what_is_taken_there_is_named_and_nobody_moves(self) -> None:
        add("ann", address="10.0.0.7")
        add("bob")
        add("cat", router="rt-2", service="static", address="10.0.0.7", mac=MAC)
        add("dan", service="hotspot", mac=MAC)
        add("eve", router="rt-3", address="10.0.0.7")
        add("pat", mac=MAC)
        for names, says in {
            ("bob", "ann"): r"'ann' cannot move, and nobody was moved\. The address 10\.0\.0\.7 on the router 'rt-2' "
            "belongs to the subscriber 'cat'",
            ("bob", "dan"): f"'dan' cannot move, and nobody was moved. The MAC address {MAC} on the router 'rt-2'",
            ("bob", "zed"): "There is no subscriber 'zed'",
        }.items():
            with pytest.raises(InputError, match=says):
                services.move_subscribers(names, "rt-2", actor=ACTOR)
        services.remove_subscribers(["cat"], actor=ACTOR)
        with pytest.raises(InputError, match="belongs to the subscriber"):  # two that bring one address
            services.move_subscribers(["ann", "eve"], "rt-2", actor=ACTOR)
        with pytest.raises(InputError, match="no router 'rt-9'"):
            services.move_subscribers(["ann"], "rt-9", actor=ACTOR)
        assert not departures()
        assert not Event.objects.filter(what="moved").exists()
        assert services.move_subscribers(["pat", "dan"], "rt-2", actor=ACTOR).already == 0

    def test_one_who_goes_wakes_every_router_that_knows_them(self, ear: Ear) -> None:
        add()
        services.move_subscribers(["ann"], "rt-2", actor=ACTOR)
        ear.heard()
        services.remove_subscribers(["ann"], actor=ACTOR)
        assert ear.heard() == [{pk_of("rt-1"), pk_of("rt-2")}]
        assert not departures()

    def test_where_rows_may_remain_is_shown_with_the_reason(self) -> None:
        add()
        services.move_subscribers(["ann"], "rt-2", actor=ACTOR)
        for is_reachable, reason in {
            None: "OldRouterUnreachable",
            False: "OldRouterUnreachable",
            True: "Leaving",
        }.items():
            RouterState.objects.filter(router__name="rt-1").update(is_reachable=is_reachable)
            (left,) = selectors.subscriber_detail("ann")["left_on"]
            assert (left["router"], left["reason"]) == ("rt-1", reason)
            assert left["since"] is not None

    def test_the_router_that_they_left_stays_until_it_is_empty(self) -> None:
        add()
        services.move_subscribers(["ann"], "rt-2", actor=ACTOR)
        with pytest.raises(InputError, match=r"left the router 'rt-1' may still have rows there.*--forget"):
            network.remove_router("rt-1", actor=ACTOR)
        assert network.remove_router("rt-1", forget=True, actor=ACTOR) == 0
        assert not departures()

    def test_a_router_with_rows_of_those_who_left_stays_too(self) -> None:
        from imsys.fleet.models import Placement

        ann = add()
        Placement.objects.create(router=ann.router, menu="/ppp/secret", key="ann", subscriber=ann)
        services.move_subscribers(["ann"], "rt-2", actor=ACTOR)
        with pytest.raises(InputError, match="still has 1 rows on the router 'rt-1'"):
            network.remove_router("rt-1", actor=ACTOR)
        assert network.remove_router("rt-1", forget=True, actor=ACTOR) == 1


class TestRouters:
    @pytest.mark.parametrize(
        ("set_so", "changes", "whom"),
        [
            ({}, {"suspend_by": "address-list"}, "pat"),
            ({"suspend_by": "address-list"}, {"suspend_by": "disable"}, "pat"),
            ({}, {"suspend_list": "NO_PAY"}, "sam"),
            ({"suspend_by": "address-list"}, {"suspend_list": "NO_PAY"}, "pat sam"),
            ({}, {"suspend_profile": "garden"}, ""),
            ({"suspend_by": "profile"}, {"suspend_profile": "garden"}, "pat"),
            ({}, {"kicks_per_s": 50}, ""),
        ],
    )
    def test_another_way_to_suspend_bumps_whom_it_concerns(self, set_so: Any, changes: Any, whom: str) -> None:
        services.set_router("rt-1", actor=ACTOR, **set_so)
        one_of_each(suspended=True)
        add("free", address="10.0.0.9")
        add("far", router="rt-2", suspended=True)
        all_synced()
        services.set_router("rt-1", actor=ACTOR, **changes)
        assert bumped() == {*whom.split()}

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"suspend_list": ""}, "suspend list is empty"),
            ({"suspend_list": "a\tb"}, "control character"),
            ({"suspend_list": "a,b"}, "has a comma"),
            ({"suspend_list": " a"}, "begins or ends with a blank"),
            ({"kicks_per_s": 0}, "1 to 1000 kicks"),
            ({"kicks_per_s": 1001}, "1 to 1000 kicks"),
        ],
    )
    def test_says_what_is_wrong(self, given: dict[str, Any], says: str) -> None:
        with pytest.raises(InputError, match=says):
            services.set_router("rt-1", **dict[str, Any](actor=ACTOR) | given)


def test_a_bulk_move_is_one_of_each_statement(django_assert_max_num_queries: Any) -> None:
    rows = "".join(f"u{n},rt-{1 + n % 2},slow\n" for n in range(200))
    services.import_rows(f"username,router,package\n{rows}".encode(), actor=ACTOR)
    with django_assert_max_num_queries(15, connection=connection):
        moved = services.move_subscribers([f"u{n}" for n in range(200)], "rt-3", actor=ACTOR)
    assert len(moved.moved) == 200
    assert Departure.objects.count() == 200
    assert set(SyncState.objects.values_list("router_id", flat=True)) == {pk_of("rt-3")}
