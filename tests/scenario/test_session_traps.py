"""Traps about live sessions: who is cut stays online unless kicked, and who is entitled is never kicked for nothing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from imsys.facts.models import RouterFacts
from imsys.fleet.timing import Timing
from imsys.network.services import ask_resync
from imsys.sim.faults import Busy, DropAfter, DropBefore, Fault, PartialWrite
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.timeline.models import Event
from tests.world import CLERK, QUICK, SECRET, World, leave_address

ACTIVE, PROFILE = "/ppp/active", "/ppp/profile"
NAMES = [f"user{number:02d}" for number in range(20)]
NEVER_AGAIN = replace(QUICK, look_again_s=(), glance_s=3600.0, sweep_s=3600.0)
"""With this a worker that has synced a subscriber looks at nothing by itself."""


@pytest.fixture
def worlds(transactional_db: None) -> Iterator[list[World]]:
    made: list[World] = []
    yield made
    for world in made:
        world.close()


def all_online(world: World, **options: str) -> SimRouter:
    router = world.add_router(**options)
    if options.get("suspend_by") == "profile":
        world.call(lambda: router.tamper(PROFILE, "walled", {"rate-limit": "64k/64k"}, verb="add"))
    world.add_subscribers(NAMES)
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.02))
    assert world.online() == set(NAMES)
    return router


def session_ids(world: World) -> dict[str, str]:
    return {row["name"]: row["session-id"] for row in world.rows(menu=ACTIVE)}


def slip_in(router: SimRouter, name: str) -> None:
    """The CPE was authenticated just before its row was cut, and its session shows only now."""
    secrets = router.table(SECRET)
    row_id = secrets.id_of(name)
    assert row_id is not None
    secrets.amend(row_id, is_quiet=True, disabled="false")
    assert router.cpes.dial(name)
    secrets.amend(row_id, is_quiet=True, disabled="true")


def until_glanced(world: World) -> None:
    """The look at the facts that follows a run is behind us."""

    def seen() -> bool:
        facts = RouterFacts.objects.filter(router__name="r1").first()
        return facts is not None and (facts.online, facts.suspended_online) == (len(NAMES) - 1, 0)

    world.until(seen, "the facts are read")


@pytest.mark.parametrize(
    "timing",
    [
        replace(NEVER_AGAIN, look_again_s=(0.5,)),
        replace(NEVER_AGAIN, glance_s=0.3),
        NEVER_AGAIN,
    ],
    ids=["looked-up-again", "glanced-at", "resynced"],
)
def test_trap_24_a_session_that_slips_in_after_the_cut_is_ended(worlds: list[World], timing: Timing) -> None:
    world = World(timing=timing)
    worlds.append(world)
    router = all_online(world)
    services.suspend(NAMES[:1], cause="non-payment", actor=CLERK)
    world.until_synced()
    until_glanced(world)
    world.call(lambda: slip_in(router, NAMES[0]))
    if timing is NEVER_AGAIN:
        assert NAMES[0] in world.online()
        world.resync()
    world.until(lambda: world.online() == set(NAMES[1:]), "it is ended")
    assert world.disabled() == {NAMES[0]}
    world.until(lambda: Event.objects.filter(what="kicked", username=NAMES[0]).count() == 2, "and told")


@pytest.mark.parametrize(
    "fault",
    [
        DropBefore(menu=ACTIVE, verb="remove"),
        DropAfter(menu=ACTIVE, verb="remove"),
        PartialWrite(menu=ACTIVE, verb="remove", ids=5),
        Busy(menu=ACTIVE, verb="remove", times=2),
        Busy(menu=ACTIVE, verb="remove", times=2, applied=True),
    ],
    ids=["drop-before", "drop-after", "partial-write", "busy", "busy-applied"],
)
def test_trap_24_a_kick_whose_answer_is_lost_is_made_until_the_session_is_gone(world: World, fault: Fault) -> None:
    router = all_online(world)
    world.call(lambda: router.faults.arm(fault))
    services.suspend(NAMES[:10], cause="non-payment", actor=CLERK)
    world.until_synced()
    assert fault.fired >= 1
    assert world.call(lambda: router.counters.faults[fault.kind]) == fault.fired
    assert world.online() == set(NAMES[10:])
    assert world.disabled() == set(NAMES[:10])
    assert not Event.objects.filter(what="sync-error").exists()


@pytest.mark.parametrize("suspend_by", ["disable", "profile"])
def test_trap_26_no_resync_and_no_repair_kicks_again(world: World, suspend_by: str) -> None:
    router = all_online(world, suspend_by=suspend_by, suspend_profile="walled")
    services.suspend(NAMES[:10], cause="non-payment", actor=CLERK)
    world.until_synced()
    online = set(NAMES) if suspend_by == "profile" else set(NAMES[10:])
    world.until(lambda: world.online() == online, "those who may be are online")
    sessions = session_ids(world)

    def tamper() -> None:
        router.tamper(SECRET, NAMES[10], {"service": "l2tp", "comment": "mine"})
        router.tamper(SECRET, NAMES[0], {"remote-address": "10.8.8.8"})
        router.tamper(PROFILE, "home", {"rate-limit": "1M/1M"})

    for _ in range(3):
        world.call(tamper)
        world.resync()
        world.until_synced()
    assert session_ids(world) == sessions
    assert Event.objects.filter(what="drift-repaired", username=NAMES[10]).count() == 3


def test_trap_26_a_subscriber_freed_by_staff_is_kicked_once_into_the_garden(world: World) -> None:
    router = all_online(world, suspend_by="profile", suspend_profile="walled")
    services.suspend(NAMES[:1], cause="non-payment", actor=CLERK)
    world.until_synced()
    world.until(lambda: world.online() == set(NAMES), "all online")

    def free() -> None:
        router.tamper(SECRET, NAMES[0], {"profile": "home"})
        router.cpes.hang_up(NAMES[0])
        assert router.cpes.dial(NAMES[0])  # and is online at full speed

    world.call(free)
    world.resync()
    kicked = Event.objects.filter(what="kicked", username=NAMES[0])
    world.until(lambda: kicked.count() == 2, "kicked by the suspension, and by the repair")
    world.until(lambda: world.online() == set(NAMES), "all online again")
    assert world.row(NAMES[0])["profile"] == "walled"  # type: ignore[index]
    sessions = session_ids(world)
    for _ in range(3):
        world.resync()
    assert session_ids(world) == sessions
    assert Event.objects.filter(what="kicked").count() == kicked.count() == 2


def test_trap_24_and_26_a_suspended_subscriber_who_comes_back_is_left_alone(world: World) -> None:
    """Suspended and resumed before anything was done: nobody is kicked for an intent that is past."""
    all_online(world)
    sessions = session_ids(world)
    services.set_router("r1", mode="paused", actor=CLERK)
    services.suspend(NAMES, cause="non-payment", actor=CLERK)
    services.resume(NAMES, actor=CLERK)
    services.set_router("r1", mode="enforce", actor=CLERK)
    world.until_synced()
    ask_resync(None)
    world.resync()
    assert session_ids(world) == sessions
    assert world.disabled() == set()


def test_the_session_of_a_removed_namesake_ends_though_the_new_row_is_refused(world: World) -> None:
    """A run removed the row and was lost before it ended the session; then the name was sold again."""
    router = world.add_router()
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    world.stop_workers()
    services.remove_subscribers(["ann"], actor=CLERK)
    world.call(lambda: router.tamper(SECRET, "ann", verb="remove"))
    world.add_subscribers(["ann"])
    leave_address("ann", "2001:db8::5")
    assert world.online() == {"ann"}
    world.start_worker()
    world.until(lambda: world.statuses() == {"error": 1}, "the router refuses the address")
    world.until(lambda: world.online() == set(), "a login without a row has no session")
