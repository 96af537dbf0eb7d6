"""The only door through which intent changes: each function here is one transaction.

It changes the rows, bumps whom the change concerns (generation + 1, pending, due now), leaves an event for each and
wakes the keepers of their routers at commit. What changes nothing does nothing: no bump, no event, no wake.

Locks are taken in one order, subscribers and then their sync states, each by key, so that writers never deadlock. No
router is locked: a second intake never waits for the first unless they meet in a subscriber.
"""

from imsys.subscribers.services.expiry import Expired, expire, expiry_mark, expiry_step, take_turn
from imsys.subscribers.services.importing import ImportReport, import_rows
from imsys.subscribers.services.moves import Moved, move_subscribers, rename_subscriber
from imsys.subscribers.services.packages import PackageChanges, add_package, remove_package, set_package
from imsys.subscribers.services.people import (
    SubscriberChanges,
    add_subscriber,
    ask_sync,
    remove_subscribers,
    set_subscriber,
)
from imsys.subscribers.services.routers import set_router
from imsys.subscribers.services.suspensions import Changed, resume, resume_all, suspend, suspend_all
from imsys.subscribers.services.undo import Left, Undone, undo

__all__ = [
    "Changed",
    "Expired",
    "ImportReport",
    "Left",
    "Moved",
    "PackageChanges",
    "SubscriberChanges",
    "Undone",
    "add_package",
    "add_subscriber",
    "ask_sync",
    "expire",
    "expiry_mark",
    "expiry_step",
    "import_rows",
    "move_subscribers",
    "remove_package",
    "remove_subscribers",
    "rename_subscriber",
    "resume",
    "resume_all",
    "set_package",
    "set_router",
    "set_subscriber",
    "suspend",
    "suspend_all",
    "take_turn",
    "undo",
]
