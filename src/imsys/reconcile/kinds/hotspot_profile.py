"""/ip/hotspot/user/profile: the profile that a package owns for hotspot logins, keyed by name.

docs/spec/ip-hotspot-user-profile.md is its page. The menu has no comment, so nothing but the name says whose it is.
"""

from imsys.reconcile.kinds.base import Field, Kind, Phase, Value
from imsys.reconcile.kinds.rates import number, rate_limit, sent_rate_limit, sent_word

MENU = "/ip/hotspot/user/profile"


def shared_users(printed: str | None) -> Value:
    """How many devices may use one login at once; absent is the default, 1."""
    return number(printed or "1")


HOTSPOT_PROFILE = Kind(
    menu=MENU,
    key_names=("name",),
    fields=(
        Field("rate-limit", rate_limit, sent_rate_limit),
        Field("shared-users", shared_users, sent_word),
    ),
    add_phase=Phase.PROFILES,
    set_phase=Phase.PROFILES,
    remove_phase=Phase.REMOVE_PROFILES,
    log_noun="hotspot user profile",
    is_read_whole=True,
)
