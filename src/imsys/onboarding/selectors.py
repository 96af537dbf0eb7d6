"""What the database knows that bringing a router under our care asks for."""

from imsys.conf.secrets import vault
from imsys.onboarding.models import Capability
from imsys.onboarding.rights import MOST_KNOWN, Known
from imsys.subscribers.models import Service, Subscriber


def known_passwords(router_id: int) -> Known:
    """A few of the passwords that we keep for subscribers of this router."""
    rows = Subscriber.objects.filter(router_id=router_id, service=Service.PPPOE, password_mac__isnull=False)
    some = rows.order_by("username").values_list("username", "password_mac")[:MOST_KNOWN]
    return Known({username: bytes(mac) for username, mac in some if mac is not None}, vault().fingerprint)


def latest_capability(router_id: int) -> Capability | None:
    """What the router can do since its last boot that we know of."""
    return Capability.objects.filter(router_id=router_id).order_by("-booted_at").first()
