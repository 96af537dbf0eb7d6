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
    *("in-bridge-port", "in-bridge-port-list", "out-bridge-port", "out-bridge-port-list", "src-mac-address"),
    *("connection-state", "connection-nat-state", "connection-mark", "packet-mark", "routing-mark", "routing-table"),
    *("connection-type", "connection-bytes", "connection-limit", "connection-rate", "limit", "dst-limit", "time"),
    *("content", "layer7-protocol", "tls-host", "tcp-flags", "tcp-mss", "icmp-options", "ipv4-options", "packet-size"),
    *("ttl", "dscp", "nth", "random", "hotspot", "ipsec-policy", "fragment", "psd", "priority", "ingress-priority"),
    *("per-connection-classifier", "realm", "p2p"),
)
NARROWING = ("dst-address", "dst-address-list", "dst-address-type", "dst-port", "src-address-list", "tls-host")
"""Conditions by which people let somebody cut off reach a few places, such as where to pay, or exempt a list."""
LETTING_PASS = ("accept", "fasttrack-connection", "jump")


def key_of(row: Printed) -> str | None:
    """The list that a rule drops; None for a rule that does anything else, or that drops only some of it."""
    is_drop = row.get("chain") == "forward" and row.get("action") == "drop"
    if not is_drop or is_dynamic(row) or any(row.get(name) for name in CONDITIONS):
        return None
    return row.get("src-address-list") or None


def order(rows: Sequence[Printed]) -> FirstAbove:
    """The first rule that lets pass, before a rule below it is asked, what ours is to drop."""
    found = ((place, row.get(".id", "")) for place, row in enumerate(rows) if _lets_pass(row))
    first = next(found, None)
    return lambda _key, _values: first


def _lets_pass(row: Printed) -> bool:
    """May it take what comes from anybody? To stand above one that does not matter does no harm.

    A jump is judged by its own conditions: what its chain does is not known here.
    """
    if row.get("chain") != "forward" or is_disabled(row) or is_dynamic(row):
        return False
    if (row.get("action") or "accept") not in LETTING_PASS or row.get("protocol") in ("icmp", "icmpv6"):
        return False
    return not any(row.get(name) for name in NARROWING)


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
