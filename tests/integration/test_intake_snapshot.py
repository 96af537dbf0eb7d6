"""What should be is loaded as of one moment: a change that commits meanwhile is all in it, or not at all."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from psycopg import AsyncConnection

from imsys.conf.database import dsn
from imsys.fleet import intake
from imsys.network.services import add_router
from imsys.reconcile.intent import Intent
from imsys.subscribers import services
from tests.integration.test_lock_order import until_somebody_waits_for_a_lock

CLERK = "test:clerk"


@pytest.mark.django_db(transaction=True)
def test_a_package_that_is_given_up_and_removed_while_the_intent_is_loaded() -> None:
    router = add_router(name="r1", host="r1", username="admin", password="", mode="enforce", actor=CLERK)
    for name in ("old", "new"):
        services.add_package(name=name, price=1, actor=CLERK)
    services.add_subscriber(username="ann", router="r1", package="old", actor=CLERK)
    now = datetime.now(UTC)
    loaded: list[Intent | Exception] = []

    async def look() -> intake.RouterRow | None:
        async with await AsyncConnection.connect(dsn(), autocommit=True) as keeper:
            return await intake.look(keeper, router.pk, now=now)

    row = asyncio.run(look())
    assert row is not None

    async def load() -> Intent:
        async with await AsyncConnection.connect(dsn(), autocommit=True) as keeper:
            return await intake.load_all(keeper, row, now=now, wait_s=0)

    def keep() -> None:
        try:
            loaded.append(asyncio.run(load()))
        except Exception as exc:  # noqa: BLE001 - told by the test's own thread
            loaded.append(exc)

    keeper = threading.Thread(target=keep)
    with transaction.atomic(), connection.cursor() as clerk:
        services.set_subscriber("ann", package="new", actor=CLERK)
        clerk.execute("lock table subscribers_package in access exclusive mode")
        keeper.start()
        until_somebody_waits_for_a_lock()
        services.remove_package("old", actor=CLERK)
    keeper.join()
    (intent,) = loaded
    assert isinstance(intent, Intent), intent
    assert {s.package_id for s in intent.subscribers} <= intent.packages.keys()
