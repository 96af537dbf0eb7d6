"""PPPoE: a secret, and a session while the CPE is dialled in. Cut off as the router is set to."""

from imsys.reconcile.intent import PackageIntent, RouterIntent, SubscriberIntent, SuspendBy
from imsys.reconcile.kinds import PROFILE, SECRET, Resource, Value
from imsys.reconcile.lines.base import Line, connections_of, on_the_list, rate_value
from imsys.reconcile.sessions import LiveKey, live_by_row


def cut_by(subscriber: SubscriberIntent, router: RouterIntent) -> SuspendBy:
    """A list holds addresses: a line that gets another one at each login is disabled instead."""
    if router.suspend_by == "address-list" and not subscriber.address:
        return "disable"
    return router.suspend_by


def profile(package: PackageIntent, is_newer: bool) -> Resource:
    values = {"rate-limit": rate_value(package)}
    return Resource(PROFILE.menu, package.profile, values, package_id=package.package_id, is_newer=is_newer)


def resources(subscriber: SubscriberIntent, package: PackageIntent, router: RouterIntent) -> list[Resource]:
    way = cut_by(subscriber, router)
    rows = [_secret(subscriber, package, router, way)]
    if subscriber.is_suspended and way == "address-list":
        rows.append(on_the_list(subscriber, router))
    return rows


def _secret(subscriber: SubscriberIntent, package: PackageIntent, router: RouterIntent, way: SuspendBy) -> Resource:
    is_confined = subscriber.is_suspended and way == "profile"
    profile_name = router.suspend_profile if is_confined else package.profile
    values: dict[str, Value] = {
        "service": "pppoe",
        "profile": profile_name,
        "remote-address": subscriber.address,
        "disabled": (subscriber.is_suspended and way == "disable") or subscriber.is_held_back,
    }
    if subscriber.mac or subscriber.has_lock:
        values["caller-id"] = subscriber.mac
    if subscriber.password_mac is not None:
        values["password"] = subscriber.password_mac
    return Resource(
        SECRET.menu,
        subscriber.username,
        values,
        subscriber_id=subscriber.subscriber_id,
        is_newer=subscriber.is_newer,
        rewrites_hidden=subscriber.password_mac != subscriber.applied_mac,
        refers=((PROFILE.menu, profile_name),),
    )


def live(subscriber: SubscriberIntent, way: SuspendBy) -> set[LiveKey]:
    """In the walled garden and on the list the session itself is legal."""
    if way == "address-list":
        return connections_of(subscriber)
    return live_by_row(SECRET.menu, subscriber.username) if way == "disable" else set()


PPPOE = Line(cut_by, profile, resources, live)
