"""Words and sentences as bytes: length prefixes, framing, bounds. No sockets, no clock, no meaning of words.

A word is a length prefix and that many bytes; a sentence is words, ended by one word of length zero.
Both ends of a connection use this file. Source: RouterOS manual, "API", sections "API words" and "API sentences".
"""

from collections.abc import Iterable
from typing import NamedTuple

from imsys.routeros.errors import ProtocolError

MAX_WORD_BYTES = 256 * 1024
MAX_SENTENCE_BYTES = 1024 * 1024
LARGEST_LENGTH = 0xFFFFFFFF


def encode_length(length: int) -> bytes:
    """The shortest prefix for a word of `length` bytes."""
    if length < 0x80:
        return length.to_bytes(1, "big")
    if length < 0x4000:
        return (length | 0x8000).to_bytes(2, "big")
    if length < 0x200000:
        return (length | 0xC00000).to_bytes(3, "big")
    if length < 0x10000000:
        return (length | 0xE0000000).to_bytes(4, "big")
    if length <= LARGEST_LENGTH:
        return b"\xf0" + length.to_bytes(4, "big")
    raise ProtocolError(f"A word of {length} bytes does not fit the protocol.")


def decode_length(buffer: bytes | bytearray | memoryview, pos: int) -> tuple[int, int] | None:
    """Return (word size, prefix size) of the prefix at `pos`, or None when it is not complete.

    Prefixes longer than needed are accepted. A reserved control byte is a ProtocolError: nobody can go on after one.
    """
    have = len(buffer) - pos
    if have <= 0:
        return None
    first = buffer[pos]
    if first < 0x80:
        return first, 1
    if first < 0xC0:
        size, mask = 2, 0x3FFF
    elif first < 0xE0:
        size, mask = 3, 0x1FFFFF
    elif first < 0xF0:
        size, mask = 4, 0x0FFFFFFF
    elif first == 0xF0:
        size, mask = 5, LARGEST_LENGTH
    else:
        raise ProtocolError(f"The peer sent 0x{first:02X} where a word begins; that is not the RouterOS API.")
    if have < size:
        return None
    return int.from_bytes(buffer[pos : pos + size], "big") & mask, size


def encode_sentence(words: Iterable[bytes]) -> bytes:
    """The bytes of one sentence, with its ending zero word. An empty word would end it early and is refused."""
    parts: list[bytes] = []
    for word in words:
        if not word:
            raise ProtocolError("An empty word cannot be sent: it would end the sentence.")
        parts.append(encode_length(len(word)))
        parts.append(word)
    parts.append(b"\x00")
    return b"".join(parts)


def split_sentence(raw: bytes) -> list[bytes]:
    """The words of one complete sentence, which `find_end` has already measured."""
    words: list[bytes] = []
    pos = 0
    while True:
        length, size = raw[pos], 1
        if length >= 0x80:
            decoded = decode_length(raw, pos)
            assert decoded is not None, "the reader saw the whole sentence"
            length, size = decoded
        if not length:
            return words
        start = pos + size
        pos = start + length
        words.append(raw[start:pos])


class Bounds(NamedTuple):
    """What a peer may make us hold."""

    max_word_bytes: int = MAX_WORD_BYTES
    max_sentence_bytes: int = MAX_SENTENCE_BYTES


def find_end(buffer: bytes | bytearray, start: int, scan: int, bounds: Bounds) -> tuple[bool, int]:
    """Return (True, where the sentence at `start` ends), or (False, the first word that is not complete).

    `scan` is a word boundary to go on from: what an earlier call returned, or `start`. A word or sentence above its
    bound is refused as soon as its length prefix is seen, before its bytes are waited for.
    """
    have = len(buffer)
    limit = start + bounds.max_sentence_bytes
    while scan < have:
        length, size = buffer[scan], 1
        if length >= 0x80:
            decoded = decode_length(buffer, scan)
            if decoded is None:
                break
            length, size = decoded
            if length > bounds.max_word_bytes:
                raise ProtocolError(
                    f"The peer announced a word of {length} bytes; {bounds.max_word_bytes} are allowed."
                )
        following = scan + size + length
        if following > limit:
            raise ProtocolError(f"The peer sent a sentence of more than {bounds.max_sentence_bytes} bytes.")
        if not length:
            return True, following
        if following > have:
            break
        scan = following
    return False, scan


class SentenceReader:
    """Bytes in, sentences out, in linear time however the bytes were cut.

    At rest the reader holds less than one sentence.
    """

    def __init__(self, *, max_word_bytes: int = MAX_WORD_BYTES, max_sentence_bytes: int = MAX_SENTENCE_BYTES) -> None:
        self._bounds = Bounds(max_word_bytes, max_sentence_bytes)
        self._buffer = bytearray()
        self._start = 0  # where the current sentence begins
        self._scan = 0  # where its first unread word begins

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        self._buffer += data

    def next_raw(self) -> bytes | None:
        """The bytes of the next sentence, ending zero included; None when more bytes are needed.

        Empty sentences are skipped, as a router does.
        """
        while True:
            is_whole, self._scan = find_end(self._buffer, self._start, self._scan, self._bounds)
            if not is_whole:
                break
            start, self._start = self._start, self._scan
            if self._scan - start > 1:
                return bytes(memoryview(self._buffer)[start : self._scan])
        del self._buffer[: self._start]
        self._scan -= self._start
        self._start = 0
        return None

    def next_sentence(self) -> list[bytes] | None:
        """The words of the next sentence; None when more bytes are needed."""
        while (raw := self.next_raw()) is not None:
            if words := split_sentence(raw):
                return words
        return None

    def sentences(self) -> list[list[bytes]]:
        """All sentences that are complete."""
        found = []
        while (words := self.next_sentence()) is not None:
            found.append(words)
        return found

    def take_rest(self) -> bytes:
        """Give up the bytes after the last sentence handed out; the reader is empty afterwards."""
        rest = bytes(memoryview(self._buffer)[self._start :])
        self._buffer = bytearray()
        self._start = self._scan = 0
        return rest

    @property
    def buffered_bytes(self) -> int:
        """Bytes received that belong to no sentence handed out."""
        return len(self._buffer) - self._start
