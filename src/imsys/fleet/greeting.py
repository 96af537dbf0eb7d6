"""What a router says of itself when we come in: who it is, what it runs, since when."""

import asyncio
from dataclasses import dataclass

from imsys.kit.errors import InputError
from imsys.kit.units import parse_duration
from imsys.routeros.client import Client
from imsys.routeros.errors import NoSuchCommand, NotRouterOS, TrapError

RESOURCE = ("uptime", "version", "board-name")


@dataclass(frozen=True, slots=True)
class Greeting:
    identity: str
    version: str
    board: str
    serial: str
    uptime_s: float


async def greet(client: Client) -> Greeting:
    resource, identity, serial = await asyncio.gather(
        client.print("/system/resource", proplist=RESOURCE),
        client.print("/system/identity", proplist=("name",)),
        _serial(client),
    )
    if not resource:
        raise NotRouterOS("The peer speaks the API but has no /system/resource.", remedy="Check the address and port.")
    row = resource[0]
    return Greeting(
        identity[0].get("name", "") if identity else "",
        row.get("version", ""),
        row.get("board-name", ""),
        serial,
        _seconds(row.get("uptime", "")),
    )


async def _serial(client: Client) -> str:
    """The hardware's serial number, or the licence's id on a virtual router; "" where neither is told."""
    for menu, names in (("/system/routerboard", ("serial-number",)), ("/system/license", ("software-id", "system-id"))):
        try:
            rows = await client.print(menu, proplist=names)
        except (NoSuchCommand, TrapError):
            continue
        found = next((rows[0][name] for name in names if rows and rows[0].get(name)), "")
        if found:
            return found
    return ""


def _seconds(uptime: str) -> float:
    try:
        return parse_duration(uptime)
    except InputError:  # an uptime that we cannot read is no proof of a long one
        return 0.0
