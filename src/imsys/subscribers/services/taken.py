"""What has to be unique: usernames everywhere, addresses and devices on a router. Indexes guard what was asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from imsys.conf.sql import fetch
from imsys.kit.errors import InputError
from imsys.subscribers.errors import AlreadyThere, address_taken, looks_like, mac_taken, subscriber_exists
from imsys.subscribers.models import Service, Subscriber


def check_username_free(subscriber: Subscriber, *, exact: bool) -> None:
    rows = fetch(
        "select username from subscribers_subscriber "
        "where lower(username) = lower(%s) and id is distinct from %s order by username",
        [subscriber.username, subscriber.pk],
    )
    alike = [username for (username,) in rows]
    if subscriber.username in alike:
        raise subscriber_exists(subscriber.username)
    if alike and not exact:
        raise looks_like(subscriber.username, alike[0])


def check_address_free(subscriber: Subscriber) -> None:
    if not subscriber.address:
        return
    others = Subscriber.objects.filter(router_id=subscriber.router_id, address=subscriber.address)
    if other := others.exclude(pk=subscriber.pk).first():
        raise address_taken(subscriber.address, subscriber.router.name, other.username)


def check_mac_free(subscriber: Subscriber) -> None:
    """A lock may name one device for several PPPoE lines; whom it serves otherwise is one."""
    if not subscriber.mac or subscriber.service == Service.PPPOE:
        return
    others = Subscriber.objects.filter(router_id=subscriber.router_id, mac=subscriber.mac)
    if other := others.exclude(service=Service.PPPOE).exclude(pk=subscriber.pk).first():
        raise mac_taken(subscriber.mac, subscriber.router.name, other.username)


@contextmanager
def taken(subscriber: Subscriber) -> Iterator[None]:
    """Somebody else was faster: the unique index saw what the question before it could not."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as exc:
        if "subscriber_username" in str(exc):
            raise subscriber_exists(subscriber.username) from exc
        if "subscriber_address" in str(exc):
            raise AlreadyThere(
                f"The address {subscriber.address} was given to somebody else just now.",
                remedy="Choose another address.",
            ) from exc
        if "subscriber_mac" in str(exc):
            raise AlreadyThere(
                f"The MAC address {subscriber.mac} was given to somebody else just now.",
                remedy="Correct one of the two: a router serves a device once.",
            ) from exc
        raise InputError("Something that this refers to was removed just now.", remedy="Look again.") from exc
