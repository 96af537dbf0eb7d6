"""Replies compared by their bytes: equal length and keyed digest mean an equal table, and nothing is parsed.

The digest's key is random and lives as long as the process, so that a remembered digest says nothing about the
passwords in the rows it covers.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from imsys.routeros.protocol import Row

_KEY = secrets.token_bytes(32)
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class KnownReply:
    """What is remembered of one full read. Good only in this process, and for a read of the same menu and columns.

    `rows` is None unless asked for: the rows by their bytes, which hold clear text, so that those met again are not
    parsed. Without it, a million rows cost their length and digest.
    """

    length: int
    digest: bytes
    row_count: int
    rows: Mapping[bytes, Row] | None = field(default=None, repr=False)


class Watch:
    """Follows the bytes of one reply: their length and digest, and its rows by their bytes where wanted."""

    def __init__(self, known: KnownReply | None = None, *, keep_rows: bool = False) -> None:
        self.known = known
        self.keeps_rows = keep_rows
        self.rows: dict[bytes, Row] = {}
        self.row_count = 0
        self.length = 0
        self._gave_up = False
        self._hash = _new_hash()
        recognised: Mapping[bytes, Row] = known.rows if known is not None and known.rows is not None else {}
        self.recognise = recognised.get  # the row that had these bytes last time, the same object
        self.sees_rows = keep_rows or bool(recognised)  # whether single rows matter, beyond the digest

    def update(self, data: bytes | memoryview) -> None:
        self._hash.update(data)
        self.length += len(data)

    @property
    def can_compare(self) -> bool:
        """Whether the reply, of which nothing was followed so far, may turn out to be the known one."""
        return self.known is not None and not self.length and not self._gave_up

    def give_up(self) -> None:
        """Follow the reply from its beginning once more, this time to be parsed."""
        self._gave_up = True
        self._hash = _new_hash()
        self.length = 0

    def equals_known(self) -> bool:
        known = self.known
        return known is not None and self.length == known.length and self._hash.digest() == known.digest

    def result(self) -> KnownReply:
        """What to remember of this reply once it is complete."""
        rows = self.rows if self.keeps_rows else None
        return KnownReply(self.length, self._hash.digest(), self.row_count, rows)


def _new_hash() -> hashlib.blake2b:
    return hashlib.blake2b(key=_KEY, digest_size=_DIGEST_BYTES)
