"""The timeline's periodic work."""

from datetime import timedelta

from django.conf import settings
from procrastinate.contrib.django import app

from imsys.timeline import changes, holds, incidents, services


@app.periodic(cron="17 3 * * *")
@app.task(name="prune_events", queueing_lock="prune_events")
def prune_events(timestamp: int) -> None:
    services.prune(keep=timedelta(days=settings.EVENT_DAYS))
    changes.prune(keep=timedelta(days=settings.EVENT_DAYS))
    incidents.prune(keep=timedelta(days=settings.EVENT_DAYS))
    holds.prune(keep=timedelta(days=settings.EVENT_DAYS))
