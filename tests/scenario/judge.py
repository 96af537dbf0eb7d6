"""What must be so at the end of a story, on both of its routers: each service's rows, and what they share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

from imsys.fleet.models import Placement
from imsys.subscribers.models import Departure, SyncState
from tests.scenario import judge_hotspot, judge_ppp, judge_static
from tests.scenario.sites import (
    BINDING,
    ENTRY,
    HOTSPOT_PROFILE,
    HOTSPOT_USER,
    LEASE,
    MANAGED,
    PPP_PROFILE,
    QUEUE,
    RULE,
    SECRET,
    Site,
)
from tests.scenario.story import OWNED, REFERRED, REFUSED, Tale, Wanted

Place = tuple[str, str]
Row = dict[str, str]
PROFILES = (PPP_PROFILE, HOTSPOT_PROFILE)
JUDGES = (judge_ppp.wrongs, judge_static.wrongs, judge_hotspot.wrongs)
LIVE = (*judge_ppp.LIVE, *judge_hotspot.LIVE)


@dataclass
class View:
    """One router of a story as it is now, beside what was asked for it."""

    tale: Tale
    number: int
    tables: dict[str, list[Row]]

    @cached_property
    def site(self) -> Site:
        return self.tale.sites[self.number]

    @cached_property
    def wanted(self) -> dict[str, Wanted]:
        return self.tale.on(self.number)

    def is_theirs(self, menu: str, row: Row) -> bool:
        place = (menu, row[".id"])
        return place in self.site.theirs or place in self.site.foreign

    def is_stuck(self, name: str) -> bool:
        """Does a row keep a former name, since its router refuses another value that goes with the new one?"""
        former = self.tale.former.get(name, ())
        return any(w.address == REFUSED and w in former for w in self.wanted.values())

    def static(self, menu: str) -> list[Row]:
        """The rows that stand by themselves."""
        return [row for row in self.tables[menu] if row.get("dynamic") != "true"]

    def of(self, service: str) -> dict[str, Wanted]:
        return {name: wanted for name, wanted in self.wanted.items() if wanted.service == service}


def wrongs(tale: Tale) -> list[str]:
    """What is not as it should be, a line each."""
    found = list(_states(tale))
    for number, site in enumerate(tale.sites):
        tables = tale.world.call(partial(_tables, site))
        view = View(tale, number, tables)
        lines = [*_foreign(view), *_placements(view), *tale.world.call(partial(_judged, view))]
        found += [f"{site.name}: {line}" for line in lines]
    return found


def _tables(site: Site) -> dict[str, list[Row]]:
    return {menu: site.router.table(menu).rows for menu in (*MANAGED, *LIVE)}


def _judged(view: View) -> list[str]:
    return [line for judge in JUDGES for line in judge(view)]


def _states(tale: Tale) -> Iterator[str]:
    names = [site.name for site in tale.sites]
    columns = ("subscriber__username", "sync_status", "error_code", "generation", "applied_generation", "kick_owed")
    states = SyncState.objects.filter(subscriber__router__name__in=names).values_list(*columns)
    for name, status, code, generation, applied, is_kick_owed in states:
        causes = tale.causes(tale.wanted[name])
        if status != ("error" if causes else "synced") or code not in (causes or {""}):
            yield f"{name} is {status} {code}, causes: {causes}"
        elif status == "synced" and (generation != applied or is_kick_owed):
            yield f"{name} is synced at {applied} of {generation}, kick owed: {is_kick_owed}"
    left = Departure.objects.filter(router__name__in=names).values_list("subscriber__username", "router__name")
    yield from (f"{name} has not left {router}" for name, router in left)


def _foreign(view: View) -> Iterator[str]:
    there = {(menu, row[".id"]): row for menu in MANAGED for row in view.tables[menu]}
    for place, row in view.site.foreign.items():
        if there.get(place) != row:
            yield f"foreign {row} is {there.get(place)}"


def places(tale: Tale, name: str, wanted: Wanted) -> set[Place]:
    """Where a subscriber's rows stand."""
    entry = (ENTRY, f"{tale.sites[wanted.site].suspend_list} {wanted.address}")
    listed = {entry} if wanted.is_suspended and tale.way(wanted) == "address-list" else set()
    if wanted.service == "static":
        return {(QUEUE, name), *listed, *({(LEASE, wanted.address)} if wanted.mac else ())}
    if wanted.service == "hotspot":
        return {(HOTSPOT_USER, name), *({(BINDING, wanted.mac)} if wanted.mac else ())}
    return {(SECRET, name), *listed}


def _placements(view: View) -> Iterator[str]:
    """Each row of ours is known as ours, as its subscriber's or its package's; and nothing else is."""
    tale = view.tale
    columns = ("menu", "key", "subscriber__username", "package__name", "is_shared")
    placed = {
        (menu, key): owner or package or ("the router" if is_shared else None)
        for menu, key, owner, package, is_shared in Placement.objects.filter(
            router__name=view.site.name, menu__in=MANAGED, gone_at=None
        ).values_list(*columns)
    }
    wanted = {place: name for name, wanted in view.wanted.items() for place in places(tale, name, wanted)}
    in_error = {p for name, w in view.wanted.items() if tale.causes(w) for p in places(tale, name, w)}
    for place, owner in placed.items():
        if place[0] in PROFILES and owner in OWNED:
            continue  # kept until the package goes
        if place[0] == RULE:
            continue  # judged with what it drops
        if place[0] == SECRET and view.is_stuck(place[1]):
            continue
        if owner != wanted.get(place):
            yield f"placement {place} of {owner}, wanted by {wanted.get(place)}"
    profiles = {
        (view.site.profile_menus[w.service], w.package): w.package
        for w in view.wanted.values()
        if w.service in view.site.profile_menus and w.package != REFERRED
    }
    for place in (wanted | profiles).keys() - placed.keys() - in_error:
        yield f"no placement of {place}"
