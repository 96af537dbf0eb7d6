"""Subscribers one by one: adding, changing, removing, and having them looked at now."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from imsys.conf.secrets import vault
from imsys.conf.sql import execute, fetch
from imsys.network import selectors as network
from imsys.network.models import SuspendBy
from imsys.network.services import ask_attempt
from imsys.network.wake import wake
from imsys.subscribers import selectors
from imsys.subscribers.models import Apply, Cause, Departure, Package, Service, Subscriber, Suspension, SyncState
from imsys.subscribers.services.rows import Locked, ask_removal, bump, lock_named, tell
from imsys.subscribers.services.standing import lift
from imsys.subscribers.services.taken import check_address_free, check_mac_free, check_username_free, taken
from imsys.subscribers.validation import (
    check_address,
    check_email,
    check_line,
    check_mac,
    check_password,
    check_service,
    check_text,
    check_username,
)
from imsys.timeline.services import INSERT_EVENTS_OF_CHANGE
from imsys.vault.box import SUBSCRIBER_PASSWORD

REMOVE_BATCH = 5_000
# By service. A change of anything else stays in the database: no router shows it.
ON_THE_ROUTER: dict[str, frozenset[str]] = {
    Service.PPPOE: frozenset({"service", "package", "password", "address", "mac"}),
    Service.STATIC: frozenset({"service", "package", "address", "mac"}),
    Service.HOTSPOT: frozenset({"service", "package", "password", "mac"}),
}
# No router shows it, and its keeper acts on it.
FOR_THE_KEEPER = frozenset({"is_enforced"})


class SubscriberChanges(TypedDict, total=False):
    """What may be changed of a subscriber. A field that is not given stays; an empty text clears it."""

    package: str
    password: str
    service: str
    address: str
    mac: str
    full_name: str
    phone: str
    email: str
    note: str
    expires_at: datetime | None
    is_enforced: bool


@transaction.atomic
def add_subscriber(
    *,
    username: str,
    router: str,
    package: str,
    password: str = "",
    address: str = "",
    mac: str = "",
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
    """`exact`: the username is meant as it is, though it has blanks at an end or another differs by case alone.

    A static line needs its address; a hotspot line has none. On one router an address is given once, and so is a MAC,
    but that several PPPoE lines may be locked to one device.
    """
    subscriber = Subscriber(
        username=check_username(username, exact=exact),
        service=check_service(service),
        router=network.get_router(router),
        package=selectors.get_package(package),
        expires_at=expires_at,
        is_suspended=suspended,
    )
    set_password(subscriber, check_password(password))
    subscriber.address, subscriber.mac = check_address(address), check_mac(mac)
    check_line(subscriber.service, subscriber.address)
    for field, value in {"full_name": full_name, "phone": phone, "email": email, "note": note}.items():
        setattr(subscriber, field, _check_field(field, value))
    check_username_free(subscriber, exact=exact)
    check_address_free(subscriber)
    check_mac_free(subscriber)
    with taken(subscriber):
        subscriber.save(force_insert=True)
    SyncState.objects.create(subscriber=subscriber, router_id=subscriber.router_id)
    if suspended:
        Suspension.objects.create(subscriber=subscriber, cause=Cause.OTHER, note="since it was added", by=actor)
    line = {"service": subscriber.service, "address": subscriber.address, "mac": subscriber.mac}
    after = {"package": package, **line, "is_suspended": suspended}
    tell("added", subscriber, actor=actor, after=after)
    wake([subscriber.router_id])
    return subscriber


@transaction.atomic
def set_subscriber(username: str, *, actor: str, **changes: Unpack[SubscriberChanges]) -> Subscriber:
    """Change what differs. What a router sees of the service bumps, and so does whether the subscriber is enforced.

    What the old service left there becomes ghosts. Whoever is suspended for `expiry` and is given a later end that has
    not passed is suspended for it no more.
    """
    (pk,) = lock_named([username]).ids
    subscriber = Subscriber.objects.select_related("package", "router").get(pk=pk)
    old_package, old_end = subscriber.package, subscriber.expires_at
    before, after = _apply(subscriber, changes)
    if not after:
        return subscriber
    with taken(subscriber):
        subscriber.save()
    execute("update subscribers_subscriber set updated_at = statement_timestamp() where id = %s", [pk])
    tell("changed", subscriber, actor=actor, before=before, after=after)
    if "service" in after:
        # the old one's session ends with its rows, and its password says nothing of the new one's
        execute("update subscribers_syncstate set kick_owed = false, applied_mac = null where subscriber_id = %s", [pk])
    if after.keys() & (ON_THE_ROUTER[subscriber.service] | FOR_THE_KEEPER):
        bump([pk], kick=_needs_login(subscriber, old_package, after))
        wake([subscriber.router_id])
    if "expires_at" in after and _is_entitled_again(old_end, subscriber.expires_at):
        lift([pk], causes=[Cause.EXPIRY], actor=actor)
        subscriber.refresh_from_db(fields=["is_suspended"])
    return subscriber


@transaction.atomic
def remove_subscribers(usernames: Iterable[str], *, actor: str) -> int:
    """How many were removed. What stands on the routers becomes ghosts, which the keepers remove when they can."""
    return remove_locked(lock_named(usernames), actor=actor)


def remove_locked(locked: Locked, *, actor: str, change_id: int | None = None) -> int:
    left = Departure.objects.filter(subscriber_id__in=locked.ids).values_list("router_id", flat=True)
    routers = {*locked.router_ids, *left}
    execute(
        f"""
        {INSERT_EVENTS_OF_CHANGE}
        select %(actor)s, 'removed', s.id, s.username, s.router_id, r.name,
            jsonb_build_object('package', p.name, 'is_suspended', s.is_suspended), null, '', '', %(change)s::bigint
        from subscribers_subscriber s
        join network_router r on r.id = s.router_id join subscribers_package p on p.id = s.package_id
        where s.id = any(%(ids)s::bigint[]) order by s.id
        """,  # noqa: S608 - a constant of ours
        {"actor": actor, "ids": locked.ids, "change": change_id},
    )
    ask_removal("subscriber", locked.ids)
    for start in range(0, len(locked), REMOVE_BATCH):
        Subscriber.objects.filter(pk__in=locked.ids[start : start + REMOVE_BATCH]).delete()
    wake(routers)
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
    if after.keys() & {"service", "address"}:
        check_line(subscriber.service, subscriber.address)
    if "address" in after:
        check_address_free(subscriber)
    if after.keys() & {"service", "mac"}:
        check_mac_free(subscriber)
    return before, after


def _needs_login(subscriber: Subscriber, old_package: Package, after: Mapping[str, Any]) -> bool:
    """Whether a session is to be ended for the change: the package says so, and a new login tells the difference.

    Where people are cut off by their addresses, nobody may go on under one that is another's by now.
    """
    if subscriber.service == Service.STATIC or "service" in after:
        return False
    if "address" in after and subscriber.router.suspend_by == SuspendBy.ADDRESS_LIST:
        return True
    if subscriber.package.apply != Apply.NOW:
        return False
    return bool(after.keys() & {"address", "mac"}) or subscriber.package.profile_name != old_package.profile_name


def _is_entitled_again(old: datetime | None, new: datetime | None) -> bool:
    """Whether a later end than before is given, by the database's clock in the future."""
    if old is None or (new is not None and new <= old):
        return False
    return new is None or bool(fetch("select %s > now()", [new])[0][0])


def _check_field(field: str, value: Any) -> Any:
    if field == "is_enforced":
        return bool(value)
    if field == "expires_at":
        if value is not None and value.tzinfo is None:
            raise TypeError("an instant has a time zone")
        return value
    if field == "address":
        return check_address(value)
    if field == "mac":
        return check_mac(value)
    if field == "service":
        return check_service(value)
    return check_email(value) if field == "email" else check_text(field, value)


def _password_differs(subscriber: Subscriber, password: str) -> bool:
    if not password or subscriber.password_mac is None:
        return bool(password) or subscriber.password_mac is not None
    return vault().fingerprint(password) != bytes(subscriber.password_mac)


def _plain(value: Any) -> Any:
    """For JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool) else str(value)
