"""What `imsys worker` runs: the keepers of this process's share, and the job engine beside them."""

import asyncio
import gc
import logging

from imsys.conf.database import dsn
from imsys.conf.jobs import sweep_stalled
from imsys.conf.secrets import vault
from imsys.fleet.timing import Timing
from imsys.fleet.worker import Worker

log = logging.getLogger(__name__)

COLLECT_EVERY = 20_000
JOBS_GRACE_S = 3
JOBS_AGAIN_S = 1.0


def make_worker(*, timing: Timing | None = None, only: list[int] | None = None) -> Worker:
    """A worker on Django's database, with this installation's secrets."""
    box = vault()
    return Worker(
        dsn(),
        unseal=lambda sealed, context: box.open(sealed, context=context),
        fingerprint=box.fingerprint,
        timing=timing,
        only=only,
    )


async def run_worker(*, stop: asyncio.Event) -> None:
    """Work until `stop`; raises only what no restart inside the process can mend."""
    await asyncio.to_thread(sweep_stalled)
    worker = make_worker()
    _collect_seldom()
    keepers = asyncio.create_task(worker.run(stop), name="keepers")
    jobs = asyncio.create_task(_run_jobs(stop), name="jobs")
    try:
        await asyncio.wait([keepers, jobs], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await keepers
    finally:
        jobs.cancel()
        await asyncio.gather(jobs, return_exceptions=True)


def _collect_seldom() -> None:
    """A run makes tables of rows and lets go of them, without cycles: looking for those cost a fifth of its time."""
    gc.freeze()  # what is loaded by now stays
    gc.set_threshold(COLLECT_EVERY, 20, 100)


async def _run_jobs(stop: asyncio.Event) -> None:
    """The engine's worker ends when it loses the database; it is started anew until we stop."""
    from procrastinate.contrib.django import app

    while not stop.is_set():
        worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
        try:
            async with worker_app.open_async():
                await worker_app.run_worker_async(
                    name="imsys",
                    concurrency=4,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    fetch_job_polling_interval=5,
                    shutdown_graceful_timeout=JOBS_GRACE_S,
                )
        except Exception as error:  # noqa: BLE001 (whatever ended it, the jobs are rows and wait)
            log.warning("job engine ended", extra={"reason": type(error).__name__})
        await asyncio.sleep(JOBS_AGAIN_S)
