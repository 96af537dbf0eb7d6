"""What a keeper records locks sync states in key order, whoever else writes them meanwhile."""

import asyncio
import uuid

import psycopg
import pytest
from django.db import connection

from imsys.conf.database import dsn
from imsys.fleet.entries import Outcome, RunRecord
from imsys.fleet.leases import Lease
from imsys.fleet.records import Records
from imsys.kit.clock import SystemClock
from imsys.network.models import Router
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Departure, SyncState
from tests.integration.test_lock_order import CLERK

LOCK = "select 1 from subscribers_syncstate where subscriber_id = %s for update"
WAITERS = "select count(*) from pg_locks where pg_backend_pid() = any(pg_blocking_pids(pid))"


@pytest.mark.django_db(transaction=True)
def test_a_run_that_sees_somebody_off_meets_a_sync_without_a_deadlock() -> None:
    for name in ("r1", "r2"):
        add_router(name=name, host=name, username="admin", password="", actor=CLERK)
    services.add_package(name="home", price=1, actor=CLERK)
    for name in ("zoe", "ann"):
        services.add_subscriber(username=name, router="r1", package="home", actor=CLERK)
    services.move_subscribers(["zoe"], "r2", actor=CLERK)
    zoe, ann = SyncState.objects.order_by("pk")
    lease = Lease(Router.objects.get(name="r1").pk, uuid.uuid4(), 1, SystemClock(), 1.0)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into fleet_lease (router_id, owner, epoch, until) values (%s, %s, 1, now() + interval '1 hour') "
            "on conflict (router_id) do update set owner = excluded.owner, epoch = 1, until = excluded.until",
            (lease.router_id, lease.owner),
        )
    asyncio.run(_meet(lease, first=zoe.pk, second=ann.pk))
    assert not Departure.objects.exists()
    assert SyncState.objects.get(pk=ann.pk).sync_status == "synced"


async def _meet(lease: Lease, *, first: int, second: int) -> None:
    from psycopg_pool import AsyncConnectionPool

    now = lease.clock.now()
    async with AsyncConnectionPool(dsn(), open=False) as pool, await psycopg.AsyncConnection.connect(dsn()) as clerk:
        await clerk.execute(LOCK, (first,))
        outcome = Outcome(second, generation=1, status="synced")
        record = Records(pool, lease).finish(
            RunRecord("due", now), router_name="r1", now=now, outcomes=[outcome], has_departures=True
        )
        recording = asyncio.create_task(record)
        async with asyncio.timeout(10):
            while not (await (await clerk.execute(WAITERS)).fetchone() or (0,))[0]:  # noqa: ASYNC110 - told by a view
                await asyncio.sleep(0.01)
        await clerk.execute(LOCK, (second,))
        await clerk.commit()
        await recording
