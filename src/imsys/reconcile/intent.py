"""What the business rows ask of one router, as plain values. The loader in `fleet` makes them from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

SuspendBy = Literal["disable", "profile"]


@dataclass(frozen=True, slots=True)
class RouterIntent:
    router_id: int
    suspend_by: SuspendBy = "disable"
    suspend_profile: str = "suspended"


@dataclass(frozen=True, slots=True)
class PackageIntent:
    """`profile` is the name of the PPP profile; an owned one is kept right, a referred one is only named."""

    package_id: int
    profile: str
    is_owned: bool
    rate_limit: str = ""


@dataclass(frozen=True, slots=True)
class SubscriberIntent:
    """One PPP login. `password_mac` is the HMAC of the password; None: the password is not managed."""

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

    @property
    def is_newer(self) -> bool:
        """Has intent changed since it was last seen on the router?"""
        return self.generation > self.applied_generation


@dataclass(frozen=True, slots=True)
class Ghost:
    """A placement that nobody desires any more."""

    menu: str
    key: str


@dataclass(frozen=True, slots=True)
class Intent:
    """All or some of a router's subscribers, with every package that they use."""

    router: RouterIntent
    packages: Mapping[int, PackageIntent]
    subscribers: Sequence[SubscriberIntent]
    ghosts: Sequence[Ghost] = field(default=())
