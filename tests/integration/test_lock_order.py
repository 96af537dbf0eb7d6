"""Services and keepers lock rows in one order, so that neither ever makes the other fail."""

import threading
import time

import pytest
from django.db import connection, transaction

from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Departure, SyncState

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
