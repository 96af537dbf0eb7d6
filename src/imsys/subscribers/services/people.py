"""Subscribers one by one: adding, changing, removing, and having them looked at now."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction

from imsys.conf.secrets import vault
from imsys.conf.sql import execute, fetch
from imsys.kit.errors import InputError
from imsys.network import selectors as network
from imsys.network.services import ask_attempt
from imsys.network.wake import wake
from imsys.subscribers import selectors
from imsys.subscribers.errors import AlreadyThere, address_taken, looks_like, subscriber_exists
from imsys.subscribers.models import Cause, Service, Subscriber, Suspension, SyncState
from imsys.subscribers.services.rows import bump, lock_named
from imsys.subscribers.validation import (
    check_address,
    check_email,
    check_password,
    check_service,
    check_text,
    check_username,
)
from imsys.timeline import services as timeline
from imsys.timeline.services import INSERT_EVENTS
from imsys.vault.box import SUBSCRIBER_PASSWORD

REMOVE_BATCH = 5_000
# A change of anything else stays in the database: no router shows it.
ON_THE_ROUTER = frozenset({"package", "password", "address"})


class SubscriberChanges(TypedDict, total=False):
    """What may be changed of a subscriber. A field that is not given stays; an empty text clears it."""

    package: str
    password: str
    address: str
    full_name: str
    phone: str
    email: str
    note: str
    expires_at: datetime | None


@transaction.atomic
def add_subscriber(
    *,
    username: str,
    router: str,
    package: str,
    password: str = "",
    address: str = "",
    service: str = Service.PPPOE,
    full_name: str = "",
    phone: str = "",
    email: str = "",
    note: str = "",
    expires_at: datetime | None = None,
    suspended: bool = False,
    exact: bool = False,
    actor: str,
) -> Subscriber:
    """`exact`: the username is meant as it is, though it has blanks at an end or another differs by case alone."""
    subscriber = Subscriber(
        username=check_username(username, exact=exact),
        service=check_service(service),
        router=network.get_router(router),
        package=selectors.get_package(package),
        expires_at=expires_at,
        is_suspended=suspended,
    )
    set_password(subscriber, check_password(password))
    subscriber.address = check_address(address)
    for field, value in {"full_name": full_name, "phone": phone, "email": email, "note": note}.items():
        setattr(subscriber, field, _check_field(field, value))
    _check_free(subscriber, exact=exact)
    with _taken(subscriber):
        subscriber.save(force_insert=True)
    SyncState.objects.create(subscriber=subscriber, router_id=subscriber.router_id)
    if suspended:
        Suspension.objects.create(subscriber=subscriber, cause=Cause.OTHER, note="since it was added", by=actor)
    after = {"package": package, "address": subscriber.address, "is_suspended": suspended}
    _tell("added", subscriber, actor=actor, after=after)
    wake([subscriber.router_id])
    return subscriber


@transaction.atomic
def set_subscriber(username: str, *, actor: str, **changes: Unpack[SubscriberChanges]) -> Subscriber:
    """Change what differs. Only package, password and address are seen by the router, and only they bump."""
    (pk,) = lock_named([username]).ids
    subscriber = Subscriber.objects.select_related("package", "router").get(pk=pk)
    before, after = _apply(subscriber, changes)
    if not after:
        return subscriber
    with _taken(subscriber):
        subscriber.save()
    execute("update subscribers_subscriber set updated_at = statement_timestamp() where id = %s", [pk])
    _tell("changed", subscriber, actor=actor, before=before, after=after)
    if after.keys() & ON_THE_ROUTER:
        bump([pk])
        wake([subscriber.router_id])
    return subscriber


@transaction.atomic
def remove_subscribers(usernames: Iterable[str], *, actor: str) -> int:
    """How many were removed. What stands on the routers becomes ghosts, which the keepers remove when they can."""
    locked = lock_named(usernames)
    execute(
        f"""
        {INSERT_EVENTS}
        select %(actor)s, 'removed', s.id, s.username, s.router_id, r.name,
            jsonb_build_object('package', p.name, 'is_suspended', s.is_suspended), null, '', ''
        from subscribers_subscriber s
        join network_router r on r.id = s.router_id join subscribers_package p on p.id = s.package_id
        where s.id = any(%(ids)s::bigint[]) order by s.id
        """,  # noqa: S608 - a constant of ours
        {"actor": actor, "ids": locked.ids},
    )
    for start in range(0, len(locked), REMOVE_BATCH):
        Subscriber.objects.filter(pk__in=locked.ids[start : start + REMOVE_BATCH]).delete()
    wake(locked.router_ids)
    return len(locked)


@transaction.atomic
def ask_sync(usernames: Iterable[str] | None = None, *, router: str | None = None) -> int:
    """Have these looked at now, whatever backoff they or their routers are in; the number of them that are due.

    Named subscribers are looked at even when they are synced: somebody doubts it. Otherwise all that are not synced
    are, on `router` or everywhere.
    """
    values: list[Any] = []
    routers: set[int] | None = None
    if usernames is not None:
        locked = lock_named(usernames)
        condition, values, routers = "subscriber_id = any(%s::bigint[])", [locked.ids], set(locked.router_ids)
    elif router is not None:
        pk = network.get_router(router).pk
        condition, values, routers = "sync_status <> 'synced' and router_id = %s", [pk], {pk}
    else:
        condition = "sync_status <> 'synced'"
    due = execute(
        f"""
        with asked as materialized (
            select subscriber_id from subscribers_syncstate where {condition} order by subscriber_id for update
        )
        update subscribers_syncstate s set next_attempt_at = now(),
            sync_status = case s.sync_status when 'synced' then 'pending' else s.sync_status end
        from asked where s.subscriber_id = asked.subscriber_id
        """,  # noqa: S608 - one of the conditions above
        values,
    )
    ask_attempt(routers)
    return due


def set_password(subscriber: Subscriber, password: str) -> None:
    """Sealed and fingerprinted; a blank password is not managed."""
    if not password:
        subscriber.password_sealed = subscriber.password_mac = None
        return
    subscriber.password_sealed = vault().seal(password, context=SUBSCRIBER_PASSWORD)
    subscriber.password_mac = vault().fingerprint(password)


def _apply(subscriber: Subscriber, changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set what differs; what it was and what it is, without the password itself."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for field, value in changes.items():
        if field not in SubscriberChanges.__annotations__:
            raise TypeError(f"a subscriber has no {field!r} to change")
        if field == "password":
            if _password_differs(subscriber, check_password(value)):
                set_password(subscriber, value)
                after[field] = "changed" if value else "cleared"
            continue
        new = selectors.get_package(value) if field == "package" else _check_field(field, value)
        if (old := getattr(subscriber, field)) != new:
            before[field], after[field] = _plain(old), _plain(new)
            setattr(subscriber, field, new)
    if "address" in after:
        _check_address_free(subscriber)
    return before, after


def _check_field(field: str, value: Any) -> Any:
    if field == "expires_at":
        if value is not None and value.tzinfo is None:
            raise TypeError("an instant has a time zone")
        return value
    if field == "address":
        return check_address(value)
    return check_email(value) if field == "email" else check_text(field, value)


def _password_differs(subscriber: Subscriber, password: str) -> bool:
    if not password or subscriber.password_mac is None:
        return bool(password) or subscriber.password_mac is not None
    return vault().fingerprint(password) != bytes(subscriber.password_mac)


def _check_free(subscriber: Subscriber, *, exact: bool) -> None:
    rows = fetch("select username from subscribers_subscriber where lower(username) = lower(%s)", [subscriber.username])
    alike = [username for (username,) in rows]
    if subscriber.username in alike:
        raise subscriber_exists(subscriber.username)
    if alike and not exact:
        raise looks_like(subscriber.username, alike[0])
    _check_address_free(subscriber)


def _check_address_free(subscriber: Subscriber) -> None:
    if not subscriber.address:
        return
    others = Subscriber.objects.filter(router_id=subscriber.router_id, address=subscriber.address)
    if other := others.exclude(pk=subscriber.pk).first():
        raise address_taken(subscriber.address, subscriber.router.name, other.username)


@contextmanager
def _taken(subscriber: Subscriber) -> Iterator[None]:
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
        raise InputError("Something that this refers to was removed just now.", remedy="Look again.") from exc


def _tell(
    what: str,
    subscriber: Subscriber,
    *,
    actor: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    timeline.record(
        what,
        actor=actor,
        subscriber_id=subscriber.pk,
        username=subscriber.username,
        router_id=subscriber.router_id,
        router=subscriber.router.name,
        before=before,
        after=after,
    )


def _plain(value: Any) -> Any:
    """For JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None else str(value)
