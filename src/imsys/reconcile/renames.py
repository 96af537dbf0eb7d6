"""Which existing row becomes the one that is wanted: the subscriber's own under its old key, or one known by a mark.

Renaming in place keeps a row's counters, its comment and the session that lives by it. A name must be free before a
row can take it, so of a chain (A to B while B becomes C) the last goes first, and a circle is not renamed at all.
"""

from collections.abc import Collection, Mapping

from imsys.reconcile.desired import Desired, ResourceKey
from imsys.reconcile.intent import Intent
from imsys.reconcile.kinds import KINDS, Resource
from imsys.reconcile.observed import ObservedRow, Table


class Renames:
    """`source`: by wanted place, the row that is to become it. `waiting`: of those, places that are still taken."""

    def __init__(self, intent: Intent, wanted: Desired, observed: Mapping[str, Table]) -> None:
        self._intent, self._wanted, self._observed = intent, wanted, observed
        self.source: dict[ResourceKey, ObservedRow] = {}
        for place, resource in wanted.rows.items():
            row = self._row_for(resource)
            if row is not None:
                self.source[place] = row
        self._drop_circles()
        while blocked := {p for p in self.source if self._is_there(p)} - self._leaving():
            for place in blocked:  # somebody else's row has the name: that one is made right, and ours goes
                del self.source[place]
        self.leaving = self._leaving()
        self.waiting = {place for place in self.source if self._is_there(place)}

    def _leaving(self) -> set[ResourceKey]:
        """Places whose rows become another's."""
        return {(menu, row.key) for (menu, _), row in self.source.items() if not row.is_dynamic}

    def _row_for(self, resource: Resource) -> ObservedRow | None:
        kind, table = KINDS[resource.menu], self._observed.get(resource.menu)
        if table is None or not kind.can_rename:
            return None
        own = [key for menu, key in self._placed(resource) if menu == resource.menu and key != resource.key]
        for key in own:
            if key in table.rows and not self._is_wanted_as_it_is(resource.menu, key):
                return table.rows[key]
        if resource.key in table.rows:
            return None
        for alias in resource.aliases:
            row = table.aliased.get(alias)
            is_its_own = row is not None and row.key == resource.key  # a dynamic one, to be made static
            if row is not None and (is_its_own or not self._is_wanted_as_it_is(resource.menu, row.key)):
                return row
        return None

    def _placed(self, resource: Resource) -> Collection[ResourceKey]:
        return () if resource.subscriber_id is None else self._intent.placed.get(resource.subscriber_id, ())

    def _is_wanted_as_it_is(self, menu: str, key: str) -> bool:
        """Does the row's present key belong to somebody whose row it is?"""
        holder = self._wanted.rows.get((menu, key))
        if holder is None or holder.subscriber_id is None:
            return holder is not None
        placed = self._intent.placed.get(holder.subscriber_id)
        return placed is None or (menu, key) in placed  # of a synced subscriber, what it wants is what it has

    def _is_there(self, place: ResourceKey) -> bool:
        return place[1] in self._observed[place[0]].rows

    def _drop_circles(self) -> None:
        """Rows that would only change names among themselves stay, and each is made right where it is."""
        for start in list(self.source):
            seen, place = {start}, start
            while place in self.source and not self.source[place].is_dynamic:
                place = (place[0], self.source[place].key)
                if place == start:
                    for member in seen:
                        del self.source[member]
                    break
                if place in seen:
                    break
                seen.add(place)
