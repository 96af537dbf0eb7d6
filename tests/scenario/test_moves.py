"""A subscriber who moves to another router: made before broken, whatever router is away meanwhile."""

from collections.abc import Callable
from functools import partial

import pytest

from imsys.sim.faults import Refuse
from imsys.sim.menu import Row
from imsys.sim.router import SimRouter
from imsys.subscribers.models import Departure, SyncState
from tests.scenario.isp import ACTIVE, DROP_RULE, SECRET, VERSIONS, Isp, Made, entry, lease, profile, queue, secret

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

HOME = profile()
ANN = secret("ann", password="one")
UNREACHABLE = "OldRouterUnreachable"


@pytest.fixture
def two(shop: Isp) -> Isp:
    """Ann is online on r1, and would be on r2 as soon as it lets her in."""
    shop.router("r1")
    shop.router("r2")
    shop.add("ann", password="one")
    shop.sync()
    shop.online("ann")
    dial_where_she_is_not_known_yet(shop, "r2")
    return shop


def dial_where_she_is_not_known_yet(shop: Isp, name: str) -> None:
    router = shop.world.routers[name]

    def dial() -> None:
        router.cpes.add("ann", password="one", redial_s=0.02)
        router.cpes.dial("ann")

    shop.do(dial)


def cut_off(shop: Isp, name: str) -> Callable[[], None]:
    """The router cannot be reached any more, and goes on serving its subscribers; call what is returned to end it."""
    router, fault = shop.world.routers[name], Refuse()

    def cut() -> None:
        router.faults.arm(fault)
        router.drop_links()

    shop.do(cut)
    shop("reconcile", "--router", name, code=1)  # it is known to be away
    return lambda: shop.do(lambda: router.faults.disarm(fault))


def where_online(shop: Isp) -> set[str]:
    return {name for name in shop.world.routers if "ann" in shop.world.online(name)}


def reasons(shop: Isp) -> list[tuple[str, str]]:
    return [(one["router"], one["reason"]) for one in shop.shown("ann")["left_on"]]


def watch(shop: Isp, note: Callable[[], None], *menus: str) -> None:
    """Note something at every change of these menus on any router."""

    def watcher(_row_id: int, _old: Row | None, _new: Row | None) -> None:
        note()

    for router in shop.world.routers.values():
        for menu in menus:
            shop.do(partial(router.table(menu).watchers.append, watcher))


def online_on(router: SimRouter) -> bool:
    return bool(router.ppp.of("ann"))


def state_of(router: SimRouter) -> str:
    row = router.table(SECRET).find(name="ann")
    return "absent" if row is None else {"true": "held back", "false": "open"}[row["disabled"]]


@pytest.mark.parametrize("way", ["r1 to r2", "and back"])
def test_a_move_is_made_before_it_is_broken_and_she_is_never_online_twice(two: Isp, way: str) -> None:
    r1, r2 = two.world.routers["r1"], two.world.routers["r2"]
    states: list[tuple[str, str]] = []
    online: set[tuple[bool, bool]] = set()
    if way == "and back":
        two("subscriber", "move", "ann", "--router", "r2")
        two.sync()
        two.world.until(lambda: where_online(two) == {"r2"})
        r1, r2 = r2, r1

    def note() -> None:
        online.add((online_on(r1), online_on(r2)))
        if (now := (state_of(r1), state_of(r2))) not in states:
            states.append(now)

    two.do(note)
    watch(two, note, SECRET, ACTIVE)
    two("subscriber", "move", "ann", "--router", r2.name)
    two.sync()
    two.world.until(lambda: where_online(two) == {r2.name}, "she dials in there")
    assert (True, True) not in online
    expected = [("open", "absent"), ("open", "held back"), ("absent", "held back"), ("absent", "open")]
    assert states == expected
    two.has(HOME, on=r1.name)
    two.has(HOME, ANN, on=r2.name)
    assert not Departure.objects.exists()


def test_an_old_router_that_is_away_holds_nothing_up_and_is_cleared_on_its_return(two: Isp) -> None:
    back = cut_off(two, "r1")
    two("subscriber", "move", "ann", "--router", "r2")
    two("sync", "ann")
    two.has_on_the_way(HOME, ANN, on="r2")
    two.world.until(lambda: "r2" in where_online(two), "service starts on the new one")
    assert reasons(two) == [("r1", UNREACHABLE)]
    two.sync(code=3)  # what is left there waits for the router
    assert two.world.online("r1") == {"ann"}  # nobody can end it yet
    back()
    two.sync()
    two.world.until(lambda: where_online(two) == {"r2"}, "the old session goes")
    assert reasons(two) == []
    two.has(HOME)
    two.has(HOME, ANN, on="r2")


def test_moved_there_and_back_while_the_old_router_is_away(two: Isp) -> None:
    row_id = two.row(SECRET, name="ann")[".id"]
    session = two.row(ACTIVE, name="ann")["session-id"]
    back = cut_off(two, "r1")
    two("subscriber", "move", "ann", "--router", "r2")
    two("sync", "ann")
    two("subscriber", "move", "ann", "--router", "r1")
    back()
    two.sync()
    two.world.until(lambda: where_online(two) == {"r1"})
    two.has(HOME, ANN)
    two.has(HOME, on="r2")
    assert two.row(SECRET, name="ann")[".id"] == row_id
    assert two.row(ACTIVE, name="ann")["session-id"] == session
    assert reasons(two) == []


def test_suspended_while_moving_she_is_online_nowhere(two: Isp) -> None:
    back = cut_off(two, "r2")
    two("subscriber", "move", "ann", "--router", "r2")
    two("subscriber", "suspend", "ann")
    two.world.until(lambda: where_online(two) == set(), "cut off where she was, though the new one is away")
    back()
    two.sync()
    two.has(HOME)
    two.has(HOME, secret("ann", password="one", disabled="yes"), on="r2")
    assert where_online(two) == set()
    two("subscriber", "resume", "ann")
    two.sync()
    two.world.until(lambda: where_online(two) == {"r2"})


def test_suspended_while_the_old_router_is_away(two: Isp) -> None:
    back = cut_off(two, "r1")
    two("subscriber", "move", "ann", "--router", "r2")
    two("subscriber", "suspend", "ann")
    two("sync", "ann")
    two.has_on_the_way(HOME, secret("ann", password="one", disabled="yes"), on="r2")
    back()
    two.sync()
    assert where_online(two) == set()
    two.has(HOME)


@pytest.mark.parametrize("away", ["r1", "r2"])
def test_removed_while_moving_nothing_stays_anywhere(two: Isp, away: str) -> None:
    back = cut_off(two, away)
    two("subscriber", "move", "ann", "--router", "r2")
    if away == "r1":
        two("sync", "ann")
    two("subscriber", "remove", "ann")
    back()
    two.sync()
    two.world.until(lambda: where_online(two) == set())
    for name in ("r1", "r2"):
        two.has(*([HOME] if two.find("/ppp/profile", on=name, name="home") else []), on=name)


def test_a_new_router_that_is_away_leaves_the_service_on_the_old_one(two: Isp) -> None:
    back = cut_off(two, "r2")
    session = two.row(ACTIVE, name="ann")["session-id"]
    two("subscriber", "move", "ann", "--router", "r2")
    two.sync(code=3)
    assert two.row(ACTIVE, name="ann")["session-id"] == session
    two.looks(HOME, ANN)
    back()
    two.sync()
    two.world.until(lambda: where_online(two) == {"r2"})
    two.has(HOME)
    two.has(HOME, ANN, on="r2")


@pytest.mark.parametrize("mode", ["observe", "paused"])
def test_a_new_router_that_is_only_observed_breaks_nothing_on_the_old_one(two: Isp, mode: str) -> None:
    two("router", "set", "r2", "--mode", mode)
    session = two.row(ACTIVE, name="ann")["session-id"]
    two("subscriber", "move", "ann", "--router", "r2")
    two.sync(code=3)
    two.has_on_the_way(HOME, ANN)
    two.has_on_the_way(on="r2")
    assert two.row(ACTIVE, name="ann")["session-id"] == session
    two("router", "set", "r2", "--mode", "enforce")
    two.sync()
    two.world.until(lambda: where_online(two) == {"r2"})
    two.has(HOME)
    two.has(HOME, ANN, on="r2")


def test_moved_and_renamed_at_once(two: Isp) -> None:
    two("subscriber", "move", "ann", "--router", "r2")
    two("subscriber", "rename", "ann", "zoe")
    two.sync()
    two.world.until(lambda: where_online(two) == set(), "the session of the old name goes with its row")
    two.has(HOME)
    two.has(HOME, secret("zoe", password="one"), on="r2")


def test_renamed_and_then_moved_her_session_of_the_old_name_ends_too(two: Isp) -> None:
    two("subscriber", "rename", "ann", "zoe")
    two.sync()
    assert two.world.online() == {"ann"}
    two("subscriber", "move", "zoe", "--router", "r2")
    two.sync()
    two.world.until(lambda: not two.world.online(), "it ends with the service there")
    two.has(HOME)
    two.has(HOME, secret("zoe", password="one"), on="r2")
    assert not Departure.objects.exists()


@pytest.mark.parametrize("is_away", [True, False], ids=["new-router-away", "new-router-up"])
def test_her_place_and_name_on_the_old_router_are_another_ones_at_once(two: Isp, is_away: bool) -> None:
    back = cut_off(two, "r2") if is_away else lambda: None
    two("subscriber", "move", "ann", "--router", "r2")
    two("subscriber", "rename", "ann", "zoe")
    two.add("ann", password="three")
    if is_away:
        two("sync", "ann")
    back()
    two.sync()
    two.world.until(lambda: where_online(two) == set(), "neither the old ann nor the new is let in by her password")
    two.has(HOME, secret("ann", password="three"))
    two.has(HOME, secret("zoe", password="one"), on="r2")


def test_moved_on_and_on_while_every_router_behind_her_is_away(two: Isp) -> None:
    two.router("r3")
    dial_where_she_is_not_known_yet(two, "r3")
    r1_back = cut_off(two, "r1")
    two("subscriber", "move", "ann", "--router", "r2")
    two("sync", "ann")
    two.world.until(lambda: "r2" in where_online(two))
    r2_back = cut_off(two, "r2")
    two("subscriber", "move", "ann", "--router", "r3")
    two("sync", "ann")
    two.world.until(lambda: "r3" in where_online(two), "service starts on the third")
    assert reasons(two) == [("r1", UNREACHABLE), ("r2", UNREACHABLE)]
    r1_back()
    two.world.until(lambda: where_online(two) == {"r2", "r3"})
    r2_back()
    two.sync()
    two.world.until(lambda: where_online(two) == {"r3"})
    for name in ("r1", "r2"):
        two.has(HOME, on=name)
    two.has(HOME, ANN, on="r3")
    assert not Departure.objects.exists()


@pytest.mark.parametrize("mode", ["observe", "paused"])
def test_an_old_router_that_is_not_enforced_holds_nothing_up_and_keeps_its_rows(two: Isp, mode: str) -> None:
    two("router", "set", "r1", "--mode", mode)
    two("subscriber", "move", "ann", "--router", "r2")
    two("sync", "ann")
    two.has_on_the_way(HOME, ANN, on="r2")
    two.has_on_the_way(HOME, ANN)
    two.sync(code=3)
    two("router", "set", "r1", "--mode", "enforce")
    two.sync()
    two.world.until(lambda: where_online(two) == {"r2"})
    two.has(HOME)


def test_a_static_line_moves_and_its_address_is_another_ones_at_once(shop: Isp) -> None:
    shop.router("r1")
    shop.router("r2")
    line = ("--service", "static", "--address", "10.20.0.7", "--mac", "AA:BB:CC:00:00:01")
    shop.add("ann", *line)
    shop("subscriber", "suspend", "ann")
    shop.sync()
    back = cut_off(shop, "r1")
    shop("subscriber", "move", "ann", "--router", "r2")
    shop.add("ben", *line[:-1], "AA:BB:CC:00:00:02")
    shop("sync", "ann")
    rows = [DROP_RULE, queue("ann", "10.20.0.7"), lease("10.20.0.7", "AA:BB:CC:00:00:01"), entry("10.20.0.7")]
    shop.has_on_the_way(*rows, on="r2")
    back()
    shop.sync()
    shop.has(DROP_RULE, queue("ben", "10.20.0.7"), lease("10.20.0.7", "AA:BB:CC:00:00:02"))
    assert shop.do(lambda: shop.world.routers["r1"].firewall.passes("10.20.0.7"))
    assert not shop.do(lambda: shop.world.routers["r2"].firewall.passes("10.20.0.7"))


@pytest.mark.parametrize("version", VERSIONS)
def test_many_move_at_once(shop: Isp, version: str) -> None:
    shop.router("r1", version=version)
    shop.router("r2", version=version)
    names = [f"user{number:02d}" for number in range(12)]
    for name in names:
        shop.add(name, password=name)
    shop.sync()
    shop.online(*names)
    before = shop.world.writes("r1")
    shop("subscriber", "move", *names, "--router", "r2")
    shop.sync()
    everybody: list[Made] = [secret(name, password=name) for name in names]
    shop.has(HOME)
    shop.has(HOME, *everybody, on="r2")
    assert not shop.world.online("r1")
    assert shop.world.writes("r1") - before <= 2 + len(names)  # rows and sessions leave in batches
    assert set(SyncState.objects.values_list("sync_status", flat=True)) == {"synced"}
