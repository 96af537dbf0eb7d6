"""Changes: what was done to many in one step, kept so that it can be undone. How it is undone, upper packages know."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from imsys.conf.sql import execute, fetch
from imsys.kit.errors import InputError
from imsys.timeline.models import Change

LIST_FIELDS = ("id", "at", "actor", "what", "router", "cause", "count", "undone_at", "undone_by")


def next_id() -> int:
    """For the events of a change that is recorded once it is known how many it altered."""
    (row,) = fetch("select nextval(pg_get_serial_sequence('timeline_change', 'id'))")
    return int(row[0])


def record(
    change_id: int, what: str, *, count: int, actor: str, router: str = "", cause: str = "", undoes: int | None = None
) -> int | None:
    """Its id, or None when it altered nobody: then it is no change."""
    if count == 0:
        return None
    change = Change(pk=change_id, what=what, count=count, actor=actor, router=router, cause=cause, undoes_id=undoes)
    change.save(force_insert=True)
    return change_id


def lock_standing(change_id: int) -> Change:
    """The change, which nobody else undoes until this transaction ends. Raises: InputError, when it was undone."""
    change = Change.objects.select_for_update().filter(pk=change_id).first()
    if change is None:
        raise InputError(f"There is no change {change_id}.", remedy="See them: imsys changes")
    if change.undone_at is not None:
        by = Change.objects.filter(undoes=change).first()  # forgotten by now, perhaps
        again = f"To do it again: imsys undo {by.pk}" if by is not None else "See what there is: imsys changes"
        raise InputError(f"Change {change_id} was undone by {change.undone_by} already.", remedy=again)
    return change


def mark_undone(change_id: int, *, actor: str) -> None:
    execute("update timeline_change set undone_at = now(), undone_by = %s where id = %s", [actor, change_id])


def changes(*, limit: int) -> list[dict[str, Any]]:
    """The newest first. `undoes`: the id of the change that it took back."""
    rows: Sequence[dict[str, Any]] = Change.objects.order_by("-pk").values(*LIST_FIELDS, "undoes_id")[:limit]
    return [{**row, "undoes": row.pop("undoes_id")} for row in rows]


def prune(*, keep: timedelta) -> int:
    """The number of changes deleted: their events are forgotten too, and with them how to undo them."""
    return execute(
        "delete from timeline_change c where at < now() - %s "
        "and not exists (select 1 from timeline_change later where later.undoes_id = c.id)",
        [keep],
    )
