"""Some properties of a table's rows as the bytes that print sends, remembered as far as they stay the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imsys.routeros.wire import encode_length
from imsys.sim.fields import Show, Value
from imsys.sim.menu import Row

if TYPE_CHECKING:
    from imsys.sim.store import Rows

KEPT_WORDS = 256
RE_WORD = b"\x03!re"
_SHORT_PREFIXES = [bytes((size,)) for size in range(128)]


def encode_text_word(head: bytes, text: str) -> bytes:
    word = head + text.encode("utf-8", "surrogateescape")
    size = len(word)
    return (_SHORT_PREFIXES[size] if size < 128 else encode_length(size)) + word


def id_text(row_id: int) -> str:
    return f"*{row_id:X}"


class Projection:
    """Some properties of a table's rows as bytes."""

    def __init__(self, rows: "Rows", names: Sequence[str] | None, masked: bool) -> None:
        columns = rows.printed_columns(names)
        self.has_id = (names is None or ".id" in names) and not rows.shape.menu.is_settings
        self.plan: list[tuple[int, bytes, Show | None, dict[Value, bytes] | None]] = []
        for column in columns:
            slot = rows.shape.slots[column.name]
            show = rows.show_masked if masked and column.sensitive else rows.shows[slot]
            cache: dict[Value, bytes] | None = None if column.kind.is_volatile or column.diverse else {}
            self.plan.append((slot, f"={column.name}=".encode(), show, cache))
        self.slots = frozenset(slot for slot, *_ in self.plan)
        self.is_volatile = any(column.kind.is_volatile for column in columns)
        self.pages: dict[int, bytes | list[bytes]] = {}

    def encode(self, row_id: int, row: Row) -> bytes:
        """The attribute words of a row; nothing before them, nothing after."""
        words = [encode_text_word(b"=.id=", id_text(row_id))] if self.has_id else []
        for slot, head, show, cache in self.plan:
            value = row[slot]
            if value is None:
                continue
            if cache is not None and (word := cache.get(value)) is not None:
                words.append(word)
                continue
            text = value if show is None else show(value)
            if text is None:
                continue
            word = encode_text_word(head, text)  # type: ignore[arg-type]
            if cache is not None and len(cache) < KEPT_WORDS:
                cache[value] = word
            words.append(word)
        return b"".join(words)
