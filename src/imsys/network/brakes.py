"""What holds back writing to a router, from how people give it to how it is kept: windows and caps."""

from collections.abc import Mapping

from imsys.kit.errors import InputError
from imsys.network.windows import check_window
from imsys.reconcile.caps import KINDS

MOST_CAP = 1_000_000


def kept_window(window: str, zone: str, *, default_zone: str) -> dict[str, str]:
    """Both fields, the zone never blank beside a window. Raises: InputError."""
    window, zone = " ".join(window.split()), zone.strip()
    if window:
        zone = zone or default_zone
        check_window(window, zone)
    elif zone:
        raise InputError(f"The zone {zone} has no window to count for.", remedy="Give the window with it, by --window.")
    return {"window": window, "window_zone": zone}


def kept_caps(old: Mapping[str, int], given: Mapping[str, int | None]) -> dict[str, int]:
    """The old caps with those `given` in their place; None goes back to the default. Raises: InputError."""
    for kind, most in given.items():
        if kind not in KINDS:
            raise InputError(f"There is no cap for {kind!r}.", remedy=f"Use one of: {', '.join(KINDS)}.")
        if most is not None and not 0 <= most <= MOST_CAP:
            raise InputError(
                f"A cap is 0 to {MOST_CAP}, and {most} was given for {kind}.",
                remedy=f"Write a number, or --cap {kind}=default.",
            )
    merged = {**old, **given}
    return {kind: most for kind in KINDS if (most := merged.get(kind)) is not None}
