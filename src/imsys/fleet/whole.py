"""A run that reads a whole router, up to its first decision: what keepers carry out, and `imsys plan` shows."""

from dataclasses import replace
from datetime import datetime

from imsys.fleet import intake
from imsys.fleet.cycle import Cycle, Hands
from imsys.fleet.entries import RunRecord
from imsys.fleet.executor import Key
from imsys.fleet.intake import RouterRow
from imsys.fleet.observer import Proof
from imsys.fleet.records import Pool
from imsys.reconcile.desired import desired
from imsys.reconcile.intent import Stray
from imsys.reconcile.kinds import LOGINS
from imsys.reconcile.observed import near_doubles
from imsys.reconcile.scope import scope_of
from imsys.reconcile.show import look_alikes
from imsys.reconcile.strays import unmanaged, wishes


async def read_whole(hands: Hands, router: RouterRow, *, started: datetime) -> tuple[Cycle, Proof]:
    """The run, with all that the router shows and all that should be; and what proves the router unchanged later."""
    pool = hands.records.pool
    async with pool.connection() as connection:
        intent = await intake.load_all(connection, router, now=started, wait_s=hands.timing.old_router_s)
    wanted = desired(intent)
    tables, present, proof = await hands.observer.whole(scope_of(intent, wanted))
    hands.settling.saw(tables)
    nobodys = unmanaged(tables, wanted, intent)
    if nobodys:
        async with pool.connection() as connection:
            nobodys -= await intake.owned_logins(connection, router.router_id)
    intent = replace(intent, strays=await _strays(pool, router, nobodys))
    run = RunRecord("resync", started, unmanaged=len(nobodys))
    cycle = Cycle(hands, router, run, intent, wanted, tables, present=present, unmanaged=nobodys)
    logins = {(kind.menu, key) for kind in LOGINS if kind.menu in tables for key in tables[kind.menu].rows}
    run.note = look_alikes(near_doubles(key for _, key in sorted(logins)))
    return cycle, proof


async def _strays(pool: Pool, router: RouterRow, nobodys: set[Key]) -> list[Stray]:
    """Of logins that nobody owns, those that are not to stay as they are."""
    if not nobodys or not (router.has_unmanaged or router.unmanaged != "keep"):
        return []
    async with pool.connection() as connection:
        decided = await intake.decided_strays(connection, router.router_id)
    return wishes(nobodys, decided, router.unmanaged)
