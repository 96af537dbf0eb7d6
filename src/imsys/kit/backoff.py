"""How long to wait after failures. The rule alone: who waits, and where failures are counted, is the caller's."""

_MOST_DOUBLINGS = 62  # keeps the power small however long a router stays away; any cap is reached long before


def delay_s(failures: int, *, first_s: float, cap_s: float, jitter: float = 0.0) -> float:
    """Seconds to wait after `failures` in a row: `first_s`, doubled for each further failure, never above `cap_s`.

    `jitter` is drawn by the caller, usually from -0.2 to 0.2, and stretches or shrinks the result by that share *after*
    the cap, so that many which failed together do not come back together: the longest wait is `cap_s * (1 + jitter)`.
    Without a failure there is nothing to wait for: 0.0.
    """
    if failures < 1:
        return 0.0
    return float(min(first_s * 2 ** min(failures - 1, _MOST_DOUBLINGS), cap_s) * (1 + jitter))
