"""What the business rows ask of one router, as plain values. The loader in `fleet` makes them from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

SuspendBy = Literal["disable", "profile", "address-list"]
Service = Literal["pppoe", "static", "hotspot"]


@dataclass(frozen=True, slots=True)
class RouterIntent:
    router_id: int
    suspend_by: SuspendBy = "disable"
    suspend_profile: str = "suspended"
    suspend_list: str = "BLOCKED_USERS"


@dataclass(frozen=True, slots=True)
class PackageIntent:
    """`profile` is the name of the profile; an owned one is kept right, a referred one is only named.

    limit_uptime, limit_bytes: of a hotspot login in all; blank and 0 are none.
    """

    package_id: int
    profile: str
    is_owned: bool
    rate_limit: str = ""
    shared_users: int = 1
    limit_uptime: str = ""
    limit_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SubscriberIntent:
    """One line. `password_mac` is the HMAC of the password; None: the password is not managed.

    mac: of a PPP login, the only device that may use it; of the others, the device that is served.
    has_lock: we once put such a lock on its row. applied_at: when the router last said yes to
        a write of ours.
    is_enforced: its rows are kept right though the router is only observed.
    is_held_back: it may not log in here yet, since it may still be online on the router that it moves from.
    """

    subscriber_id: int
    username: str
    generation: int
    applied_generation: int
    package_id: int
    address: str = ""
    is_suspended: bool = False
    password_mac: bytes | None = None
    is_kick_owed: bool = False
    attempts: int = 0
    is_synced: bool = False
    error_code: str = ""
    applied_mac: bytes | None = None
    service: Service = "pppoe"
    mac: str = ""
    has_lock: bool = False
    applied_at: datetime | None = None
    is_enforced: bool = False
    is_held_back: bool = False

    @property
    def is_newer(self) -> bool:
        """Has intent changed since it was last seen on the router?"""
        return self.generation > self.applied_generation


RENAMED = "renamed "
"""How the mark of a row begins that was not removed but got another name: its session may go on."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """A placement that nobody desires any more. `subscriber_id`: whose it still is, who has left this router.

    is_gone: its row was seen gone, so that it is wrong for it to be there again as it was; `mark` says how it was.
    package_id: of a profile that its package no longer owns. is_asked: a person's change left it behind.
    """

    menu: str
    key: str
    subscriber_id: int | None = None
    is_gone: bool = False
    package_id: int | None = None
    mark: str = ""
    is_asked: bool = True

    @property
    def place(self) -> tuple[str, str]:
        return self.menu, self.key


@dataclass(frozen=True, slots=True)
class Stray:
    """A login on the router that nobody owns, and that is not to stay as it is. `wish`: quarantine or remove.

    is_asked: a person decided so for this row, and not the router's policy for all.
    """

    menu: str
    key: str
    wish: str
    is_asked: bool

    @property
    def place(self) -> tuple[str, str]:
        return self.menu, self.key


@dataclass(frozen=True, slots=True)
class Intent:
    """All or some of a router's subscribers, with every package that they use.

    placed: what is known to be theirs on the router, of those that are not synced.
    known: where a profile is to go, all that anybody's placements say of the rows that may name it.
    shared: rows that are the router's own, such as its drop rule; `uses_list`: it still needs them.
    strays: rows that nobody owns and that are to change; known once everything was read.
    """

    router: RouterIntent
    packages: Mapping[int, PackageIntent]
    subscribers: Sequence[SubscriberIntent]
    ghosts: Sequence[Ghost] = field(default=())
    placed: Mapping[int, frozenset[tuple[str, str]]] = field(default_factory=dict)
    shared: Sequence[tuple[str, str]] = field(default=())
    uses_list: bool = False
    known: frozenset[tuple[str, str]] = frozenset()
    strays: Sequence[Stray] = field(default=())
