"""Reads a router's tables. A table counts only when its reply was complete; what was not read is an error."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from imsys.reconcile.kinds import KINDS, PROFILE, SECRET, Kind
from imsys.reconcile.observed import Table, table
from imsys.reconcile.sessions import MENU as ACTIVE
from imsys.reconcile.sessions import PROPLIST as ACTIVE_PROPLIST
from imsys.reconcile.sessions import Session, sessions
from imsys.routeros.client import Client
from imsys.routeros.known import KnownReply

NAMES_AT_ONCE = 32
"""Names asked for in one print: more makes the question longer than it is worth."""
NAMES_AT_MOST = 64
"""Beyond this many names the whole table costs the router less than the questions."""

Proof = dict[str, KnownReply]


@dataclass(slots=True)
class Observer:
    """The reading half of a keeper. `proof` holds, by menu, the reply that the last clean resync saw."""

    client: Client
    fingerprint: Callable[[str], bytes] = field(repr=False)
    proof: Proof = field(default_factory=dict)

    async def is_unchanged(self) -> bool:
        """Do all menus still answer with the bytes that were proved clean? False without such a proof."""
        if not self.proof:
            return False
        readings = await asyncio.gather(
            *(self.client.read(menu, proplist=_proplist(menu), known=known) for menu, known in self.proof.items())
        )
        return all(reading.unchanged for reading in readings)

    async def whole(self) -> tuple[dict[str, Table], list[Session], Proof]:
        """Every menu from end to end, and what would prove it unchanged next time."""
        menus = (*KINDS, ACTIVE)
        readings = await asyncio.gather(*(self.client.read(menu, proplist=_proplist(menu)) for menu in menus))
        read = dict(zip(menus, readings, strict=True))
        tables = {menu: table(kind, read[menu].rows, self.fingerprint) for menu, kind in KINDS.items()}
        return tables, sessions(read[ACTIVE].rows), {menu: reading.known for menu, reading in read.items()}

    async def tables(self, names: Collection[str], *, whole: bool = False) -> dict[str, Table]:
        """The secrets of `names` and all profiles; all secrets when that is cheaper, or `whole` asks for them."""
        secrets, profiles = await asyncio.gather(
            self._all(SECRET) if whole else self.secrets(names), self._all(PROFILE)
        )
        return {SECRET.menu: secrets, PROFILE.menu: profiles}

    async def secrets(self, names: Collection[str]) -> Table:
        if len(names) > NAMES_AT_MOST:
            return await self._all(SECRET)
        rows = await self._named(SECRET.menu, SECRET.proplist, sorted(names))
        return table(SECRET, rows, self.fingerprint, is_full=False)

    async def sessions(self, names: Collection[str]) -> list[Session]:
        """The sessions of `names` (or more: all of them, when that is cheaper)."""
        if len(names) > NAMES_AT_MOST:
            return await self.all_sessions()
        return sessions(await self._named(ACTIVE, ACTIVE_PROPLIST, sorted(names)))

    async def all_sessions(self) -> list[Session]:
        return sessions(await self.client.print(ACTIVE, proplist=ACTIVE_PROPLIST))

    async def _all(self, kind: Kind) -> Table:
        return table(kind, await self.client.print(kind.menu, proplist=kind.proplist), self.fingerprint)

    async def _named(self, menu: str, proplist: Sequence[str], names: Sequence[str]) -> list[dict[str, str]]:
        parts = [names[start : start + NAMES_AT_ONCE] for start in range(0, len(names), NAMES_AT_ONCE)]
        replies = await asyncio.gather(
            *(self.client.print(menu, proplist=proplist, queries=any_of("name", part)) for part in parts)
        )
        return [row for reply in replies for row in reply]


def any_of(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Query words for "`name` is one of `values`" (RouterOS manual, API, "Queries")."""
    words = [f"?{name}={values[0]}"]
    for value in values[1:]:
        words += [f"?{name}={value}", "?#|"]
    return tuple(words)


def merged(before: Mapping[str, Table], later: Mapping[str, Table], names: Collection[str]) -> dict[str, Table]:
    """`before` with what `later` says of `names`; a table that was read whole replaces the earlier one."""
    tables = dict(before)
    for menu, new in later.items():
        old = before.get(menu)
        if new.is_full or old is None:
            tables[menu] = new
            continue
        rows = {key: row for key, row in old.rows.items() if key not in names}
        rows.update(new.rows)
        tables[menu] = Table(new.kind, rows, old.is_full, old.hidden, old.shown)
    return tables


def _proplist(menu: str) -> tuple[str, ...]:
    return ACTIVE_PROPLIST if menu == ACTIVE else KINDS[menu].proplist
