"""Who changed a row: read from the router's own log lines.

Forms (RouterOS facts, "Logs"): v6 `ppp secret <ann> changed by admin`; v7 `ppp secret <ann> changed by
tcp-msg(winbox):juma@10.0.0.9/terminal/action:245 (...)` and `... by api:user@10.0.0.2/action:243 (...)`.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from imsys.reconcile.kinds import KINDS

LOG_PROPLIST = ("time", "message")

_LINE = re.compile(
    r"^(?P<noun>[a-z -]+?)(?: <(?P<key>.*?)>)? (?:changed|added|removed|moved) by (?P<who>\S+)", re.DOTALL
)
_SAFE_MODE_LOST = re.compile(r"^safe mode of \S+ lost")
_NOUNS = {kind.log_noun: menu for menu, kind in KINDS.items() if kind.log_noun}
_KEYLESS = {kind.log_noun: menu for menu, kind in KINDS.items() if not kind.is_key_logged}
_NEW_FORM = re.compile(r"^(?:(?P<way>[\w-]+)(?:\((?P<via>[\w-]+)\))?:)(?P<user>[^@/:]+)@")


def attribute(
    rows: Iterable[Mapping[str, str]], places: Collection[tuple[str, str]], *, own_user: str
) -> dict[tuple[str, str], str]:
    """For each (menu, key) the last person or program, other than ourselves, whom the log names: "juma via winbox".

    Of menus whose rows the log names by no key, it is the last who changed any. A safe mode that was lost undoes
    changes in the name of who held it: nobody's hand.
    """
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        message = row.get("message", "")
        if _SAFE_MODE_LOST.match(message):
            found.clear()
        match = _LINE.match(message)
        if match is None or (who := _person(match["who"], own_user)) is None:
            continue
        menu = _NOUNS.get(match["noun"], "")
        place = (menu, match["key"] or "")
        concerned = [p for p in places if p[0] == menu] if match["noun"] in _KEYLESS else {place}.intersection(places)
        found.update(dict.fromkeys(concerned, who))
    return found


def _person(who: str, own_user: str) -> str | None:
    new = _NEW_FORM.match(who)
    if new is None:
        return None if who == own_user else who
    via = new["via"] or new["way"]
    if new["user"] == own_user and via == "api":
        return None
    return f"{new['user']} via {via}"
