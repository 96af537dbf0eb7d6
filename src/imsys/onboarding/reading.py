"""What stands on a router in the menus that lines are made of, read once, from end to end. Passwords are among it.

A menu that the router does not have is told apart from an empty one; a menu that could not be read is an error.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

from imsys.kit.clock import SystemClock
from imsys.reconcile.kinds import (
    ADDRESS_LIST,
    BINDING,
    DROP_RULE,
    HOTSPOT_PROFILE,
    HOTSPOT_USER,
    LEASE,
    PROFILE,
    QUEUE,
    SECRET,
)
from imsys.reconcile.kinds.base import is_disabled, is_dynamic
from imsys.reconcile.sessions import ACTIVE, HOTSPOT_ACTIVE
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint
from imsys.routeros.errors import NoSuchCommand
from imsys.routeros.protocol import Row

PROPERTIES: dict[str, tuple[str, ...]] = {
    PROFILE.menu: ("name", "rate-limit"),
    SECRET.menu: ("name", "service", "profile", "remote-address", "caller-id", "disabled", "password", "comment"),
    ACTIVE.menu: ("name", "address"),
    QUEUE.menu: (
        *("name", "target", "max-limit", "limit-at", "burst-limit", "burst-threshold", "burst-time", "priority"),
        *("disabled", "dynamic", "comment"),
    ),
    LEASE.menu: ("address", "mac-address", "server", "rate-limit", "disabled", "dynamic", "status", "comment"),
    HOTSPOT_PROFILE.menu: ("name", "rate-limit", "shared-users"),
    HOTSPOT_USER.menu: (
        *("name", "server", "profile", "password", "limit-uptime", "limit-bytes-total", "disabled", "default"),
        *("dynamic", "comment"),
    ),
    HOTSPOT_ACTIVE.menu: ("user", "address"),
    BINDING.menu: ("mac-address", "server", "type", "disabled", "comment"),
    DROP_RULE.menu: ("chain", "action", "src-address-list", "disabled", "dynamic", *DROP_RULE.also_read),
}
LIST_PROPERTIES = (".id", "list", "address", "disabled")


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows by menu. `lists`: of the address lists that a rule drops, their addresses."""

    read_at: datetime
    identity: str
    version: str
    tables: dict[str, list[Row]] = field(repr=False)
    lists: dict[str, list[str]] = field(repr=False, default_factory=dict)
    missing: frozenset[str] = frozenset()

    def rows(self, menu: str) -> list[Row]:
        """Rows that stay: those that the router makes by itself are left out."""
        return [row for row in self.tables.get(menu, ()) if not is_dynamic(row)]

    def named(self, menu: str) -> dict[str, Row]:
        return {row["name"]: row for row in self.rows(menu) if "name" in row}


async def read(endpoint: Endpoint) -> Reading:
    client = await Client.connect(endpoint, clock=SystemClock())
    try:
        return await read_from(client)
    finally:
        await client.close()


async def read_from(client: Client) -> Reading:
    resource, identity, *found = await asyncio.gather(
        client.print("/system/resource", proplist=("version",)),
        client.print("/system/identity", proplist=("name",)),
        *(_rows(client, menu, properties) for menu, properties in PROPERTIES.items()),
    )
    tables = {menu: rows for menu, rows in zip(PROPERTIES, found, strict=True) if rows is not None}
    dropped = sorted({name for rule in tables.get(DROP_RULE.menu, ()) if (name := _dropped(rule))})
    lists = await asyncio.gather(*(_addresses(client, name) for name in dropped))
    return Reading(
        read_at=datetime.now(UTC),
        identity=identity[0].get("name", "") if identity else "",
        version=resource[0].get("version", "") if resource else "",
        tables=tables,
        lists=dict(zip(dropped, lists, strict=True)),
        missing=frozenset(PROPERTIES) - frozenset(tables),
    )


async def _rows(client: Client, menu: str, properties: tuple[str, ...]) -> list[Row] | None:
    try:
        return await client.print(menu, proplist=(".id", *dict.fromkeys(properties)))
    except NoSuchCommand:
        return None


def _dropped(rule: Row) -> str | None:
    return None if is_disabled(rule) else DROP_RULE.key_of(rule)


async def _addresses(client: Client, name: str) -> list[str]:
    rows = await client.print(ADDRESS_LIST.menu, proplist=LIST_PROPERTIES, queries=(f"?list={name}",))
    return [row["address"] for row in rows if "address" in row and not is_disabled(row)]
