"""Ten thousand at once: the same outcome as one by one, and no two writers in each other's way."""

import random
import threading
from collections.abc import Callable

import pytest
from django.db import connection

from imsys.conf.sql import execute, fetch
from imsys.network.services import add_router
from imsys.subscribers import selectors, services
from imsys.subscribers.models import Subscriber, Suspension, SyncState
from imsys.timeline.models import Event

ACTOR = "cli:ann"
COUNT = 10_000
ROUTERS = 10
NAMES = [f"u{n:05d}" for n in range(COUNT)]


def make_isp() -> None:
    for n in range(ROUTERS):
        add_router(name=f"rt-{n}", host="127.0.0.1", username="api", password="", actor=ACTOR)
    services.add_package(name="10M", rate_limit="10M/10M", price=20, actor=ACTOR)
    rows = "".join(f"{name},pw-{name},rt-{n % ROUTERS},10M,10.0.{n >> 8}.{n & 255}\n" for n, name in enumerate(NAMES))
    report = services.import_rows(f"username,password,router,package,address\n{rows}".encode(), actor=ACTOR)
    assert (report.added, report.errors) == (COUNT, [])
    all_synced()


def all_synced() -> None:
    execute("update subscribers_syncstate set sync_status = 'synced', next_attempt_at = null")


@pytest.mark.django_db
def test_ten_thousand_are_suspended_resumed_and_repriced() -> None:
    make_isp()
    done = services.suspend(reversed(NAMES), cause="non-payment", actor=ACTOR)
    assert done.changed == NAMES
    assert Subscriber.objects.filter(is_suspended=True).count() == COUNT
    assert Suspension.objects.count() == COUNT
    assert Event.objects.filter(what="suspended", cause="non-payment").count() == COUNT
    assert selectors.sync_counts() == {"pending": COUNT, "synced": 0, "error": 0}
    assert set(SyncState.objects.values_list("generation", flat=True)) == {2}
    assert services.suspend(NAMES, actor=ACTOR) == services.Changed([], already=COUNT)
    assert len(services.resume_all("rt-3", actor=ACTOR).changed) == COUNT // ROUTERS
    assert Subscriber.objects.filter(is_suspended=False).count() == COUNT // ROUTERS
    all_synced()
    services.set_package("10M", rate_limit="11M/11M", actor=ACTOR)
    assert selectors.sync_counts()["pending"] == COUNT
    assert services.remove_subscribers(NAMES[:5000], actor=ACTOR) == 5000
    assert Subscriber.objects.count() == COUNT - 5000


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(60)
def test_writers_in_any_order_never_deadlock() -> None:
    """Intakes name the same subscribers in orders of their own, while a keeper records in key order."""
    make_isp()
    errors: list[str] = []

    def in_a_thread(work: Callable[[random.Random], object], seed: int) -> threading.Thread:
        def run() -> None:
            try:
                for _ in range(4):
                    work(random.Random(seed))
            except Exception as exc:  # noqa: BLE001 - told by the test's own thread
                errors.append(f"seed {seed}: {exc!r}")
            finally:
                connection.close()

        return threading.Thread(target=run)

    def some(rng: random.Random) -> list[str]:
        return rng.sample(NAMES, 1500)

    def record(rng: random.Random) -> None:
        ids = sorted(
            pk for (pk,) in fetch("select id from subscribers_subscriber where username = any(%s)", [some(rng)])
        )
        execute(
            "with locked as materialized (select subscriber_id from subscribers_syncstate "
            "where subscriber_id = any(%s) order by subscriber_id for update) "
            "update subscribers_syncstate s set sync_status = 'synced', next_attempt_at = null "
            "from locked where s.subscriber_id = locked.subscriber_id",
            [ids],
        )

    threads = [
        in_a_thread(lambda rng: services.suspend(some(rng), cause="abuse", actor=ACTOR), 1),
        in_a_thread(lambda rng: services.suspend(some(rng), actor=ACTOR), 2),
        in_a_thread(lambda rng: services.resume(some(rng), actor=ACTOR), 3),
        in_a_thread(lambda rng: services.ask_sync(some(rng)), 4),
        in_a_thread(record, 5),
        in_a_thread(lambda rng: services.move_subscribers(some(rng), "rt-1", actor=ACTOR), 6),
        in_a_thread(lambda rng: services.move_subscribers(some(rng), "rt-2", actor=ACTOR), 7),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    standing = set(Suspension.objects.values_list("subscriber_id", flat=True))
    assert set(Subscriber.objects.filter(is_suspended=True).values_list("pk", flat=True)) == standing
