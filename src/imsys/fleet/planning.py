"""`imsys plan`: what a run would do, and why. The run itself, up to its first write: it only reads."""

import asyncio
import random
import uuid
from typing import Any

from psycopg_pool import AsyncConnectionPool

from imsys.conf.database import dsn
from imsys.conf.secrets import vault
from imsys.conf.sql import fetch
from imsys.fleet import intake
from imsys.fleet.cycle import Cycle, Hands
from imsys.fleet.executor import Executor
from imsys.fleet.greeting import Greeting, greet
from imsys.fleet.intake import RouterRow
from imsys.fleet.leases import Lease
from imsys.fleet.observer import Observer
from imsys.fleet.pacing import Allowance
from imsys.fleet.records import Pool, Records
from imsys.fleet.settling import Settling
from imsys.fleet.timing import Timing
from imsys.fleet.whole import read_whole
from imsys.kit.clock import SystemClock
from imsys.kit.errors import ImsysError
from imsys.network.selectors import get_router
from imsys.reconcile.diff import owes_kick
from imsys.reconcile.sessions import Session, live_by_row
from imsys.reconcile.show import as_dict, kick_as_dict
from imsys.routeros.client import Client
from imsys.vault.box import ROUTER_PASSWORD, SUBSCRIBER_PASSWORD


def plan(router: str | None = None) -> list[dict[str, Any]]:
    """What a run would do on each router, and why. Reads only: one login of its own, under no lease.

    Each step says under `blocked` what keeps it from being done now: held, observe, paused, window, frozen or fight;
    null where nothing does.
    """
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
    now = SystemClock().now()
    pool: Pool = AsyncConnectionPool(dsn(), min_size=1, max_size=2, kwargs={"autocommit": True}, open=False)
    async with pool:
        async with pool.connection() as connection:
            rows = [await intake.look(connection, router_id, now=now) for router_id in router_ids]
        return [await _plan(pool, row) for row in rows if row is not None]


async def _plan(pool: Pool, router: RouterRow) -> dict[str, Any]:
    said = {"router": router.name, "mode": router.mode, "blocked": router.blocked_by(), "held": None}
    try:
        return {**said, "problem": None, **await _decided(pool, router)}
    except ImsysError as error:
        return {**said, "steps": [], "problem": str(error), "code": error.code}


async def _decided(pool: Pool, router: RouterRow) -> dict[str, Any]:
    endpoint = router.endpoint(vault().open(router.password_sealed, context=ROUTER_PASSWORD))
    clock = SystemClock()
    client = await Client.connect(endpoint, clock=clock)
    try:
        answer = await greet(client)
        hands = _hands(pool, router, client, clock, answer)
        cycle, _ = await read_whole(hands, router, started=clock.now())
        await cycle.decide()
        return await _told(cycle)
    finally:
        await client.close()


def _hands(pool: Pool, router: RouterRow, client: Client, clock: SystemClock, answer: Greeting) -> Hands:
    """Those of a keeper, on a lease that nobody gave: whatever is recorded under it is refused."""
    timing = Timing()
    lease = Lease(router.router_id, uuid.uuid4(), 0, clock, timing.lease_margin_s)
    return Hands(
        Observer(client, vault().fingerprint),
        Executor(client, lambda sealed: vault().open(sealed, context=SUBSCRIBER_PASSWORD)),
        Records(pool, lease),
        clock,
        random.Random(),  # noqa: S311 - for delays
        timing,
        Settling(answer.uptime_s, clock=clock, timing=timing),
        Allowance(router.kicks_per_s, clock=clock),
        answer.serial,
    )


async def _told(cycle: Cycle) -> dict[str, Any]:
    made, names = cycle.plan, {s.subscriber_id: s.username for s in cycle.intent.subscribers}
    singles = {s.subscriber_id for s in cycle.intent.subscribers if s.is_enforced}

    def block(owner: int | None) -> str | None:
        return cycle.router.blocked_by(is_enforced=owner in singles)

    steps = [{**as_dict(step, names), "blocked": None} for step in made.steps]
    steps += [{**as_dict(step, names), "blocked": "held"} for step in made.held]
    steps += [{**as_dict(step, names), "blocked": block(step.subscriber_id) or "observe"} for step in made.left_alone]
    steps += [
        {**as_dict(paused.step, names), "reason": "fight", "paused_until": paused.until, "blocked": "fight"}
        for paused in made.paused
    ]
    for session, owner, why in await _foreseen(cycle):
        kick = kick_as_dict(session, names[owner] if owner is not None else None, why)
        steps.append({**kick, "blocked": None if _may_end(cycle, session, owner) else block(owner) or "held"})
    return {
        "steps": steps,
        "held": cycle.braking.why.text if cycle.braking.why is not None else None,
        "errors": [{"subscriber": names[i], "code": p.code, "text": str(p)} for i, p in made.problems.items()],
        "waiting": sorted(names[i] for i in (*made.waiting, *made.in_turn)),
    }


async def _foreseen(cycle: Cycle) -> list[tuple[Session, int | None, str]]:
    """What would be ended were the plan done: the session, whose, and why."""
    steps, intent = cycle.plan.outstanding, cycle.router.intent
    cycle.sessions.removed |= {step.place for step in steps if step.action == "remove"}
    cycle.sessions.redial |= {s.subscriber_id for s in steps if s.subscriber_id and owes_kick(s, intent)}
    return await cycle.sessions.foreseen(cycle.plan)


def _may_end(cycle: Cycle, session: Session, owner: int | None) -> bool:
    """May the plan that ends it be done now?"""
    if owner is not None:
        return cycle.enforced is None or owner in cycle.enforced
    return any(session.live_key in live_by_row(*step.place) for step in cycle.plan.steps)
