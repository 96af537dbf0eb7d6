"""Fields that are changed back each time: when the repair rests and for how long, and what never rests for long."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imsys.reconcile.desired import Desired
from imsys.reconcile.diff import Step
from imsys.reconcile.fights import Fight, Rested, Rules, Spot, put_back, rest, restricts, settled
from imsys.reconcile.intent import RouterIntent
from imsys.reconcile.kinds import ADDRESS_LIST, DROP_RULE, LEASE, PROFILE, QUEUE, SECRET, Resource
from imsys.reconcile.plan import Plan

RULES = Rules()
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROUTER = RouterIntent(1)
GARDEN = RouterIntent(1, "profile", "suspended")
RATE = Step("set", SECRET.menu, "ann", "drift", {"profile": "home"}, {"profile": "fast"}, "*A", 1)
CUT = Step("set", SECRET.menu, "ann", "drift", {"disabled": True}, {"disabled": False}, "*A", 1)
MISSING = Step("add", SECRET.menu, "ann", "drift", {"profile": "home"}, subscriber_id=1)
PROFILE_GONE = Step("add", PROFILE.menu, "home", "drift", {"rate-limit": None}, package_id=1)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


class Router:
    """One on which the same things differ at every look, since somebody changes them back each time."""

    def __init__(self, *steps: Step, wanted: Desired | None = None, router: RouterIntent = ROUTER) -> None:
        self.plan, self.router = Plan(steps, wanted=wanted or Desired()), router
        self.fights: Mapping[Spot, Fight] = {}
        self.begun = 0

    def look(self, now: datetime, *, by: str = "") -> Rested:
        """Whatever does not rest is put back."""
        rested = rest(self.plan, self.fights, self.router, now=now, rules=RULES)
        known = {**self.fights, **rested.changed}
        authors = {step.place: by for step in rested.plan.steps} if by else {}
        self.fights = {**known, **put_back(known, rested.plan.steps, authors, now=now, rules=RULES)}
        self.begun += len(rested.begun)
        return rested

    def fight(self, step: Step, field: str) -> Fight:
        return self.fights[step.menu, step.key, field]


def looks(router: Router, *minutes: float) -> list[bool]:
    """At each, is everything put back?"""
    return [not router.look(after(minute)).plan.paused for minute in minutes]


def test_what_is_put_back_three_times_within_the_hour_rests_at_the_fourth() -> None:
    router = Router(RATE)
    assert looks(router, 0, 20, 40, 59) == [True, True, True, False]
    assert router.begun == 1
    fight = router.fight(RATE, "profile")
    assert (fight.found, fight.wanted, fight.paused_until) == ("fast", "home", after(59 + 15))


def test_two_changes_by_hand_and_seldom_ones_are_no_fight() -> None:
    assert looks(Router(RATE), 0, 1) == [True, True]
    seldom = Router(RATE)
    assert all(looks(seldom, *range(0, 24 * 60, 31)))
    assert seldom.begun == 0


def test_each_pause_is_twice_the_last_up_to_a_day() -> None:
    router, now, lengths = Router(RATE), START, []
    for _ in range(3):
        router.look(now)
    for _ in range(9):
        assert router.look(now + timedelta(seconds=1)).plan.steps == ()
        until = router.fight(RATE, "profile").paused_until
        assert until is not None
        lengths.append((until - now - timedelta(seconds=1)) / timedelta(minutes=15))
        now = until
        assert router.look(now).plan.steps == (RATE,)
    assert lengths == [1, 2, 4, 8, 16, 32, 64, 96, 96]
    assert router.begun == 1


def test_within_a_pause_every_look_says_when_to_look_again() -> None:
    router = Router(RATE)
    looks(router, 0, 1, 2, 3)
    before = router.fights
    assert [paused.until for paused in router.look(after(10)).plan.paused] == [after(18)]
    assert router.fights == before


def test_a_fight_is_over_when_the_field_was_left_alone_for_long_enough() -> None:
    router = Router(RATE)
    looks(router, 0, 1, 2, 3, 18)
    over_at = router.fight(RATE, "profile").over_at(RULES)
    assert over_at == after(18 + 60)
    minutes = (over_at - START) / timedelta(minutes=1)
    assert looks(router, minutes, minutes + 1, minutes + 2, minutes + 3) == [True, True, True, False]
    assert (router.begun, router.fight(RATE, "profile").pauses) == (2, 1)


def test_after_long_pauses_it_takes_twice_the_last_one_to_be_over() -> None:
    fight = Fight(SECRET.menu, "ann", "profile", (START,), pauses=4, paused_until=after(-10), begun_at=after(-300))
    assert fight.over_at(RULES) == after(4 * 60)


def test_the_other_fields_of_a_row_and_other_rows_go_on() -> None:
    router = Router(RATE)
    looks(router, 0, 1, 2)
    both = Step("set", SECRET.menu, "ann", "drift", {"profile": "home", "caller-id": "A"}, {"profile": "x"}, "*A", 1)
    other = Step("set", SECRET.menu, "ben", "drift", {"profile": "home"}, {"profile": "x"}, "*B", 2)
    router.plan = Plan((both, other))
    plan = router.look(after(3)).plan
    assert [(step.key, dict(step.changes)) for step in plan.steps] == [
        ("ann", {"caller-id": "A"}),
        ("ben", {"profile": "home"}),
    ]
    assert [dict(paused.step.changes) for paused in plan.paused] == [{"profile": "home"}]


@pytest.mark.parametrize("reason", ["intent", "ghost", "orphan", "policy", "unmanaged"])
def test_only_drift_rests(reason: Any) -> None:
    router = Router(RATE)
    looks(router, 0, 1, 2, 3)
    asked = Step("set", SECRET.menu, "ann", reason, {"profile": "home"}, {"profile": "fast"}, "*A", 1)
    assert rest(Plan((asked,)), router.fights, ROUTER, now=after(4), rules=RULES).plan.steps == (asked,)


def test_a_row_that_is_removed_again_and_again_rests_too() -> None:
    router = Router(MISSING)
    assert looks(router, 0, 1, 2, 3) == [True, True, True, False]
    assert router.fight(MISSING, "row").found == "missing"


def test_a_missing_row_that_others_need_does_not_rest() -> None:
    wanted = Desired()
    wanted.add(Resource(SECRET.menu, "ann", {"profile": "home"}, 1, refers=(PROFILE_GONE.place,)))
    router = Router(PROFILE_GONE, wanted=wanted)
    looks(router, 0, 1, 2, 3)
    router.plan = Plan((PROFILE_GONE, MISSING), wanted=wanted)
    assert router.look(after(4)).plan.steps == (PROFILE_GONE, MISSING)
    router.plan = Plan((PROFILE_GONE, CUT), wanted=wanted)
    assert router.look(after(5)).plan.steps == (CUT,)


@pytest.mark.parametrize(
    ("step", "field", "router", "expected"),
    [
        (CUT, "disabled", ROUTER, True),
        (Step("set", SECRET.menu, "ann", "drift", {"disabled": False}), "disabled", ROUTER, False),
        (Step("set", SECRET.menu, "ann", "drift", {"profile": "suspended"}), "profile", GARDEN, True),
        (Step("set", SECRET.menu, "ann", "drift", {"profile": "suspended"}), "profile", ROUTER, False),
        (Step("set", SECRET.menu, "ann", "drift", {"profile": "home"}), "profile", GARDEN, False),
        (Step("set", SECRET.menu, "ann", "drift", {"disabled": True, "profile": "home"}), "profile", ROUTER, False),
        (Step("set", QUEUE.menu, "ann", "drift", {"max-limit": None}), "max-limit", ROUTER, False),
        (Step("remove", SECRET.menu, "ann", "drift"), "row", ROUTER, True),
        (MISSING, "row", ROUTER, False),
        (Step("make-static", LEASE.menu, "10.0.0.1", "drift"), "row", ROUTER, False),
        (Step("add", ADDRESS_LIST.menu, "B 10.0.0.1", "drift"), "row", ROUTER, True),
        (Step("set", ADDRESS_LIST.menu, "B 10.0.0.1", "drift", {"disabled": False}), "disabled", ROUTER, True),
        (Step("remove", ADDRESS_LIST.menu, "B 10.0.0.1", "drift"), "row", ROUTER, False),
        (Step("set", DROP_RULE.menu, "B", "drift", {"disabled": False}), "disabled", ROUTER, True),
        (Step("move", DROP_RULE.menu, "B", "drift"), "place", ROUTER, True),
    ],
)
def test_what_restricts(step: Step, field: str, router: RouterIntent, expected: bool) -> None:
    assert restricts(step, field, router) is expected


def test_what_restricts_waits_a_minute_at_most_and_is_no_longer_for_it() -> None:
    router = Router(CUT)
    assert looks(router, 0, 1, 2, 2.5, 3, 3.5, 4, 9) == [True, True, True, False, True, False, True, True]
    assert (router.begun, router.fight(CUT, "disabled").pauses) == (1, 0)


def test_the_restricting_part_of_a_step_goes_though_the_rest_of_it_rests() -> None:
    router = Router(RATE)
    looks(router, 0, 1, 2)
    both = Step("set", SECRET.menu, "ann", "drift", {"profile": "home", "disabled": True}, {"profile": "x"}, "*A", 1)
    router.plan = Plan((both,))
    assert [dict(step.changes) for step in router.look(after(3)).plan.steps] == [{"disabled": True}]


def test_a_long_pause_ends_when_the_same_field_restricts() -> None:
    freeing = Step("set", SECRET.menu, "ann", "drift", {"disabled": False}, {"disabled": True}, "*A", 1)
    router = Router(freeing)
    looks(router, 0, 1, 2, 3)
    router.plan = Plan((CUT,))
    assert looks(router, 3.5) == [True]


def test_what_makes_room_for_a_row_waits_with_it() -> None:
    """A timed entry of the list cuts somebody off too: it stays until ours takes its place."""
    entry = "B 10.0.0.1"
    twin = Step("remove", ADDRESS_LIST.menu, entry, "drift", subscriber_id=1, is_aside=True)
    ours = Step("add", ADDRESS_LIST.menu, entry, "drift", {"disabled": False}, subscriber_id=1)
    router = Router(twin, ours)
    looks(router, 0, 0.1, 0.2)
    plan = router.look(after(0.3)).plan
    assert plan.steps == ()
    assert {paused.step.action for paused in plan.paused} == {"remove", "add"}
    assert router.look(after(1.3)).plan.steps == (twin, ours)


def test_a_rename_goes_on_without_the_field_that_rests() -> None:
    router = Router(RATE)
    looks(router, 0, 1, 2)
    renamed = Step("set", SECRET.menu, "ann", "drift", {"profile": "home"}, {"profile": "x"}, "*A", 1, old_key="ana")
    router.plan = Plan((renamed,))
    plan = router.look(after(3)).plan
    assert [(step.old_key, dict(step.changes)) for step in plan.steps] == [("ana", {})]
    assert [paused.step.old_key for paused in plan.paused] == [""]


def test_whom_the_log_names_is_kept_when_it_names_nobody() -> None:
    router = Router(RATE)
    router.look(START, by="juma via api")
    router.look(after(1))
    assert router.fight(RATE, "profile").who == "juma via api"


def test_a_password_is_not_told() -> None:
    secret = Step("set", SECRET.menu, "ann", "drift", {"password": b"mac"}, {"password": b"other"}, "*A", 1)
    router = Router(secret)
    router.look(START)
    fight = router.fight(secret, "password")
    assert fight.found == fight.wanted != ""
    assert "mac" not in fight.wanted


def wanting(menu: str, key: str, value: str, *, subscriber_id: int | None = None, is_newer: bool = True) -> Desired:
    wanted = Desired()
    wanted.add(Resource(menu, key, {"profile": value}, subscriber_id, is_newer=is_newer))
    return wanted


def test_a_persons_change_of_a_row_ends_its_fights() -> None:
    fight = Fight(SECRET.menu, "ann", "profile", (START,), wanted="home")
    known = {fight.spot: fight}
    mine = wanting(SECRET.menu, "ann", "home", subscriber_id=1)
    assert settled(known, mine, is_whole=False) == {fight.spot}
    assert not settled(known, wanting(SECRET.menu, "ann", "home", subscriber_id=1, is_newer=False), is_whole=True)


def test_a_shared_profile_is_not_changed_by_every_person_who_uses_it() -> None:
    fight = Fight(SECRET.menu, "home", "profile", (START,), wanted="home")
    known = {fight.spot: fight}
    assert not settled(known, wanting(SECRET.menu, "home", "home"), is_whole=True)
    assert settled(known, wanting(SECRET.menu, "home", "gold"), is_whole=True) == {fight.spot}


def test_a_row_that_nobody_wants_any_more_is_not_fought_over() -> None:
    fight = Fight(SECRET.menu, "ann", "profile", (START,), wanted="home")
    assert settled({fight.spot: fight}, Desired(), is_whole=True) == {fight.spot}
    assert not settled({fight.spot: fight}, Desired(), is_whole=False)


@given(st.lists(st.floats(min_value=1, max_value=7200), min_size=1, max_size=60), st.booleans())
def test_however_often_one_looks(gaps_s: list[float], is_restricting: bool) -> None:
    """Repairs never come faster than the rules allow, and what is due after a wait is always done."""
    step = CUT if is_restricting else RATE
    router, now, repairs = Router(step), START, list[datetime]()
    for gap_s in gaps_s:
        now += timedelta(seconds=gap_s)
        plan = router.look(now).plan
        if plan.steps:
            repairs.append(now)
            continue
        assert plan.paused[0].until > now
        if is_restricting:
            assert now - repairs[-1] < timedelta(minutes=1)
    hour = timedelta(hours=1)
    most = 62 if is_restricting else RULES.repairs + 2
    assert all(sum(at <= other < at + hour for other in repairs) <= most for at in repairs)
