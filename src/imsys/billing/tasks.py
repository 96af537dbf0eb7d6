"""The periodic work of billing."""

from procrastinate.contrib.django import app

from imsys.billing import services


@app.periodic(cron="* * * * *")
@app.task(name="run_expiry", queueing_lock="run_expiry")
def run_expiry(timestamp: int) -> None:
    services.run_expiry(actor="system")
