"""Exit codes, one name each; docs/reference/exit-codes.md explains them and a test keeps the two equal."""

from enum import IntEnum


class Code(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    TIMED_OUT = 2  # sync and reconcile only: there, wrong usage is USAGE_OF_WAITERS, so that 2 has one meaning
    BLOCKED = 3
    USAGE_OF_WAITERS = 64
    INTERRUPTED = 130


WAITERS = frozenset({"sync", "reconcile"})
