"""Before a router has settled, what it does not list may still be there: nobody is done who still has to leave it."""

from imsys.reconcile.intent import RouterIntent
from imsys.reconcile.kinds import QUEUE, SECRET
from imsys.reconcile.plan import make_plan
from tests.unit.reconcile.rows import intent, plan, secret, subscriber, tables_of


def test_a_former_row_that_is_not_listed_yet_keeps_its_subscriber_waiting() -> None:
    asked = intent(subscriber("bob"), placed={1: [(SECRET.menu, "ann"), (SECRET.menu, "bob")]})
    there = secret("bob", service="pppoe")
    early = plan(asked, there, is_settled=False)
    assert (early.waiting, early.forgotten) == ({1}, ())
    late = plan(asked, there)
    assert (late.waiting, [ghost.key for ghost in late.forgotten]) == (frozenset(), ["ann"])


def test_whoever_needs_a_row_of_the_router_waits_for_it_too() -> None:
    """Else nobody would make it before the next resync, though its router has long settled."""
    line = subscriber("ann", service="static", address="10.0.0.7")
    queue = {".id": "*1", "name": "ann", "target": "10.0.0.7/32", "max-limit": "5M/10M"}
    early = make_plan(intent(line), tables_of({QUEUE.menu: [queue]}), is_settled=False)
    assert (early.steps, early.waiting) == ((), {1})


def test_whoever_needs_a_profile_waits_for_it_too() -> None:
    early = plan(intent(subscriber("ann")), secret("ann"), profiles=(), is_settled=False)
    assert (early.steps, early.waiting) == ((), {1})


def test_also_who_is_in_the_walled_garden_for_now() -> None:
    asked = intent(subscriber("ann", is_suspended=True), router=RouterIntent(1, suspend_by="profile"))
    walled = {".id": "*7", "name": "suspended"}
    early = plan(asked, secret("ann", profile="suspended"), profiles=[walled], is_settled=False)
    assert (early.steps, early.waiting) == ((), {1})
