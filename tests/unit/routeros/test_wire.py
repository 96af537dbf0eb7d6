"""Length prefixes, sentences, bounds."""

import pytest

from imsys.routeros.errors import ProtocolError
from imsys.routeros.wire import SentenceReader, decode_length, encode_length, encode_sentence, split_sentence

# RouterOS manual, "API words": the edges of all five forms.
VECTORS = [
    (0, "00"), (1, "01"), (0x7F, "7f"),
    (0x80, "8080"), (0x3FFF, "bfff"),
    (0x4000, "c04000"), (0x1FFFFF, "dfffff"),
    (0x200000, "e0200000"), (0xFFFFFFF, "efffffff"),
    (0x10000000, "f010000000"), (0xFFFFFFFF, "f0ffffffff"),
]  # fmt: skip


@pytest.mark.parametrize(("length", "prefix"), VECTORS)
def test_all_five_length_forms_both_ways(length: int, prefix: str) -> None:
    data = bytes.fromhex(prefix)
    assert encode_length(length) == data
    assert decode_length(b"xx" + data + b"yy", 2) == (length, len(data))


@pytest.mark.parametrize(("length", "prefix"), VECTORS)
def test_a_prefix_that_is_not_complete_is_waited_for(length: int, prefix: str) -> None:
    data = bytes.fromhex(prefix)
    for cut in range(len(data)):
        assert decode_length(data[:cut], 0) is None


def test_a_length_above_32_bits_cannot_be_said() -> None:
    with pytest.raises(ProtocolError):
        encode_length(0x100000000)


@pytest.mark.parametrize("first", range(0xF1, 0x100))
def test_reserved_control_bytes_are_refused(first: int) -> None:
    reader = SentenceReader()
    reader.receive_data(bytes([first]) + b"anything")
    with pytest.raises(ProtocolError):
        reader.next_sentence()


def test_prefixes_longer_than_needed_are_accepted() -> None:
    reader = SentenceReader()
    reader.receive_data(b"\x80\x03abc\xf0\x00\x00\x00\x01d\x00")
    assert reader.next_sentence() == [b"abc", b"d"]


def test_empty_sentences_are_ignored() -> None:
    reader = SentenceReader()
    reader.receive_data(b"\x00\x00" + encode_sentence([b"/quit"]) + b"\x00\x80\x00")
    assert reader.sentences() == [[b"/quit"]]
    assert reader.buffered_bytes == 0


def test_an_empty_word_is_not_sent() -> None:
    with pytest.raises(ProtocolError):
        encode_sentence([b"/login", b""])


def test_a_word_above_its_bound_is_refused_before_its_bytes_arrive() -> None:
    reader = SentenceReader(max_word_bytes=1000)
    reader.receive_data(b"\x05hello")
    assert reader.next_sentence() is None
    reader.receive_data(encode_length(1001))
    with pytest.raises(ProtocolError, match="1001 bytes; 1000 are allowed"):
        reader.next_sentence()


def test_a_sentence_above_its_bound_is_refused_before_its_bytes_arrive() -> None:
    reader = SentenceReader(max_sentence_bytes=1000)
    for _ in range(9):
        reader.receive_data(b"\x64" + b"x" * 100)
        assert reader.next_sentence() is None
    reader.receive_data(b"\x64")
    with pytest.raises(ProtocolError, match="more than 1000 bytes"):
        reader.next_sentence()


def test_memory_at_rest_is_less_than_a_sentence() -> None:
    reader = SentenceReader()
    whole = encode_sentence([b"!re", b"=name=ann"])
    reader.receive_data(whole * 1000 + whole[:5])
    assert len(reader.sentences()) == 1000
    assert reader.buffered_bytes == 5
    assert reader.take_rest() == whole[:5]
    assert reader.buffered_bytes == 0


def test_raw_sentences_keep_their_bytes() -> None:
    reader = SentenceReader()
    odd = b"\x80\x05!done\x00"
    reader.receive_data(odd + encode_sentence([b"!re"]))
    assert reader.next_raw() == odd
    assert split_sentence(odd) == [b"!done"]
