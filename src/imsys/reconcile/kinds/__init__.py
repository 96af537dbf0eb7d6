"""The kinds of rows that we manage; adding one is a file here, its page in docs/spec and its simulator menu."""

from imsys.reconcile.kinds.address_list import ADDRESS_LIST
from imsys.reconcile.kinds.base import UNVERIFIABLE, Field, Kind, Observed, Phase, Printed, Resource, Value
from imsys.reconcile.kinds.dhcp_lease import LEASE
from imsys.reconcile.kinds.drop_rule import DROP_RULE
from imsys.reconcile.kinds.hotspot_binding import BINDING
from imsys.reconcile.kinds.hotspot_profile import HOTSPOT_PROFILE
from imsys.reconcile.kinds.hotspot_user import HOTSPOT_USER
from imsys.reconcile.kinds.ppp_profile import PROFILE
from imsys.reconcile.kinds.ppp_secret import SECRET
from imsys.reconcile.kinds.simple_queue import QUEUE

KINDS = {
    kind.menu: kind
    for kind in (PROFILE, SECRET, HOTSPOT_PROFILE, HOTSPOT_USER, BINDING, QUEUE, LEASE, ADDRESS_LIST, DROP_RULE)
}

LOGINS = (SECRET, HOTSPOT_USER)
"""Kinds whose rows let somebody log in: one that nobody here knows is free internet."""

LOGIN_MENUS = {"pppoe": SECRET.menu, "hotspot": HOTSPOT_USER.menu}
"""Where the login of a subscriber with this service is."""

__all__ = [
    "ADDRESS_LIST", "BINDING", "DROP_RULE", "HOTSPOT_PROFILE", "HOTSPOT_USER", "KINDS", "LEASE", "LOGINS",
    "LOGIN_MENUS", "PROFILE", "QUEUE", "SECRET", "UNVERIFIABLE", "Field", "Kind", "Observed", "Phase", "Printed",
    "Resource", "Value",
]  # fmt: skip
