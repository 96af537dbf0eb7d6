"""Rows a second out of the bytes of a full /ppp/secret print: our reader, and librouteros on the same bytes."""

import statistics
import time
from collections.abc import Callable

from librouteros.protocol import ApiProtocol, parse_word  # type: ignore[import-untyped]

from imsys.routeros.endpoint import Limits
from imsys.routeros.known import Watch
from imsys.routeros.replies import ReplyReader, Rows, Sentence, Unchanged
from tests.bench.measure import Measure
from tests.bench.plainscript import sentence

ROWS = 20_000
CHUNK_BYTES = 256 * 1024  # what asyncio hands over at most
ROUNDS = 7
TAG = "r0a1b2"


def run() -> list[Measure]:
    data = reply()
    theirs = fastest(lambda: librouteros(data))
    parsed = fastest(lambda: parse(data, None))
    kept = Watch(keep_rows=True)
    parse(data, kept)
    recognised = fastest(lambda: parse(changed(data), Watch(kept.result(), keep_rows=True)))
    digested = Watch()
    parse(data, digested)
    unchanged = fastest(lambda: parse(data, Watch(digested.result())))
    return [
        Measure(what="librouteros", value=theirs, unit="rows/s", note="its own framing and types"),
        Measure(what="parsed", value=parsed, unit="rows/s"),
        Measure(what="parsed, ratio", value=parsed / theirs, unit="x", budget=10, bound="at least"),
        Measure(what="all rows but one recognised by their bytes, ratio", value=recognised / theirs, unit="x"),
        Measure(what="whole reply recognised by its digest, ratio", value=unchanged / theirs, unit="x"),
    ]


def reply() -> bytes:
    rows = (
        sentence(
            "!re",
            f".tag={TAG}",
            f"=.id=*{n:X}",
            f"=name=customer-{n:05d}",
            "=service=pppoe",
            "=profile=10M",
            "=disabled=false",
            f"=password=secret-{n}",
            f"=remote-address=10.64.{n >> 8}.{n & 255}",
        )
        for n in range(1, ROWS + 1)
    )
    return b"".join(rows) + sentence("!done", f".tag={TAG}")


def changed(data: bytes) -> bytes:
    """The same length, one row different."""
    return data.replace(b"=profile=10M", b"=profile=12M", 1)


def fastest(work: Callable[[], int]) -> float:
    """Rows a second in the median round."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        assert work() == ROWS
        taken.append(time.perf_counter() - started)
    return ROWS / statistics.median(taken)


def parse(data: bytes, watch: Watch | None) -> int:
    reader = ReplyReader(Limits().bounds)
    if watch is not None:
        reader.watch(TAG, watch)
    rows = 0
    for start in range(0, len(data), CHUNK_BYTES):
        for event in reader.receive(data[start : start + CHUNK_BYTES]):
            if isinstance(event, Rows):
                rows += len(event.rows)
            elif isinstance(event, Unchanged):
                assert watch is not None
                rows = watch.row_count
            else:
                assert isinstance(event, Sentence)
    return rows


class Bytes:
    """A transport for librouteros that has everything already."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def read(self, length: int) -> bytes:
        start, self.at = self.at, self.at + length
        return self.data[start : self.at]

    def write(self, data: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None: ...


def librouteros(data: bytes) -> int:
    protocol = ApiProtocol(Bytes(data), "utf-8")
    rows: list[dict[str, object]] = []
    while True:
        word, words = protocol.readSentence()
        if word == "!done":
            return len(rows)
        rows.append(dict(parse_word(text) for text in words if text.startswith("=")))
