"""/ip/dhcp-server/lease: which address a static line's device is given, keyed by address.

docs/spec/ip-dhcp-server-lease.md is its page.

An address is one lease's in the whole router, a MAC address one lease's on a server, and a lease for all servers
clashes with those of each: a lease that has our MAC address already is taken over, on whichever server it is.
"""

from imsys.kit.addresses import canonical_address
from imsys.reconcile.kinds.base import Field, Kind, Printed, Value, boolean, sent_boolean, sent_text
from imsys.reconcile.kinds.hotspot_binding import mac

MENU = "/ip/dhcp-server/lease"


def mac_address(printed: str | None) -> Value:
    return mac(printed) or ""


def key_of(row: Printed) -> str | None:
    address = row.get("address")
    return canonical_address(address) if address else None


def aliases_of(row: Printed) -> tuple[str, ...]:
    found = mac(row.get("mac-address"))
    return (f"mac {found}",) if found else ()


LEASE = Kind(
    menu=MENU,
    key_names=("address",),
    fields=(Field("mac-address", mac_address, sent_text), Field("disabled", boolean, sent_boolean)),
    key_of=key_of,
    key_fields=lambda key: {"address": key},
    asks=lambda key: ("address", key),
    aliases_of=aliases_of,
    alias_asks=lambda alias: ("mac-address", alias.removeprefix("mac ")),
    promotes="make-static",
    can_rename=True,
    log_noun="dhcp lease",
    is_key_logged=False,
)
