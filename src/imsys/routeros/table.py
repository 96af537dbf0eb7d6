"""Many rows of one shape at once: one pattern finds their values, then every word's length prefix is checked.

The check is what makes it right: rows whose words have exactly the lengths that their prefixes say, one after another
without a gap, are the rows that were sent, whatever bytes the values hold. Anything else is declined.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import compress

from imsys.routeros.protocol import Row, to_text

_MAX_FIELDS = 64
_MAX_VARIANTS = 32
_LONGEST_NAME = 0x7C
# For each number of bytes, a table that adds it to every byte; sums above a short word's length become zero.
_ADDING = tuple(bytes(i + n if i + n < 0x80 else 0 for i in range(256)) for n in range(0x80))


_Column = tuple[str, Sequence[str], Sequence[str]]  # name, prefix of each row, text of each row


class Shape:
    """The names that rows of one table may have, in order, and the pattern that takes them apart.

    `variants` are the rows' names as seen so far: a name that some lack is optional.
    """

    def __init__(self, variants: frozenset[tuple[str, ...]], names: tuple[str, ...], *, loose: str = "") -> None:
        self.variants = variants
        self.loose = loose  # the one field whose values may contain "="
        self._names = names
        self._optional = frozenset(name for name in names if any(name not in variant for variant in variants))
        self._pattern = re.compile("".join(map(self._field_pattern, names)) + "\x00", re.DOTALL)

    @classmethod
    def learn(cls, rows: Iterable[Row], *, known: "Shape | None" = None) -> "Shape | None":
        """The shape of these rows, and of those that made `known`; None when they have no order in common."""
        rows = list(rows)
        variants = frozenset(map(tuple, rows)) | (known.variants if known is not None else frozenset())
        names = _merged(sorted(variants, key=len, reverse=True))
        if not names or len(names) > _MAX_FIELDS or len(variants) > _MAX_VARIANTS:
            return None
        if not all(name.isascii() and len(name) < _LONGEST_NAME for name in names):
            return None
        loose = known.loose if known is not None else ""
        loose = next((name for row in rows for name, value in row.items() if "=" in value), loose)
        return cls(variants, names, loose=loose)

    def fits(self, words: bytes) -> bool:
        """Whether one row looks like this."""
        return self._pattern.fullmatch(f"{words.decode('latin-1')}\x00") is not None

    def parse(self, pieces: Sequence[bytes]) -> list[Row] | None:
        """The rows whose words these pieces hold; None unless all of them have this shape."""
        raw = b"\x00".join(pieces)
        found = self._pattern.findall(raw.decode("latin-1") + "\x00")
        if len(found) != len(pieces):
            return None
        columns = list(zip(*found, strict=True))
        unchecked = len(raw) + 1 - len(pieces)
        is_text = raw.isascii()
        common: Row = {}
        varying: list[_Column] = []
        for name, prefixes, values in zip(self._names, columns[::2], columns[1::2], strict=True):
            size = _checked_bytes(name, prefixes, values)
            if size is None:
                return None
            unchecked -= size
            texts = values if is_text else _texts(values)
            if name not in self._optional and texts[0] == texts[-1] and texts.count(texts[0]) == len(texts):
                common[name] = texts[0]
            else:
                varying.append((name, prefixes, texts))
        return _rows(common, varying, len(pieces), self._optional) if not unchecked else None

    def _field_pattern(self, name: str) -> str:
        value = "(.{0,126}?)" if name == self.loose else "([^=]*)"
        pattern = f"([\x01-\x7f])={re.escape(name)}={value}"
        return f"(?:{pattern})?" if name in self._optional else pattern


def _checked_bytes(name: str, prefixes: Sequence[str], values: Sequence[str]) -> int | None:
    """How many bytes the words of one column fill, or None when one is not as long as its prefix says.

    A row that lacks the field has an empty prefix.
    """
    seen = "".join(prefixes).encode("latin-1")
    present = values if len(seen) == len(values) else tuple(compress(values, prefixes))
    try:
        lengths = bytes(map(len, present))
    except ValueError:  # above 255
        return None
    if lengths.translate(_ADDING[len(name) + 2]) != seen:
        return None
    return sum(seen) + len(seen)


def _texts(values: Sequence[str]) -> Sequence[str]:
    """One column's values, until here a character for each byte, as text."""
    if "".join(values).isascii():
        return values
    return [value if value.isascii() else to_text(value.encode("latin-1")) for value in values]


def _rows(common: Row, varying: Sequence[_Column], count: int, optional: frozenset[str]) -> list[Row]:
    """Rows from what all have in common, whose texts they then share, and the columns that vary."""
    rows = [common.copy() for _ in range(count)]
    for name, prefixes, texts in varying:
        if name in optional:
            for row, prefix, text in zip(rows, prefixes, texts, strict=True):
                if prefix:
                    row[name] = text
        else:
            for row, text in zip(rows, texts, strict=True):
                row[name] = text
    return rows


def _merged(variants: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """All names in an order that each variant keeps to; empty when there is none."""
    order: list[str] = []
    for names in variants:
        place = 0
        for name in names:
            if name not in order:
                order.insert(place, name)
            elif order.index(name) < place:
                return ()
            place = order.index(name) + 1
    return tuple(order)
