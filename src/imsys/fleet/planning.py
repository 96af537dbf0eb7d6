"""`imsys plan`: what a run would do, and why. Reads routers and rows, and writes neither."""

import asyncio
from typing import Any

from psycopg import AsyncConnection

from imsys.conf.database import dsn
from imsys.conf.secrets import vault
from imsys.conf.sql import fetch
from imsys.fleet import intake
from imsys.fleet.intake import Connection
from imsys.fleet.observer import Observer
from imsys.fleet.timing import Timing
from imsys.kit.clock import SystemClock
from imsys.kit.errors import ImsysError
from imsys.network.selectors import get_router
from imsys.reconcile.desired import desired, live_keys
from imsys.reconcile.plan import make_plan
from imsys.reconcile.scope import scope_of as scope_of_intent
from imsys.reconcile.sessions import among
from imsys.reconcile.show import as_dict, kick_as_dict
from imsys.routeros.client import Client
from imsys.vault.box import ROUTER_PASSWORD

OLD_ROUTER_S = Timing().old_router_s


def plan(router: str | None = None) -> list[dict[str, Any]]:
    """What a run would do on each router, and why. Reads only: one login of its own, under no lease."""
    ids = scope_of(get_router(router).pk if router is not None else None, None)
    return asyncio.run(_plans(ids))


def scope_of(router_id: int | None, usernames: list[str] | None) -> list[int]:
    """The ids of the routers that a command speaks of."""
    if router_id is not None:
        return [router_id]
    if usernames is not None:
        query = "select distinct router_id from subscribers_subscriber where username = any(%s) order by 1"
        return [row[0] for row in fetch(query, [usernames])]
    return [row[0] for row in fetch("select id from network_router order by id")]


async def _plans(router_ids: list[int]) -> list[dict[str, Any]]:
    async with await AsyncConnection.connect(dsn(), autocommit=True) as connection:
        rows = [await intake.look(connection, router_id, now=SystemClock().now()) for router_id in router_ids]
        return [await _plan(connection, row) for row in rows if row is not None]


async def _plan(connection: Connection, router: intake.RouterRow) -> dict[str, Any]:
    if router.mode == "paused":
        return {"router": router.name, "mode": router.mode, "steps": [], "problem": "The router is paused."}
    try:
        steps, problems = await _steps(connection, router)
    except ImsysError as error:
        return {"router": router.name, "mode": router.mode, "steps": [], "problem": str(error), "code": error.code}
    return {"router": router.name, "mode": router.mode, "steps": steps, "problem": None, "errors": problems}


async def _steps(
    connection: Connection, router: intake.RouterRow
) -> tuple[list[dict[str, object]], list[dict[str, str]]]:
    endpoint = router.endpoint(vault().open(router.password_sealed, context=ROUTER_PASSWORD))
    clock = SystemClock()
    intent = await intake.load_all(connection, router, now=clock.now(), wait_s=OLD_ROUTER_S)
    client = await Client.connect(endpoint, clock=clock)
    try:
        observer = Observer(client, vault().fingerprint)
        tables, _, _ = await observer.whole(scope_of_intent(intent, desired(intent)))
        cut = {key: s for s in intent.subscribers if s.is_suspended for key in live_keys(s, intent)}
        present = among(await observer.sessions(cut), cut)
    finally:
        await client.close()
    made = make_plan(intent, tables)
    names = {s.subscriber_id: s.username for s in intent.subscribers}
    problems = [{"subscriber": names[i], "code": p.code, "text": str(p)} for i, p in made.problems.items()]
    kicks = [kick_as_dict(session, cut[session.live_key].username) for session in present]
    return [*(as_dict(step, names) for step in made.steps), *kicks], problems
