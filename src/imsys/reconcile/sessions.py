"""What is live on a router: sessions, and the traces that bring one back. Which of them must end is decided here.

A session is known by its row id and, where the router tells one, its session-id; both are new at each login.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from imsys.kit.errors import InputError
from imsys.kit.units import parse_duration
from imsys.reconcile.kinds import BINDING, HOTSPOT_USER, SECRET, Printed
from imsys.reconcile.kinds.hotspot_binding import mac

LiveKey = tuple[str, str]
"""(menu of sessions, whose): a login's name, a device's MAC address, a line's address."""


@dataclass(frozen=True, slots=True)
class SessionKind:
    """A menu of live things. `asks`: the property by which they are asked for; None where no query finds them.

    steady: properties that stay the same while a session lasts; `more` are read when one is to be ended.
    """

    menu: str
    asks: str | None
    steady: tuple[str, ...]
    more: tuple[str, ...] = ()
    keys_of: Callable[[Printed], tuple[str, ...]] = lambda row: (row.get("name", ""),)


def _user(row: Printed) -> tuple[str, ...]:
    return (row.get("user", ""),)


def _let_through(row: Printed) -> tuple[str, ...]:
    """A device that a binding lets through; any other that the hotspot has seen is as good as offline."""
    return (mac(row.get("mac-address")) or "",) if row.get("bypassed") in ("true", "yes") else ()


def _ends(row: Printed) -> tuple[str, ...]:
    """The address that opened a connection, and the one that answers, behind any NAT. ICMP has no port to cut off."""
    ends = (row.get("src-address", ""), row.get("reply-src-address", ""))
    return tuple(dict.fromkeys(end.partition(":")[0] for end in ends))


ACTIVE = SessionKind("/ppp/active", "name", (".id", "name", "session-id", "service"), ("address",))
HOTSPOT_ACTIVE = SessionKind("/ip/hotspot/active", "user", (".id", "user", "mac-address"), ("uptime",), keys_of=_user)
COOKIE = SessionKind("/ip/hotspot/cookie", "user", (".id", "user", "mac-address"), keys_of=_user)
HOST = SessionKind("/ip/hotspot/host", "mac-address", (".id", "mac-address", "bypassed"), keys_of=_let_through)
CONNECTION = SessionKind("/ip/firewall/connection", None, (".id", "src-address", "reply-src-address"), keys_of=_ends)

SESSION_KINDS = {kind.menu: kind for kind in (ACTIVE, HOTSPOT_ACTIVE, COOKIE, HOST, CONNECTION)}

OF_LOGIN = {SECRET.menu: (ACTIVE,), HOTSPOT_USER.menu: (HOTSPOT_ACTIVE, COOKIE), BINDING.menu: (HOST,)}
"""What is live by right of a row: it must end when the row goes. Its key is the row's."""
REDIALS = frozenset({ACTIVE.menu, HOTSPOT_ACTIVE.menu})
"""Sessions that come back by themselves under what their row then says."""


@dataclass(frozen=True, slots=True)
class Session:
    """One live row. uptime_s: how long it has lasted, where that alone tells a new one from the one before.

    address: what a PPP session was given, where it was asked for.
    """

    menu: str
    row_id: str
    name: str
    session_id: str = ""
    uptime_s: float | None = None
    address: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.menu, self.row_id, self.session_id

    @property
    def live_key(self) -> LiveKey:
        return self.menu, self.name


def sessions(kind: SessionKind, printed: Iterable[Mapping[str, str]]) -> list[Session]:
    """The live rows of a menu. A connection stands under both its ends."""
    return [
        Session(
            kind.menu,
            row.get(".id", ""),
            key,
            row.get("session-id", ""),
            _seconds(row.get("uptime")),
            row.get("address", ""),
        )
        for row in printed
        for key in kind.keys_of(row)
    ]


def _seconds(printed: str | None) -> float | None:
    try:
        return parse_duration(printed) if printed else None
    except InputError:
        return None


def among(present: Iterable[Session], keys: Collection[LiveKey]) -> list[Session]:
    return [session for session in present if session.live_key in keys]


def still_there(
    ended: Iterable[Session], present: Iterable[Session], said_yes: Collection[tuple[str, str]] = frozenset()
) -> list[Session]:
    """Of the sessions that were ended, those that a later read still shows: one that began anew is another.

    said_yes: (menu, row id) of those that the router said were ended; one in its first second tells no more than that.
    """
    before = {session.identity: session for session in ended}
    found = []
    for session in present:
        old = before.get(session.identity)
        if old is not None and not _began_anew(old, session, (old.menu, old.row_id) in said_yes):
            found.append(session)
    return found


def _began_anew(old: Session, new: Session, is_said_to_be_gone: bool) -> bool:
    if old.uptime_s is None or new.uptime_s is None:
        return False
    return new.uptime_s < old.uptime_s or (is_said_to_be_gone and new.uptime_s == 0)


def live_by_row(menu: str, key: str) -> set[LiveKey]:
    """What lives by right of this row."""
    return {(kind.menu, key) for kind in OF_LOGIN.get(menu, ())}
