"""A short look at who is online and who is cut: the facts behind the enforcement gap, and hints of tampering.

A hint says where to look, no more: the run that follows reads the rows and decides.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from imsys.fleet.entries import Facts
from imsys.fleet.intake import RouterRow
from imsys.fleet.observer import Observer
from imsys.kit.text import storable
from imsys.reconcile.desired import ResourceKey, cut_by
from imsys.reconcile.intent import RouterIntent, SubscriberIntent
from imsys.reconcile.kinds import ADDRESS_LIST, DROP_RULE, HOTSPOT_USER, LOGIN_MENUS, SECRET
from imsys.reconcile.kinds.address_list import key_for, key_of, parts_of
from imsys.reconcile.kinds.base import is_disabled, is_dynamic
from imsys.reconcile.lines import LINES
from imsys.reconcile.sessions import ACTIVE, HOTSPOT_ACTIVE, LiveKey


@dataclass(frozen=True, slots=True)
class Glance:
    """What the router lists.

    cut: rows that cut somebody off: disabled logins, those in the walled garden, entries of the list.
    rows: the number of login rows; another one than before means that somebody made or removed some.
    is_list_effective: what comes from the list is really dropped.
    shut: PPP logins that are disabled, as a database would write them.
    """

    online: frozenset[LiveKey]
    sessions: int
    cut: frozenset[ResourceKey]
    rows: int
    is_list_effective: bool = True
    shut: frozenset[str] = frozenset()

    @property
    def cut_names(self) -> list[str]:
        return sorted({storable(key) for menu, key in self.cut if menu in LOGIN_MENUS.values()})

    @property
    def cut_addresses(self) -> list[str]:
        return sorted({parts_of(key)[1] for menu, key in self.cut if menu == ADDRESS_LIST.menu})


async def glance(observer: Observer, router: RouterRow) -> Glance:
    """A few small answers: sessions, the rows that cut somebody off, and how many rows there are."""
    looks = [_ppp(observer, router)]
    if "hotspot" in router.other_services:
        looks.append(_hotspot(observer))
    if router.uses_list:
        looks.append(_list(observer, router))
    seen = await asyncio.gather(*looks)
    return Glance(
        frozenset().union(*(look.online for look in seen)),
        sum(look.sessions for look in seen),
        frozenset().union(*(look.cut for look in seen)),
        sum(look.rows for look in seen),
        all(look.is_list_effective for look in seen),
        frozenset().union(*(look.shut for look in seen)),
    )


async def _ppp(observer: Observer, router: RouterRow) -> Glance:
    query = f"?profile={router.suspend_profile}" if router.suspend_by == "profile" else "?disabled=true"
    sessions, cut, rows = await asyncio.gather(
        observer.all_sessions(),
        observer.client.print(SECRET.menu, proplist=("name",), queries=(query,)),
        observer.client.count(SECRET.menu),
    )
    names = frozenset((SECRET.menu, row.get("name", "")) for row in cut)
    shut = cut
    if router.quarantined and router.suspend_by == "profile":
        shut = await observer.client.print(SECRET.menu, proplist=("name",), queries=("?disabled=true",))
    closed = frozenset(storable(row.get("name", "")) for row in shut)
    return Glance(frozenset(session.live_key for session in sessions), len(sessions), names, rows, shut=closed)


async def _hotspot(observer: Observer) -> Glance:
    sessions, users = await asyncio.gather(
        observer.all_sessions(HOTSPOT_ACTIVE), observer.rows(HOTSPOT_USER.menu, ("name", "server", "disabled"))
    )
    keys = ((HOTSPOT_USER.menu, HOTSPOT_USER.key_of(row) or "") for row in users if is_disabled(row))
    return Glance(frozenset(s.live_key for s in sessions), len(sessions), frozenset(keys), len(users))


async def _list(observer: Observer, router: RouterRow) -> Glance:
    """Who is on the list, and whether the rule that drops them stands where it works."""
    entries, rules = await asyncio.gather(
        observer.rows(ADDRESS_LIST.menu, ADDRESS_LIST.proplist, (f"?list={router.suspend_list}",)),
        observer.whole_table(DROP_RULE),
    )
    on_it = ((ADDRESS_LIST.menu, key_of(row) or "") for row in entries if not (is_disabled(row) or is_dynamic(row)))
    rule = rules.rows.get(router.suspend_list)
    above = rules.first_above(router.suspend_list, {}) if rules.first_above is not None else None
    is_effective = rule is not None and not rule.values["disabled"] and (above is None or above[0] > rule.place)
    return Glance(frozenset(), 0, frozenset(on_it), 0, is_effective)


def facts(seen: Glance, *, suspended: Sequence[SubscriberIntent], entitled: Collection[str], by: RouterIntent) -> Facts:
    """`entitled`: of those who are cut, the usernames of subscribers who may be online.

    Under a walled garden a suspended subscriber's session is legal once the row is in it. Of a static line nobody can
    tell whether it is online: one that could be, counts.
    """
    unlawful = sum(_is_unlawful(subscriber, seen, by) for subscriber in suspended)
    return Facts(online=seen.sessions, suspended_online=unlawful, entitled_cut=len(set(entitled)))


def suspects(
    seen: Glance, *, suspended: Sequence[SubscriberIntent], entitled: Collection[str], by: RouterIntent
) -> set[str]:
    """Whom to look at: suspended but not cut, cut but entitled, online without the right."""
    at_large = {s.username for s in suspended if not _is_cut(s, seen, by) or _is_unlawful(s, seen, by)}
    return at_large | set(entitled)


def _is_cut(subscriber: SubscriberIntent, seen: Glance, by: RouterIntent) -> bool:
    if cut_by(subscriber, by) == "address-list":
        key = (ADDRESS_LIST.menu, key_for(by.suspend_list, subscriber.address))
        return key in seen.cut and seen.is_list_effective
    return (LOGIN_MENUS[subscriber.service], subscriber.username) in seen.cut


def _is_unlawful(subscriber: SubscriberIntent, seen: Glance, by: RouterIntent) -> bool:
    way = cut_by(subscriber, by)
    if way == "disable":
        return not seen.online.isdisjoint(LINES[subscriber.service].live(subscriber, way))
    if way == "profile":
        return (ACTIVE.menu, subscriber.username) in seen.online and not _is_cut(subscriber, seen, by)
    return not _is_cut(subscriber, seen, by)
