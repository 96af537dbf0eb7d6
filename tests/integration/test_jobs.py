"""The job engine on our database: its fetch plan is repaired, its dead are found, its old are forgotten."""

from datetime import timedelta

import psycopg
import pytest
from procrastinate.contrib.django import app

from imsys.conf.database import dsn
from imsys.conf.jobs import delete_old_jobs, sweep_stalled
from imsys.conf.sql import execute, fetch

pytestmark = pytest.mark.django_db


def jobs() -> list[str]:
    return [status for (status,) in fetch("select status::text from procrastinate_jobs order by id")]


def worker(*, heartbeat_s_ago: float) -> int:
    sql = "insert into procrastinate_workers (last_heartbeat) values (now() - make_interval(secs => %s)) returning id"
    return int(fetch(sql, [heartbeat_s_ago])[0][0])


def job(*, status: str = "doing", of_worker: int | None = None, lock: str | None = None) -> int:
    sql = (
        "insert into procrastinate_jobs (queue_name, task_name, status, worker_id, lock) "
        "values ('default', 'x', %s::procrastinate_job_status, %s, %s) returning id"
    )
    return int(fetch(sql, [status, of_worker, lock])[0][0])


def test_the_fetch_never_sorts() -> None:
    """An upgrade of Procrastinate replaces the function, and then the repair has to be made again."""
    settings = fetch("select proname, proconfig from pg_proc where proname like 'procrastinate_fetch_job%%'")
    repaired = {name for name, config in settings if "enable_sort=off" in (config or [])}
    from procrastinate.sql import queries

    used = next(name for (name, _) in settings if name in queries["fetch_job"])
    assert used in repaired


@pytest.mark.django_db(transaction=True)
def test_the_plan_cached_for_an_empty_queue_serves_a_full_one() -> None:
    """A session caches its plan after some fetches; unrepaired, this one reads a million rows for a thousand."""
    fetch_one = "select (procrastinate_fetch_job_v2(null, null)).id"
    with psycopg.connect(dsn(), autocommit=True) as session:
        session.execute("truncate procrastinate_jobs cascade")
        session.execute("vacuum analyze procrastinate_jobs")
        for _ in range(8):
            session.execute(fetch_one)
        session.execute(
            "insert into procrastinate_jobs (queue_name, task_name, lock) "
            "select 'default', 'x', 'router-' || n from generate_series(1, 1000) n"
        )
        with session.transaction():
            fetched = session.execute(fetch_one).fetchone()
            read = session.execute(
                "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'procrastinate_jobs'"
            ).fetchone()
    assert fetched
    assert fetched[0] is not None
    assert read
    assert read[0] <= 10 * 1000, "some reads for each job, not for each pair of them"


def test_jobs_of_a_dead_worker_give_back_their_lock() -> None:
    job(of_worker=worker(heartbeat_s_ago=1), lock="a")
    job(of_worker=worker(heartbeat_s_ago=60), lock="b")
    job(of_worker=None, lock="c")
    job(status="todo", lock="d")
    assert sweep_stalled() == 2
    assert jobs() == ["doing", "failed", "failed", "todo"]
    assert sweep_stalled() == 0


def test_ended_jobs_are_kept_for_a_while() -> None:
    failed, cancelled, *_ = (job(status="todo") for _ in range(3))
    job(of_worker=worker(heartbeat_s_ago=1))
    fetch("select procrastinate_finish_job_v1(%s, 'failed', false)", [failed])
    fetch("select procrastinate_cancel_job_v1(%s, false, false)", [cancelled])
    assert delete_old_jobs() == 0
    execute("update procrastinate_events set at = now() - interval '8 days'")
    assert delete_old_jobs(keep=timedelta(days=9)) == 0
    assert delete_old_jobs() == 2
    assert jobs() == ["todo", "doing"]


def test_the_periodic_tasks_are_known_to_the_engine() -> None:
    app.perform_import_paths()
    names = {task.task.name for task in app.periodic_registry.periodic_tasks.values()}
    assert {"sweep_jobs", "delete_old_jobs", "prune_events", "prune_runs", "look_for_incidents"} <= names
    assert all(task.task.queueing_lock for task in app.periodic_registry.periodic_tasks.values())
