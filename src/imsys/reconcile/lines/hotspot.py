"""Hotspot: a login with its limits, and for a paid MAC address a binding that needs none. Cut off by disabling."""

from imsys.kit.errors import InputError
from imsys.kit.units import parse_duration
from imsys.reconcile.intent import PackageIntent, RouterIntent, SubscriberIntent, SuspendBy
from imsys.reconcile.kinds import BINDING, HOTSPOT_PROFILE, HOTSPOT_USER, Resource, Value
from imsys.reconcile.lines.base import Line, rate_value
from imsys.reconcile.sessions import LiveKey, live_by_row


def cut_by(subscriber: SubscriberIntent, router: RouterIntent) -> SuspendBy:
    return "disable"


def profile(package: PackageIntent, is_newer: bool) -> Resource:
    values: dict[str, Value] = {"rate-limit": rate_value(package), "shared-users": package.shared_users}
    return Resource(HOTSPOT_PROFILE.menu, package.profile, values, package_id=package.package_id, is_newer=is_newer)


def resources(subscriber: SubscriberIntent, package: PackageIntent, router: RouterIntent) -> list[Resource]:
    return [_user(subscriber, package), *([_binding(subscriber)] if subscriber.mac else [])]


def _user(subscriber: SubscriberIntent, package: PackageIntent) -> Resource:
    values: dict[str, Value] = {
        "profile": package.profile,
        "limit-uptime": _seconds(package.limit_uptime),
        "limit-bytes-total": package.limit_bytes,
        "disabled": subscriber.is_suspended or subscriber.is_held_back,
    }
    if subscriber.password_mac is not None:
        values["password"] = subscriber.password_mac
    return Resource(
        HOTSPOT_USER.menu,
        subscriber.username,
        values,
        subscriber_id=subscriber.subscriber_id,
        is_newer=subscriber.is_newer,
        rewrites_hidden=subscriber.password_mac != subscriber.applied_mac,
        refers=((HOTSPOT_PROFILE.menu, package.profile),),
    )


def _binding(subscriber: SubscriberIntent) -> Resource:
    """Disabled, it leaves the device to the login page like any other."""
    return Resource(
        BINDING.menu,
        subscriber.mac,
        {"type": "bypassed", "disabled": subscriber.is_suspended or subscriber.is_held_back},
        subscriber_id=subscriber.subscriber_id,
        is_newer=subscriber.is_newer,
    )


def _seconds(duration: str) -> Value:
    try:
        return int(parse_duration(duration)) if duration else 0
    except InputError:  # checked on its way in
        return duration


def live(subscriber: SubscriberIntent, way: SuspendBy) -> set[LiveKey]:
    keys = live_by_row(HOTSPOT_USER.menu, subscriber.username)
    return keys | (live_by_row(BINDING.menu, subscriber.mac) if subscriber.mac else set())


HOTSPOT = Line(cut_by, profile, resources, live)
