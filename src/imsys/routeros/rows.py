"""From the bytes of a table's rows to `Row`s, fast: most of what a router sends are rows alike in shape.

Only plain rows are taken here: no word but `=name=value`, no tag among them. Whatever is not exactly that is declined,
and the caller takes the general way through `protocol.parse_reply`.
"""

from collections.abc import Sequence

from imsys.routeros.protocol import Row, split_attribute
from imsys.routeros.table import Shape
from imsys.routeros.wire import decode_length

_WORTH_A_SHAPE = 16  # rows; a pattern costs as much as parsing a few dozen
_MAX_SHAPES = 8
_MOST_SKIPPED = 64


class RowParser:
    """Parses the words of rows, expecting the names and order of rows before."""

    def __init__(self) -> None:
        self._expected: tuple[tuple[str, str, int], ...] = ()  # (name, "=name=", bytes from prefix to value)
        self._shapes: list[Shape] = []  # the last one used comes first
        self._misses = 0
        self._skip = 0

    def parse_many(self, pieces: Sequence[bytes]) -> list[Row]:
        """The rows of the first pieces, up to one that is not plain: as many rows as pieces when all are."""
        shape = None
        if len(pieces) >= _WORTH_A_SHAPE:
            if self._skip:  # rows of no common shape: do not try each time
                self._skip -= 1
                return self._parse_each(pieces)
            shape = next((shape for shape in self._shapes if shape.fits(pieces[0])), None)
            if shape is not None and (rows := shape.parse(pieces)) is not None:
                self._misses = 0
                self._put_first(shape)
                return rows
        rows = self._parse_each(pieces)
        if len(rows) >= _WORTH_A_SHAPE:
            self._learn(rows, shape)
        return rows

    def parse(self, words: bytes) -> Row | None:
        """The row whose words fill `words` exactly, without the sentence's ending zero; None when it is not plain."""
        if not words.isascii():
            return _parse_any(words)
        text = words.decode("ascii")
        row: Row = {}
        pos = 0
        end = len(words)
        for name, lead, skip in self._expected:
            if pos >= end or not text.startswith(lead, pos + 1):
                return self._parse_unexpected(words, text)
            stop = pos + 1 + words[pos]
            if stop < pos + skip:
                return None
            row[name] = text[pos + skip : stop]
            pos = stop
        return row if pos == end else self._parse_unexpected(words, text)

    def _parse_unexpected(self, words: bytes, text: str) -> Row | None:
        row: Row = {}
        expected: list[tuple[str, str, int]] = []
        pos = 0
        end = len(words)
        while pos < end:
            stop = pos + 1 + words[pos]
            name, equals, value = text[pos + 2 : stop].partition("=")
            if text[pos + 1 : pos + 2] != "=" or not equals or stop > end or name in row:
                return None
            row[name] = value
            expected.append((name, f"={name}=", len(name) + 3))
            pos = stop
        self._expected = tuple(expected)
        return row

    def _parse_each(self, pieces: Sequence[bytes]) -> list[Row]:
        rows: list[Row] = []
        for piece in pieces:
            row = self.parse(piece)
            if row is None:
                break
            rows.append(row)
        return rows

    def _learn(self, rows: list[Row], missed: Shape | None) -> None:
        if missed is not None:
            self._shapes.remove(missed)
        shape = Shape.learn(rows, known=missed) or Shape.learn(rows)
        if shape is not None:
            self._put_first(shape)
        if missed is not None or shape is None:
            self._misses += 1
            self._skip = min(2**self._misses, _MOST_SKIPPED)

    def _put_first(self, shape: Shape) -> None:
        if not self._shapes or self._shapes[0] is not shape:
            self._shapes = [shape, *(other for other in self._shapes if other is not shape)][:_MAX_SHAPES]


def _parse_any(words: bytes) -> Row | None:
    """A plain row with long words or other bytes than ASCII."""
    row: Row = {}
    pos = 0
    end = len(words)
    while pos < end:
        decoded = decode_length(words, pos)
        if decoded is None:
            return None
        start = pos + decoded[1]
        pos = start + decoded[0]
        word = words[start:pos]
        if not word.startswith(b"=") or pos > end:
            return None
        name, value = split_attribute(word)
        row[name] = value
    return row
