"""Forgetting old runs, and fights that are over."""

from datetime import timedelta

from django.db import transaction

from imsys.conf.sql import execute, in_batches

PRUNE_BATCH = 5_000


def prune_runs(*, keep: timedelta) -> int:
    """The number of runs deleted; in small transactions, so that nothing waits for them."""
    return in_batches(lambda: _prune_batch(keep))


@transaction.atomic
def _prune_batch(keep: timedelta) -> int:
    oldest = "select id from fleet_run where ended_at < now() - %s order by ended_at limit %s for update skip locked"
    return execute(f"delete from fleet_run where id in ({oldest})", [keep, PRUNE_BATCH])  # noqa: S608 - no input


@transaction.atomic
def prune_fights() -> int:
    """The number of fields forgotten that were left alone for long enough."""
    over = "select id from fleet_fight where over_at < now() order by id for update skip locked"
    return execute(f"delete from fleet_fight where id in ({over})")  # noqa: S608 - no input
