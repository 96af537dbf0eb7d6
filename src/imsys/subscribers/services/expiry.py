"""Suspending those whose service has ended. Who is to be cut in one run, and who is held, `billing` decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from imsys.conf.sql import execute, fetch
from imsys.subscribers.models import Cause
from imsys.subscribers.services.rows import lock_ids
from imsys.subscribers.services.standing import PutUp, put_up
from imsys.timeline import changes, holds
from imsys.timeline.models import Change, Held

_TURN = 7_215_004  # any number, the same in every process

LEFT_ALONE = "ExpiryUndone"


@dataclass(frozen=True, slots=True)
class Expired:
    """Who was suspended for `expiry`, by username, and the number by which that can be undone."""

    rows: list[PutUp]
    change: int | None


def take_turn() -> None:
    """Whoever decides about expiries waits for the one who does so now, until that transaction ends."""
    execute("select pg_advisory_xact_lock(%s)", [_TURN])


def expiry_mark(subscriber_id: int, expires_at: datetime) -> str:
    """The same for as long as the subscriber's service ends at the same instant."""
    return f"expiry {subscriber_id} {expires_at.astimezone(UTC).isoformat()}"


def expiry_step(subscriber_id: int, username: str, expires_at: datetime) -> dict[str, Any]:
    """What a hold shows of it."""
    return {
        "subscriber": username,
        "subscriber_id": subscriber_id,
        "action": "suspend",
        "reason": "expiry",
        "expires_at": expires_at.astimezone(UTC).isoformat(),
    }


@transaction.atomic
def expire(due: Mapping[int, datetime], *, actor: str) -> Expired:
    """Suspend those of `due` whose service still ends at that instant, which has passed. By subscriber id."""
    locked = lock_ids(due)
    rows = fetch(
        """
        select s.id from subscribers_subscriber s
        join unnest(%s::bigint[], %s::timestamptz[]) as v(id, expires_at) on v.id = s.id and v.expires_at = s.expires_at
        where s.expires_at <= now() order by s.id
        """,
        [locked.ids, [due[pk] for pk in locked.ids]],
    )
    number = changes.next_id()
    suspended = put_up([pk for (pk,) in rows], cause=Cause.EXPIRY, note="", actor=actor, change_id=number)
    change = changes.record(number, Change.What.EXPIRE, count=len(suspended), actor=actor, cause=Cause.EXPIRY.value)
    return Expired(suspended, change)


def leave_alone(ids: Sequence[int], *, undone: int, actor: str) -> None:
    """Expiry runs pass over those of them that are expired and not suspended for it, until their end changes."""
    rows = fetch(
        """
        select r.id, r.name, s.id, s.username, s.expires_at
        from subscribers_subscriber s join network_router r on r.id = s.router_id
        where s.id = any(%s::bigint[]) and s.expires_at <= now() and not exists (
            select 1 from subscribers_suspension p where p.subscriber_id = s.id and p.cause = 'expiry'
        )
        order by r.id, s.id
        """,
        [list(ids)],
    )
    by_router: dict[tuple[int, str], dict[str, dict[str, Any]]] = {}
    for router_id, router, pk, username, expires_at in rows:
        steps = by_router.setdefault((router_id, router), {})
        steps[expiry_mark(pk, expires_at)] = expiry_step(pk, username, expires_at)
    for (router_id, router), steps in by_router.items():
        text = f"{len(steps)} subscribers are expired and left alone, since change {undone} was undone."
        holds.leave_alone(
            Held.EXPIRY, router_id=router_id, router=router, code=LEFT_ALONE, text=text, held=steps, actor=actor
        )
