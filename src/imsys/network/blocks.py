"""What keeps a router, or one who is enforced on it alone, from being written to. Pure; asked wherever it is told."""

from typing import Literal

Block = Literal["paused", "observe", "frozen", "window"]


def blocked_by(mode: str, *, is_frozen: bool, is_open: bool, is_enforced: bool = False) -> Block | None:
    """The first thing in the way, in the order in which a person has to clear them; None where nothing is.

    is_open: the router's window is. is_enforced: about a subscriber who is enforced though the router is observed.
    """
    if mode == "paused":
        return "paused"
    if mode == "observe" and not is_enforced:
        return "observe"
    if is_frozen:
        return "frozen"
    return None if is_open else "window"
