"""Who gets in: the API services, logins, and who is there at the moment."""

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

from imsys.sim.accounts import Actor, parse_policies

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

DEFAULT_MAX_SESSIONS = 20


class Gate:
    """The door of one router, as its tables /ip/service, /user and /user/group say."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router

    def authenticate(self, user: str, password: Callable[[str], bool], address: str, via: str) -> Actor | None:
        """Who that is; None when the login is refused. `password` says whether a password is the one given."""
        users, groups = self._router.table("/user"), self._router.table("/user/group")
        row_id = users.id_of(user)
        row = None if row_id is None else users.get(row_id)
        if row is None or row_id is None:
            return None
        value = users.shape.value
        group_id = value(row, "group")
        group = groups.get(group_id) if isinstance(group_id, int) else None
        policies = parse_policies(str(groups.shape.value(group, "policy"))) if group is not None else frozenset()
        if (
            value(row, "disabled") == "true"
            or not password(str(value(row, "password")))
            or not allows(str(value(row, "address")), address)
            or "api" not in policies
        ):
            return None
        users.amend(row_id, is_quiet=True, last_logged_in=self._router.local_text())
        return Actor(user, via, address, policies)

    def enter(self, user: str, via: str, address: str) -> int:
        """Somebody logs in: a row of /user/active and a log line."""
        users, groups = self._router.table("/user"), self._router.table("/user/group")
        row_id = users.id_of(user)
        row = None if row_id is None else users.get(row_id)
        group_id = None if row is None else users.shape.value(row, "group")
        group = groups.name_of(group_id) if isinstance(group_id, int) else "full"
        shown_via = "winbox" if via == "mac-winbox" else via
        self._router.log.login(user, address, shown_via)
        return self._router.table("/user/active").put(
            when=self._router.local_text(), name=user, address=address, via=shown_via, group=group
        )

    def leave(self, active_id: int) -> None:
        table = self._router.table("/user/active")
        if (row := table.get(active_id)) is not None:
            value = table.shape.value
            table.delete(active_id)
            self._router.log.logout(*(str(value(row, name)) for name in ("name", "address", "via")))

    def admits(self, address: str, via: str) -> bool:
        """Whether the service is on and lets this address in; others see a connection that closes at once."""
        table = self._router.table("/ip/service")
        row = table.get(table.id_of(via) or -1)
        if row is None:
            return True
        prefixes = table.shape.value(row, "address") or table.shape.value(row, "available-from") or ""
        return table.shape.value(row, "disabled") == "false" and allows(str(prefixes), address)

    def max_sessions(self, via: str) -> int:
        """How many connections the service serves at once."""
        table = self._router.table("/ip/service")
        row = table.get(table.id_of(via) or -1)
        return int(str((row and table.shape.value(row, "max-sessions")) or DEFAULT_MAX_SESSIONS))


def allows(prefixes: str, address: str) -> bool:
    """Whether an address is within a list of prefixes; an empty list allows all."""
    if not prefixes:
        return True
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(peer in ipaddress.ip_network(prefix) for prefix in prefixes.split(","))
