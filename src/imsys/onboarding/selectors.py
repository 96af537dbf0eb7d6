"""What the database knows that bringing a router under our care asks for."""

from collections.abc import Iterable
from decimal import Decimal

from imsys.conf.secrets import vault
from imsys.conf.sql import fetch
from imsys.network.models import Router, RouterState
from imsys.onboarding.models import Capability, LegacyAccount
from imsys.onboarding.rights import MOST_KNOWN, Known
from imsys.subscribers.models import Package, Service, Subscriber
from imsys.subscribers.validation import is_storable


def known_passwords(router_id: int) -> Known:
    """A few of the passwords that we keep for subscribers of this router, and what the other routers are."""
    rows = Subscriber.objects.filter(router_id=router_id, service=Service.PPPOE, password_mac__isnull=False)
    some = rows.order_by("username").values_list("username", "password_mac")[:MOST_KNOWN]
    passwords = {username: bytes(mac) for username, mac in some if mac is not None}
    others = RouterState.objects.exclude(router_id=router_id).exclude(serial="").values_list("serial", "router__name")
    return Known(passwords, vault().fingerprint, dict(others))


def routers_of(usernames: Iterable[str]) -> dict[str, str]:
    """Of these, those that are subscribers already, and the name of the router of each."""
    rows = fetch(
        "select s.username, r.name from subscribers_subscriber s join network_router r on r.id = s.router_id "
        "where s.username = any(%s::text[])",
        [[name for name in usernames if is_storable(name)]],
    )
    return dict(rows)


def packages_named(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Of these, those that are there: the profile and the rate limit of each."""
    rows = Package.objects.filter(name__in=list(names)).values_list("name", "profile", "rate_limit")
    return {name: (profile, rate) for name, profile, rate in rows}


def latest_capability(router_id: int) -> Capability | None:
    """What the router can do since its last boot that we know of."""
    return Capability.objects.filter(router_id=router_id).order_by("-booted_at").first()


def full_packages_named(names: Iterable[str]) -> dict[str, tuple[str, str, Decimal]]:
    """Of these, those that are there: profile, rate limit and price."""
    rows = Package.objects.filter(name__in=list(names)).values_list("name", "profile", "rate_limit", "price")
    return {name: (profile, rate, price) for name, profile, rate, price in rows}


def routers_named(names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Of these, those that are kept here, and where they are."""
    rows = Router.objects.filter(name__in=list(names)).values_list("name", "host", "port")
    return {name: (host, port) for name, host, port in rows}


def payment_references(references: Iterable[str]) -> dict[str, str]:
    """Of these references of the older system, those that are kept, and the username that each belongs to."""
    kept = LegacyAccount.objects.filter(payment_reference__in=[each for each in references if each])
    return dict(kept.values_list("payment_reference", "subscriber__username"))
