"""The fleet's periodic work. Keepers are not jobs; see docs/adr/0002-procrastinate-and-keepers.md."""

from datetime import timedelta

from django.conf import settings
from procrastinate.contrib.django import app

from imsys.fleet import retention


@app.periodic(cron="23 3 * * *")
@app.task(name="prune_runs", queueing_lock="prune_runs")
def prune_runs(timestamp: int) -> None:
    retention.prune_runs(keep=timedelta(days=settings.RUN_DAYS))
