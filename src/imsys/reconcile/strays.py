"""Logins on a router that nobody here owns: free internet, perhaps. People or the router's policy say what comes of it.

A row is nobody's when it is not desired, no placement and no ghost is about it, and it is not the router's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imsys.kit.text import storable
from imsys.reconcile.desired import Desired, ResourceKey
from imsys.reconcile.intent import Intent, Stray
from imsys.reconcile.kinds import HOTSPOT_USER, LOGINS
from imsys.reconcile.kinds.hotspot_user import ELSEWHERE
from imsys.reconcile.observed import Table
from imsys.reconcile.show import shown

BUILT_IN = frozenset({(HOTSPOT_USER.menu, "default-trial")})


@dataclass(frozen=True, slots=True)
class Sighting:
    """A stray row as it stands. `shown`: what it says, for people, without secrets."""

    menu: str
    key: str
    is_disabled: bool
    is_live: bool
    shown: Mapping[str, str]


def unmanaged(tables: Mapping[str, Table], wanted: Desired, intent: Intent) -> set[ResourceKey]:
    """Logins that this intent knows nothing of, be it that they have a placement all the same."""
    logins = {(kind.menu, key) for kind in LOGINS if kind.menu in tables for key in tables[kind.menu].rows}
    ours = {ghost.place for ghost in intent.ghosts if not ghost.is_gone}
    ours |= {place for places in intent.placed.values() for place in places}
    return logins - wanted.rows.keys() - ours - BUILT_IN


def wishes(places: Iterable[ResourceKey], decided: Mapping[ResourceKey, str], policy: str) -> list[Stray]:
    """What is to become of these rows: a person's decision counts for its row, the policy for all others."""
    found = []
    for menu, key in sorted(places):
        wish = decided.get((menu, storable(key)), "")
        if (wish or policy) != "keep":
            found.append(Stray(menu, key, wish or policy, is_asked=bool(wish)))
    return found


def name_of(key: str) -> str:
    """For people: of a login that is for one hotspot server, the server as well."""
    server, _, name = storable(key).rpartition(ELSEWHERE)
    return f"{name}@{server}" if server else name


def sightings(
    places: Iterable[ResourceKey], tables: Mapping[str, Table], live: Iterable[ResourceKey]
) -> list[Sighting]:
    """How they stand by the last read. live: the rows by whose right something is live."""
    alive = set(live)
    found = []
    for menu, key in sorted(places):
        row = tables[menu].rows.get(key) if menu in tables else None
        if row is not None:
            is_disabled = row.values["disabled"] is True
            values = {name: value for name, value in row.values.items() if name not in ("disabled", "password")}
            said = {name: text for name, text in shown(tables[menu].kind, values).items() if text}
            found.append(Sighting(menu, key, is_disabled, (menu, key) in alive, said))
    return found
