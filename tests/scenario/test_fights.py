"""Somebody else's automation changes a field back each time: it is told once, and the repair rests. Cuts never do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from imsys.conf.sql import execute
from imsys.fleet.incidents import look
from imsys.fleet.models import Fight
from imsys.fleet.retention import prune_fights
from imsys.fleet.selectors import fights, gap, live_workers
from imsys.fleet.services import end_pause
from imsys.kit.errors import InputError
from imsys.reconcile.fights import Rules
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.timeline.incidents import incidents
from imsys.timeline.models import Event
from tests.scenario.isp import TCP_VERSION, Isp
from tests.world import CLERK, QUICK, SECRET, World

PROFILE = "/ppp/profile"
LONG = replace(QUICK, fights=Rules(first_s=600.0, restricting_s=0.2))
SHORT = replace(QUICK, fights=Rules(first_s=0.2, cap_s=1.6, restricting_s=0.2))


class Script:
    """An automation on a router that sets one row's fields; we are to put them right."""

    def __init__(self, world: World, router: SimRouter, menu: str, key: str, **fields: str) -> None:
        self.world, self.router, self.menu, self.key = world, router, menu, key
        self.fields = {name.replace("_", "-"): value for name, value in fields.items()}

    def has_its_way(self) -> bool:
        (row,) = [row for row in self.world.rows(menu=self.menu) if row["name"] == self.key]
        return all(row[name] == value for name, value in read(self.fields).items())

    def run(self) -> None:
        self.world.call(lambda: self.router.tamper(self.menu, self.key, self.fields, by="radman", via="api"))

    def is_answered(self, times: int = 1, *, resync: bool = True) -> None:
        for _ in range(times):
            self.run()
            if resync:
                self.world.resync()
            self.world.until(lambda: not self.has_its_way(), f"{self.key} is put right")

    def is_not_answered(self) -> None:
        self.run()
        self.world.resync()
        assert self.has_its_way()


def read(fields: Mapping[str, str]) -> dict[str, str]:
    """As a router prints them."""
    return {name: {"yes": "true", "no": "false"}.get(value, value) for name, value in fields.items()}


def stocked(world: World, *names: str, timing: Any = LONG) -> SimRouter:
    router = world.add_router()
    world.add_subscribers(names or ["ann", "ben"])
    world.start_worker(timing=timing)
    world.until_synced()
    world.call(lambda: router.table(PROFILE).add(name="theirs", rate_limit="50M/50M"))
    return router


def state(name: str) -> SyncState:
    return SyncState.objects.get(subscriber__username=name)


def told() -> list[tuple[str, str]]:
    return list(Event.objects.filter(what="fight").values_list("username", "actor"))


def open_incidents() -> list[str]:
    look()
    return [row["text"] for row in incidents() if row["kind"] == "fight"]


def test_two_changes_by_hand_are_put_right_and_no_fight(world: World) -> None:
    Script(world, stocked(world), SECRET, "ann", profile="theirs").is_answered(2)
    assert (fights(), told(), open_incidents()) == ([], [], [])


def test_after_three_repairs_a_field_rests_and_all_else_goes_on(world: World) -> None:
    router = stocked(world)
    script = Script(world, router, SECRET, "ann", profile="theirs")
    script.is_answered(3)
    assert (fights(), told()) == ([], [])
    script.is_not_answered()
    (fight,) = fights(router="r1")
    assert (fight["field"], fight["found"], fight["wanted"]) == ("profile", "theirs", "home")
    assert fight["who"] == "radman via api"
    assert told() == [("ann", "router: radman via api")]
    (text,) = open_incidents()
    assert "profile of ann in /ppp/secret is changed back by radman via api" in text
    assert "it is theirs and should be home" in text
    assert (state("ann").sync_status, state("ann").error_code) == ("pending", "Fight")
    assert state("ann").next_attempt_at == fight["paused_until"]
    world.call(lambda: router.tamper(SECRET, "ann", {"remote-address": "10.9.9.9", "disabled": "yes"}))
    Script(world, router, SECRET, "ben", profile="theirs").is_answered()
    row = world.row("ann")
    assert row is not None
    assert (row["profile"], row["disabled"], "remote-address" in row) == ("theirs", "false", False)
    world.resync()
    assert (len(told()), len(open_incidents())) == (1, 1)


def test_a_persons_change_goes_through_at_once_and_ends_the_fight(world: World) -> None:
    script = Script(world, stocked(world), SECRET, "ann", profile="theirs")
    script.is_answered(3)
    script.is_not_answered()
    services.suspend(["ann"], actor=CLERK)
    world.until(lambda: state("ann").sync_status == "synced", "the suspension is there")
    row = world.row("ann")
    assert row is not None
    assert (row["profile"], row["disabled"]) == ("home", "true")
    assert (fights(), open_incidents()) == ([], [])
    script.is_answered()


def test_a_new_speed_of_the_package_goes_through_and_somebody_elses_change_leaves_the_fight(world: World) -> None:
    script = Script(world, stocked(world), PROFILE, "home", rate_limit="1M/1M")
    script.is_answered(3)
    script.is_not_answered()
    assert {state(name).error_code for name in ("ann", "ben")} == {"Fight"}
    world.add_subscribers(["cat"])
    world.until(lambda: state("cat").sync_status == "synced", "somebody new is made, speed and all")
    assert len(fights()) == 1
    services.set_package("home", rate_limit="20M/20M", actor=CLERK)
    world.until_synced()
    assert [row["rate-limit"] for row in world.rows(menu=PROFILE) if row["name"] == "home"] == ["20M/20M"]
    assert fights() == []


def test_after_its_pause_a_field_is_put_right_by_itself_and_rests_for_longer_each_time(world: World) -> None:
    script = Script(world, stocked(world, timing=SHORT), SECRET, "ann", profile="theirs")
    script.is_answered(3)
    for pauses in range(1, 6):
        script.run()
        world.resync()
        world.until(lambda: not script.has_its_way() and state("ann").sync_status == "synced", "put right by itself")
        (fight,) = fights()
        assert fight["pauses"] == pauses
    assert len(told()) == 1


def test_a_fight_ends_when_the_field_is_left_alone(world: World) -> None:
    script = Script(world, stocked(world), SECRET, "ann", profile="theirs")
    script.is_answered(3)
    script.is_not_answered()
    assert len(open_incidents()) == 1
    execute("update fleet_fight set over_at = now(), paused_until = now() - interval '1 hour'")  # as if it had been
    assert (fights(), open_incidents()) == ([], [])
    script.is_answered()
    assert [len(fight.repaired_at) for fight in Fight.objects.all()] == [1]
    execute("update fleet_fight set over_at = now()")
    assert (prune_fights(), Fight.objects.count()) == (1, 0)


def test_whoever_is_cut_off_is_cut_off_again_every_time(world: World) -> None:
    router = stocked(world, timing=SHORT)
    world.call(lambda: router.cpes.add_all(redial_s=0.02))
    services.suspend(["ann"], actor=CLERK)
    world.until_synced()
    script = Script(world, router, SECRET, "ann", disabled="no")
    for _ in range(8):
        script.is_answered(resync=False)
        world.until(lambda: world.online() == {"ben"} and state("ann").sync_status == "synced", "and offline")
    (fight,) = fights()
    assert (fight["field"], fight["pauses"], told()) == ("disabled", 0, [("ann", "router: radman via api")])
    assert len(open_incidents()) == 1


def test_the_walled_garden_is_kept_too(world: World) -> None:
    router = world.add_router(suspend_by="profile", suspend_profile="garden")
    world.call(lambda: router.table(PROFILE).add(name="garden", rate_limit="1M/1M"))
    world.add_subscribers(["ann"])
    services.suspend(["ann"], actor=CLERK)
    world.start_worker(timing=SHORT)
    world.until_synced()
    Script(world, router, SECRET, "ann", profile="home").is_answered(6)
    assert [(fight["field"], fight["pauses"]) for fight in fights()] == [("profile", 0)]


def test_a_row_that_is_removed_each_time_rests_too(world: World) -> None:
    router = stocked(world)
    for _ in range(3):
        world.call(lambda: router.tamper(SECRET, "ann", verb="remove", by="radman", via="api"))
        world.resync()
        assert world.row("ann") is not None
    world.call(lambda: router.tamper(SECRET, "ann", verb="remove", by="radman", via="api"))
    world.resync()
    assert world.row("ann") is None
    assert [(fight["field"], fight["found"]) for fight in fights()] == [("row", "missing")]
    world.until(lambda: gap()["entitled_cut"] == 1, "she is known to be without service")


def test_a_script_that_changes_many_rows_is_one_incident(world: World) -> None:
    names = [f"user{number:03d}" for number in range(40)]
    router = stocked(world, *names)
    scripts = [Script(world, router, SECRET, name, profile="theirs") for name in names]
    for _ in range(4):
        for script in scripts:
            script.run()
        world.resync()
    assert all(script.has_its_way() for script in scripts)
    assert len(fights()) == 40
    (text,) = open_incidents()
    assert "profile of user000 in /ppp/secret and of 39 more" in text


def test_a_person_may_have_it_put_right_now(world: World) -> None:
    script = Script(world, stocked(world), SECRET, "ann", profile="theirs")
    script.is_answered(3)
    script.is_not_answered()
    fight_id = int(fights()[0]["id"])
    end_pause(fight_id, actor=CLERK)
    world.until(lambda: not script.has_its_way() and state("ann").sync_status == "synced", "put right")
    script.is_not_answered()
    assert [(fight["id"], fight["pauses"]) for fight in fights()] == [(fight_id, 2)]
    assert Event.objects.filter(what="pause-ended", actor=CLERK).count() == 1
    services.remove_subscribers(["ann"], actor=CLERK)
    world.until(lambda: world.row("ann") is None, "the row goes")
    world.resync()
    with pytest.raises(InputError, match="There is no fight"):
        end_pause(fight_id, actor=CLERK)


def test_when_nothing_drifts_nothing_is_written_down(world: World) -> None:
    stocked(world)
    services.set_package("home", rate_limit="20M/20M", actor=CLERK)
    world.until_synced()
    world.resync()
    assert not Fight.objects.exists()


def test_what_rests_is_shown_by_the_commands(isp: Isp) -> None:
    router = isp.router(version=TCP_VERSION, theirs=())
    isp("package", "add", "home", "--rate-limit", "10M/10M", "--price", "20")
    isp.world.start_worker(timing=LONG)
    isp.world.until(lambda: live_workers() > 0, "the worker is known")
    isp.add("ann")
    isp.sync()
    isp.do(lambda: router.table(PROFILE).add(name="theirs"))
    script = Script(isp.world, router, SECRET, "ann", profile="theirs")
    script.is_answered(3)
    assert isp("fight", "list") == []
    script.is_not_answered()
    (fight,) = isp("fight", "list", "--router", "r1")
    assert (fight["who"], fight["key"]) == ("radman via api", "ann")
    (plan,) = isp("plan")["routers"]
    assert [(step["reason"], step["after"]) for step in plan["steps"]] == [("fight", {"profile": "home"})]
    assert isp.sync(code=3)["blocked"]["fight"] == 1
    assert isp.shown("ann")["error_code"] == "Fight"
    assert isp("fight", "end", str(fight["id"])) == {
        **{"fight": fight["id"], "router": "r1"},
        **{"menu": SECRET, "key": "ann", "field": "profile"},
    }
    isp.world.until(lambda: not script.has_its_way(), "put right")
    assert "There is no fight 999" in isp("fight", "end", "999", code=2)
