"""Reads for people and scripts: how far the routers follow intent, and what each run did."""

from datetime import datetime
from typing import Any

from imsys.billing.selectors import left_alone
from imsys.conf.sql import fetch
from imsys.fleet import inbox
from imsys.network.selectors import frozen
from imsys.reconcile import guard
from imsys.timeline.incidents import count_open

FACTS_FRESH_S = 60
WORKER_FRESH_S = 5

COUNTS = "select sync_status, count(*) from subscribers_syncstate group by sync_status"

OLDEST = """
select extract(epoch from now() - min(y.wanted_at))::float
from subscribers_syncstate y join network_router r on r.id = y.router_id
join subscribers_subscriber u on u.id = y.subscriber_id
where y.sync_status = 'pending' and (r.mode = 'enforce' or (r.mode = 'observe' and u.is_enforced))
"""

GAP = """
select sum(f.suspended_online)::int, sum(f.entitled_cut)::int, sum(f.online)::int,
       count(*) filter (where f.read_at is null or f.read_at < now() - make_interval(secs => %s)), count(*)
from network_router r left join facts_routerfacts f on f.router_id = r.id where r.mode = 'enforce'
"""

# Entitled, and without a row as far as is known: it was never made, or it vanished and is held or fought over.
WITHOUT_A_ROW = """
select count(*) from subscribers_syncstate y join subscribers_subscriber s on s.id = y.subscriber_id
join network_router r on r.id = s.router_id
where y.sync_status <> 'synced' and not s.is_suspended and r.mode = 'enforce'
  and (y.applied_generation = 0 or y.error_code = any(%s)
       or (y.error_code = 'Fight'
           and exists (select 1 from fleet_fight f where f.router_id = y.router_id and f.key = s.username
                                                     and f.field = 'row' and f.paused_until > now())))
"""

# By router, rows that may be taken away: of subscribers who were removed, or who moved away and are made elsewhere.
LEFT_OVER = """(
    select router_id, menu, key from fleet_placement
    where subscriber_id is null and package_id is null and not is_shared and gone_at is null
    union all
    select p.router_id, p.menu, p.key
    from subscribers_departure e
    join fleet_placement p on p.router_id = e.router_id and p.subscriber_id = e.subscriber_id
    join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
    join subscribers_subscriber u on u.id = e.subscriber_id
    where y.made_at is not null or u.is_suspended
)"""

# Of these, what stands on enforced routers that cannot be reached to take it off.
LEFT_BEHIND = f"""
select count(*)
from {LEFT_OVER} g
join network_router r on r.id = g.router_id join network_routerstate t on t.router_id = g.router_id
where r.mode = 'enforce' and t.is_reachable is false
"""  # noqa: S608 - a constant of ours

ROUTERS = """
select r.name, r.mode, s.condition, s.condition_text, s.remedy, s.condition_since, s.is_reachable, s.version,
       s.last_resync_at, s.last_seen_at, s.next_attempt_at, f.online, f.read_at, f.unmanaged,
       count(y.*) as subscribers,
       count(*) filter (where y.sync_status = 'pending') as pending,
       count(*) filter (where y.sync_status = 'error') as errors,
       (select count(*) from fleet_placement p
        where p.router_id = r.id and p.subscriber_id is null and p.package_id is null and not p.is_shared
          and p.gone_at is null) as ghosts,
       exists (select 1 from fleet_lease l where l.router_id = r.id and l.until > now()) as is_kept
from network_router r join network_routerstate s on s.router_id = r.id
left join facts_routerfacts f on f.router_id = r.id
left join subscribers_syncstate y on y.router_id = r.id
group by r.id, s.router_id, f.router_id order by r.name
"""
ROUTER_KEYS = (
    *("router", "mode", "condition", "condition_text", "remedy", "condition_since", "is_reachable", "version"),
    *("last_resync_at", "last_seen_at", "next_attempt_at", "online", "facts_at", "unmanaged", "subscribers"),
    *("pending", "errors", "ghosts", "is_kept"),
)

RUNS = """
select u.id, r.name, u.kind, u.started_at, u.ended_at, u.result, u.note, u.subscribers, u.drifted, u.repaired,
       u.unmanaged, u.commands, u.writes, u.rows
from fleet_run u join network_router r on r.id = u.router_id
where (%(router)s::text is null or r.name = %(router)s) order by u.id desc limit %(limit)s
"""
RUN_KEYS = (
    *("id", "router", "kind", "started_at", "ended_at", "result", "note", "subscribers", "drifted", "repaired"),
    *("unmanaged", "commands", "writes", "rows"),
)


def status() -> dict[str, Any]:
    """Sync counts, the enforcement gap, routers, open incidents and the oldest change still on its way.

    The gap is null until every enforced router has facts younger than FACTS_FRESH_S: a zero is earned.
    """
    counts = dict(fetch(COUNTS))
    routers = router_rows()
    return {
        "subscribers": {word: counts.get(word, 0) for word in ("pending", "synced", "error")},
        "gap": gap(),
        "oldest_pending_s": fetch(OLDEST)[0][0],
        "workers": live_workers(),
        "incidents": count_open(),
        "unmanaged": inbox.counts(),
        "expired_left_alone": left_alone(),
        "frozen": frozen(),
        "routers": routers,
    }


def gap() -> dict[str, int | None]:
    """Where what is enforced is not what should be. left_behind: rows that only wait for a router to be reachable."""
    suspended_online, entitled_cut, _, stale, routers = fetch(GAP, [FACTS_FRESH_S])[0]
    others = {"unknown_routers": stale, "left_behind": fetch(LEFT_BEHIND)[0][0]}
    if stale or not routers:
        return {"suspended_online": None, "entitled_cut": None, **others}
    without_a_row = fetch(WITHOUT_A_ROW, [list(guard.HELD)])[0][0]
    return {"suspended_online": suspended_online, "entitled_cut": entitled_cut + without_a_row, **others}


def router_rows() -> list[dict[str, Any]]:
    return [dict(zip(ROUTER_KEYS, row, strict=True)) for row in fetch(ROUTERS)]


def live_workers() -> int:
    query = "select count(*) from fleet_worker where seen_at > now() - make_interval(secs => %s)"
    return int(fetch(query, [WORKER_FRESH_S])[0][0])


def runs(router: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
    rows = fetch(RUNS, {"router": router, "limit": limit})
    return [dict(zip(RUN_KEYS, row, strict=True)) for row in rows]


FIGHTS = """
select f.id, r.name, f.menu, f.key, f.field, f.who, f.found, f.wanted, f.begun_at,
       f.repaired_at[cardinality(f.repaired_at)], f.pauses,
       case when f.paused_until > now() then f.paused_until end, f.over_at
from fleet_fight f join network_router r on r.id = f.router_id
where f.begun_at is not null and f.over_at > now() and (%(router)s::text is null or r.name = %(router)s)
order by r.name, f.menu, f.key, f.field
"""
FIGHT_KEYS = (
    *("id", "router", "menu", "key", "field", "who", "found", "wanted", "begun_at", "repaired_at", "pauses"),
    *("paused_until", "over_at"),
)


def fights(router: str | None = None) -> list[dict[str, Any]]:
    """The fights that go on. paused_until: null where the repair does not rest now."""
    return [dict(zip(FIGHT_KEYS, row, strict=True)) for row in fetch(FIGHTS, {"router": router})]


def database_now() -> datetime:
    now: datetime = fetch("select now()")[0][0]
    return now
