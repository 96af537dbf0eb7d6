"""The SQL with which a keeper records. Rows are locked in key order; each statement runs under the lease's fence."""

FENCE = """
select 1 from fleet_lease where router_id = %s and owner = %s and epoch = %s and until > now() for share
"""

# A row without an owner is the router's own.
PLACE = """
insert into fleet_placement (router_id, menu, key, subscriber_id, package_id, is_shared)
select %(router)s, v.menu, v.key, v.subscriber_id, v.package_id, v.subscriber_id is null and v.package_id is null
from unnest(%(menus)s::text[], %(keys)s::text[], %(subscribers)s::bigint[], %(packages)s::bigint[])
     as v(menu, key, subscriber_id, package_id)
where (v.subscriber_id is null
       or exists (select 1 from subscribers_subscriber s where s.id = v.subscriber_id and s.router_id = %(router)s))
  and (v.package_id is null or exists (select 1 from subscribers_package p where p.id = v.package_id))
order by v.subscriber_id, v.package_id, v.menu, v.key
on conflict (router_id, menu, key) do update
set subscriber_id = excluded.subscriber_id, package_id = excluded.package_id, is_shared = excluded.is_shared,
    is_asked = false, gone_at = null
where (fleet_placement.subscriber_id, fleet_placement.package_id, fleet_placement.is_shared)
      is distinct from (excluded.subscriber_id, excluded.package_id, excluded.is_shared)
   or fleet_placement.gone_at is not null
"""

# Of somebody who is only observed: what is known of the row already stands.
ADOPT = """
insert into fleet_placement (router_id, menu, key, subscriber_id)
select %(router)s, v.menu, v.key, v.subscriber_id
from unnest(%(menus)s::text[], %(keys)s::text[], %(subscribers)s::bigint[]) as v(menu, key, subscriber_id)
where exists (select 1 from subscribers_subscriber s where s.id = v.subscriber_id and s.router_id = %(router)s)
order by v.subscriber_id, v.menu, v.key
on conflict (router_id, menu, key) do update
set subscriber_id = excluded.subscriber_id, is_asked = false, gone_at = null
where fleet_placement.gone_at is not null
"""

PLACED_KEYS = """
select menu, key from fleet_placement
where router_id = %s and (subscriber_id = any(%s) or package_id = any(%s) or is_shared)
"""

CLAIM = """
with gone as (
    delete from fleet_placement p
    using unnest(%s::text[], %s::text[], %s::bigint[]) as v(menu, key, subscriber_id)
    where p.router_id = %s and p.menu = v.menu and p.key = v.key and p.subscriber_id is distinct from v.subscriber_id
    returning v.subscriber_id
)
select distinct subscriber_id from gone
"""

# Whose row was another subscriber's until now.
TAKEN_OVER = """
select distinct v.subscriber_id
from unnest(%s::text[], %s::text[], %s::bigint[]) as v(menu, key, subscriber_id)
join fleet_placement p on p.menu = v.menu and p.key = v.key and p.router_id = %s
where p.subscriber_id is distinct from v.subscriber_id and p.gone_at is null
"""

# In one update: a row that a transaction updates twice has its foreign key checked at commit, and that locks the
# subscriber after its sync state, which is the wrong way round.
OWE = """
with locked as (
    select subscriber_id from subscribers_syncstate
    where (subscriber_id = any(%(kicks)s::bigint[]) and not kick_owed)
       or (subscriber_id = any(%(locks)s::bigint[]) and not has_lock)
    order by subscriber_id for update
)
update subscribers_syncstate y
set kick_owed = y.kick_owed or y.subscriber_id = any(%(kicks)s::bigint[]),
    has_lock = y.has_lock or y.subscriber_id = any(%(locks)s::bigint[])
from locked where y.subscriber_id = locked.subscriber_id
"""

# Those of whom a run tells and those who left the router, all at once: one after the other, the order would not hold.
LOCK_STATES = """
select 1 from subscribers_syncstate
where subscriber_id = any(array(
    select unnest(%s::bigint[]) union select subscriber_id from subscribers_departure where router_id = %s
))
order by subscriber_id for update
"""

KICKED = """
with locked as (
    select subscriber_id from subscribers_syncstate where subscriber_id = any(%s::bigint[]) and kick_owed
    order by subscriber_id for update
)
update subscribers_syncstate y set kick_owed = false from locked where y.subscriber_id = locked.subscriber_id
"""

# All of `v` comes through `locked`: joined once more, by a guess of few rows, each would be compared with each.
OUTCOMES = """
with locked as (
    select v.* from subscribers_syncstate y
    join unnest(%(ids)s::bigint[], %(generations)s::int[], %(statuses)s::text[], %(codes)s::text[],
                %(texts)s::text[], %(retries)s::timestamptz[], %(applied)s::bool[], %(failed)s::bool[],
                %(made)s::bool[], %(kicked)s::bool[], %(locks)s::bool[], %(passwords)s::bytea[])
         as v(id, generation, status, code, text, retry_at, is_applied, is_failure, is_made, is_kicked, has_lock,
              password_mac)
    on v.id = y.subscriber_id and v.generation = y.generation
    order by y.subscriber_id for update of y
)
update subscribers_syncstate y set
    sync_status = v.status, error_code = v.code, sync_error = v.text, next_attempt_at = v.retry_at,
    applied_at = case when v.is_applied then %(now)s else y.applied_at end,
    attempts = case when v.status = 'synced' then 0 when v.is_failure then y.attempts + 1 else y.attempts end,
    applied_generation = case when v.status = 'synced' then v.generation else y.applied_generation end,
    last_synced_at = case when v.status = 'synced' then %(now)s else y.last_synced_at end,
    kick_owed = y.kick_owed and not (v.status = 'synced' or v.is_kicked),
    has_lock = case when v.status = 'synced' then v.has_lock else y.has_lock end,
    applied_mac = coalesce(v.password_mac, y.applied_mac),
    made_at = case when v.status = 'synced' or v.is_made then coalesce(y.made_at, %(now)s) else y.made_at end
from locked v where y.subscriber_id = v.id and y.generation = v.generation
"""

# Rows that came and went are remembered for a while; sessions never come back.
FORGET = """
update fleet_placement p
set subscriber_id = null, package_id = null, is_shared = false, gone_at = coalesce(p.gone_at, %(now)s),
    gone_mark = v.mark, is_asked = p.is_asked or v.is_owned
from (
    select p.id, v.mark, v.subscriber_id is not null or v.package_id is not null as is_owned
    from unnest(%(menus)s::text[], %(keys)s::text[], %(subscribers)s::bigint[], %(packages)s::bigint[],
                %(marks)s::text[]) as v(menu, key, subscriber_id, package_id, mark)
    join fleet_placement p on p.router_id = %(router)s and p.menu = v.menu and p.key = v.key
     and p.subscriber_id is not distinct from v.subscriber_id and p.package_id is not distinct from v.package_id
    order by p.id for update of p
) v
where p.id = v.id
"""
FORGET_GONE = """
delete from fleet_placement
where router_id = %(router)s and subscriber_id is null and package_id is null and gone_at is not null
  and (menu = any(%(sessions)s) or gone_at < %(now)s - make_interval(secs => %(keep_s)s))
"""
FORGET_AT_ONCE = """
delete from fleet_placement p using unnest(%s::text[], %s::text[]) as v(menu, key)
where p.router_id = %s and p.menu = v.menu and p.key = v.key and p.gone_at is not null
"""

# Whoever left this router and has nothing on it any more; where they are now, they may be waiting for that.
CLEARED = """
with locked as (
    select y.subscriber_id
    from subscribers_departure e join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
    where e.router_id = %(router)s
      and not exists (select 1 from fleet_placement p
                      where p.router_id = e.router_id and p.subscriber_id = e.subscriber_id)
    order by y.subscriber_id for update of y
), cleared as (
    delete from subscribers_departure e using locked
    where e.router_id = %(router)s and e.subscriber_id = locked.subscriber_id
), due as (
    update subscribers_syncstate y set next_attempt_at = now() from locked
    where y.subscriber_id = locked.subscriber_id and y.sync_status = 'pending'
    returning y.router_id
)
select distinct router_id from due
"""

LEFT_BY = "select distinct router_id from subscribers_departure where subscriber_id = any(%s)"

# Rows that nobody owns, as a whole read shows them. What is not among them is gone, or somebody's by now.
SIGHTINGS = """
insert into fleet_unmanaged (router_id, menu, key, is_disabled, is_live, shown, first_seen_at, last_seen_at)
select %(router)s, v.menu, v.key, v.is_disabled, v.is_live, v.shown, %(now)s, %(now)s
from unnest(%(menus)s::text[], %(keys)s::text[], %(disabled)s::bool[], %(live)s::bool[], %(shown)s::jsonb[])
     as v(menu, key, is_disabled, is_live, shown)
order by v.menu, v.key
on conflict (router_id, menu, key) do update
set is_disabled = excluded.is_disabled, is_live = excluded.is_live, shown = excluded.shown,
    last_seen_at = excluded.last_seen_at, gone_at = null
"""
OUT_OF_SIGHT = """
update fleet_unmanaged set gone_at = %(now)s, is_live = false
where router_id = %(router)s and gone_at is null and last_seen_at < %(now)s
"""
FORGET_STRAYS = """
delete from fleet_unmanaged
where router_id = %(router)s and gone_at < %(now)s - make_interval(secs => %(keep_s)s)
  and (decision in ('', 'remove') or gone_at < %(now)s - interval '30 days')
"""

EVENTS = """
insert into timeline_event (at, actor, what, subscriber_id, username, router_id, router, before, after, cause, note)
select %(now)s, v.actor, v.what, v.subscriber_id, v.username, %(router)s, %(router_name)s, v.before, v.after, v.cause,
       v.note
from unnest(%(actors)s::text[], %(whats)s::text[], %(subscribers)s::bigint[], %(usernames)s::text[],
            %(befores)s::jsonb[], %(afters)s::jsonb[], %(causes)s::text[], %(notes)s::text[])
     as v(actor, what, subscriber_id, username, before, after, cause, note)
"""

END_FIGHTS = """
delete from fleet_fight f using unnest(%s::text[], %s::text[], %s::text[]) as v(menu, key, field)
where f.router_id = %s and f.menu = v.menu and f.key = v.key and f.field = v.field
"""

# An array of arrays would be one long column to unnest, so each comes as its text.
FIGHTS = """
insert into fleet_fight (router_id, menu, key, field, repaired_at, pauses, paused_until, begun_at, over_at, who, found,
                         wanted)
select %(router)s, v.menu, v.key, v.field, v.repaired_at::timestamptz[], v.pauses, v.paused_until, v.begun_at,
       v.over_at, v.who, v.found, v.wanted
from unnest(%(menu)s::text[], %(key)s::text[], %(field)s::text[], %(repaired_at)s::text[], %(pauses)s::int[],
            %(paused_until)s::timestamptz[], %(begun_at)s::timestamptz[], %(over_at)s::timestamptz[], %(who)s::text[],
            %(found)s::text[], %(wanted)s::text[])
     as v(menu, key, field, repaired_at, pauses, paused_until, begun_at, over_at, who, found, wanted)
order by v.menu, v.key, v.field
on conflict (router_id, menu, key, field) do update
set repaired_at = excluded.repaired_at, pauses = excluded.pauses, paused_until = excluded.paused_until,
    begun_at = excluded.begun_at, over_at = excluded.over_at, who = excluded.who, found = excluded.found,
    wanted = excluded.wanted
"""

RUN = """
insert into fleet_run (router_id, kind, worker, started_at, ended_at, result, note, subscribers, drifted, repaired,
                       unmanaged, commands, writes, rows)
values (%(router)s, %(kind)s, %(owner)s, %(started_at)s, %(now)s, %(result)s, %(note)s, %(subscribers)s, %(drifted)s,
        %(repaired)s, %(unmanaged)s, %(commands)s, %(writes)s, %(rows)s)
"""

RESYNCED = """
update network_routerstate set last_resync_at = %(now)s, last_seen_at = %(now)s,
       is_reachable = true, failures = 0, next_attempt_at = null,
       hides_passwords = coalesce(%(hides)s, hides_passwords),
       serial = case when serial = '' or %(accepts)s then %(serial)s else serial end,
       resync_due_at = case when resync_asked_at is not distinct from %(asked_at)s then %(next)s else %(now)s end,
       resync_asked_at = case when resync_asked_at is not distinct from %(asked_at)s then null else resync_asked_at end
where router_id = %(router)s
"""

CONDITION = """
update network_routerstate set condition = %(code)s, condition_text = %(text)s, remedy = %(remedy)s,
       condition_since = case when condition = %(code)s then condition_since
                              when %(code)s = '' then null else %(now)s end
where router_id = %(router)s
"""

# What a resync found stays until the next one; what kept us out is over.
REACHED = """
update network_routerstate set is_reachable = true, failures = 0, next_attempt_at = null, last_seen_at = %(now)s,
       condition = case when condition = any(%(lasting)s) then condition else '' end,
       condition_text = case when condition = any(%(lasting)s) then condition_text else '' end,
       remedy = case when condition = any(%(lasting)s) then remedy else '' end,
       condition_since = case when condition = any(%(lasting)s) then condition_since end,
       identity = %(identity)s, version = %(version)s, board = %(board)s, booted_at = %(booted_at)s,
       serial = case when serial = '' then %(serial)s else serial end
where router_id = %(router)s
"""

# Another of ours at this very address that is known to be this very hardware. A serial number alone may be a copy's, as
# of virtual routers; an address alone may have been given to another router since.
SAME_SERIAL = """
select r.name from network_routerstate s join network_router r on r.id = s.router_id
join network_router me on me.id = %(router)s and lower(me.host) = lower(r.host) and me.port = r.port
where s.serial = %(serial)s and %(serial)s <> '' and s.router_id <> %(router)s and r.mode <> 'paused'
  and not exists (select 1 from network_routerstate m where m.router_id = %(router)s and m.serial = %(serial)s
                    and m.router_id < s.router_id)
order by r.id limit 1
"""

FAILED = """
update network_routerstate set is_reachable = %(is_reachable)s, failures = %(failures)s, next_attempt_at = %(retry_at)s,
       condition = %(code)s, condition_text = %(text)s, remedy = %(remedy)s,
       condition_since = case when condition = %(code)s then condition_since else %(now)s end
where router_id = %(router)s
"""

FACTS = """
insert into facts_routerfacts (router_id, read_at, online, suspended_online, entitled_cut, unmanaged)
values (%(router)s, %(now)s, %(online)s, %(suspended_online)s, %(entitled_cut)s, %(unmanaged)s)
on conflict (router_id) do update set read_at = excluded.read_at, online = excluded.online,
    suspended_online = excluded.suspended_online, entitled_cut = excluded.entitled_cut,
    unmanaged = coalesce(excluded.unmanaged, facts_routerfacts.unmanaged)
"""
