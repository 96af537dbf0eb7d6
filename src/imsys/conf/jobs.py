"""The job engine's own housekeeping: jobs whose worker died, and jobs that nobody needs any more.

The engine is Procrastinate on our own database, so a job commits with the change that causes it. Each app keeps its
periodic tasks in its tasks.py; a task is a door and calls a function that a test can call too. These two concern the
engine itself. Every worker runs them, which also makes a worker whose database went away end, and be started anew.
"""

from datetime import timedelta

from django.db import transaction
from procrastinate.contrib.django import app

from imsys.conf.sql import execute, fetch, in_batches

STALE_S = 30
KEEP_FAILED = timedelta(days=7)
DELETE_BATCH = 5_000


@app.periodic(cron="* * * * *")
@app.task(name="sweep_jobs", queueing_lock="sweep_jobs")
def sweep_jobs(timestamp: int) -> None:
    sweep_stalled()


@app.periodic(cron="41 * * * *")
@app.task(name="delete_old_jobs", queueing_lock="delete_old_jobs")
def delete_old_jobs_hourly(timestamp: int) -> None:
    delete_old_jobs()


def sweep_stalled(*, stale_s: float = STALE_S) -> int:
    """The number of jobs that were still `doing` though their worker is dead: they are failed now, their locks free.

    Nothing else frees them. They are not run again: whether that is safe is for the one who enqueued them to say, and
    a periodic task comes back by itself.
    """
    swept = fetch(
        """
        select job.id, procrastinate_finish_job_v1(job.id, 'failed', false)
        from (
            select j.id from procrastinate_jobs j left join procrastinate_workers w on w.id = j.worker_id
            where j.status = 'doing' and (w.id is null or w.last_heartbeat < now() - make_interval(secs => %s))
            order by j.id for update of j skip locked
        ) job
        """,
        [stale_s],
    )
    return len(swept)


def delete_old_jobs(*, keep: timedelta = KEEP_FAILED) -> int:
    """The number of ended jobs deleted; in small transactions, because one big one holds up the queue."""
    return in_batches(lambda: _delete_batch(keep))


@transaction.atomic
def _delete_batch(keep: timedelta) -> int:
    return execute(
        """
        delete from procrastinate_jobs where id in (
            select j.id from procrastinate_jobs j
            where j.status in ('succeeded', 'failed', 'cancelled', 'aborted') and not exists (
                select 1 from procrastinate_events e where e.job_id = j.id and e.at > now() - %s
            )
            order by j.id limit %s for update skip locked
        )
        """,
        [keep, DELETE_BATCH],
    )
