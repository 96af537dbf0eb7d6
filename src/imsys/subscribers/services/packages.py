"""Packages: what is sold. A change that the router sees bumps all their subscribers in one statement."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from imsys.conf.sql import execute, fetch
from imsys.kit.errors import InputError
from imsys.kit.units import RateLimit
from imsys.network.models import Router, SuspendBy
from imsys.network.wake import wake
from imsys.subscribers import selectors
from imsys.subscribers.errors import AlreadyThere, PackageInUse
from imsys.subscribers.models import Apply, Package, Service
from imsys.subscribers.services.rows import BUMP_AND_KICK, ask_removal
from imsys.subscribers.validation import (
    check_apply,
    check_days,
    check_limit_bytes,
    check_limit_uptime,
    check_package_name,
    check_price,
    check_rate_limit,
    check_shared_users,
    check_text,
)
from imsys.timeline import services as timeline


class PackageChanges(TypedDict, total=False):
    """What may be changed of a package. A field that is not given stays."""

    profile: str
    rate_limit: str
    price: Decimal | int | str
    days: int
    apply: str
    shared_users: int
    limit_uptime: str
    limit_bytes: int | str


@transaction.atomic
def add_package(
    *,
    name: str,
    rate_limit: str = "",
    price: Decimal | int | str,
    days: int = 30,
    profile: str = "",
    apply: str = Apply.NEXT_LOGIN,
    shared_users: int = 1,
    limit_uptime: str = "",
    limit_bytes: int | str = 0,
    actor: str,
) -> Package:
    """`apply`: whether a later change ends the sessions that feel it with a new login only, or waits for that login.

    shared_users, limit_uptime and limit_bytes (0 is none; a text such as 10G counts in thousands) are of hotspot lines.
    """
    package = Package(
        name=name,
        rate_limit=rate_limit,
        price=price,
        days=days,
        profile=profile,
        apply=apply,
        shared_users=shared_users,
        limit_uptime=limit_uptime,
        limit_bytes=limit_bytes,
    )
    _check(package)
    try:
        with transaction.atomic():
            package.save()
    except IntegrityError as exc:
        raise AlreadyThere(
            f"The package {name!r} already exists.", remedy=f"Change it with: imsys package set {name}"
        ) from exc
    after = {"package": name, **{field: _plain(getattr(package, field)) for field in PackageChanges.__annotations__}}
    timeline.record("package-added", actor=actor, after=after)
    return package


@transaction.atomic
def set_package(name: str, *, actor: str, **changes: Unpack[PackageChanges]) -> Package:
    """Change what differs, and bump those of its subscribers whose router sees a difference. Its name is for good."""
    package = Package.objects.select_for_update(no_key=True).get(pk=selectors.get_package(name).pk)
    seen, felt = _seen(package), _felt(package)
    before, after = _apply(package, changes)
    if not after:
        return package
    package.save()
    timeline.record(
        "package-changed", actor=actor, before={"package": name, **before}, after={"package": name, **after}
    )
    changed = _differing(seen, _seen(package))
    if changed:
        kicked = _differing(felt, _felt(package)) if package.apply == Apply.NOW else []
        _bump_subscribers(package, changed, kicked)
    return package


@transaction.atomic
def remove_package(name: str, *, actor: str) -> None:
    """Refuses while it has subscribers. Its profile goes from the routers that hold it."""
    package = Package.objects.select_for_update().get(pk=selectors.get_package(name).pk)
    try:
        with transaction.atomic():
            ask_removal("package", [package.pk])
            package.delete()
    except ProtectedError as exc:
        raise PackageInUse(
            f"The package {name!r} still has {package.subscribers.count()} subscribers.",
            remedy="Give them another first: imsys subscriber set NAME --package OTHER",
        ) from exc
    timeline.record("package-removed", actor=actor, before={"package": name})
    wake(None)


def _apply(package: Package, changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    old = {field: getattr(package, field) for field in changes}
    for field, value in changes.items():
        if field not in PackageChanges.__annotations__:
            raise TypeError(f"a package has no {field!r} to change")
        setattr(package, field, value)
    _check(package)
    changed = [field for field in changes if getattr(package, field) != old[field]]
    return (
        {field: _plain(old[field]) for field in changed},
        {field: _plain(getattr(package, field)) for field in changed},
    )


def _check(package: Package) -> None:
    check_text("profile", package.profile)
    check_package_name(package.name, profile=package.profile)
    package.rate_limit = check_rate_limit(package.rate_limit.strip())
    package.price = check_price(package.price)
    package.days = check_days(package.days)
    package.apply = check_apply(package.apply)
    package.shared_users = check_shared_users(package.shared_users)
    package.limit_uptime = check_limit_uptime(package.limit_uptime)
    package.limit_bytes = check_limit_bytes(package.limit_bytes)
    walled = Router.objects.filter(suspend_by=SuspendBy.PROFILE, suspend_profile=package.name).first()
    if package.owns_profile and walled:
        raise InputError(
            f"The router {walled.name!r} puts suspended subscribers in the profile {package.name!r}.",
            remedy="Choose another name for the package.",
        )


def _seen(package: Package) -> dict[Service, tuple[object, ...]]:
    """By service, what its subscribers' router shows of it. A profile that people own is only named."""
    return {
        **_felt(package),
        Service.STATIC: (_rate(package),),
        Service.HOTSPOT: (*_felt(package)[Service.HOTSPOT], package.limit_uptime, package.limit_bytes),
    }


def _felt(package: Package) -> dict[Service, tuple[object, ...]]:
    """By service, what a session has from its login until its end. A static line has no login."""
    profile = (package.profile_name, package.owns_profile)
    owned = (_rate(package), package.shared_users) if package.owns_profile else (None, 0)
    return {Service.PPPOE: (*profile, owned[0]), Service.HOTSPOT: (*profile, *owned)}


def _rate(package: Package) -> RateLimit | None:
    return RateLimit.parse(package.rate_limit) if package.rate_limit else None


def _differing(
    before: Mapping[Service, tuple[object, ...]], after: Mapping[Service, tuple[object, ...]]
) -> list[Service]:
    return [service for service in before if before[service] != after[service]]


_OF_SERVICES = "subscribers_subscriber where package_id = %(id)s and service = any(%({name})s::text[])"


def _bump_subscribers(package: Package, changed: list[Service], kicked: list[Service]) -> None:
    concerned, felt = _OF_SERVICES.format(name="changed"), _OF_SERVICES.format(name="kicked")
    parameters = {"id": package.pk, "changed": [*map(str, changed)], "kicked": [*map(str, kicked)]}
    if execute(BUMP_AND_KICK.format(concerned=concerned, kicked=felt), parameters):
        routers = fetch(f"select distinct router_id from {concerned}", parameters)  # noqa: S608 - a constant of ours
        wake(router_id for (router_id,) in routers)


def _plain(value: object) -> object:
    """For JSON; money stays exact."""
    return str(value) if isinstance(value, Decimal) else value
