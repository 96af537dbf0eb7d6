"""Before a router has settled, what it does not list may still be there: nobody is done who still has to leave it."""

from imsys.reconcile.kinds import SECRET
from tests.unit.reconcile.rows import intent, plan, secret, subscriber


def test_a_former_row_that_is_not_listed_yet_keeps_its_subscriber_waiting() -> None:
    asked = intent(subscriber("bob"), placed={1: [(SECRET.menu, "ann"), (SECRET.menu, "bob")]})
    there = secret("bob", service="pppoe")
    early = plan(asked, there, is_settled=False)
    assert (early.waiting, early.forgotten) == ({1}, ())
    late = plan(asked, there)
    assert (late.waiting, [ghost.key for ghost in late.forgotten]) == (frozenset(), ["ann"])
