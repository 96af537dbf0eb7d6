"""/ppp/profile: the profile that a package owns, keyed by name. docs/spec/ppp-profile.md is its page.

Only the rate limit is ours. Addresses, pools and DNS of the same profile are the ISP's.
"""

from imsys.reconcile.kinds.base import Field, Kind, Phase
from imsys.reconcile.kinds.rates import rate_limit, sent_rate_limit

MENU = "/ppp/profile"

PROFILE = Kind(
    menu=MENU,
    key_names=("name",),
    fields=(Field("rate-limit", rate_limit, sent_rate_limit),),
    add_phase=Phase.PROFILES,
    set_phase=Phase.PROFILES,
    remove_phase=Phase.REMOVE_PROFILES,
    log_noun="ppp profile",
    is_read_whole=True,
)
