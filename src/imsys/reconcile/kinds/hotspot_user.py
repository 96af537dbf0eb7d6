"""/ip/hotspot/user: one hotspot login, keyed by name among those for all servers.

docs/spec/ip-hotspot-user.md is its page.
"""

from imsys.reconcile.kinds.base import (
    Field,
    Kind,
    Printed,
    Value,
    boolean,
    sent_boolean,
    sent_text,
    text,
)
from imsys.reconcile.kinds.rates import number, seconds, sent_seconds, sent_word

MENU = "/ip/hotspot/user"
ELSEWHERE = "\x1f"
"""Stands between the server and the name in the key of a row that is for one server only. No username holds it."""


def key_of(row: Printed) -> str | None:
    """The router tells logins apart by server and name: one of the same name under a server is another login."""
    return for_server(row.get("server"), row.get("name"))


def for_server(server: str | None, name: str | None) -> str | None:
    return name if server in (None, "", "all") or name is None else f"{server}{ELSEWHERE}{name}"


def profile(printed: str | None) -> Value:
    return printed or "default"


HOTSPOT_USER = Kind(
    menu=MENU,
    key_names=("name", "server"),
    fields=(
        Field("profile", profile, sent_text),
        Field("limit-uptime", seconds, sent_seconds),
        Field("limit-bytes-total", number, sent_word),
        Field("disabled", boolean, sent_boolean),
        Field("password", text, sent_text, is_secret=True),
    ),
    key_of=key_of,
    can_rename=True,
    names_subscriber=True,
    log_noun="hotspot user",
)
