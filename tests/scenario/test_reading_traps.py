"""Traps about what a router says: half an answer, an empty table, an old id, an OK for nothing, people's own fields."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from imsys.fleet.services import approve_hold
from imsys.network.models import Router
from imsys.sim.behaviour import Behaviour
from imsys.sim.faults import DropReading, Fault, Garbage, PartialTable, Refusal, Truncate
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.timeline.holds import holds
from imsys.timeline.models import Event
from tests.world import CLERK, QUICK, SECRET, UNHURRIED, World

PROFILE = "/ppp/profile"
NAMES = [f"user{number:02d}" for number in range(30)]
SLOW_TO_SETTLE = replace(QUICK, settle_gap_s=0.8)


@pytest.fixture
def worlds(transactional_db: None) -> Iterator[list[World]]:
    made: list[World] = []
    yield made
    for world in made:
        world.close()


def begin(world: World, *, sim: SimRouter | None = None) -> SimRouter:
    router = world.add_router(sim=sim)
    world.add_subscribers(NAMES)
    world.start_worker()
    world.until_synced()
    return router


def condition() -> str:
    return Router.objects.get(name="r1").state.condition


def sent_since(router: SimRouter, seq: int) -> list[dict[str, str]]:
    """What we changed, write by write, without the ids."""
    entries = [entry for entry in router.journal.since(seq) if entry.via == "api"]
    return [{k: v for k, v in entry.attributes.items() if k != ".id"} for entry in entries]


def test_trap_11_a_name_is_not_taken_for_the_longer_one_that_the_router_would_take(world: World) -> None:
    router = begin(world)
    services.add_package(name="short", profile="hom", price=1, actor=CLERK)
    services.set_subscriber(NAMES[0], package="short", actor=CLERK)
    world.until(lambda: world.statuses() == {"synced": 29, "error": 1}, "an error")
    assert SyncState.objects.get(subscriber__username=NAMES[0]).error_code == "UnknownProfile"
    row = world.row(NAMES[0])
    assert row is not None
    assert row["profile"] == "home"
    assert world.call(lambda: router.counters.traps.total()) == 0


@pytest.mark.parametrize("behaviour", [Behaviour(renumber_on_reboot=True), Behaviour(reuse_ids=True)])
def test_trap_19_rows_are_found_by_name_whatever_their_ids_are_now(world: World, behaviour: Behaviour) -> None:
    router = begin(world, sim=SimRouter("r1", behaviour=behaviour))

    def shuffle() -> None:
        router.tamper(SECRET, NAMES[0], verb="remove")
        router.tamper(SECRET, "of the isp", {"password": "x"}, verb="add")
        router.reboot(down_s=0.1)

    world.call(shuffle)
    services.suspend(NAMES[:10], cause="non-payment", actor=CLERK)
    world.until_synced()
    world.resync()
    assert world.disabled() == set(NAMES[:10])
    foreign = world.row("of the isp")
    assert foreign is not None
    assert (foreign["disabled"], foreign["password"]) == ("false", "x")
    assert sorted(row["name"] for row in world.rows()) == sorted([*NAMES, "of the isp"])


@dataclass(kw_only=True)
class Ignored(Fault):
    """The write is answered with an OK, and nothing was changed."""

    kind: ClassVar[str] = "ignored"
    writes_only: ClassVar[bool] = True

    def row_limit(self) -> int:
        return 0


def test_trap_20_an_ok_for_nothing_is_found_by_reading_back(world: World) -> None:
    router = begin(world)
    fault = Ignored(menu=SECRET, verb="set", times=0)
    world.call(lambda: router.faults.arm(fault))
    services.suspend(NAMES, cause="non-payment", actor=CLERK)
    world.until(lambda: SyncState.objects.filter(error_code="NotHolding").count() == 30, "it does not hold")
    assert world.statuses() == {"pending": 30}
    assert world.disabled() == set()
    world.call(lambda: router.faults.disarm(fault))
    world.until_synced()
    assert fault.fired >= QUICK.rounds
    assert world.disabled() == set(NAMES)


def test_trap_21_a_field_that_a_version_does_not_know_is_the_subscriber_s_error_and_retried(world: World) -> None:
    router = begin(world)
    fault = Refusal(menu=SECRET, verb="set", message="unknown parameter profile", times=2)
    world.call(lambda: router.faults.arm(fault))
    services.add_package(name="gold", rate_limit="50M/50M", price=1, actor=CLERK)
    services.set_subscriber(NAMES[0], package="gold", actor=CLERK)
    state = SyncState.objects.filter(subscriber__username=NAMES[0])
    world.until(lambda: state.get().error_code == "UnknownParameter", "told in the router's own words")
    assert "unknown parameter profile" in state.get().sync_error
    world.until_synced()
    assert fault.fired == 2
    row = world.row(NAMES[0])
    assert row is not None
    assert row["profile"] == "gold"


def test_trap_28_and_29_only_what_differs_is_sent_and_people_s_fields_stay_to_the_byte(world: World) -> None:
    router = world.add_router()
    theirs = {
        "comment": "flat 3 \udcef\udcf0 \u2028 due=5",  # two bytes of a code page, as Winbox sends them
        "caller-id": "aa:BB:cc:00:00:01",
        "local-address": "10.0.0.1",
        "limit-bytes-in": "500",
        "routes": "10.77.0.0/24 10.9.0.2 1",
    }
    given = {"password": "theirs", "profile": "default", "service": "any", **theirs}
    world.call(lambda: router.tamper(SECRET, "ann", given, verb="add"))
    world.call(lambda: router.tamper(PROFILE, "home", {"rate-limit": "1M/1M", "dns-server": "10.0.0.1"}, verb="add"))
    seq = world.call(lambda: router.journal.seq)
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    services.suspend(["ann"], cause="abuse", actor=CLERK)
    world.until_synced()
    services.resume(["ann"], actor=CLERK)
    world.until_synced()
    world.call(lambda: router.tamper(SECRET, "ann", {"service": "l2tp"}))
    world.resync()
    row = world.row("ann")
    assert row is not None
    assert {name: row[name] for name in theirs} == theirs
    [home] = [row for row in world.rows(menu=PROFILE) if row["name"] == "home"]
    assert (home["rate-limit"], home["dns-server"]) == ("10M/10M", "10.0.0.1")
    sent = world.call(lambda: sent_since(router, seq))
    assert [set(fields) for fields in sent] == [
        {"rate-limit"},
        {"profile", "password"},
        {"disabled"},
        {"disabled"},
        {"service"},
    ]


@pytest.mark.parametrize(
    "fault",
    [
        Truncate(menu=SECRET, verb="print", times=3, keep=0.5),
        Truncate(menu=SECRET, verb="print", times=3, keep=0.95),
        DropReading(menu=SECRET, verb="print", times=3),
        Garbage(menu=SECRET, verb="print", times=3),
        Refusal(menu=SECRET, verb="print", times=3, message="std failure: timeout (13)"),
    ],
    ids=["half", "nearly all", "none", "garbage", "trap"],
)
def test_trap_33_half_an_answer_is_no_answer(worlds: list[World], fault: Fault) -> None:
    world = World(limits=replace(UNHURRIED, command_s=0.5))
    worlds.append(world)
    router = begin(world)
    rows, written = world.rows(), world.writes()
    world.call(lambda: router.faults.arm(fault))
    world.resync()
    assert fault.fired == 3
    assert world.rows() == rows
    assert world.writes() == written
    assert condition() == ""
    assert world.statuses() == {"synced": 30}


def test_trap_34_an_empty_table_right_after_the_boot_makes_nobody_twice(worlds: list[World]) -> None:
    world = World(timing=SLOW_TO_SETTLE)
    worlds.append(world)
    router = begin(world)
    written = world.writes()
    empty = PartialTable(menu=SECRET, share=0.0, times=0, boot_s=0.5)
    world.call(lambda: (router.faults.arm(empty), router.reboot(down_s=0.05)))
    world.add_subscribers(["newcomer"])
    services.suspend(NAMES[:5], cause="abuse", actor=CLERK)
    waiting = SyncState.objects.filter(subscriber__username="newcomer")
    world.until(lambda: waiting.get().error_code == "Settling", "the newcomer waits")
    assert waiting.get().sync_status == "pending"
    world.until_synced()
    assert empty.fired >= 1
    assert sorted(row["name"] for row in world.rows()) == sorted([*NAMES, "newcomer"])
    assert world.disabled() == set(NAMES[:5])
    assert world.call(lambda: router.counters.traps.total()) == 0
    assert world.writes() - written == 2  # five are cut by one command, one is made
    assert not Event.objects.filter(what="drift-repaired").exists()


def test_trap_34_a_table_that_stays_empty_after_the_boot_is_held_and_ends_by_itself(world: World) -> None:
    router = begin(world)
    rows, written = world.rows(), world.writes()
    empty = PartialTable(menu=SECRET, share=0.0, times=0)
    world.call(lambda: (router.faults.arm(empty), router.reboot(down_s=0.05)))
    world.until(lambda: world.call(lambda: router.counters.logins) == 2 and condition() == "", "it is back")
    for _ in range(20):  # as long as it takes to settle
        world.resync()
        if condition() == "RowsVanished":
            break
    assert condition() == "RowsVanished"
    assert (world.rows(), world.writes()) == (rows, written)
    world.call(lambda: router.faults.disarm(empty))
    world.resync()
    assert condition() == ""
    assert (world.rows(), world.writes()) == (rows, written)
    assert empty.fired >= 2


def test_trap_35_another_router_under_the_same_address_has_only_what_people_ask_for_done(world: World) -> None:
    old = begin(world)
    world.stop_workers()
    other = SimRouter("r1", serial="ANOTHER", seed=9)

    def restore() -> None:
        """From a backup of another day."""
        other.tamper(PROFILE, "home", {"rate-limit": "10M/10M"}, verb="add")
        for row in old.table(SECRET).rows:
            kept = {name: row[name] for name in ("password", "profile", "service")}
            other.tamper(SECRET, row["name"], kept, verb="add")
        other.tamper(SECRET, NAMES[9], {"profile": "default"})
        other.tamper(SECRET, NAMES[8], verb="remove")

    world.call(restore)
    world.do(old.close())
    world.routers["r1"] = other
    world.start_worker()
    world.resync()
    assert condition() == "OtherRouter"
    assert world.writes() == 0
    services.suspend(NAMES[:3], cause="non-payment", actor=CLERK)
    world.until(lambda: world.disabled() == set(NAMES[:3]), "a person's suspension goes through")
    world.resync()
    row = world.row(NAMES[9])
    assert row is not None
    assert row["profile"] == "default"
    assert world.row(NAMES[8]) is None
    assert condition() == "OtherRouter"
    approve_hold(holds(router="r1")[0]["id"], actor=CLERK)
    world.until(lambda: condition() == "", "accepted")
    world.until_synced()
    row = world.row(NAMES[9])
    assert row is not None
    assert row["profile"] == "home"
    assert sorted(row["name"] for row in world.rows()) == NAMES
    assert world.disabled() == set(NAMES[:3])
    world.stop_workers()
    world.start_worker()
    world.resync()
    assert condition() == ""  # it is the known one from now on
