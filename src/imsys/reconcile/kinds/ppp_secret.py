"""/ppp/secret: one PPPoE login, keyed by name. docs/spec/ppp-secret.md is its page."""

from imsys.kit.addresses import canonical_address
from imsys.reconcile.kinds.base import Field, Kind, Value, boolean, clearable, sent_boolean, sent_text, text

MENU = "/ppp/secret"

HIDDEN = "*****"
"""What a router prints for a password when the login lacks the `sensitive` policy."""


def service(printed: str | None) -> Value:
    """`any` serves PPPoE too, so it is no drift; an absent value is the default, `any`."""
    return "pppoe" if printed in (None, "", "any", "pppoe") else printed


def remote_address(printed: str | None) -> Value:
    """Old versions print 0.0.0.0 for an address that is not set."""
    return "" if printed in (None, "", "0.0.0.0", "::") else canonical_address(printed)  # noqa: S104 (compared, not bound)


def profile(printed: str | None) -> Value:
    return printed or "default"


SECRET = Kind(
    menu=MENU,
    key_names=("name",),
    fields=(
        Field("service", service, sent_text),
        Field("profile", profile, sent_text),
        Field("remote-address", remote_address, clearable),
        Field("caller-id", text, sent_text),
        Field("disabled", boolean, sent_boolean),
        Field("password", text, sent_text, is_secret=True),
    ),
    can_rename=True,
    names_subscriber=True,
    log_noun="ppp secret",
)
