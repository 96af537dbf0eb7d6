"""What can be wrong with a request about subscribers and packages."""

from collections.abc import Iterable

from imsys.kit.errors import InputError
from imsys.kit.nearest import did_you_mean, first_few


class UnknownSubscriber(InputError):
    """One or more usernames are not there. Nothing was done for the others either."""

    default_code = "UnknownSubscriber"

    def __init__(self, usernames: Iterable[str], known: Iterable[str] = ()) -> None:
        names = list(usernames)
        if len(names) == 1:
            message = f"There is no subscriber {names[0]!r}."
            remedy = did_you_mean(names[0], known) or "See them with: imsys subscriber list"
        else:
            message = f"There are no subscribers {first_few(names)}: {len(names)} unknown names, nothing was done."
            remedy = "Correct or leave out these names and repeat."
        super().__init__(message, remedy=remedy)


class UnknownPackage(InputError):
    default_code = "UnknownPackage"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        remedy = did_you_mean(name, known) or "See them with: imsys package list"
        super().__init__(f"There is no package {name!r}.", remedy=remedy)


class AlreadyThere(InputError):
    """A name or an address that has to be unique is taken."""

    default_code = "AlreadyThere"


class PackageInUse(InputError):
    default_code = "PackageInUse"


def subscriber_exists(username: str) -> AlreadyThere:
    return AlreadyThere(
        f"The subscriber {username!r} already exists.", remedy=f"Change it with: imsys subscriber set {username}"
    )


def looks_like(username: str, other: str) -> AlreadyThere:
    return AlreadyThere(
        f"The username {username!r} differs from {other!r} by upper and lower case alone.",
        remedy="Choose another name: a router may take both for the same.",
    )


def mac_taken(mac: str, router: str, other: str) -> AlreadyThere:
    return AlreadyThere(
        f"The MAC address {mac} on the router {router!r} belongs to the subscriber {other!r}.",
        remedy="Correct one of the two: a router serves a device once.",
    )


def address_taken(address: str, router: str, other: str) -> AlreadyThere:
    return AlreadyThere(
        f"The address {address} on the router {router!r} belongs to the subscriber {other!r}.",
        remedy="Choose another address.",
    )
