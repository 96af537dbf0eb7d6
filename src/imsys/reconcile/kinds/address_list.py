"""/ip/firewall/address-list: lines that are cut off, keyed by list and address.

docs/spec/ip-firewall-address-list.md is its page.
"""

from imsys.kit.addresses import canonical_range
from imsys.reconcile.kinds.base import Field, Kind, Phase, Printed, boolean, sent_boolean

MENU = "/ip/firewall/address-list"


def key_for(name: str, address: str) -> str:
    return f"{name} {address}"


def parts_of(key: str) -> tuple[str, str]:
    """List and address; an address holds no blank."""
    name, _, address = key.rpartition(" ")
    return name, address


def key_of(row: Printed) -> str | None:
    name, address = row.get("list"), row.get("address")
    return key_for(name, canonical_range(address)) if name is not None and address else None


def key_fields(key: str) -> dict[str, str]:
    name, address = parts_of(key)
    return {"list": name, "address": address}


ADDRESS_LIST = Kind(
    menu=MENU,
    key_names=("list", "address"),
    fields=(Field("disabled", boolean, sent_boolean),),
    add_phase=Phase.RESTRICT,
    set_phase=Phase.RESTRICT,
    remove_phase=Phase.FREE,
    key_of=key_of,
    key_fields=key_fields,
    asks=lambda key: ("address", parts_of(key)[1]),
    also_read=("timeout",),
    promotes="remove",
    log_noun="address list entry",
    is_key_logged=False,
)
