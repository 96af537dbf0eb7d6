"""/ppp/profile: the profile that a package owns, keyed by name. docs/spec/ppp-profile.md is its page.

Only the rate limit is ours. Addresses, pools and DNS of the same profile are the ISP's.
"""

from imsys.kit.errors import InputError
from imsys.kit.units import RateLimit
from imsys.reconcile.kinds.base import Field, Kind, Value

MENU = "/ppp/profile"


def rate_limit(printed: str | None) -> Value:
    """Compared by meaning: 5M/10M equals 5000k/10000k. What RouterOS takes and we cannot read stays text."""
    if not printed:
        return None
    try:
        return RateLimit.parse(printed)
    except InputError:
        return printed


def sent_rate_limit(value: Value) -> str | None:
    """What we could not read is sent as it stands, and refused by the router in its own words."""
    return value.render() if isinstance(value, RateLimit) else (value if isinstance(value, str) else None)


PROFILE = Kind(
    menu=MENU,
    key_name="name",
    fields=(Field("rate-limit", rate_limit, sent_rate_limit),),
    add_phase=0,
    set_phase=0,
    remove_phase=4,
)
