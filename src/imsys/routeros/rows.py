"""From the bytes of a table's rows to `Row`s, fast: most of what a router sends are rows alike in shape.

Only plain rows are taken here: ASCII, words under 128 bytes, no word but `=name=value`. Whatever is not exactly that
is declined, and the caller takes the general way through `protocol.parse_reply`.
"""

from imsys.routeros.protocol import Row


class RowParser:
    """Parses the words of one row after another, expecting the names and order of the row before."""

    def __init__(self) -> None:
        self._shape: tuple[tuple[str, str, int], ...] = ()  # (name, "=name=", bytes from prefix to value)

    def parse(self, words: bytes) -> Row | None:
        """The row whose words fill `words` exactly, without the sentence's ending zero; None when it is not plain."""
        if not words.isascii():
            return None
        text = words.decode("ascii")
        row: Row = {}
        pos = 0
        end = len(words)
        for name, lead, skip in self._shape:
            if pos >= end or not text.startswith(lead, pos + 1):
                return self._parse_new_shape(words, text)
            stop = pos + 1 + words[pos]
            if stop < pos + skip:
                return None
            row[name] = text[pos + skip : stop]
            pos = stop
        return row if pos == end else self._parse_new_shape(words, text)

    def _parse_new_shape(self, words: bytes, text: str) -> Row | None:
        row: Row = {}
        shape: list[tuple[str, str, int]] = []
        pos = 0
        end = len(words)
        while pos < end:
            stop = pos + 1 + words[pos]
            name, equals, value = text[pos + 2 : stop].partition("=")
            if text[pos + 1 : pos + 2] != "=" or not equals or stop > end or name in row:
                return None
            row[name] = value
            shape.append((name, f"={name}=", len(name) + 3))
            pos = stop
        self._shape = tuple(shape)
        return row
