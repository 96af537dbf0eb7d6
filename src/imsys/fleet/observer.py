"""Reads a router's tables. A table counts only when its reply was complete; what was not read is an error."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from imsys.reconcile.kinds import ADDRESS_LIST, HOTSPOT_USER, KINDS, PROFILE, SECRET, Kind
from imsys.reconcile.observed import Table, table
from imsys.reconcile.scope import Ask, Scope
from imsys.reconcile.sessions import ACTIVE, HOTSPOT_ACTIVE, SESSION_KINDS, LiveKey, Session, SessionKind, sessions
from imsys.routeros.client import Client
from imsys.routeros.errors import NoSuchCommand
from imsys.routeros.known import KnownReply
from imsys.routeros.protocol import Row

ASKED_AT_ONCE = 32
"""Rows asked for in one print: more makes the question longer than it is worth."""
ASKED_AT_MOST = 64
"""Beyond this many rows the whole table costs the router less than the questions."""
ALWAYS_THERE = (PROFILE.menu, SECRET.menu, ACTIVE.menu)
"""Menus of the base system: one that says no such command is an error, never an empty table."""

Question = tuple[str, tuple[str, ...], tuple[str, ...]]
"""(menu, properties, query words) of one print."""
Proof = dict[Question, KnownReply]
Tables = dict[str, Table]


@dataclass(slots=True)
class Observer:
    """The reading half of a keeper. `proof` holds, by question, the reply that the last clean resync saw."""

    client: Client
    fingerprint: Callable[[str], bytes] = field(repr=False)
    proof: Proof = field(default_factory=dict)

    async def is_unchanged(self) -> bool:
        """Does the router still answer with the bytes that were proved clean? False without such a proof."""
        if not self.proof:
            return False
        readings = await asyncio.gather(
            *(
                self.client.read(menu, proplist=properties, queries=queries, known=known)
                for (menu, properties, queries), known in self.proof.items()
            )
        )
        return all(reading.unchanged for reading in readings)

    async def whole(self, scope: Scope) -> tuple[Tables, list[Session], Proof]:
        """Every menu that matters from end to end, and what would prove it unchanged next time."""
        menus = [menu for menu in KINDS if menu in scope.keys or menu in ALWAYS_THERE]
        live = [ACTIVE, *([HOTSPOT_ACTIVE] if HOTSPOT_USER.menu in menus else [])]
        questions = [self._whole(KINDS[menu], scope) for menu in menus]
        questions += [(kind.menu, kind.steady, ()) for kind in live]
        read = dict(zip((q[0] for q in questions), await asyncio.gather(*map(self._read, questions)), strict=True))
        tables = {menu: self._table(KINDS[menu], read[menu][0]) for menu in menus}
        present = [session for kind in live for session in sessions(kind, read[kind.menu][0] or ())]
        proofs = {question: read[question[0]][1] for question in questions}
        complete = {question: known for question, known in proofs.items() if known is not None}
        return tables, present, complete if len(complete) == len(proofs) else {}

    async def _read(self, question: Question) -> tuple[list[Row] | None, KnownReply | None]:
        menu, properties, queries = question
        try:
            reading = await self.client.read(menu, proplist=properties, queries=queries)
        except NoSuchCommand:
            if menu in ALWAYS_THERE:
                raise
            return None, None
        return reading.rows, reading.known

    async def tables(self, scope: Scope, *, whole: bool = False) -> Tables:
        """The rows in scope; a whole table where that is cheaper, the order matters, or `whole` asks for it."""
        menus = scope.menus
        read = await asyncio.gather(*(self._some(KINDS[menu], scope, whole) for menu in menus))
        return dict(zip(menus, read, strict=True))

    async def _some(self, kind: Kind, scope: Scope, whole: bool) -> Table:
        whole = whole or kind.is_read_whole or kind.menu in scope.whole
        asks = scope.asks(kind.menu) if not whole else set()
        if whole or len(asks) > ASKED_AT_MOST:
            _, properties, queries = self._whole(kind, scope)
            return self._table(kind, await self._print(kind.menu, properties, queries))
        rows = await self._asked(kind.menu, kind.proplist, asks)
        return self._table(kind, rows, is_full=False)

    def _whole(self, kind: Kind, scope: Scope) -> Question:
        """The question for a whole menu; of address lists only those that matter, since others may be huge."""
        is_list = kind.menu == ADDRESS_LIST.menu
        queries = any_of([("list", name) for name in sorted(scope.lists)]) if is_list else ()
        return kind.menu, kind.proplist, queries

    def _table(self, kind: Kind, rows: list[Row] | None, *, is_full: bool = True) -> Table:
        found = table(kind, rows or (), self.fingerprint, is_full=is_full)
        return found if rows is not None else replace(found, is_missing=True)

    async def sessions(self, keys: Collection[LiveKey]) -> list[Session]:
        """The sessions of these (or more: all of a menu's, when that is cheaper or the menu can't be asked)."""
        names: dict[str, list[str]] = {}
        for menu, name in sorted(keys):
            names.setdefault(menu, []).append(name)
        read = await asyncio.gather(*(self._live(SESSION_KINDS[menu], of) for menu, of in names.items()))
        return [session for some in read for session in some]

    async def _live(self, kind: SessionKind, names: Sequence[str]) -> list[Session]:
        properties = (*kind.steady, *kind.more)
        if kind.asks is None or len(names) > ASKED_AT_MOST:
            rows = await self._print(kind.menu, properties)
        else:
            rows = await self._asked(kind.menu, properties, [(kind.asks, name) for name in names])
        return sessions(kind, rows or ())

    async def all_sessions(self, kind: SessionKind = ACTIVE) -> list[Session]:
        return sessions(kind, await self._print(kind.menu, kind.steady) or ())

    async def rows(self, menu: str, properties: Sequence[str], queries: Sequence[str] = ()) -> list[Row]:
        """Rows as printed; none where the router has no such menu."""
        return await self._print(menu, properties, queries) or []

    async def whole_table(self, kind: Kind) -> Table:
        return self._table(kind, await self._print(kind.menu, kind.proplist))

    async def _print(self, menu: str, properties: Sequence[str], queries: Sequence[str] = ()) -> list[Row] | None:
        """The rows; None when this router has no such menu."""
        try:
            return await self.client.print(menu, proplist=properties, queries=queries)
        except NoSuchCommand:
            if menu in ALWAYS_THERE:
                raise
            return None

    async def _asked(self, menu: str, properties: Sequence[str], asks: Iterable[Ask]) -> list[Row] | None:
        """Each row once, though two questions may find it."""
        wanted = sorted(asks)
        parts = [wanted[start : start + ASKED_AT_ONCE] for start in range(0, len(wanted), ASKED_AT_ONCE)]
        replies = await asyncio.gather(*(self._print(menu, properties, any_of(part)) for part in parts))
        if any(reply is None for reply in replies):
            return None
        return list({row.get(".id", ""): row for reply in replies for row in reply or ()}.values())


def any_of(asks: Sequence[Ask]) -> tuple[str, ...]:
    """Query words for "one of these holds" (RouterOS manual, API, "Queries")."""
    words = [f"?{name}={value}" for name, value in asks[:1]]
    for name, value in asks[1:]:
        words += [f"?{name}={value}", "?#|"]
    return tuple(words)


def merged(before: Mapping[str, Table], later: Mapping[str, Table], scope: Scope) -> Tables:
    """`before` with what `later` says of the rows in scope; a table that was read whole replaces the earlier one."""
    tables = dict(before)
    for menu, new in later.items():
        old = before.get(menu)
        if new.is_full or old is None:
            tables[menu] = new
            continue
        gone = scope.keys.get(menu, frozenset())
        marks = scope.aliases.get(menu, frozenset())
        rows = {key: row for key, row in old.rows.items() if key not in gone} | dict(new.rows)
        aliased = {mark: row for mark, row in old.aliased.items() if mark not in marks} | dict(new.aliased)
        in_the_way = {key: row for key, row in old.in_the_way.items() if key not in gone} | dict(new.in_the_way)
        tables[menu] = replace(old, rows=rows, aliased=aliased, in_the_way=in_the_way)
    return tables
