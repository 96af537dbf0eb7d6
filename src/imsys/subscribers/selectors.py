"""Reading subscribers and packages, as plain dicts with the models' field names."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Lower

from imsys.conf.sql import fetch
from imsys.kit.errors import InputError
from imsys.network import selectors as network
from imsys.subscribers.errors import UnknownPackage, UnknownSubscriber
from imsys.subscribers.models import Departure, Package, Subscriber, SyncState, SyncStatus

LIST_FIELDS = (
    "id",
    "username",
    "service",
    "address",
    "mac",
    "full_name",
    "phone",
    "email",
    "expires_at",
    "is_suspended",
    "is_enforced",
    "created_at",
    "updated_at",
)
SYNC_FIELDS = (
    "generation",
    "applied_generation",
    "sync_status",
    "sync_error",
    "error_code",
    "attempts",
    "next_attempt_at",
    "wanted_at",
    "applied_at",
    "last_synced_at",
    "kick_owed",
    "made_at",
)
PACKAGE_FIELDS = (
    "id",
    "name",
    "profile",
    "rate_limit",
    "price",
    "days",
    "apply",
    "shared_users",
    "limit_uptime",
    "limit_bytes",
    "created_at",
)
LEAVING = "Leaving"
OLD_ROUTER_UNREACHABLE = "OldRouterUnreachable"


def get_package(name: str) -> Package:
    """Raises: UnknownPackage, which names those that look alike."""
    try:
        return Package.objects.get(name=name)
    except Package.DoesNotExist:
        known = Package.objects.values_list("name", flat=True)
        raise UnknownPackage(name, known) from None


def list_packages() -> list[dict[str, Any]]:
    """With the number of their subscribers."""
    rows = Package.objects.annotate(subscribers_count=Count("subscribers")).order_by("name")
    return [
        {**row, "subscribers": row.pop("subscribers_count")}
        for row in rows.values(*PACKAGE_FIELDS, "subscribers_count")
    ]


def package_detail(name: str) -> dict[str, Any]:
    get_package(name)
    return next(package for package in list_packages() if package["name"] == name)


def subscriber_detail(username: str) -> dict[str, Any]:
    """All that is known of a subscriber but the password: whether there is one is said."""
    rows = _with_sync(Subscriber.objects.filter(username=username)).values(
        *LIST_FIELDS, *SYNC_FIELDS, "router_name", "package_name", "note", has_password=Q(password_mac__isnull=False)
    )
    found = rows.first()
    if found is None:
        raise UnknownSubscriber([username], similar_usernames(username))
    row = _named(found)
    suspensions = Subscriber.objects.get(pk=row["id"]).suspensions
    row["suspensions"] = list(suspensions.values("cause", "note", "by", "since"))
    row["left_on"] = left_on(row["id"])
    return row


def left_on(subscriber_id: int) -> list[dict[str, Any]]:
    """The routers that a subscriber has left and where rows of theirs may remain, and why they do."""
    rows = Departure.objects.filter(subscriber_id=subscriber_id).order_by("since", "pk")
    return [
        {"router": router, "since": since, "reason": LEAVING if is_reachable else OLD_ROUTER_UNREACHABLE}
        for router, since, is_reachable in rows.values_list("router__name", "since", "router__state__is_reachable")
    ]


def list_subscribers(
    *,
    router: str = "",
    package: str = "",
    status: str = "",
    suspended: bool | None = None,
    enforced: bool | None = None,
    search: str = "",
    after: str = "",
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """By username, beginning after `after`: the next page begins after the last one of this."""
    found = filter_subscribers(
        router=router, package=package, status=status, suspended=suspended, enforced=enforced, search=search
    )
    if after:
        found = found.filter(username__gt=after)
    rows = _with_sync(found).order_by("username").values(*LIST_FIELDS, *SYNC_FIELDS, "router_name", "package_name")
    return [_named(row) for row in (rows if limit is None else rows[:limit])]


def count_subscribers(
    *, router: str = "", package: str = "", status: str = "", suspended: bool | None = None, search: str = ""
) -> int:
    return filter_subscribers(router=router, package=package, status=status, suspended=suspended, search=search).count()


def filter_subscribers(
    *,
    router: str = "",
    package: str = "",
    status: str = "",
    suspended: bool | None = None,
    enforced: bool | None = None,
    search: str = "",
) -> QuerySet[Subscriber]:
    """`enforced`: whether they are so by themselves. `search` looks in username, name, phone, address and MAC."""
    found = Subscriber.objects.all()
    if router:
        found = found.filter(router_id=network.get_router(router).pk)
    if package:
        found = found.filter(package_id=get_package(package).pk)
    if status:
        if status not in SyncStatus.values:
            raise InputError(f"{status!r} is not a sync status.", remedy=f"Use one of: {', '.join(SyncStatus.values)}")
        found = found.filter(sync__sync_status=status)
    if suspended is not None:
        found = found.filter(is_suspended=suspended)
    if enforced is not None:
        found = found.filter(is_enforced=enforced)
    for word in search.split():
        found = found.filter(
            Q(username__icontains=word)
            | Q(full_name__icontains=word)
            | Q(phone__contains=word)
            | Q(address__startswith=word)
            | (Q(mac__icontains=word) if ":" in word else Q())
        )
    return found


def sync_counts(router_ids: Iterable[int] | None = None) -> dict[str, int]:
    """How many are pending, synced and in error."""
    states = SyncState.objects.all() if router_ids is None else SyncState.objects.filter(router_id__in=set(router_ids))
    counts = dict(states.values_list("sync_status").annotate(count=Count("pk")))
    return {status.value: counts.get(status.value, 0) for status in SyncStatus}


def router_counts() -> dict[int, dict[str, int]]:
    """Per router that has any: subscribers, suspended, pending, synced, error."""
    rows = fetch(
        """
        select s.router_id, count(*), count(*) filter (where s.is_suspended),
            count(*) filter (where y.sync_status = 'pending'), count(*) filter (where y.sync_status = 'synced'),
            count(*) filter (where y.sync_status = 'error')
        from subscribers_subscriber s join subscribers_syncstate y on y.subscriber_id = s.id group by s.router_id
        """
    )
    names = ("subscribers", "suspended", "pending", "synced", "error")
    return {router_id: dict(zip(names, counts, strict=True)) for router_id, *counts in rows}


def list_routers() -> list[dict[str, Any]]:
    """The routers with how many subscribers they have, and how far those are synced."""
    counts = router_counts()
    none = {"subscribers": 0, "suspended": 0, "pending": 0, "synced": 0, "error": 0}
    return [{**router, **counts.get(router["id"], none)} for router in network.list_routers()]


def similar_usernames(username: str) -> list[str]:
    """Names worth comparing with this one: those that begin alike, not a million."""
    by_folded = Subscriber.objects.annotate(folded=Lower("username")).order_by("username")
    for length in (3, 2, 1):
        alike = by_folded.filter(folded__startswith=username[:length].lower())
        if found := list(alike.values_list("username", flat=True)[:2000]):
            return found
    return []


def _with_sync(found: QuerySet[Subscriber]) -> QuerySet[Subscriber, Any]:
    sync = {name: F(f"sync__{name}") for name in SYNC_FIELDS}
    return found.annotate(**sync, router_name=F("router__name"), package_name=F("package__name"))


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "router": row.pop("router_name"), "package": row.pop("package_name")}
