"""The timeline: nobody rewrites it, retention forgets it, a name finds all who have borne it."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from imsys.conf.sql import execute, fetch
from imsys.timeline import selectors, services
from imsys.timeline.models import Event

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("statement", ["update timeline_event set note = 'x'", "delete from timeline_event"])
def test_is_append_only(statement: str) -> None:
    services.record("added", actor="cli:ann")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute(statement)
    assert Event.objects.get().note == ""


def test_retention_forgets_what_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PRUNE_BATCH", 2)
    execute(
        "insert into timeline_event (actor, what, at) "
        "select 'system', 'changed', now() - make_interval(days => n) from generate_series(1, 10) n"
    )
    assert services.prune(keep=timedelta(days=5, hours=1)) == 5
    assert Event.objects.count() == 5
    execute("set local imsys.retention = 'off'")


def test_a_name_finds_all_who_have_borne_it() -> None:
    services.record("added", actor="a", subscriber_id=1, username="ann", router_id=7, router="rt-1")
    services.record("suspended", actor="a", subscriber_id=1, username="ann", router_id=7, router="rt-1")
    services.record("removed", actor="a", subscriber_id=1, username="ann", router_id=7, router="rt-1")
    services.record("added", actor="b", subscriber_id=2, username="ann", router_id=8, router="rt-2")
    services.record("added", actor="b", subscriber_id=3, username="bob", router_id=8, router="rt-2")
    of_ann = selectors.events(username="ann")
    assert [(event["what"], event["subscriber_id"]) for event in of_ann] == [
        ("added", 2),
        ("removed", 1),
        ("suspended", 1),
        ("added", 1),
    ]
    assert len(selectors.events(router="rt-2")) == 2
    assert len(selectors.events(limit=3)) == 3
    assert [event["username"] for event in selectors.events(after_id=of_ann[0]["id"])] == ["bob"]
    assert selectors.events(username="nobody") == []


def test_what_a_bulk_change_costs_is_three_indexes() -> None:
    """Each index of this table is paid for by every event of 100,000 suspensions; add one knowingly.

    Those on `at` and on the change are summaries of blocks, which cost next to nothing.
    """
    names = {name for (name,) in fetch("select indexname from pg_indexes where tablename = 'timeline_event'")}
    assert names == {
        "timeline_event_pkey",
        "event_subscriber",
        "event_router",
        "event_naming",
        "event_at",
        "event_change",
    }
