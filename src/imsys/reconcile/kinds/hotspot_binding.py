"""/ip/hotspot/ip-binding: a paid MAC address that needs no login, keyed by it. docs/spec/ip-hotspot-ip-binding.md."""

from imsys.kit.errors import InputError
from imsys.kit.units import Mac
from imsys.reconcile.kinds.base import Field, Kind, Printed, Value, boolean, sent_boolean, sent_text
from imsys.reconcile.kinds.hotspot_user import for_server

MENU = "/ip/hotspot/ip-binding"


def mac(printed: str | None) -> str | None:
    """Upper case with colons; what is no MAC address stays as it is printed."""
    if not printed:
        return None
    try:
        return Mac.parse(printed)
    except InputError:
        return printed


def key_of(row: Printed) -> str | None:
    return for_server(row.get("server"), mac(row.get("mac-address")))


def binding_type(printed: str | None) -> Value:
    return printed or "regular"


BINDING = Kind(
    menu=MENU,
    key_names=("mac-address", "server"),
    fields=(Field("type", binding_type, sent_text), Field("disabled", boolean, sent_boolean)),
    key_of=key_of,
    key_fields=lambda key: {"mac-address": key},
    asks=lambda key: ("mac-address", key),
    can_rename=True,
    log_noun="hotspot ip binding",
    is_key_logged=False,
)
