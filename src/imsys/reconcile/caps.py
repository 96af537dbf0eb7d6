"""How much a machine may cause on one router in one run before a person is asked."""

from collections.abc import Mapping

KINDS = ("suspends", "resumes", "removes", "creates", "kicks")
LEAST = 20
SHARE = 0.05
MOST_SHARE = 0.5


def cap(kind: str, rows: int, given: Mapping[str, int]) -> int:
    """The most steps of one of KINDS on a router with so many customers' rows. `given`: what people set for it.

    Never more than half of the rows, so that a small router is braked too, but always one.
    """
    most = max(1, int(rows * MOST_SHARE))
    return min(given.get(kind, max(LEAST, int(rows * SHARE))), most)
