"""Taking a change back: whom it altered is as before, but for those whose intent was changed since.

What is done follows from the change's events alone: what it put up is lifted, what it lifted stands again, whom it
added is removed. Undoing is a change too, so that it can be undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from imsys.conf.sql import fetch
from imsys.kit.errors import InputError
from imsys.subscribers.services import expiry
from imsys.subscribers.services.people import remove_locked
from imsys.subscribers.services.rows import Locked, lock_ids
from imsys.subscribers.services.standing import put_back, take_down
from imsys.timeline import changes
from imsys.timeline import services as timeline
from imsys.timeline.models import Change

# After one of these a subscriber is what somebody wanted later than the change. Of a `changed` subscriber that is so
# for the fields below; the others, such as a telephone number, are beside the point.
INTENT_EVENTS = ("suspended", "resumed", "changed", "renamed", "moved", "removed")
INTENT_FIELDS = ("service", "package", "password", "address", "mac", "expires_at")

ON_ITS_ROUTER = "has rows on the router by now; to remove it: imsys subscriber remove"


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody whom an undo leaves as they are."""

    username: str
    why: str


@dataclass(frozen=True, slots=True)
class Undone:
    """`restored`: how many are as before (with `dry_run`: would be). `change`: its own number, to undo it by."""

    undoes: int
    what: str
    restored: int
    change: int | None
    left: list[Left] = field(default_factory=list)


def undo(change_id: int, *, dry_run: bool = False, actor: str) -> Undone:
    """Raises: InputError, when the change is not there, was undone, or when nothing of it can be."""
    with transaction.atomic():
        change = changes.lock_standing(change_id)
        _check_can_be(change)
        expiry.take_turn()
        altered = _altered(change)
        locked = lock_ids(altered)
        left = _changed_since(change)
        if change.what == Change.What.IMPORT:
            left |= {pk: gone for pk, gone in _on_routers(locked).items() if pk not in left}
        ids = [pk for pk in locked.ids if pk not in left]
        number = changes.next_id()
        restored = _restore(change, ids, number, actor)
        outcome = Undone(
            undoes=change_id,
            what=change.what,
            restored=restored,
            change=None if dry_run else number,
            left=sorted(left.values(), key=lambda each: each.username),
        )
        if dry_run:
            transaction.set_rollback(True)
            return outcome
        if not restored:
            raise InputError(
                f"Nothing of change {change_id} can be undone: its {len(altered)} subscribers were changed since.",
                remedy=f"See how: imsys undo {change_id} --dry-run",
            )
        _record(change, number, restored, len(altered), actor)
    return outcome


def _restore(change: Change, ids: Sequence[int], number: int, actor: str) -> int:
    if change.what == Change.What.IMPORT:
        return remove_locked(lock_ids(ids), actor=actor, change_id=number)
    lifted = take_down(ids, undone=change.pk, note=f"undoes change {change.pk}", actor=actor, change_id=number)
    back = put_back(ids, undone=change.pk, actor=actor, change_id=number)
    expiry.leave_alone(_suspended_by(change, ids), undone=change.pk, actor=actor)
    return sum(row.was_lifted for row in lifted) + len(back)


def _record(change: Change, number: int, restored: int, altered: int, actor: str) -> None:
    changes.record(
        number,
        Change.What.UNDO,
        count=restored,
        actor=actor,
        router=change.router,
        cause=change.cause,
        undoes=change.pk,
    )
    changes.mark_undone(change.pk, actor=actor)
    note = f"change {change.pk} ({change.what}): {restored} of {altered} restored"
    timeline.record("undone", actor=actor, cause=change.cause, note=note, change_id=number)


def _check_can_be(change: Change) -> None:
    removing = fetch("select 1 from timeline_event where change_id = %s and what = 'removed' limit 1", [change.pk])
    if removing:
        raise InputError(
            f"Change {change.pk} removed subscribers, and they and their passwords are gone.",
            remedy="Import the file again: imsys subscriber import FILE.csv",
        )


def _altered(change: Change) -> list[int]:
    """By id, those removed since among them."""
    rows = fetch(
        "select distinct subscriber_id from timeline_event "
        "where change_id = %s and subscriber_id is not null order by subscriber_id",
        [change.pk],
    )
    return [pk for (pk,) in rows]


def _suspended_by(change: Change, ids: Sequence[int]) -> list[int]:
    """Those of `ids` whom the change suspended for `expiry`."""
    rows = fetch(
        "select subscriber_id from timeline_event where change_id = %s and what = 'suspended' and cause = 'expiry' "
        "and subscriber_id = any(%s::bigint[])",
        [change.pk, list(ids)],
    )
    return [pk for (pk,) in rows]


def _changed_since(change: Change) -> dict[int, Left]:
    """By subscriber, the latest that somebody wanted of them since."""
    rows = fetch(
        """
        with part as materialized (
            select subscriber_id, max(id) as id from timeline_event
            where change_id = %(change)s and subscriber_id is not null group by subscriber_id
        )
        select distinct on (later.subscriber_id) later.subscriber_id, later.username, later.what, later.actor
        from part join timeline_event later on later.subscriber_id = part.subscriber_id and later.id > part.id
        where later.what = any(%(words)s::text[])
            and (later.what <> 'changed' or later.after ?| %(fields)s::text[])
        order by later.subscriber_id, later.id desc
        """,
        {"change": change.pk, "words": list(INTENT_EVENTS), "fields": list(INTENT_FIELDS)},
    )
    return {pk: Left(username, f"{what} since by {who}") for pk, username, what, who in rows}


def _on_routers(locked: Locked) -> dict[int, Left]:
    """Those of whom a router has been told: taking them away would take what may have been there before them."""
    rows = fetch(
        """
        select subscriber_id from subscribers_syncstate where subscriber_id = any(%(ids)s::bigint[])
          and (applied_generation > 0 or made_at is not null or last_synced_at is not null)
        union select subscriber_id from fleet_placement where subscriber_id = any(%(ids)s::bigint[])
        """,
        {"ids": locked.ids},
    )
    told = {pk for (pk,) in rows}
    return {pk: Left(name, ON_ITS_ROUTER) for pk, name in zip(locked.ids, locked.usernames, strict=True) if pk in told}
