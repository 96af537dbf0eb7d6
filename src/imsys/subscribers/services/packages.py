"""Packages: what is sold. A change that the router sees bumps all their subscribers in one statement."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from imsys.conf.sql import execute, fetch
from imsys.kit.errors import InputError
from imsys.network.models import Router, SuspendBy
from imsys.network.wake import wake
from imsys.subscribers import selectors
from imsys.subscribers.errors import AlreadyThere, PackageInUse
from imsys.subscribers.models import Package
from imsys.subscribers.services.rows import BUMP
from imsys.subscribers.validation import (
    check_days,
    check_package_name,
    check_price,
    check_rate_limit,
    check_text,
    same_rate_limit,
)
from imsys.timeline import services as timeline


class PackageChanges(TypedDict, total=False):
    """What may be changed of a package. A field that is not given stays."""

    profile: str
    rate_limit: str
    price: Decimal | int | str
    days: int


@transaction.atomic
def add_package(
    *, name: str, rate_limit: str = "", price: Decimal | int | str, days: int = 30, profile: str = "", actor: str
) -> Package:
    package = Package(name=name, rate_limit=rate_limit, price=price, days=days, profile=profile)
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
    """Change what differs, and bump its subscribers when their router sees a difference. Its name is for good."""
    package = Package.objects.select_for_update(no_key=True).get(pk=selectors.get_package(name).pk)
    on_the_router = (package.profile_name, package.owns_profile, package.rate_limit)
    before, after = _apply(package, changes)
    if not after:
        return package
    package.save()
    timeline.record(
        "package-changed", actor=actor, before={"package": name, **before}, after={"package": name, **after}
    )
    if _router_sees(package, on_the_router):
        _bump_subscribers(package)
    return package


@transaction.atomic
def remove_package(name: str, *, actor: str) -> None:
    """Refuses while it has subscribers. Its profile goes from the routers that hold it."""
    package = Package.objects.select_for_update().get(pk=selectors.get_package(name).pk)
    try:
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
    walled = Router.objects.filter(suspend_by=SuspendBy.PROFILE, suspend_profile=package.name).first()
    if package.owns_profile and walled:
        raise InputError(
            f"The router {walled.name!r} puts suspended subscribers in the profile {package.name!r}.",
            remedy="Choose another name for the package.",
        )


def _router_sees(package: Package, before: tuple[str, bool, str]) -> bool:
    """Whether anything differs there: a rate limit matters only in a profile that we own, and only by its meaning."""
    profile_name, owns_profile, rate_limit = before
    if (package.profile_name, package.owns_profile) != (profile_name, owns_profile):
        return True
    return package.owns_profile and not same_rate_limit(package.rate_limit, rate_limit)


def _bump_subscribers(package: Package) -> None:
    bump = BUMP.format(concerned="subscribers_subscriber where package_id = %(id)s")
    if execute(bump, {"id": package.pk}):
        routers = fetch("select distinct router_id from subscribers_subscriber where package_id = %s", [package.pk])
        wake(router_id for (router_id,) in routers)


def _plain(value: object) -> object:
    """For JSON; money stays exact."""
    return str(value) if isinstance(value, Decimal) else value
