"""What a router can do: the menus it has and the fields its rows were seen with. Asked of the router, never guessed.

A version says little about it, since packages and boards differ: each menu is tried. The answer is good until the next
boot.
"""

import asyncio
from typing import Any

from imsys.reconcile.kinds import ADDRESS_LIST, BINDING, HOTSPOT_USER, KINDS, LEASE, QUEUE, SECRET
from imsys.reconcile.sessions import ACTIVE, HOTSPOT_ACTIVE
from imsys.routeros.client import Client
from imsys.routeros.errors import NoSuchCommand, NotPermitted

MENUS = (
    *KINDS,
    *(ACTIVE.menu, HOTSPOT_ACTIVE.menu, "/interface/pppoe-server/server", "/ip/dhcp-server", "/ip/hotspot"),
    *("/ip/hotspot/profile", "/ip/service", "/ppp/aaa", "/radius"),
)
SERVICES = {
    "pppoe": (SECRET.menu, ACTIVE.menu),
    "static": (QUEUE.menu, LEASE.menu, ADDRESS_LIST.menu, "/ip/firewall/filter"),
    "hotspot": (HOTSPOT_USER.menu, HOTSPOT_ACTIVE.menu, BINDING.menu),
}
"""By service, the menus without which a router cannot have it."""
READ_WHOLE = 100
SAMPLED_UP_TO = 20_000
SAMPLES = 3

Found = dict[str, Any] | None


async def probe(client: Client) -> dict[str, Found]:
    """By menu, {rows, fields}; None where the router has no such menu. Settings have a row like any other menu."""
    found = await asyncio.gather(*(_look(client, menu) for menu in MENUS))
    return dict(zip(MENUS, found, strict=True))


def services(menus: dict[str, Found]) -> list[str]:
    return [service for service, needed in SERVICES.items() if all(menus.get(menu) for menu in needed)]


async def _look(client: Client, menu: str) -> Found:
    try:
        rows = await client.count(menu)
        return {"rows": rows, "fields": await _fields(client, menu, rows)}
    except NoSuchCommand:
        return None
    except NotPermitted as error:
        return {"rows": None, "fields": [], "refused": error.message}


async def _fields(client: Client, menu: str, rows: int) -> list[str]:
    """Of all rows of a small menu, of some of a large one; of none where even their ids would be a burden."""
    if rows <= READ_WHOLE:
        return _names(await client.print(menu))
    if rows > SAMPLED_UP_TO:
        return []
    ids = [row[".id"] for row in await client.print(menu, proplist=(".id",)) if ".id" in row]
    some = [*ids[:SAMPLES], *ids[-SAMPLES:]]
    samples = await asyncio.gather(*(client.print(menu, queries=(f"?.id={row_id}",)) for row_id in some))
    return _names([row for rows_of_one in samples for row in rows_of_one])


def _names(rows: list[dict[str, str]]) -> list[str]:
    return sorted({name for row in rows for name in row if not name.startswith(".")})
