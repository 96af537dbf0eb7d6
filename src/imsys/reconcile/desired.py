"""Intent to resources: which rows a router should have, and what each says. Every rule of that is here."""

from imsys.kit.errors import InputError
from imsys.kit.units import RateLimit
from imsys.reconcile.intent import Intent, PackageIntent, RouterIntent, SubscriberIntent
from imsys.reconcile.kinds import PROFILE, SECRET, Resource, Value

ResourceKey = tuple[str, str]
"""(menu, key)"""

Desired = dict[ResourceKey, Resource]


def desired(intent: Intent) -> Desired:
    """The rows that `intent` asks for: the profiles that its packages own, and a secret for each subscriber."""
    used: dict[int, bool] = {}
    for subscriber in intent.subscribers:
        used[subscriber.package_id] = used.get(subscriber.package_id, False) or subscriber.is_newer
    rows: Desired = {}
    for package_id in sorted(used):
        package = intent.packages[package_id]
        if package.is_owned:
            rows[PROFILE.menu, package.profile] = profile_of(package, is_newer=used[package_id])
    for subscriber in intent.subscribers:
        rows[SECRET.menu, subscriber.username] = secret_of(
            subscriber, intent.packages[subscriber.package_id], intent.router
        )
    return rows


def profile_of(package: PackageIntent, *, is_newer: bool) -> Resource:
    values = {"rate-limit": _rate(package)}
    return Resource(PROFILE.menu, package.profile, values, package_id=package.package_id, is_newer=is_newer)


def secret_of(subscriber: SubscriberIntent, package: PackageIntent, router: RouterIntent) -> Resource:
    values: dict[str, Value] = {
        "service": "pppoe",
        "profile": profile_name(subscriber, package, router),
        "remote-address": subscriber.address,
        "disabled": subscriber.is_suspended and router.suspend_by == "disable",
    }
    if subscriber.password_mac is not None:
        values["password"] = subscriber.password_mac
    return Resource(
        SECRET.menu,
        subscriber.username,
        values,
        subscriber_id=subscriber.subscriber_id,
        is_newer=subscriber.is_newer,
        rewrites_hidden=subscriber.password_mac != subscriber.applied_mac,
    )


def profile_name(subscriber: SubscriberIntent, package: PackageIntent, router: RouterIntent) -> str:
    if subscriber.is_suspended and router.suspend_by == "profile":
        return router.suspend_profile
    return package.profile


def _rate(package: PackageIntent) -> Value:
    if not package.rate_limit:
        return None
    try:
        return RateLimit.parse(package.rate_limit)
    except InputError:  # checked on its way in; kept as text it is refused by the router, in the router's own words
        return package.rate_limit
