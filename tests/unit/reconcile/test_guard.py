"""What a suspicious read holds, and what it lets go on."""

from dataclasses import replace

from imsys.reconcile import guard
from imsys.reconcile.diff import Step
from imsys.reconcile.guard import SHRUNK_ROWS, split, suspicion
from imsys.reconcile.kinds import SECRET
from imsys.reconcile.plan import Plan
from imsys.reconcile.status import REASONS
from tests.unit.reconcile.rows import intent, plan, subscriber

LOST = Plan(tuple(Step("add", SECRET.menu, f"u{n}", "drift", subscriber_id=n) for n in range(SHRUNK_ROWS)))


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


def test_each_doubt_has_a_reason_on_the_page() -> None:
    assert set(guard.HELD) <= set(REASONS)
