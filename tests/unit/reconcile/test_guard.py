"""What a suspicious read holds, what a machine may cause without a person, and what may be written at all."""

from dataclasses import replace

from imsys.reconcile import guard
from imsys.reconcile.diff import Step
from imsys.reconcile.guard import SHRUNK_ROWS, Brake, Suspicion, kind_of, mark, permit, suspicion
from imsys.reconcile.intent import Ghost, RouterIntent
from imsys.reconcile.kinds import PROFILE, SECRET
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import ACTIVE
from imsys.reconcile.status import REASONS
from tests.unit.reconcile.rows import HOME_ROW, actions, intent, plan, secret, subscriber

LOST = Plan(tuple(Step("add", SECRET.menu, f"u{n}", "drift", subscriber_id=n) for n in range(SHRUNK_ROWS)))


ROUTER = RouterIntent(1)


def split(made: Plan, found: Suspicion | None, brake: Brake = Brake()) -> Plan:  # noqa: B008 - frozen
    return guard.split(made, found, brake, ROUTER)[0]


def doubt(made: Plan, placed: int) -> str:
    found = suspicion(made, placed_rows={SECRET.menu: placed})
    return found.code if found else ""


def test_ten_rows_and_half_of_the_menu_must_be_gone() -> None:
    assert doubt(LOST, SHRUNK_ROWS * 2) == "RowsVanished"
    assert doubt(LOST, SHRUNK_ROWS * 2 + 1) == ""
    assert doubt(replace(LOST, steps=LOST.steps[1:]), SHRUNK_ROWS - 1) == ""


def test_rows_that_a_person_just_asked_for_have_not_vanished() -> None:
    asked = [subscriber(f"u{n}", subscriber_id=n, is_newer=True) for n in range(SHRUNK_ROWS)]
    assert doubt(plan(intent(*asked)), SHRUNK_ROWS) == ""


def test_another_serial_is_suspicious_and_an_unknown_one_is_not() -> None:
    def code(known: str, serial: str) -> str:
        found = suspicion(Plan(), placed_rows={}, known_serial=known, serial=serial)
        return found.code if found else ""

    assert [code("A", "B"), code("A", "A"), code("", "B"), code("A", "")] == ["OtherRouter", "", "", ""]


def test_what_a_person_asked_for_goes_on_and_what_a_machine_concluded_is_held() -> None:
    person = Step("set", SECRET.menu, "ann", "intent", subscriber_id=100)
    ghost = Step("remove", SECRET.menu, "old", "ghost")
    made = replace(LOST, steps=(ghost, *LOST.steps, person))
    halves = split(made, suspicion(made, placed_rows={SECRET.menu: SHRUNK_ROWS}))
    assert halves.steps == (ghost, person)
    assert halves.held == LOST.steps


def test_nothing_is_forgotten_on_the_word_of_a_suspicious_read() -> None:
    made = plan(intent(subscriber()), is_settled=True)
    found = suspicion(made, placed_rows={}, known_serial="A", serial="B")
    assert split(made, found).forgotten == ()


def test_without_a_doubt_the_plan_stays_as_it_is() -> None:
    assert split(LOST, None) is LOST


def of_nobody(count: int) -> Plan:
    """Rows that we put there, whose owners are gone without anybody's word."""
    names = [f"old{number:02d}" for number in range(count)]
    ghosts = [Ghost(SECRET.menu, name, is_asked=False) for name in names]
    return plan(intent(subscriber(), ghosts=ghosts), secret(), *(secret(name) for name in names))


def test_what_nobody_asked_for_goes_on_up_to_the_cap_and_is_held_whole_beyond_it() -> None:
    made = of_nobody(8)
    assert split(made, None, Brake(rows=16)) is made
    parted, why = guard.split(made, None, Brake(rows=15), ROUTER)
    assert (parted.steps, parted.held) == ((), made.steps)
    assert why is not None
    assert why.text.startswith("8 kicks that nobody asked for are due at once; 7 are the most")


def test_sessions_that_are_known_not_to_live_are_no_kicks() -> None:
    found = {name: guard.split(of_nobody(8), None, Brake(15, live=live), ROUTER)[1] for name, live in LIVE.items()}
    assert found["none"] is not None
    assert found["none"].text.startswith("8 removes")
    assert guard.split(of_nobody(3), None, Brake(100, caps={"kicks": 1}, live=LIVE["none"]), ROUTER)[1] is None
    assert guard.split(of_nobody(3), None, Brake(100, caps={"kicks": 1}, live=LIVE["two"]), ROUTER)[1] is not None


LIVE = {"none": frozenset(), "two": frozenset({(ACTIVE.menu, "old00"), (ACTIVE.menu, "old01")})}


def test_persons_changes_and_drift_are_never_too_many() -> None:
    asked = [subscriber(f"u{n:03d}", subscriber_id=n, is_suspended=True, is_newer=n % 2 == 0) for n in range(100)]
    ghosts = [Ghost(SECRET.menu, f"gone{n:03d}") for n in range(100)]
    rows = [secret(s.username) for s in asked] + [secret(ghost.key) for ghost in ghosts]
    made = plan(intent(*asked, ghosts=ghosts), *rows)
    assert len(made.steps) == 200
    assert split(made, None, Brake(rows=1)) is made


def test_what_a_person_approved_goes_on_and_what_was_rejected_waits_and_counts_no_more() -> None:
    made = of_nobody(8)
    marks = [mark(step) for step in made.steps]
    some = split(made, None, Brake(15, approved=marks[:2]))
    assert some.steps == made.steps  # six are left to count
    few = split(made, None, Brake(rows=7, approved=marks[:2]))
    assert (few.steps, few.held) == (made.steps[:2], made.steps[2:])
    rejected = split(made, None, Brake(rows=15, rejected=marks[:2]))
    assert (rejected.steps, rejected.held) == (made.steps[2:], made.steps[:2])
    assert split(LOST, Suspicion("x", "", ""), Brake(approved=[mark(LOST.steps[0])])).steps == LOST.steps[:1]


def test_a_mark_tells_steps_apart_and_stays_the_same() -> None:
    step = Step("set", SECRET.menu, "ann", "drift", {"disabled": True}, row_id="*1", subscriber_id=1)
    assert mark(step) == mark(replace(step, row_id="*2", reason="unasked"))
    others = [replace(step, key="ben"), replace(step, changes={"disabled": False}), replace(step, action="add")]
    assert len({mark(step), *map(mark, others)}) == 4


def test_on_a_blanked_router_what_a_persons_change_needs_is_made_with_it() -> None:
    known = [subscriber(f"u{n}", subscriber_id=n) for n in range(2, 30)]
    made = plan(intent(subscriber(is_newer=True, is_suspended=True), *known), profiles=[])
    parted = split(made, suspicion(made, placed_rows={SECRET.menu: 29}))
    assert actions(parted) == [("add", PROFILE.menu, "home"), ("add", SECRET.menu, "ann")]
    assert len(parted.held) == 28


def test_every_kind_of_step_counts_as_what_it_does_to_people() -> None:
    walled = RouterIntent(1, suspend_by="profile", suspend_profile="walled")

    def kind(action: str, menu: str = SECRET.menu, router: RouterIntent = ROUTER, **changes: object) -> str:
        return kind_of(Step(action, menu, "x", "policy", changes), router)  # type: ignore[arg-type]

    assert kind("set", disabled=True) == "suspends"
    assert kind("set", disabled=False) == "resumes"
    assert kind("add", disabled=True) == "creates"
    assert kind("remove") == "removes"
    assert kind("set", router=walled, profile="walled") == "suspends"
    assert [kind(action, "/ip/firewall/address-list") for action in ("add", "remove")] == ["suspends", "resumes"]


def test_on_an_observed_router_only_what_concerns_single_subscribers_is_written() -> None:
    asked = intent(subscriber(), subscriber("ben", subscriber_id=2), ghosts=[Ghost(SECRET.menu, "old")])
    made = permit(plan(asked, secret(profile="x"), secret("ben", profile="x"), secret("old"), profiles=[]), {1})
    assert actions(made) == [("add", PROFILE.menu, "home"), ("set", SECRET.menu, "ann")]
    assert [step.key for step in made.left_alone] == ["old", "ben"]
    assert made.unfinished() == {1, 2}
    none = permit(plan(asked, secret(), secret("ben"), profiles=[]), frozenset())
    assert (none.steps, len(none.left_alone)) == ((), 1)


def test_a_profile_that_others_use_is_made_for_one_and_never_changed() -> None:
    asked = intent(subscriber(), subscriber("ben", subscriber_id=2))
    made = permit(plan(asked, secret(), secret("ben"), profiles=[{**HOME_ROW, "rate-limit": "1M/1M"}]), {1})
    assert made.steps == ()
    assert [step.place for step in made.left_alone] == [(PROFILE.menu, "home")]


def test_each_doubt_has_a_reason_on_the_page() -> None:
    assert set(guard.HELD) <= set(REASONS)
