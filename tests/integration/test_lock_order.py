"""Services and keepers lock rows in one order, so that neither ever makes the other fail."""

import asyncio
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from psycopg_pool import AsyncConnectionPool

from imsys.conf.database import dsn
from imsys.fleet.entries import Fought, Holding, Outcome, RunRecord
from imsys.fleet.leases import Lease
from imsys.fleet.models import Lease as LeaseRow
from imsys.fleet.records import Records
from imsys.kit.clock import SystemClock
from imsys.network.services import add_router, ask_resync
from imsys.reconcile.fights import Fight, Rules
from imsys.reconcile.guard import Suspicion
from imsys.reconcile.strays import Sighting
from imsys.subscribers import services
from imsys.subscribers.models import Departure, SyncState
from imsys.timeline.holding import Standing, settle
from imsys.timeline.holds import standing

CLERK = "test:clerk"


def until_somebody_waits_for_a_lock() -> None:
    end = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute("select count(*) from pg_locks where pg_backend_pid() = any(pg_blocking_pids(pid))")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.mark.django_db(transaction=True)
def test_a_router_is_changed_while_its_keeper_records_a_run() -> None:
    add_router(name="r1", host="r1", username="admin", password="", actor=CLERK)
    services.add_package(name="home", price=1, actor=CLERK)
    services.add_subscriber(username="ann", router="r1", package="home", suspended=True, actor=CLERK)
    failures: list[Exception] = []

    def change() -> None:
        try:
            services.set_router("r1", suspend_by="profile", actor=CLERK)
        except Exception as exc:  # noqa: BLE001 - told by the test's own thread
            failures.append(exc)
        finally:
            connection.close()

    clerk = threading.Thread(target=change)
    with transaction.atomic(), connection.cursor() as keeper:
        keeper.execute("update subscribers_syncstate set sync_status = 'synced'")
        clerk.start()
        until_somebody_waits_for_a_lock()
        keeper.execute("update network_routerstate set last_resync_at = now()")
    clerk.join()
    assert not failures
    assert SyncState.objects.get().generation == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["move", "rename", "remove"])
def test_a_life_goes_on_while_a_keeper_clears_what_was_left(change: str) -> None:
    """The keeper of the router that they left holds the sync state, and then takes the departure away."""
    for name in ("r1", "r2"):
        add_router(name=name, host=name, username="admin", password="", actor=CLERK)
    services.add_package(name="home", price=1, actor=CLERK)
    services.add_subscriber(username="ann", router="r1", package="home", actor=CLERK)
    services.move_subscribers(["ann"], "r2", actor=CLERK)
    failures: list[Exception] = []

    def act() -> None:
        try:
            if change == "move":
                services.move_subscribers(["ann"], "r1", actor=CLERK)
            elif change == "rename":
                services.rename_subscriber("ann", "anna", actor=CLERK)
            else:
                services.remove_subscribers(["ann"], actor=CLERK)
        except Exception as exc:  # noqa: BLE001 - told by the test's own thread
            failures.append(exc)
        finally:
            connection.close()

    clerk = threading.Thread(target=act)
    with transaction.atomic(), connection.cursor() as keeper:
        keeper.execute("select 1 from subscribers_syncstate for update")
        clerk.start()
        until_somebody_waits_for_a_lock()
        keeper.execute("delete from subscribers_departure")
        keeper.execute("update subscribers_syncstate set next_attempt_at = now()")
    clerk.join()
    assert not failures
    assert Departure.objects.count() == (1 if change == "move" else 0)
    assert SyncState.objects.count() == (0 if change == "remove" else 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("record", ["place", "finish"])
def test_somebody_is_renamed_while_a_keeper_records_several_things_of_them(record: str) -> None:
    """A sync state that is updated twice in a transaction has its subscriber checked at commit, which locks it."""
    router = add_router(name="r1", host="r1", username="admin", password="", actor=CLERK)
    services.add_package(name="home", price=1, actor=CLERK)
    ann = services.add_subscriber(username="ann", router="r1", package="home", actor=CLERK)
    owner, now = uuid.uuid4(), datetime.now(UTC)
    LeaseRow.objects.create(router=router, owner=owner, until=now + timedelta(minutes=1), epoch=1)
    failures: list[Exception] = []

    async def work() -> None:
        async with AsyncConnectionPool(dsn(), open=False) as pool:
            records = Records(pool, Lease(router.pk, owner, 1, SystemClock(), margin_s=0))
            if record == "place":
                await records.place([], kicks=[ann.pk], locks=[ann.pk])
            else:
                outcome = Outcome(ann.pk, 1, "synced", password_mac=b"mac")
                await records.finish(RunRecord("due", now), router_name="r1", now=now, outcomes=[outcome])

    def keep() -> None:
        try:
            asyncio.run(work())
        except Exception as exc:  # noqa: BLE001 - told by the test's own thread
            failures.append(exc)

    keeper = threading.Thread(target=keep)
    with transaction.atomic(), connection.cursor() as clerk:
        clerk.execute("update subscribers_subscriber set username = 'anna'")
        keeper.start()
        keeper.join(1)  # it is done, or waits for us
        clerk.execute("update subscribers_syncstate set wanted_at = now()")
    keeper.join()
    assert not failures
    state = SyncState.objects.get()
    assert (state.kick_owed, state.has_lock) == ((record == "place",) * 2)
    assert bytes(state.applied_mac or b"") == (b"mac" if record == "finish" else b"")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["stray", "hold", "fight"])
def test_a_person_decides_while_a_keeper_records_what_it_is_about(what: str) -> None:
    """A person's decision is written first and the router asked for anew then; so does a keeper."""
    router = add_router(name="r1", host="r1", username="admin", password="", actor=CLERK)
    owner, now = uuid.uuid4(), datetime.now(UTC)
    LeaseRow.objects.create(router=router, owner=owner, until=now + timedelta(minutes=1), epoch=1)
    seen = Sighting("/ppp/secret", "neighbour", is_disabled=False, is_live=True, shown={})
    fight = Fight("/ppp/secret", "ann", "profile", (now,), begun_at=now)
    why = Suspicion("TooManySteps", "Too many.", "")

    async def record() -> None:
        async with AsyncConnectionPool(dsn(), open=False) as pool:
            records = Records(pool, Lease(router.pk, owner, 1, SystemClock(), margin_s=0))
            held = {f"mark{n}": {"key": f"ann{n}"} for n in range(1 if standing_now else 2)}
            await records.finish(
                RunRecord("resync", now),
                router_name="r1",
                now=now,
                next_resync=now,
                sightings=[seen],
                holds=Holding(settle(standing_now, held, code=why.code), why),
                fought=Fought([fight], [], Rules()),
            )

    standing_now: list[Standing] = []
    asyncio.run(record())
    standing_now = standing("steps", router.pk)
    failures: list[Exception] = []

    def keep() -> None:
        try:
            asyncio.run(record())
        except Exception as exc:  # noqa: BLE001 - told by the test's own thread
            failures.append(exc)
        finally:
            connection.close()

    tables = {"stray": "fleet_unmanaged", "hold": "timeline_hold", "fight": "fleet_fight"}
    keeper = threading.Thread(target=keep)
    with transaction.atomic(), connection.cursor() as clerk:
        clerk.execute(f"select 1 from {tables[what]} for update")
        keeper.start()
        until_somebody_waits_for_a_lock()
        ask_resync([router.pk])
    keeper.join()
    assert not failures
