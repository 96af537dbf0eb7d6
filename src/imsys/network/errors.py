"""What can be wrong with a request about routers."""

from collections.abc import Iterable

from imsys.kit.errors import InputError
from imsys.kit.nearest import did_you_mean


class UnknownRouter(InputError):
    default_code = "UnknownRouter"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        remedy = did_you_mean(name, known) or "See them with: imsys router list"
        super().__init__(f"There is no router {name!r}.", remedy=remedy)


class RouterInUse(InputError):
    """It cannot be removed yet."""

    default_code = "RouterInUse"
