"""The fleet's periodic work. Keepers are not jobs; see docs/adr/0002-procrastinate-and-keepers.md."""

from datetime import timedelta

from django.conf import settings
from procrastinate.contrib.django import app

from imsys.fleet import incidents, retention


@app.periodic(cron="23 3 * * *")
@app.task(name="prune_runs", queueing_lock="prune_runs")
def prune_runs(timestamp: int) -> None:
    retention.prune_runs(keep=timedelta(days=settings.RUN_DAYS))
    retention.prune_fights()


# The sixth column is seconds.
@app.periodic(cron="* * * * * */15")
@app.task(name="look_for_incidents", queueing_lock="look_for_incidents")
def look_for_incidents(timestamp: int) -> None:
    incidents.look()


@app.task(name=incidents.SEND_TASK, queueing_lock=incidents.SEND_TASK)
def send_notifications() -> None:
    incidents.send_due()
