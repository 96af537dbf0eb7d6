"""Reading who is due for expiry, by the database's clock."""

from dataclasses import dataclass
from datetime import datetime

from imsys.billing.due import Due, RouterDue
from imsys.conf.sql import fetch
from imsys.network.models import Router
from imsys.subscribers.services import expiry_mark
from imsys.timeline import holds
from imsys.timeline.holding import Standing, marks_of
from imsys.timeline.models import Held

_DUE = """
select s.router_id, s.id, s.username, s.expires_at, s.is_suspended
from subscribers_subscriber s
where s.expires_at <= coalesce(%(until)s::timestamptz, now())
    and (%(router)s::bigint is null or s.router_id = %(router)s::bigint)
    and not exists (select 1 from subscribers_suspension p where p.subscriber_id = s.id and p.cause = 'expiry')
order by s.router_id, s.expires_at, s.id
"""


@dataclass(frozen=True, slots=True)
class RouterPlan:
    """What expiry runs until some time would do on a router, one each minute: who goes, is held, is passed over."""

    router: str
    subscribers: int
    cap: int
    go: list[Due]
    held: list[Due]
    rejected: list[Due]


def plan(until: datetime | None = None) -> list[RouterPlan]:
    """Routers on which somebody is due by then, by name."""
    now: datetime = fetch("select now()")[0][0]
    plans = []
    for router in due_by_router(until):
        runs = list(router.runs(now))
        plans.append(
            RouterPlan(
                router=router.router,
                subscribers=router.subscribers,
                cap=router.cap,
                go=[due for run in runs for due in run.go],
                held=[due for run in runs for due in run.held],
                rejected=[due for run in runs for due in run.rejected],
            )
        )
    return [plan for plan in plans if plan.go or plan.held or plan.rejected]


def due_by_router(until: datetime | None = None) -> list[RouterDue]:
    """Routers with somebody due (now, or by `until`), or with holds of expiries; by name."""
    due: dict[int, list[Due]] = {}
    for router_id, each in _due(until, None):
        due.setdefault(router_id, []).append(each)
    standing = holds.standing_by_router(Held.EXPIRY)
    everywhere = [hold for of_router in standing.values() for hold in of_router]
    counts = dict(
        fetch(
            "select router_id, count(*) from subscribers_subscriber where router_id = any(%s::bigint[]) group by 1",
            [list(due)],
        )
    )
    found = [
        _router_due(
            router,
            due[router.pk],
            counts.get(router.pk, 0),
            standing.pop((router.pk, router.name), []),
            everywhere,
        )
        for router in Router.objects.filter(pk__in=due)
    ]
    found += [
        _router_due(Router(pk=pk, name=name), [], 0, holding, everywhere) for (pk, name), holding in standing.items()
    ]
    return sorted(found, key=lambda each: each.router)


def left_alone() -> int:
    """How many have service though it has ended, since a person rejected their expiry or undid it."""
    return sum(not due.is_suspended for router in due_by_router() for due in router.split().rejected)


def due_of_router(router_id: int) -> list[Due]:
    return [each for _, each in _due(None, router_id)]


def _router_due(
    router: Router, due: list[Due], subscribers: int, standing: list[Standing], everywhere: list[Standing]
) -> RouterDue:
    return RouterDue(
        router_id=router.pk,
        router=router.name,
        subscribers=subscribers,
        caps=router.caps,
        due=tuple(due),
        rejected_marks=marks_of(everywhere, "rejected"),
        waiting_marks=marks_of(everywhere, "waiting"),
        is_holding=any(hold.state == "waiting" for hold in standing),
        has_holds=bool(standing),
    )


def _due(until: datetime | None, router_id: int | None) -> list[tuple[int, Due]]:
    return [
        (of_router, Due(pk, username, expires_at, is_suspended, expiry_mark(pk, expires_at)))
        for of_router, pk, username, expires_at, is_suspended in fetch(_DUE, {"until": until, "router": router_id})
    ]
