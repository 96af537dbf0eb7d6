"""Who changed a row: read from the router's own log lines.

Forms (RouterOS facts, "Logs"): v6 `ppp secret <ann> changed by admin`; v7 `ppp secret <ann> changed by
tcp-msg(winbox):juma@10.0.0.9/terminal/action:245 (...)` and `... by api:user@10.0.0.2/action:243 (...)`.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from imsys.reconcile.kinds import KINDS

LOG_PROPLIST = ("time", "message")

_LINE = re.compile(r"^(?P<noun>[a-z -]+) <(?P<key>.*?)> (?:changed|added|removed) by (?P<who>\S+)", re.DOTALL)
_NOUNS = {kind.log_noun: menu for menu, kind in KINDS.items() if kind.log_noun}
_NEW_FORM = re.compile(r"^(?:(?P<way>[\w-]+)(?:\((?P<via>[\w-]+)\))?:)(?P<user>[^@/:]+)@")


def attribute(
    rows: Iterable[Mapping[str, str]], places: Collection[tuple[str, str]], *, own_user: str
) -> dict[tuple[str, str], str]:
    """For each (menu, key) the last person or program, other than ourselves, whom the log names: "juma via winbox"."""
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        match = _LINE.match(row.get("message", ""))
        if match is None:
            continue
        place = (_NOUNS.get(match["noun"], ""), match["key"])
        if place in places and (who := _person(match["who"], own_user)) is not None:
            found[place] = who
    return found


def _person(who: str, own_user: str) -> str | None:
    new = _NEW_FORM.match(who)
    if new is None:
        return None if who == own_user else who
    via = new["via"] or new["way"]
    if new["user"] == own_user and via == "api":
        return None
    return f"{new['user']} via {via}"
