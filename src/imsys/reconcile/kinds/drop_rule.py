"""/ip/firewall/filter: the rule that drops what comes from the list of those cut off. docs/spec/ip-firewall-filter.md.

It is known by what it does, not by its comment: forward, drop, that source list and no other condition. It must stand
above what lets established connections pass, or somebody cut off goes on with those they have.
"""

from collections.abc import Sequence

from imsys.reconcile.kinds.base import (
    Field,
    FirstAbove,
    Kind,
    Phase,
    Printed,
    boolean,
    is_disabled,
    is_dynamic,
    sent_boolean,
)

MENU = "/ip/firewall/filter"
COMMENT = "IMSys: drops suspended subscribers"

CONDITIONS = (
    *("src-address", "dst-address", "dst-address-list", "src-address-type", "dst-address-type", "protocol"),
    *("src-port", "dst-port", "port", "in-interface", "out-interface", "in-interface-list", "out-interface-list"),
    *("connection-state", "connection-nat-state", "connection-mark", "packet-mark", "routing-mark", "src-mac-address"),
    *("connection-type", "connection-bytes", "connection-limit", "connection-rate", "limit", "dst-limit", "time"),
    *("content", "layer7-protocol", "tls-host", "tcp-flags", "icmp-options", "packet-size", "ttl", "dscp", "nth"),
    *("random", "hotspot", "ipsec-policy", "fragment", "psd", "priority", "per-connection-classifier"),
)


def key_of(row: Printed) -> str | None:
    """The list that a rule drops; None for a rule that does anything else, or that drops only some of it."""
    is_drop = row.get("chain") == "forward" and row.get("action") == "drop"
    if not is_drop or is_dynamic(row) or any(row.get(name) for name in CONDITIONS):
        return None
    return row.get("src-address-list") or None


def order(rows: Sequence[Printed]) -> FirstAbove:
    """The first rule that lets established connections pass before a rule below it is asked."""
    found = ((place, row.get(".id", "")) for place, row in enumerate(rows) if _lets_established_pass(row))
    first = next(found, None)
    return lambda _key, _values: first


def _lets_established_pass(row: Printed) -> bool:
    if row.get("chain") != "forward" or is_disabled(row):
        return False
    action = row.get("action") or "accept"
    if action == "fasttrack-connection":
        return True
    states = (row.get("connection-state") or "").split(",")
    is_bare = not row.get("src-address-list") and not any(row.get(name) for name in CONDITIONS)
    return action == "accept" and ("established" in states or is_bare)


DROP_RULE = Kind(
    menu=MENU,
    key_names=("chain", "action", "src-address-list"),
    fields=(Field("disabled", boolean, sent_boolean),),
    add_phase=Phase.RESTRICT,
    set_phase=Phase.RESTRICT,
    remove_phase=Phase.FREE,
    key_of=key_of,
    key_fields=lambda key: {"chain": "forward", "action": "drop", "src-address-list": key, "comment": COMMENT},
    also_read=CONDITIONS,
    order=order,
    log_noun="filter rule",
    is_key_logged=False,
    is_read_whole=True,
)
