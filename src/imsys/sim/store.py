"""Rows of one menu of one router: compact, indexed by name, and printed from remembered bytes.

A row is a tuple; tuples of texts cost little and the garbage collector forgets them. Rows are kept in id order unless
somebody moved one, so the encoded rows of a range of ids (a page) can be remembered per projection: printing an
unchanged table joins those, a changed row costs its page. Who may write what is not decided here (see edit.py).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from imsys.sim.fields import Reference, Show, Value
from imsys.sim.menu import Column, Row, Shape
from imsys.sim.projection import RE_WORD, Projection, id_text
from imsys.sim.query import Expression, Ids, candidates_of, compile_query

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

PAGE_ROWS = 128
KEPT_PROJECTIONS = 6
# Rows that the router makes itself have ids this far from those of configuration.
DYNAMIC_DISTANCE = 0x80000000 - 1

Watcher = Callable[[int, Row | None, Row | None], None]


class Rows:
    """The rows themselves. All writes go through insert, replace, delete, so that index, bytes and watchers agree."""

    def __init__(self, router: "SimRouter", shape: Shape) -> None:
        self.router = router
        self.shape = shape
        self.next_id = shape.menu.first_id
        self.watchers: list[Watcher] = []
        self.referrers: list[Rows] = []
        self._rows: dict[int, Row] = {}
        self._index: dict[str, int | tuple[int, ...]] = {}
        self._indexes: dict[int, dict[Value, tuple[int, ...]]] = {slot: {} for slot in shape.index_slots}
        self._next_dynamic = shape.menu.first_id + DYNAMIC_DISTANCE
        self._page_sizes: dict[int, int] = {}
        self._is_sorted = True
        self._is_moved = False  # somebody chose the order: no longer that of ids
        self._last_id = -1
        self._projections: dict[tuple[tuple[str, ...] | None, bool], Projection] = {}
        self._folds = not router.behaviour.names_case_sensitive
        self.shows: list[Show | None] = []

    def bind(self) -> None:
        """Look up the tables that columns refer to; apart from __init__ since menus refer to each other."""
        self.shows = [column.kind.show(self.router) for column in self.shape.columns]

    # Reading

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, row_id: int) -> bool:
        return row_id in self._rows

    def __iter__(self) -> Iterator[int]:
        return iter(self._in_order())

    def items(self) -> Iterable[tuple[int, Row]]:
        return self._in_order().items()

    def get(self, row_id: int) -> Row | None:
        return self._rows.get(row_id)

    def fold(self, name: str) -> str:
        return name.casefold() if self._folds else name

    def ids_of(self, name: str) -> tuple[int, ...]:
        found = self._index.get(self.fold(name), ())
        return (found,) if isinstance(found, int) else found

    def id_of(self, name: str) -> int | None:
        found = self.ids_of(name)
        return found[0] if found else None

    def ids_with_prefix(self, prefix: str) -> list[int]:
        prefix = self.fold(prefix)
        return [row_id for name in self._index if name.startswith(prefix) for row_id in self.ids_of(name)]

    def ids_where(self, name: str, value: Value) -> tuple[int, ...]:
        """Ids of the rows whose kept value of an indexed property is this, in the order in which they got it."""
        return self._indexes[self.shape.slots[name]].get(value, ())

    def name_of(self, row_id: int) -> str | None:
        row = self._rows.get(row_id)
        return None if row is None or self.shape.key_slot < 0 else str(row[self.shape.key_slot])

    def position(self, index: int) -> int | None:
        """The id of the row at this place of the table, as the console numbers them."""
        return next((row_id for at, row_id in enumerate(self) if at == index), None)

    def show_masked(self, _value: Value) -> str:
        return self.router.behaviour.sensitive_placeholder

    def printed(self, row_id: int, row: Row, *, masked: bool = False) -> dict[str, str]:
        """A row as print shows it."""
        shown = {} if self.shape.menu.is_settings else {".id": id_text(row_id)}
        for column in self.printed_columns(None):
            slot = self.shape.slots[column.name]
            value, show = row[slot], self.show_masked if masked and column.sensitive else self.shows[slot]
            text = None if value is None else value if show is None else show(value)
            if text is not None:
                shown[column.name] = str(text)
        return shown

    def printed_columns(self, names: Sequence[str] | None) -> list[Column]:
        wanted = None if names is None else set(names)
        return [
            column for column in self.shape.columns if not column.hidden and (wanted is None or column.name in wanted)
        ]

    # Queries (query.Source)

    def getter(self, name: str) -> Callable[[int, Any], str | None]:
        if name == ".id":
            return lambda row_id, _row: id_text(row_id)
        slot = self.shape.slots.get(name)
        if slot is None or self.shape.columns[slot].hidden:
            return lambda _id, _row: None
        show = self.shows[slot]
        if show is None:
            return lambda _id, row: row[slot]
        return lambda _id, row: None if row[slot] is None else show(row[slot])

    def sort_key(self, name: str) -> Callable[[str], Any]:
        slot = self.shape.slots.get(name)
        return str if slot is None else self.shape.columns[slot].kind.sort_key

    def equal_text(self, name: str, text: str) -> str:
        if name == ".id":
            return text.upper()
        if self.router.behaviour.yes_matches_true:
            return {"yes": "true", "no": "false"}.get(text, text)
        return text

    def lookup(self, name: str, value: str) -> Ids | None:
        if name == ".id":
            try:
                return {int(value[1:], 16)} & self._rows.keys()
            except ValueError:
                return set()
        if name == self.shape.menu.key and name:
            return set(self.ids_of(value))
        if name in self.shape.menu.indexes and self.shows[self.shape.slots[name]] is None:
            return set(self.ids_where(name, value))
        return None

    def select(self, queries: Sequence[str]) -> list[int] | None:
        """Ids of the rows that match, in table order; None: all of them."""
        expressions = compile_query(queries, self)
        if not expressions:
            return None
        known = candidates_of(expressions)
        if known is None:
            return [row_id for row_id, row in self.items() if _holds(expressions, row_id, row)]
        ordered = [row_id for row_id in self._rows if row_id in known] if self._is_moved else sorted(known)
        return [row_id for row_id in ordered if _holds(expressions, row_id, self._rows[row_id])]

    # Printing

    def projection(self, names: Sequence[str] | None, masked: bool) -> Projection:
        """The remembered projection on these properties; `masked`: without those that need the policy sensitive."""
        key = (None if names is None else tuple(names), masked)
        if (found := self._projections.get(key)) is None:
            if len(self._projections) >= KEPT_PROJECTIONS:
                del self._projections[next(iter(self._projections))]
            found = self._projections[key] = Projection(self, names, masked)
        return found

    def encode_all(self, projection: Projection, tag_word: bytes) -> Iterator[tuple[bytes, int]]:
        """All rows as `!re` sentences, in parts: the bytes and how many rows they are."""
        if projection.is_volatile or self._is_moved:
            yield from self.encode_some(projection, tag_word, list(self))
            return
        opening = RE_WORD + tag_word
        for page, size in sorted(self._page_sizes.items()):
            content = projection.pages.get(page)
            if content is None:
                content = projection.pages[page] = self._encode_page(projection, page, size)
            if isinstance(content, bytes):
                yield (content.replace(RE_WORD, opening) if tag_word else content), size
            else:
                yield b"".join([opening + words + b"\0" for words in content]), size

    def encode_some(self, projection: Projection, tag_word: bytes, ids: Sequence[int]) -> Iterator[tuple[bytes, int]]:
        """These rows as `!re` sentences; those that are gone meanwhile are left out."""
        opening = RE_WORD + tag_word
        for start in range(0, len(ids), PAGE_ROWS):
            part = [
                opening + projection.encode(row_id, row) + b"\0"
                for row_id in ids[start : start + PAGE_ROWS]
                if (row := self._rows.get(row_id)) is not None
            ]
            yield b"".join(part), len(part)

    def _encode_page(self, projection: Projection, page: int, size: int) -> bytes | list[bytes]:
        first = page * PAGE_ROWS
        ids = range(first, first + PAGE_ROWS)
        words = [projection.encode(row_id, self._rows[row_id]) for row_id in ids if row_id in self._rows]
        content = b"".join([RE_WORD + row_words + b"\0" for row_words in words])
        return content if content.count(RE_WORD) == size else words  # else a value holds what looks like an opening

    # Writing

    def take_id(self) -> int:
        if self.router.behaviour.reuse_ids and not self.shape.menu.is_dynamic:
            row_id = self.shape.menu.first_id
            while row_id in self._rows:
                row_id += 1
            return row_id
        return self.next_id

    def take_dynamic_id(self) -> int:
        """An id for a row that the router makes itself; no other row had it."""
        self._next_dynamic += 1
        return self._next_dynamic

    def insert(self, row: Row, row_id: int | None = None) -> int:
        """Append a row; its id."""
        if row_id is None:
            row_id = self.take_id()
        if row_id < self.shape.menu.first_id + DYNAMIC_DISTANCE:
            self.next_id = max(self.next_id, row_id + 1)
        if row_id < self._last_id:
            self._is_moved = self._is_moved or self.shape.menu.is_ordered
            self._is_sorted = False
        self._last_id = max(self._last_id, row_id)
        self._rows[row_id] = row
        page = row_id // PAGE_ROWS
        self._page_sizes[page] = self._page_sizes.get(page, 0) + 1
        self._forget_page(page, None)
        self._enter_name(row_id, row)
        self._enter_indexes(row_id, row, self._indexes)
        self._notify(row_id, None, row)
        return row_id

    def replace(self, row_id: int, row: Row, *, is_quiet: bool = False) -> None:
        """Change a row. `is_quiet`: nobody who listens hears of it."""
        old = self._rows[row_id]
        self._rows[row_id] = row
        changed = frozenset([slot for slot, value in enumerate(row) if value != old[slot]])
        self._forget_page(row_id // PAGE_ROWS, changed)
        key = self.shape.key_slot
        if key in changed:
            self._leave_name(row_id, old)
            self._enter_name(row_id, row)
        if moved := changed.intersection(self._indexes):
            self._leave_indexes(row_id, old, moved)
            self._enter_indexes(row_id, row, moved)
        if changed and not is_quiet:
            self._notify(row_id, old, row)

    def delete(self, row_id: int) -> None:
        old = self._rows.pop(row_id)
        page = row_id // PAGE_ROWS
        self._page_sizes[page] -= 1
        if not self._page_sizes[page]:
            del self._page_sizes[page]
        self._forget_page(page, None)
        self._leave_name(row_id, old)
        self._leave_indexes(row_id, old, self._indexes)
        if not self._rows:
            self._is_sorted, self._is_moved, self._last_id = True, False, -1
        self._notify(row_id, old, None)

    def move_before(self, row_ids: Sequence[int], before: int | None) -> None:
        """Put rows before another one, or at the end."""
        moved = {row_id: self._rows.pop(row_id) for row_id in row_ids}
        rest = list(self._rows.items())
        at = next((index for index, (row_id, _) in enumerate(rest) if row_id == before), len(rest))
        self._rows = dict(rest[:at]) | moved | dict(rest[at:])
        self._is_moved = True

    def renumber(self) -> dict[int, int]:
        """Give every row of configuration a new id, as a restore on other hardware does; old ids and new ones."""
        rows, first = list(self.items()), self.shape.menu.first_id
        for row_id, _ in rows:
            self.delete(row_id)
        moved = {}
        for row_id, row in rows:
            is_own = first <= row_id < first + DYNAMIC_DISTANCE
            moved[row_id] = self.insert(row, None if is_own else row_id)
        for referrer in self.referrers:
            referrer.relink(self.shape.menu.path, moved)
        return moved

    def relink(self, menu: str, moved: dict[int, int]) -> None:
        """Follow rows of another menu to their new ids."""
        for slot, column in enumerate(self.shape.columns):
            if isinstance(column.kind, Reference) and column.kind.menu == menu:
                for row_id, row in self.items():
                    target = row[slot]
                    if isinstance(target, int) and moved.get(target, target) != target:
                        self.replace(row_id, (*row[:slot], moved[target], *row[slot + 1 :]), is_quiet=True)

    def touch(self) -> None:
        """Forget all remembered bytes: something that rows refer to has another name."""
        self._projections.clear()

    def _in_order(self) -> dict[int, Row]:
        if not self._is_sorted and not self._is_moved:
            self._rows = dict(sorted(self._rows.items()))
            self._is_sorted = True
        return self._rows

    def _forget_page(self, page: int, changed_slots: frozenset[int] | None) -> None:
        for projection in self._projections.values():
            if changed_slots is None or changed_slots & projection.slots:
                projection.pages.pop(page, None)

    def _enter_name(self, row_id: int, row: Row) -> None:
        if self.shape.key_slot >= 0:
            name = self.fold(str(row[self.shape.key_slot]))
            others = self.ids_of(name)
            self._index[name] = (*others, row_id) if others else row_id
            self._touch_referrers()

    def _leave_name(self, row_id: int, row: Row) -> None:
        if self.shape.key_slot >= 0:
            name = self.fold(str(row[self.shape.key_slot]))
            others = tuple(other for other in self.ids_of(name) if other != row_id)
            if others:
                self._index[name] = others if len(others) > 1 else others[0]
            else:
                del self._index[name]
            self._touch_referrers()

    def _enter_indexes(self, row_id: int, row: Row, slots: Iterable[int]) -> None:
        for slot in slots:
            if (value := row[slot]) is not None:
                index = self._indexes[slot]
                index[value] = (*index.get(value, ()), row_id)

    def _leave_indexes(self, row_id: int, row: Row, slots: Iterable[int]) -> None:
        for slot in slots:
            if (value := row[slot]) is not None:
                index = self._indexes[slot]
                if others := tuple(other for other in index[value] if other != row_id):
                    index[value] = others
                else:
                    del index[value]

    def _touch_referrers(self) -> None:
        for referrer in self.referrers:
            referrer.touch()

    def _notify(self, row_id: int, old: Row | None, new: Row | None) -> None:
        for watcher in tuple(self.watchers):
            watcher(row_id, old, new)


def _holds(expressions: Sequence[Expression], row_id: int, row: Row) -> bool:
    return all(expression.test(row_id, row) for expression in expressions)
