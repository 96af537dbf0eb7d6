"""The inbox of logins that nobody here owns: what stands there, and what a person says is to become of it.

Keepers write down what they see (see records), and do at their next whole read what is decided here.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.db import transaction

from imsys.conf.sql import execute, fetch
from imsys.kit.errors import InputError
from imsys.kit.nearest import did_you_mean
from imsys.network import services as network
from imsys.network.models import Unmanaged
from imsys.network.selectors import get_router
from imsys.reconcile.kinds import LOGIN_MENUS
from imsys.reconcile.strays import name_of
from imsys.timeline import services as timeline

_ROWS = """
select m.id, r.name, r.mode, m.menu, m.key, m.is_disabled, m.is_live, m.shown, m.decision, m.decided_by,
       coalesce(nullif(m.decision, ''), r.unmanaged), m.first_seen_at, m.last_seen_at
from fleet_unmanaged m join network_router r on r.id = m.router_id
where m.gone_at is null and (%(router)s = '' or r.name = %(router)s)
order by m.is_live desc, m.is_disabled, r.name, m.menu, m.key
"""
_KEYS = (
    *("id", "router", "mode", "menu", "key", "is_disabled", "is_live", "shown", "decision", "decided_by", "wish"),
    *("first_seen_at", "last_seen_at"),
)
# Who could be online without anybody's knowing: rows that somebody said to keep are known.
_COUNTS = """
select count(*), count(*) filter (where m.is_live)
from fleet_unmanaged m where m.gone_at is null and not m.is_disabled and m.decision <> 'keep'
"""
_DECIDE = """
with chosen as (select id from fleet_unmanaged where id = any(%(ids)s::bigint[]) order by id for update)
update fleet_unmanaged m set decision = %(decision)s, decided_by = %(actor)s, decided_at = now()
from chosen where m.id = chosen.id
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows of the inbox: of one router or of all, of one service, by name, by a pattern (test*), live ones.

    Each name must be there, and once: otherwise nobody knows which is meant.
    """

    router: str = ""
    service: str = ""
    names: Sequence[str] = ()
    match: str = ""
    live: bool = False


def rows(choice: Choice = Choice()) -> list[dict[str, Any]]:
    """The live ones first. `wish` is what the decision or the router's policy says, `name` the key for people."""
    if choice.router:
        get_router(choice.router)
    found = [dict(zip(_KEYS, row, strict=True)) for row in fetch(_ROWS, {"router": choice.router})]
    found = [_readable(row) for row in found]
    _check_names(choice, found)
    return [
        row
        for row in found
        if (not choice.names or row["name"] in choice.names)
        and _is_of(choice, row)
        and (not choice.match or fnmatchcase(row["name"], choice.match))
        and (row["is_live"] or not choice.live)
    ]


def _is_of(choice: Choice, row: dict[str, Any]) -> bool:
    return not choice.service or row["menu"] == LOGIN_MENUS[choice.service]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    more = {"name": name_of(row["key"]), "state": _state(row), "shown": json.loads(row["shown"])}
    return {name: value for name, value in row.items() if name != "key"} | more


def _state(row: dict[str, Any]) -> str:
    """Where it stands between what is wished and what is."""
    if row["decision"] == "keep":
        return "kept"
    if row["wish"] == "quarantine" and row["is_disabled"]:
        return "quarantined"
    if row["wish"] != "keep":
        return f"to {row['wish']}"
    return "disabled" if row["is_disabled"] else "open"


def _check_names(choice: Choice, found: Sequence[dict[str, Any]]) -> None:
    known = Counter(row["name"] for row in found if _is_of(choice, row))
    for name in choice.names:
        if known[name] > 1:
            places = sorted({f"{row['menu']} of {row['router']}" for row in found if row["name"] == name})
            raise InputError(
                f"There is more than one login {name!r}: {', '.join(places)}.",
                remedy="Say which: --router NAME, or --service pppoe or hotspot",
            )
        if not known[name]:
            where = f"on {choice.router}" if choice.router else "on any router"
            raise InputError(
                f"Nobody's login {name!r} is not {where}. {did_you_mean(name, known)}".rstrip(),
                remedy="See them: imsys unmanaged list",
            )


def counts() -> dict[str, int]:
    """Logins that nobody owns, nobody said to keep and that are not disabled; and those of them that are online."""
    total, live = fetch(_COUNTS)[0]
    return {"rows": total, "live": live}


@transaction.atomic
def decide(choice: Choice, decision: str, *, actor: str) -> list[dict[str, Any]]:
    """The rows that a person decided about, as they stood before. Keepers do it at once where they may write."""
    if decision not in Unmanaged.values:
        remedy = f"Use one of: {', '.join(Unmanaged.values)}"
        raise InputError(f"{decision!r} is nothing to do with a login.", remedy=remedy)
    chosen = rows(choice)
    changed = [row for row in chosen if row["decision"] != decision]
    execute(_DECIDE, {"ids": [row["id"] for row in changed], "decision": decision, "actor": actor})
    ids = {name: get_router(name).pk for name in sorted({row["router"] for row in changed})}
    for row in changed:
        timeline.record(
            f"unmanaged-{decision}",
            actor=actor,
            username=row["name"],
            router_id=ids[row["router"]],
            router=row["router"],
            note=f"{row['menu']}: {row['state']}",
        )
    if ids:
        network.ask_resync(ids.values())
    return chosen
