"""A client's side of the bytes: whole received buffers in, rows and replies out, no await and no socket.

Runs of rows are cut at C speed by the bytes that end one row and begin the next, and every row cut out so is then
checked word by word; anything unusual takes the general way. A reply that is expected to equal a known one is only
collected and digested, and parsed when it turns out to differ.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from imsys.routeros import protocol
from imsys.routeros.known import Watch
from imsys.routeros.protocol import Reply, Row
from imsys.routeros.rows import RowParser
from imsys.routeros.wire import Bounds, SentenceReader, encode_length, find_end, split_sentence

_ROW_WORD = b"\x03!re"
_DONE = b"!done"
_TAIL_BYTES = 64  # what the last sentence of a print fits in
_FIRST_CUT_BYTES = 4096
_LARGEST_CUT_BYTES = 64 * 1024  # a few hundred rows: what fits a processor's cache


class Rows(NamedTuple):
    """Some rows of one command's answer; `size` is their bytes on the wire."""

    tag: str
    rows: list[Row]
    size: int


class Sentence(NamedTuple):
    """Any other reply."""

    reply: Reply
    size: int


class Unchanged(NamedTuple):
    """A watched reply came whole and equals the known one; `chunks` are its bytes."""

    tag: str
    chunks: list[bytes]
    size: int


Event = Rows | Sentence | Unchanged


class _Frame(NamedTuple):
    """The bytes around the words of a row: its beginning and its tag, which stands second or last."""

    head: bytes
    tail: bytes  # without the ending zero

    @property
    def seam(self) -> bytes:
        """What lies between the words of one row and those of the next."""
        return self.tail + b"\x00" + self.head


_ODD_FRAME = _Frame(_ROW_WORD, b"")  # the tag stands somewhere between


class ReplyReader:
    """Turns received buffers into events. Memory held between buffers: one sentence, or one reply being compared."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._partial = SentenceReader(
            max_word_bytes=bounds.max_word_bytes, max_sentence_bytes=bounds.max_sentence_bytes
        )
        self._parser = RowParser()
        self._watches: dict[str, Watch] = {}
        self._compared: tuple[str, Watch] | None = None
        self._chunks: list[bytes] = []  # the bytes compared so far
        self._collected = 0  # their number
        self._last = b""  # the last few of them, in case a word is cut there

    def watch(self, tag: str, watch: Watch) -> None:
        """Follow the bytes of the reply with that tag, and compare them with those known, if any."""
        self._watches[tag] = watch

    def unwatch(self, tag: str) -> None:
        self._watches.pop(tag, None)

    def receive(self, data: bytes) -> Iterator[Event]:
        """The events that `data` completes. To be run to its end before the next call.

        Raises ProtocolError where the peer breaks the protocol; the events before that point have come out.
        """
        if self._compared is not None:
            yield from self._compare(data)
        elif self._partial.buffered_bytes:
            yield from self._finish_partial(data)
        else:
            yield from self._walk(data)

    def finish(self) -> Iterator[Event]:
        """The events still to be had when the peer has closed: a comparison under way is given up and parsed."""
        if self._compared is not None:
            yield from self._give_up_comparing(b"")

    # --- sentence by sentence

    def _finish_partial(self, data: bytes) -> Iterator[Event]:
        self._partial.receive_data(data)
        raw = self._partial.next_raw()
        if raw is not None:
            yield from self._walk(raw + self._partial.take_rest())

    def _walk(self, data: bytes) -> Iterator[Event]:
        pos = 0
        while pos < len(data):
            is_whole, end = find_end(data, pos, pos, self._bounds)
            if not is_whole:
                self._partial.receive_data(memoryview(data)[pos:])
                self._partial.next_raw()  # nothing whole: it only notes how far the bytes were looked at
                return
            words = split_sentence(data[pos:end])
            if not words:
                pos = end
                continue
            reply = protocol.parse_reply(words)
            watch = self._watches.get(reply.tag)
            if watch is not None:
                if watch.can_compare:
                    self._compared = (reply.tag, watch)
                    yield from self._compare(data[pos:])
                    return
                watch.update(memoryview(data)[pos:end])
            if reply.kind != protocol.RE:
                yield Sentence(reply, end - pos)
                pos = end
                continue
            frame = _frame(words, reply.tag)
            row = self._keep(watch, data[pos + len(frame.head) : end - 1 - len(frame.tail)], reply)
            yield Rows(reply.tag, [row], end - pos)
            pos = end
            if frame is not _ODD_FRAME:
                for rows, size in self._runs(data, pos, frame, watch):
                    pos += size
                    yield Rows(reply.tag, rows, size)

    @staticmethod
    def _keep(watch: Watch | None, key: bytes, reply: Reply) -> Row:
        row = dict(reply.attributes)
        if watch is not None:
            watch.row_count += 1
            if watch.sees_rows:
                row = watch.recognise(key) or row
                watch.rows[key] = row
        return row

    # --- runs of rows alike

    def _runs(self, data: bytes, pos: int, frame: _Frame, watch: Watch | None) -> Iterator[tuple[list[Row], int]]:
        """The whole plain rows of one tag that follow at `pos`, some at a time.

        A cut is right because each piece begins where a sentence does and its words fill it exactly to its zero.
        """
        seam = frame.seam
        parse = self._parser.parse_many if watch is None or not watch.sees_rows else self._parse_seen(watch)
        largest = min(_LARGEST_CUT_BYTES, *self._bounds)
        cut_bytes = min(_FIRST_CUT_BYTES, largest)
        while data.startswith(frame.head, pos):
            pieces = data[pos + len(frame.head) : pos + cut_bytes].split(seam)
            pieces.pop()  # not known to be whole
            rows = parse(pieces)
            if not rows:
                return
            size = sum(map(len, pieces[: len(rows)])) + len(rows) * len(seam)
            if watch is not None:
                watch.row_count += len(rows)
                watch.update(memoryview(data)[pos : pos + size])
            yield rows, size
            if len(rows) < len(pieces):
                return
            pos += size
            cut_bytes = min(cut_bytes * 4, largest)

    def _parse_seen(self, watch: Watch) -> Callable[[list[bytes]], list[Row]]:
        """Parsing that takes a row it has seen with the same bytes as it is."""

        def parse_unseen(pieces: list[bytes]) -> list[Row]:
            found = list(map(watch.recognise, pieces))
            rows = cast(list[Row], found) if all(found) else parse_rest(pieces, found)
            watch.rows.update(zip(pieces, rows, strict=False))
            return rows

        def parse_rest(pieces: list[bytes], found: list[Row | None]) -> list[Row]:
            rows = []
            for piece, seen in zip(pieces, found, strict=True):
                row = self._parser.parse(piece) if seen is None else seen
                if row is None:
                    break
                rows.append(row)
            return rows

        return parse_unseen

    # --- comparing bytes

    def _compare(self, data: bytes) -> Iterator[Event]:
        assert self._compared is not None
        tag, watch = self._compared
        assert watch.known is not None
        missing = watch.known.length - self._collected
        if len(data) < missing:
            if self._ends_early(tag, data, missing):
                yield from self._give_up_comparing(data)
            else:
                self._collect(data)
            return
        if not self._may_end_at(data, missing):
            yield from self._give_up_comparing(data)
            return
        for chunk in self._chunks:
            watch.update(chunk)
        watch.update(memoryview(data)[:missing])
        if not watch.equals_known():
            yield from self._give_up_comparing(data)
            return
        chunks = self._end_comparing(data[:missing])
        watch.row_count = watch.known.row_count
        yield Unchanged(tag, chunks, watch.known.length)
        if len(data) > missing:
            yield from self._walk(data[missing:])

    def _collect(self, data: bytes) -> None:
        self._chunks.append(data)
        self._collected += len(data)
        self._last = (self._last + data[-_TAIL_BYTES:])[-_TAIL_BYTES:]

    def _ends_early(self, tag: str, data: bytes, missing: int) -> bool:
        """Whether some `!done` came before its place: of this reply, or of another that should not be kept waiting."""
        if _DONE not in data and _DONE not in self._last + data[: len(_DONE)]:
            return False
        seen = self._last + data
        found = seen.index(_DONE)
        ending = _DONE + _coded_tag(tag) + b"\x00"
        due = len(seen) - len(data) + missing - len(ending)
        return found != due or not ending.startswith(seen[found:])

    def _may_end_at(self, data: bytes, end: int) -> bool:
        """Whether a reply can end there: a look at a few bytes that spares digesting a table that has grown."""
        return data[end - 1] == 0 and _DONE in (self._last + data[max(0, end - _TAIL_BYTES) : end])[-_TAIL_BYTES:]

    def _give_up_comparing(self, data: bytes) -> Iterator[Event]:
        assert self._compared is not None
        watch = self._compared[1]
        watch.give_up()
        yield from self._walk(b"".join(self._end_comparing(data)))

    def _end_comparing(self, data: bytes) -> list[bytes]:
        chunks = [*self._chunks, data]
        self._compared, self._chunks, self._collected, self._last = None, [], 0, b""
        return chunks


def _frame(words: list[bytes], tag: str) -> _Frame:
    word = protocol.TAG_PREFIX + protocol.to_bytes(tag)
    coded = encode_length(len(word)) + word
    if words[1:2] == [word]:
        return _Frame(_ROW_WORD + coded, b"")
    if words[-1] == word:
        return _Frame(_ROW_WORD, coded)
    return _ODD_FRAME if tag else _Frame(_ROW_WORD, b"")


def _coded_tag(tag: str) -> bytes:
    word = protocol.TAG_PREFIX + protocol.to_bytes(tag)
    return encode_length(len(word)) + word
