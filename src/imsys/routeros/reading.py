"""What a full read found."""

from imsys.routeros.known import KnownReply, Watch
from imsys.routeros.protocol import Row
from imsys.routeros.replies import ReplyReader, Rows
from imsys.routeros.wire import Bounds


class Reading:
    """The outcome of `Client.read`. `known` is what to remember and hand to the next read.

    When it is `unchanged` nothing was parsed; its `rows` are parsed from the bytes when first asked for. Rows that
    were recognised by their bytes are the very objects of the reading before: do not change them.
    """

    def __init__(self, watch: Watch, *, rows: list[Row], unchanged_chunks: list[bytes] | None) -> None:
        known = watch.known
        self.known: KnownReply = known if known is not None and watch.equals_known() else watch.result()
        self.unchanged: bool = known is not None and self.known is known
        self._rows: list[Row] | None = rows if unchanged_chunks is None else None
        self._chunks = unchanged_chunks or []

    def __repr__(self) -> str:
        return f"<Reading {self.row_count} rows {'unchanged' if self.unchanged else 'changed'}>"

    @property
    def row_count(self) -> int:
        return self.known.row_count

    @property
    def rows(self) -> list[Row]:
        if self._rows is None:
            self._rows = _parse(b"".join(self._chunks))
            self._chunks = []
        return self._rows


def _parse(reply: bytes) -> list[Row]:
    rows: list[Row] = []
    for event in ReplyReader(Bounds(len(reply), len(reply))).receive(reply):
        if isinstance(event, Rows):
            rows += event.rows
    return rows
