"""Makes rows ours: records them before they are written, and what must not be forgotten should the run end early.

Whose rows they are may change within a run, so the intent that it works on is kept here.
"""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, field, replace

from imsys.fleet.entries import Placed, PlacedRow
from imsys.fleet.executor import Key
from imsys.fleet.observer import Tables
from imsys.fleet.records import Records
from imsys.reconcile.desired import Desired, desired
from imsys.reconcile.diff import Step, owes_kick
from imsys.reconcile.intent import Ghost, Intent
from imsys.reconcile.kinds import LOGIN_MENUS, SECRET
from imsys.reconcile.sessions import OF_LOGIN, REDIALS, SessionKind


@dataclass(slots=True)
class Claiming:
    """`ghosts`: places that nobody desires any more. taken_over: who got somebody else's row or name in this run.

    enforced: whose rows may be written; None: everybody's, and the router's own.
    """

    records: Records
    intent: Intent
    wanted: Desired
    enforced: frozenset[int] | None = None
    taken_over: set[int] = field(default_factory=set)
    ghosts: set[Key] = field(default_factory=set)
    _acting: tuple[Intent, Intent] | None = None

    def __post_init__(self) -> None:
        self.ghosts = {ghost.place for ghost in self.intent.ghosts}

    @property
    def acting(self) -> Intent:
        """The intent, as far as it may be carried out."""
        if self.enforced is None:
            return self.intent
        if self._acting is None or self._acting[0] is not self.intent:
            self._acting = self.intent, _part(self.intent, self.enforced)
        return self._acting[1]

    def let_go(self, ghosts: Collection[Ghost]) -> None:
        """Rows that somebody else made again where ours were are theirs from now on."""
        self.intent = replace(self.intent, ghosts=[ghost for ghost in self.intent.ghosts if ghost not in ghosts])
        self.ghosts -= {ghost.place for ghost in ghosts}

    async def seen(self, busy: Collection[Key], tables: Tables) -> bool:
        """Rows that are as wanted when first seen are ours from now on, as if we had made them.

        `busy`: those that are not as wanted. True when what is wanted has changed by it.
        """
        rows = [
            PlacedRow(r.menu, r.key, i)
            for i, places in self.acting.placed.items()
            for r in self.wanted.of(i)
            if (r.menu, r.key) not in places and (r.menu, r.key) not in busy and _is_there(tables, r.menu, r.key)
        ]
        newly = {row.subscriber_id for row in rows}
        new = {s.package_id for s in self.acting.subscribers if s.applied_generation == 0 or s.subscriber_id in newly}
        rows += [
            PlacedRow(r.menu, r.key, None, r.package_id)
            for r in self.wanted.rows.values()
            if r.package_id in new and _is_there(tables, r.menu, r.key)
        ]
        logins = [row for row in rows if row.menu in LOGIN_MENUS.values()]
        heirs = [row.subscriber_id for row in logins if row.menu == SECRET.menu and row.subscriber_id is not None]
        placed = await self.records.place(rows, logins=logins, heirs=heirs)
        self._note(placed)
        return bool(placed.inherited)

    async def adopt(self, tables: Tables) -> None:
        """Rows of those who are only observed count as theirs where they stand under the name that they have here."""
        enforced = self.enforced or frozenset()
        rows = [
            PlacedRow(r.menu, r.key, i)
            for i, places in self.intent.placed.items()
            for r in (self.wanted.of(i) if i not in enforced else ())
            if (r.menu, r.key) not in places and _is_there(tables, r.menu, r.key)
        ]
        await self.records.adopt(rows)

    async def of_steps(self, steps: Sequence[Step]) -> list[Step]:
        """The steps whose rows are recorded as ours, so that nothing we put on a router is ever forgotten."""
        new = [PlacedRow(s.menu, s.key, s.subscriber_id, s.package_id) for s in steps if self._is_new(s)]
        rows = list(dict.fromkeys(new))  # one row may take two steps, such as a name and a place
        renamed = [s for s in steps if s.old_key and s.menu in LOGIN_MENUS.values()]
        former = [PlacedRow(kind.menu, s.old_key, s.subscriber_id) for s in renamed for kind in _redials(s.menu)]
        taken = [s for s in steps if s.menu in LOGIN_MENUS.values() and (s.action == "add" or s.old_key)]
        kicks = [s.subscriber_id for s in steps if s.subscriber_id and self._owes_kick(s)]
        locks = [s.subscriber_id for s in steps if s.subscriber_id and s.changes.get("caller-id")]
        if not (rows or kicks or locks or taken):
            return list(steps)
        claims = [PlacedRow(kind.menu, s.key, s.subscriber_id) for s in taken for kind in _redials(s.menu)]
        logins = [row for row in rows if row.menu in LOGIN_MENUS.values()]
        heirs = [s.subscriber_id for s in steps if s.subscriber_id and _is_as_it_stands(s) and self._is_new(s)]
        placed = await self.records.place(
            [*rows, *former], kicks=kicks, locks=locks, logins=logins, claims=claims, heirs=heirs
        )
        self._note(placed)
        self._remember([row for row in (*rows, *former) if (row.menu, row.key) in placed.keys])
        asked = {(row.menu, row.key) for row in rows}
        return [s for s in steps if s.place not in asked or s.place in placed.keys]

    def is_taken_over(self, step: Step) -> bool:
        """Is a name used again whose removed owner may still be online?"""
        return step.menu in LOGIN_MENUS.values() and step.action != "remove" and step.place in self.ghosts

    def _owes_kick(self, step: Step) -> bool:
        return self.is_taken_over(step) or owes_kick(step, self.intent.router)

    def _is_new(self, step: Step) -> bool:
        """Will the row be ours by this step? The router's own rows are only when we made them."""
        if step.action == "remove":
            return False
        if step.subscriber_id is not None:
            return step.place not in self.intent.placed.get(step.subscriber_id, {step.place})
        return step.package_id is not None or step.action == "add"

    def _note(self, placed: Placed) -> None:
        self.taken_over |= placed.taken_over
        if placed.inherited:
            self._inherit(placed.inherited)

    def _inherit(self, heirs: Set[int]) -> None:
        """A lock on a row that was somebody else's is not for these: it is cleared as if it had been theirs."""
        subscribers = [replace(s, has_lock=True) if s.subscriber_id in heirs else s for s in self.intent.subscribers]
        self.intent = replace(self.intent, subscribers=subscribers)
        self.wanted = desired(self.intent)

    def _remember(self, rows: Sequence[PlacedRow]) -> None:
        """What is theirs from now on, and no longer the one's before them, counts in this run's further rounds."""
        if not rows:
            return
        owners = {place: i for i, places in self.intent.placed.items() for place in places}
        changed: dict[int, set[Key]] = {}
        for row in rows:
            place = (row.menu, row.key)
            for i in (owners.get(place), row.subscriber_id):
                if i is not None and i in self.intent.placed:
                    places = changed.setdefault(i, set(self.intent.placed[i]))
                    places.add(place) if i == row.subscriber_id else places.discard(place)
        kept = {i: frozenset(places) for i, places in changed.items()}
        self.intent = replace(self.intent, placed={**self.intent.placed, **kept})


def _part(intent: Intent, enforced: Set[int]) -> Intent:
    """What concerns these alone."""
    subscribers = [s for s in intent.subscribers if s.subscriber_id in enforced]
    placed = {i: places for i, places in intent.placed.items() if i in enforced}
    return replace(intent, subscribers=subscribers, ghosts=(), placed=placed, shared=(), strays=())


def _is_there(tables: Tables, menu: str, key: str) -> bool:
    return menu in tables and key in tables[menu].rows


def _is_as_it_stands(step: Step) -> bool:
    """Does it take a login's row where it stands, under the name that it has?"""
    return step.menu == SECRET.menu and step.action == "set" and not step.old_key


def _redials(menu: str) -> Sequence[SessionKind]:
    return [kind for kind in OF_LOGIN[menu] if kind.menu in REDIALS]
