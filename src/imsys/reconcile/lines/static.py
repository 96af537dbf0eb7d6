"""A static line: a queue for its speed, a lease where its device is known. Always cut off by the address list.

Nobody logs in, so there is nothing to disable: the list cuts it off, and its established connections are removed.
"""

from imsys.kit.units import Rate, RateLimit
from imsys.reconcile.intent import PackageIntent, RouterIntent, SubscriberIntent, SuspendBy
from imsys.reconcile.kinds import LEASE, QUEUE, Resource, Value
from imsys.reconcile.kinds.simple_queue import target
from imsys.reconcile.lines.base import Line, connections_of, on_the_list, rate_value
from imsys.reconcile.sessions import LiveKey

NONE = Rate(0, 0)


def cut_by(subscriber: SubscriberIntent, router: RouterIntent) -> SuspendBy:
    return "address-list"


def profile(package: PackageIntent, is_newer: bool) -> None:
    """The speed stands in each line's own queue."""


def resources(subscriber: SubscriberIntent, package: PackageIntent, router: RouterIntent) -> list[Resource]:
    rows = [_queue(subscriber, package)]
    if subscriber.mac:
        rows.append(_lease(subscriber))
    if subscriber.is_suspended:
        rows.append(on_the_list(subscriber, router))
    return rows


def _queue(subscriber: SubscriberIntent, package: PackageIntent) -> Resource:
    where = target(subscriber.address)
    return Resource(
        QUEUE.menu,
        subscriber.username,
        {"target": where, **_speed(rate_value(package)), "disabled": False},
        subscriber_id=subscriber.subscriber_id,
        is_newer=subscriber.is_newer,
        aliases=(f"target {where}",),
    )


def _speed(limit: Value) -> dict[str, Value]:
    """A rate limit in a queue's words. A minimum that is the rate itself is what a rate limit without one means."""
    if not isinstance(limit, RateLimit):
        limit = RateLimit.of(NONE)
    burst_s = limit.burst_time_s
    return {
        "max-limit": limit.rate,
        "limit-at": NONE if limit.minimum == limit.rate else limit.minimum,
        "burst-limit": limit.burst,
        "burst-threshold": limit.threshold,
        "burst-time": f"{burst_s[0]}/{burst_s[1]}",
        "priority": f"{limit.priority}/{limit.priority}",
    }


def _lease(subscriber: SubscriberIntent) -> Resource:
    return Resource(
        LEASE.menu,
        subscriber.address,
        {"mac-address": subscriber.mac, "disabled": False},
        subscriber_id=subscriber.subscriber_id,
        is_newer=subscriber.is_newer,
        aliases=(f"mac {subscriber.mac}",),
    )


def live(subscriber: SubscriberIntent, way: SuspendBy) -> set[LiveKey]:
    return connections_of(subscriber)


STATIC = Line(cut_by, profile, resources, live)
