"""Looks for incidents and sends messages while no worker does: that there is none is what has to be told then.

It runs in a thread of the web process, which outlives its workers.
"""

import logging
import threading

from django.db import DatabaseError, close_old_connections

from imsys.fleet import incidents, selectors

log = logging.getLogger(__name__)

EVERY_S = 15.0


def watch(stop: threading.Event, *, every_s: float = EVERY_S) -> None:
    """Stand in for the workers' periodic look until `stop` is set."""
    while not stop.wait(every_s):
        try:
            stand_in()
        except DatabaseError as error:  # while it is away nothing can be looked at
            log.warning("incidents not looked for", extra={"reason": type(error).__name__})
        finally:
            close_old_connections()


def stand_in() -> int:
    """The number of messages sent; none while a worker lives."""
    if selectors.live_workers():
        return 0
    incidents.look()
    return incidents.send_due()
