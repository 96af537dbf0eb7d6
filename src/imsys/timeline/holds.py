"""Holds: what machines concluded and nobody asked for, kept until a person decides. What it is, upper packages know."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Func, IntegerField

from imsys.conf.sql import execute, fetch
from imsys.kit.errors import InputError
from imsys.timeline import services
from imsys.timeline.holding import STANDING, Settled, Standing, Steps, endings, marks_of, opening, settle
from imsys.timeline.models import Hold

LIST_FIELDS = ("id", "kind", "router", "code", "text", "state", "opened_at", "changed_at", "decided_at", "decided_by")

# What a person has decided before it was asked for.
REJECT = """
insert into timeline_hold (kind, router_id, router, code, text, steps, state, decided_at, decided_by)
values (%(kind)s, %(router)s, %(name)s, %(code)s, %(text)s, %(steps)s, 'rejected', now(), %(actor)s)
"""


def standing(kind: str, router_id: int) -> list[Standing]:
    rows = fetch(STANDING, {"kind": kind, "router": router_id})
    return [Standing(hold_id, state, frozenset(marks), *why) for hold_id, state, marks, *why in rows]


@transaction.atomic
def keep(kind: str, *, router_id: int, router: str, code: str, text: str, held: Steps) -> None:
    """Make the holds of this kind on a router those that `held` asks for, which is all that is held there now."""
    settled = settle(standing(kind, router_id), held, code=code)
    for statement, parameters in endings(settled):
        execute(statement, parameters)
    opened = opening(settled, kind=kind, router_id=router_id, router=router, code=code, text=text)
    if opened is not None and execute(*opened) and not settled.is_growth:
        services.record("held", actor="system", router_id=router_id, router=router, cause=code, note=text)


def leave_alone(kind: str, *, router_id: int, router: str, code: str, text: str, held: Steps, actor: str) -> None:
    """As if a person had been asked about `held` and had rejected it: silent until it changes."""
    opened = opening(Settled(held), kind=kind, router_id=router_id, router=router, code=code, text=text)
    if opened is not None:
        execute(REJECT, {**opened[1], "actor": actor})


def standing_by_router(kind: str) -> dict[tuple[int, str], list[Standing]]:
    """By router (id and name), where any stands."""
    routers = Hold.objects.filter(kind=kind).exclude(state="over").order_by().values_list("router_id", "router")
    return {(router_id, router): standing(kind, router_id) for router_id, router in routers.distinct()}


def rejected_marks(kind: str, router_id: int) -> frozenset[str]:
    return marks_of(standing(kind, router_id), "rejected")


def decide(hold_id: int, state: str, *, actor: str) -> Hold:
    """The hold, decided by a person and not done yet; what was rejected may be approved after all.

    Raises: InputError when it does not wait any more.
    """
    hold = Hold.objects.select_for_update().filter(pk=hold_id).first()
    if hold is None:
        raise InputError(f"There is no hold {hold_id}.", remedy="See them: imsys hold list")
    if hold.state != Hold.State.WAITING and (hold.state, state) != (Hold.State.REJECTED, Hold.State.APPROVED):
        by = f" by {hold.decided_by}" if hold.decided_by else ""
        later = Hold.objects.filter(router_id=hold.router_id, kind=hold.kind, state=Hold.State.WAITING).first()
        more = f" What is held on {hold.router} by now is hold {later.pk}." if later is not None else ""
        raise InputError(
            f"Hold {hold_id} does not wait any more: it is {hold.state}{by}.{more}", remedy="Look: imsys hold list"
        )
    execute(
        "update timeline_hold set state = %s, decided_at = now(), decided_by = %s where id = %s",
        [state, actor, hold_id],
    )
    note = f"hold {hold_id}, {len(hold.steps)} steps: {hold.text}"
    services.record(
        f"hold-{state}", actor=actor, router_id=hold.router_id, router=hold.router, cause=hold.code, note=note
    )
    hold.refresh_from_db()
    return hold


def forget_router(router_id: int) -> None:
    """It is removed from here, and nothing on it is anybody's question any more."""
    over = "update timeline_hold set state = 'over', over_at = now() where router_id = %s and state <> 'over'"
    execute(over, [router_id])


def finish(hold_ids: Sequence[int]) -> None:
    """All that was approved is done, or nothing of it is due any more."""
    execute("update timeline_hold set state = 'over', over_at = now() where id = any(%s)", [list(hold_ids)])


def holds(*, with_decided: bool = False, router: str = "", limit: int | None = None) -> list[dict[str, Any]]:
    """Those that wait for a person, the oldest first; `with_decided`: all, the newest first."""
    rows = Hold.objects.order_by("-pk") if with_decided else Hold.objects.filter(state="waiting").order_by("pk")
    if router:
        rows = rows.filter(router=router)
    count = Func(F("steps"), function="jsonb_array_length", output_field=IntegerField())
    found = rows.annotate(count=count).values(*LIST_FIELDS, "count")[:limit]
    return [{"steps" if key == "count" else key: value for key, value in row.items()} for row in found]


def get_hold(hold_id: int) -> dict[str, Any]:
    """One hold with all of its steps. Raises: InputError."""
    row = Hold.objects.filter(pk=hold_id).values(*LIST_FIELDS, "router_id", "steps").first()
    if row is None:
        raise InputError(f"There is no hold {hold_id}.", remedy="See them: imsys hold list --all")
    return dict(row)


def prune(*, keep: timedelta) -> int:
    """The number of holds deleted that were over before."""
    return execute("delete from timeline_hold where over_at < now() - %s", [keep])
