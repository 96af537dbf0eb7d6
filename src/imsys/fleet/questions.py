"""The SQL with which a keeper asks what one router should have. Reads only."""

# `has_ghosts`: there is something to take away now. What a subscriber left behind may go once it is made elsewhere.
LOOK = """
select r.id as router_id, r.name, r.host, r.port, r.username, r.password_sealed, r.tls, r.tls_fingerprint, r.mode,
       r.suspend_by, r.suspend_profile, r.suspend_list, r.pace_per_s, r.kicks_per_s, r.window, r.window_zone,
       r.unmanaged, m.has_unmanaged, m.decided_at as unmanaged_decided_at, m.quarantined,
       exists (select 1 from network_freeze) as is_frozen,
       case when r.mode = 'observe' then array(select u.username from subscribers_subscriber u
                                               where u.router_id = r.id and u.is_enforced) else '{}' end as singles,
       s.condition, s.serial as known_serial, s.next_attempt_at, s.resync_due_at, s.resync_asked_at,
       exists (select 1 from timeline_hold h where h.router_id = r.id and h.state <> 'over') as has_holds, r.caps,
       exists (select 1 from fleet_fight f where f.router_id = r.id and f.over_at > now()) as has_fights,
       d.next_due_at, d.unsynced, o.other_services, l.uses_list,
       exists (select 1 from fleet_placement p
               where p.router_id = r.id and p.subscriber_id is null and p.package_id is null and p.gone_at is null
                 and (not p.is_shared or not l.uses_list or p.key <> r.suspend_list))
       or exists (select 1 from subscribers_package k join fleet_placement p on p.package_id = k.id
                  where p.router_id = r.id and k.profile <> '')
       or exists (select 1 from subscribers_departure e
                  join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
                  join subscribers_subscriber u on u.id = e.subscriber_id
                  where e.router_id = r.id and (y.made_at is not null or u.is_suspended)) as has_ghosts,
       exists (select 1 from subscribers_departure) as has_departures
from network_router r join network_routerstate s on s.router_id = r.id,
lateral (select min(y.next_attempt_at) as next_due_at, count(*) as unsynced from subscribers_syncstate y
         where y.router_id = r.id and y.sync_status <> 'synced') d,
lateral (select array(select distinct u.service from subscribers_subscriber u
                      where u.router_id = r.id and u.service <> 'pppoe' order by 1) as other_services) o,
lateral (select 'static' = any(o.other_services)
                or (r.suspend_by = 'address-list'
                    and exists (select 1 from subscribers_subscriber u where u.router_id = r.id)) as uses_list) l,
lateral (select count(*) > 0 as has_unmanaged, max(m.decided_at) as decided_at,
                coalesce(array_agg(m.key) filter (
                    where m.gone_at is null and m.is_disabled and m.menu = '/ppp/secret'
                      and coalesce(nullif(m.decision, ''), r.unmanaged) = 'quarantine'), '{}') as quarantined
         from fleet_unmanaged m where m.router_id = r.id) m
where r.id = %s
"""

STANCE = """
select r.window, r.window_zone, exists (select 1 from network_freeze),
       r.mode = %(mode)s and r.unmanaged = %(unmanaged)s and r.caps = %(caps)s::jsonb
       and (select max(m.decided_at) from fleet_unmanaged m where m.router_id = r.id)
           is not distinct from %(decided_at)s::timestamptz,
       case when r.mode = 'observe' then array(select u.username from subscribers_subscriber u
                                               where u.router_id = r.id and u.is_enforced) else '{}' end
from network_router r where r.id = %(router)s
"""

# By way of the subscribers, whose router is indexed: the other way reads the states of every router.
ALL = """
select s.id, s.username, y.generation, y.applied_generation, s.package_id, s.address, s.is_suspended,
       s.password_mac, y.kick_owed, y.attempts, y.sync_status = 'synced',
       y.error_code, y.applied_mac, s.service, s.mac, y.has_lock, y.applied_at, s.is_enforced
from subscribers_subscriber s join subscribers_syncstate y on y.subscriber_id = s.id
where s.router_id = %(router)s
"""
# The ids as one array, found by indexes, so that no plan can begin anywhere else. Whoever is named and waits after a
# failure waits on: a hint is no reason to try again at once.
AMONG_THE_DUE = """
and s.id = any(array(
    select d.subscriber_id from subscribers_syncstate d
    where d.router_id = %(router)s and d.sync_status <> 'synced' and d.next_attempt_at <= %(now)s
    union
    select n.id from subscribers_subscriber n join subscribers_syncstate y on y.subscriber_id = n.id
    where n.router_id = %(router)s and n.username = any(%(names)s)
      and (y.sync_status = 'synced' or y.next_attempt_at <= %(now)s)
))
order by s.id limit %(limit)s
"""
DUE = ALL + AMONG_THE_DUE

PACKAGES = """
select p.id, case when p.profile = '' then p.name else p.profile end, p.profile = '', p.rate_limit,
       p.shared_users, p.limit_uptime, p.limit_bytes
from subscribers_package p where p.id = any(%s)
"""

UNOWNED = """
select menu, key, is_shared, gone_at is not null, null::bigint, gone_mark, is_asked from fleet_placement
where router_id = %(router)s and subscriber_id is null and package_id is null
union all
select p.menu, p.key, false, false, p.package_id, '', true
from subscribers_package k join fleet_placement p on p.package_id = k.id
where p.router_id = %(router)s and k.profile <> ''
order by 1, 2
"""

# What subscribers who moved away have left here, once they are made elsewhere or may be online nowhere.
LEFT = """
select p.menu, p.key, p.subscriber_id
from subscribers_departure e
join fleet_placement p on p.router_id = e.router_id and p.subscriber_id = e.subscriber_id
join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
join subscribers_subscriber u on u.id = e.subscriber_id
where e.router_id = %s and (y.made_at is not null or u.is_suspended) order by p.menu, p.key
"""

OWNED_IN = """
select menu, key from fleet_placement where router_id = %s and subscriber_id is not null and menu = any(%s)
"""

DECIDED = "select menu, key, decision from fleet_unmanaged where router_id = %s and decision <> ''"

# Also of somebody who was added since the intent was loaded, such as all who were just adopted.
OWNED_LOGINS = """
select menu, key from fleet_placement
where router_id = %(router)s and subscriber_id is not null and menu = any(%(menus)s)
union select %(secrets)s, username from subscribers_subscriber where router_id = %(router)s and service = 'pppoe'
union select %(hotspot)s, username from subscribers_subscriber where router_id = %(router)s and service = 'hotspot'
"""

# Of these places, those that are somebody else's.
OF_OTHERS = """
select p.menu, p.key from fleet_placement p
join unnest(%(menus)s::text[], %(keys)s::text[]) as v(menu, key) on v.menu = p.menu and v.key = p.key
where p.router_id = %(router)s and p.subscriber_id is not null and p.subscriber_id <> all(%(ids)s::bigint[])
"""

PLACED_OF = """
select subscriber_id, menu, key from fleet_placement where router_id = %s and subscriber_id = any(%s)
"""

# Who may still be online on the router that they left: it can be worked on, and has had little time to let them go.
HELD_BACK = """
select distinct e.subscriber_id
from subscribers_departure e
join subscribers_subscriber u on u.id = e.subscriber_id and u.router_id = %(router)s
join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
join network_router r on r.id = e.router_id and r.mode = 'enforce'
join network_routerstate t on t.router_id = e.router_id and t.is_reachable and t.failures = 0
where exists (select 1 from fleet_placement p
              where p.router_id = e.router_id and p.subscriber_id = e.subscriber_id)
  and (y.made_at is null or y.made_at > %(now)s - make_interval(secs => %(wait_s)s))
"""

SUSPENDED = """
select id, username, package_id, address, service, mac from subscribers_subscriber
where router_id = %s and is_suspended
"""

# An address means somebody only where the list is how they are cut off.
ENTITLED = """
select u.username from subscribers_subscriber u join network_router r on r.id = u.router_id
where u.router_id = %s and not u.is_suspended
  and (u.username = any(%s)
       or (u.address = any(%s) and (u.service = 'static' or r.suspend_by = 'address-list')))
"""
FIGHTS = """
select menu, key, field, repaired_at, pauses, paused_until, begun_at, who, found, wanted
from fleet_fight where router_id = %s and over_at > now()
"""

PLACED = """
select menu, count(*) from fleet_placement
where router_id = %s and (subscriber_id is not null or package_id is not null) group by menu
"""
# Rows that were taken away lately and that nobody is known to have asked for.
RECENT = """
select count(*) from fleet_placement
where router_id = %s and menu = any(%s) and subscriber_id is null and package_id is null and gone_at is not null
  and not is_asked and not is_shared
"""
CUSTOMERS = "select count(*) from fleet_placement where router_id = %s and menu = any(%s) and gone_at is null"
PASSWORDS = """
select id, password_sealed from subscribers_subscriber where id = any(%s) and password_sealed is not null
"""

DUE_ROUTERS = """
select distinct y.router_id from subscribers_syncstate y
where y.sync_status <> 'synced' and y.next_attempt_at <= %(now)s and y.router_id = any(%(mine)s)
union select router_id from network_routerstate where resync_due_at <= %(now)s and router_id = any(%(mine)s)
union select router_id from fleet_placement
      where subscriber_id is null and package_id is null and not is_shared and gone_at is null
        and router_id = any(%(mine)s)
union select e.router_id from subscribers_departure e
      join subscribers_syncstate y on y.subscriber_id = e.subscriber_id
      join subscribers_subscriber u on u.id = e.subscriber_id
      where e.router_id = any(%(mine)s) and (y.made_at is not null or u.is_suspended)
"""
