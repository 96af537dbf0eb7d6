"""What somebody may have meant who wrote a name that is not there."""

import difflib
from collections.abc import Iterable

SHOWN = 3


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'rt-1' or 'rt-2'?`, or nothing when no known name is close. Case does not count."""
    by_folded = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=SHOWN)
    if not close:
        return ""
    names = [repr(by_folded[each]) for each in close]
    return f"Did you mean {' or '.join(names)}?"


def first_few(names: Iterable[str], *, shown: int = 5) -> str:
    """`'a', 'b' and 40 more`: enough to see which ones, never a wall of them."""
    listed = list(names)
    text = ", ".join(repr(name) for name in listed[:shown])
    return text if len(listed) <= shown else f"{text} and {len(listed) - shown} more"
