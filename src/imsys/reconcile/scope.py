"""What must be read of a router to decide on an intent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imsys.reconcile.desired import Desired
from imsys.reconcile.diff import Step
from imsys.reconcile.intent import Intent
from imsys.reconcile.kinds import ADDRESS_LIST, HOTSPOT_PROFILE, HOTSPOT_USER, KINDS, PROFILE, SECRET
from imsys.reconcile.kinds.address_list import parts_of

REFERRING = {PROFILE.menu: SECRET.menu, HOTSPOT_PROFILE.menu: HOTSPOT_USER.menu}
"""Menus of profiles, and the one whose rows name them."""
Ask = tuple[str, str]
"""A property and the value that rows are asked for by."""


@dataclass(frozen=True, slots=True)
class Scope:
    """keys: by menu, the rows that matter. lists: the address lists whose entries do; others may be huge.

    whole: menus of which every row matters: before a profile is removed, whoever refers to it.
    """

    keys: Mapping[str, frozenset[str]]
    aliases: Mapping[str, frozenset[str]]
    lists: frozenset[str]
    whole: frozenset[str] = frozenset()

    def asks(self, menu: str) -> set[Ask]:
        """How the rows that matter are asked for, one by one."""
        kind = KINDS[menu]
        found = {kind.asks(key) for key in self.keys.get(menu, ())}
        if kind.alias_asks is not None:
            found |= {kind.alias_asks(alias) for alias in self.aliases.get(menu, ())}
        return found

    @property
    def menus(self) -> list[str]:
        return [menu for menu in KINDS if menu in self.keys]


def scope_of(intent: Intent, wanted: Desired) -> Scope:
    keys: dict[str, set[str]] = {}
    aliases: dict[str, set[str]] = {}
    for (menu, key), resource in wanted.rows.items():
        keys.setdefault(menu, set()).add(key)
        aliases.setdefault(menu, set()).update(resource.aliases)
        for referred, _ in resource.refers:
            keys.setdefault(referred, set())
    places = [*wanted.absent, *intent.shared, *(ghost.place for ghost in intent.ghosts)]
    for placed in intent.placed.values():
        places += placed
    for menu, key in places:
        if menu in KINDS:
            keys.setdefault(menu, set()).add(key)
    referring = {REFERRING[ghost.menu] for ghost in intent.ghosts if ghost.menu in REFERRING and not ghost.is_gone}
    for menu in referring:
        keys.setdefault(menu, set())
    lists = {parts_of(key)[0] for key in keys.get(ADDRESS_LIST.menu, ())}
    return Scope(
        _frozen(keys),
        _frozen(aliases),
        frozenset(lists | {intent.router.suspend_list} if intent.uses_list else lists),
        frozenset(referring),
    )


def scope_of_steps(steps: Iterable[Step], wanted: Desired) -> Scope:
    """What must be read back after these steps: the rows under their old keys and their new ones."""
    keys: dict[str, set[str]] = {}
    aliases: dict[str, set[str]] = {}
    for step in steps:
        keys.setdefault(step.menu, set()).update({step.key, step.old_key} - {""})
        resource = wanted.rows.get(step.place)
        aliases.setdefault(step.menu, set()).update(resource.aliases if resource is not None else ())
    lists = {parts_of(key)[0] for key in keys.get(ADDRESS_LIST.menu, ())}
    return Scope(_frozen(keys), _frozen(aliases), frozenset(lists))


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {menu: frozenset(found) for menu, found in sets.items()}
