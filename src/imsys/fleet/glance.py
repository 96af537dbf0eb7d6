"""A short look at who is online and who is cut: the facts behind the enforcement gap, and hints of tampering.

A hint says where to look, no more: the run that follows reads the rows and decides.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from imsys.fleet.intake import RouterRow
from imsys.fleet.observer import Observer
from imsys.fleet.records import Facts
from imsys.reconcile.kinds import SECRET


@dataclass(frozen=True, slots=True)
class Glance:
    """Names as the router lists them. `cut`: disabled, or in the walled garden where that is how it suspends.

    `rows`: the number of secrets; another one than before means that somebody made or removed some.
    """

    online: frozenset[str]
    sessions: int
    cut: frozenset[str]
    rows: int


async def glance(observer: Observer, router: RouterRow) -> Glance:
    """Three small answers: all sessions, the names of the rows that are cut, and how many rows there are."""
    if router.suspend_by == "profile":
        query = f"?profile={router.suspend_profile}"
    else:
        query = "?disabled=true"
    sessions, cut, rows = await asyncio.gather(
        observer.all_sessions(),
        observer.client.print(SECRET.menu, proplist=("name",), queries=(query,)),
        observer.client.count(SECRET.menu),
    )
    names = frozenset(session.name for session in sessions)
    return Glance(names, len(sessions), frozenset(row.get("name", "") for row in cut), rows)


def facts(seen: Glance, *, suspended: Collection[str], entitled: Collection[str], by_profile: bool) -> Facts:
    """`entitled`: of the names that are cut, those whose subscribers may be online.

    Under a walled garden a suspended subscriber's session is legal once the row is in it.
    """
    unlawful = (seen.online & set(suspended)) - (seen.cut if by_profile else frozenset())
    return Facts(online=seen.sessions, suspended_online=len(unlawful), entitled_cut=len(set(entitled)))


def suspects(seen: Glance, *, suspended: Collection[str], entitled: Collection[str], by_profile: bool) -> set[str]:
    """Whom to look at: suspended but not cut, cut but entitled, online without the right."""
    at_large = set(suspended) - seen.cut
    online = set() if by_profile else seen.online & set(suspended)
    return at_large | set(entitled) | online
