"""What is wrong now, condition by condition, each a select over rows that others keep; `timeline` writes it down.

To add a condition, add an entry to CONDITIONS: its select gives one row per incident, (subject, text, remedy).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from imsys.conf.sql import fetch
from imsys.fleet.records import PASSWORDS_HIDDEN
from imsys.fleet.selectors import WORKER_FRESH_S
from imsys.reconcile import guard
from imsys.timeline import incidents, notify
from imsys.timeline.incidents import Found, Settled
from imsys.timeline.messages import Wording
from imsys.timeline.models import Severity

SEND_TASK = "send_notifications"
NO_WORKER_PATIENCE_S = 30.0
STALLED_PATIENCE_S = 60.0
"""Workers that were away for long find much overdue, and begin with it at once."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`sql` may use the names of `_parameters`. `patience_s`: so long an incident lasts before anybody is told."""

    kind: str
    severity: Severity
    sql: str
    wording: Wording
    patience_s: float = 0.0


# A paused router is left alone, also by this.
ROUTERS = "from network_router r join network_routerstate s on s.router_id = r.id where r.mode <> 'paused'"

CONDITIONS = (
    Condition(
        "router-down",
        Severity.CRITICAL,
        f"""
        select r.name, r.name || ' is down. ' || s.condition_text, s.remedy {ROUTERS}
          and s.is_reachable is false and s.condition_since <= now() - make_interval(secs => %(down_s)s)
        """,
        Wording("routers are down", "is no longer down", "routers are no longer down"),
    ),
    Condition(
        "router-refused",
        Severity.CRITICAL,
        f"""
        select r.name, r.name || ' cannot be worked on. ' || s.condition_text, s.remedy {ROUTERS}
          and s.is_reachable and s.condition <> '' and s.condition <> all(%(held)s) and s.condition <> %(hidden)s
        """,
        Wording("routers cannot be worked on", "can be worked on again", "routers can be worked on again"),
    ),
    Condition(
        "router-held",
        Severity.WARNING,
        """
        select router || case kind when 'expiry' then ' expiry' else '' end,
               jsonb_array_length(steps) || ' changes on ' || router || ' wait for a person. ' || text,
               'See and decide: imsys hold list'
        from timeline_hold where state = 'waiting'
        """,
        Wording("routers have changes that wait for a person", "has nothing held any more", "have none any more"),
    ),
    # Drift is put back however much it is; that much of it was no single hand in Winbox.
    Condition(
        "much-repaired",
        Severity.WARNING,
        """
        select r.name, 'On ' || r.name || ' somebody changed ' || sum(u.repaired)
               || ' rows within the hour, and they were put back.', 'See who: imsys events --router ' || r.name
        from fleet_run u join network_router r on r.id = u.router_id
        where u.ended_at > now() - interval '1 hour'
        group by r.id having max(u.repaired) >= 20 and max(u.repaired) >= max(u.subscribers) * 0.05
        """,
        Wording("routers had many rows put back", "has been left alone for an hour", "have been left alone"),
    ),
    # However many rows a script changes back, it is one thing to look into.
    Condition(
        "fight",
        Severity.WARNING,
        """
        select r.name || ' ' || f.menu || ' ' || f.field,
               'On ' || r.name || ' ' || f.field || ' of ' || min(f.key) || ' in ' || f.menu
               || case when count(*) > 1 then ' and of ' || count(*) - 1 || ' more' else '' end
               || ' is changed back by ' || coalesce(string_agg(distinct nullif(f.who, ''), ' and '), 'somebody')
               || ' each time it is put right, since '
               || to_char(min(f.begun_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC: it is '
               || coalesce(nullif((array_agg(f.found order by f.key))[1], ''), 'nothing') || ' and should be '
               || coalesce(nullif((array_agg(f.wanted order by f.key))[1], ''), 'nothing') || '.',
               'Stop whatever changes it, or want what it wants; see imsys fight list --router ' || r.name
        from fleet_fight f join network_router r on r.id = f.router_id
        where f.begun_at is not null and f.over_at > now() and r.mode <> 'paused'
        group by r.id, f.menu, f.field
        """,
        Wording("fields are changed back each time", "is left alone again", "are left alone again"),
    ),
    Condition(
        "passwords-hidden",
        Severity.INFO,
        f"""
        select r.name, r.name || ' hides its passwords. ' || s.condition_text, s.remedy {ROUTERS}
          and s.is_reachable is not false and s.condition = %(hidden)s
        """,
        Wording("routers hide their passwords", "shows its passwords again", "routers show their passwords again"),
    ),
    Condition(
        "subscriber-errors",
        Severity.WARNING,
        """
        select r.name || ' ' || y.error_code,
               count(*) || case when count(*) = 1 then ' subscriber on ' else ' subscribers on ' end || r.name
               || case when count(*) = 1 then ' is' else ' are' end || ' in error (' || y.error_code || '). '
               || min(y.sync_error),
               'See them: imsys subscriber list --status error --router ' || r.name
        from subscribers_syncstate y join network_router r on r.id = y.router_id
        join subscribers_subscriber u on u.id = y.subscriber_id
        where y.sync_status = 'error' and (r.mode = 'enforce' or (r.mode = 'observe' and u.is_enforced))
        group by r.id, y.error_code
        """,
        Wording("kinds of subscribers' errors", "has ended", "kinds of subscribers' errors have ended"),
    ),
    Condition(
        "frozen",
        Severity.WARNING,
        """
        select 'The fleet', 'Nothing has been written to any router for over a day: frozen by ' || f.by || ', '
               || f.reason, 'If that is over: imsys thaw'
        from network_freeze f where f.since <= now() - make_interval(days => 1)
        """,
        Wording("fleets have been frozen for over a day", "is no longer frozen", "fleets are no longer frozen"),
    ),
    # Work that a keeper should have looked at long ago, on a router where nothing at all has come to an end since.
    Condition(
        "nothing-synced",
        Severity.CRITICAL,
        """
        select d.name, 'Nothing has been synced on ' || d.name || ' for ' || %(stalled_m)s || ' minutes, though '
               || d.due || ' due.', 'Look at the worker''s log and at: imsys status'
        from (
            select r.id, r.name,
                   count(*) || case when count(*) = 1 then ' subscriber is' else ' subscribers are' end as due
            from subscribers_syncstate y
            join network_router r on r.id = y.router_id join network_routerstate s on s.router_id = r.id
            where y.sync_status <> 'synced' and y.next_attempt_at <= now() - make_interval(mins => %(stalled_m)s)
              and r.mode = 'enforce' and s.is_reachable and s.condition = ''
            group by r.id
        ) d
        where not exists (
            select 1 from subscribers_syncstate y
            where y.router_id = d.id and y.last_synced_at > now() - make_interval(mins => %(stalled_m)s)
        )
        """,
        Wording("routers have had nothing synced", "is synced again", "routers are synced again"),
        patience_s=STALLED_PATIENCE_S,
    ),
    Condition(
        "no-worker",
        Severity.CRITICAL,
        """
        select 'The fleet', 'No worker keeps the routers: changes wait, and nothing is repaired.',
               'Start one: imsys serve, or imsys worker'
        where exists (select 1 from network_router where mode <> 'paused')
          and not exists (select 1 from fleet_worker where seen_at > now() - make_interval(secs => %(worker_fresh_s)s))
        """,
        Wording("fleets are without a worker", "has a worker again", "fleets have workers again"),
        patience_s=NO_WORKER_PATIENCE_S,
    ),
)
WORDINGS: Mapping[str, Wording] = {condition.kind: condition.wording for condition in CONDITIONS}


def _parameters() -> dict[str, Any]:
    return {
        "down_s": settings.NOTIFY_DOWN_S,
        "stalled_m": settings.NOTIFY_STALLED_MINUTES,
        "worker_fresh_s": WORKER_FRESH_S,
        "held": list(guard.HELD),
        "hidden": PASSWORDS_HIDDEN,
    }


@transaction.atomic
def look() -> Settled:
    """Bring the incidents in line with what is wrong now, and have people told where there is something to tell."""
    parameters = _parameters()
    found = [
        Found(one.kind, subject, one.severity, text, remedy, one.patience_s)
        for one in CONDITIONS
        for subject, text, remedy in fetch(one.sql, parameters)
    ]
    settled = incidents.settle(found)
    if notify.has_news():
        _enqueue()
    return settled


def _enqueue() -> None:
    try:
        with transaction.atomic():  # of its own, so that a refused job leaves the rest in place
            app.configure_task(SEND_TASK, queueing_lock=SEND_TASK).defer()
    except AlreadyEnqueued:
        pass


def send_due() -> int:
    """The number of messages sent."""
    return notify.send_due(WORDINGS)
