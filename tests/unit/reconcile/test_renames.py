"""Which row becomes the one that is wanted when names go from one subscriber to another."""

from imsys.reconcile.intent import Intent
from imsys.reconcile.kinds import SECRET
from imsys.reconcile.plan import Plan
from tests.unit.reconcile.rows import intent, plan, secret, subscriber


def renamed(*names: tuple[str, str]) -> Intent:
    """Subscribers who had the first name and have the second by now."""
    people = [subscriber(new, subscriber_id=n, is_newer=True) for n, (_, new) in enumerate(names)]
    return intent(*people, placed={n: [(SECRET.menu, old)] for n, (old, _) in enumerate(names)})


def renames(made: Plan) -> list[tuple[str, str, str]]:
    return [(step.row_id, step.old_key, step.key) for step in made.steps]


def test_a_row_gets_its_new_name_in_place() -> None:
    assert renames(plan(renamed(("ann", "anna")), secret())) == [("*A", "ann", "anna")]


def test_along_a_chain_the_last_goes_first_and_the_others_wait() -> None:
    asked = renamed(("ann", "ben"), ("ben", "cara"))
    rows = secret("ann", **{".id": "*1"}), secret("ben", **{".id": "*2"})
    made = plan(asked, *rows)
    assert renames(made) == [("*2", "ben", "cara")]
    assert made.in_turn == {0}
    assert made.unfinished() == {0, 1}


def test_in_a_circle_nobody_is_renamed_and_nobody_waits() -> None:
    made = plan(renamed(("ann", "ben"), ("ben", "ann")), secret("ann"), secret("ben", **{".id": "*2"}))
    assert renames(made) == []
    assert not made.in_turn


def test_somebody_else_s_row_of_the_new_name_is_made_right_and_the_old_one_goes() -> None:
    made = plan(renamed(("ann", "anna")), secret(), secret("anna", **{".id": "*2"}, disabled="true"))
    assert [(step.action, step.row_id) for step in made.steps] == [("remove", "*A"), ("set", "*2")]


def test_a_chain_that_ends_at_somebody_else_s_row_goes_on() -> None:
    rows = secret("ann", **{".id": "*1"}), secret("ben", **{".id": "*2"}), secret("cara", **{".id": "*3"})
    made = plan(renamed(("ann", "ben"), ("ben", "cara")), *rows)
    assert not made.in_turn
    assert [(step.action, step.row_id) for step in made.steps] == [("remove", "*1")]
