"""Printed rows to resources: the other side of the comparison, in the same canonical values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from imsys.reconcile.kinds import UNVERIFIABLE, Kind, Observed, Printed
from imsys.reconcile.kinds.base import FirstAbove, Unverifiable, is_disabled, is_dynamic
from imsys.reconcile.kinds.ppp_secret import HIDDEN

Fingerprint = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class ObservedRow:
    """`place`: where it stands in its table, where that matters."""

    row_id: str
    key: str
    values: Mapping[str, Observed]
    is_dynamic: bool = False
    place: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """One menu as read at one moment. `is_full`: absence from `rows` means absence from the router.

    aliased: rows by the marks other than their key by which one may be the row that we want.
    in_the_way: by key, dynamic rows that keep a static one from being added.
    is_missing: this router has no such menu.
    """

    kind: Kind
    rows: Mapping[str, ObservedRow]
    is_full: bool = True
    hidden: int = 0
    shown: int = 0
    aliased: Mapping[str, ObservedRow] = field(default_factory=dict)
    in_the_way: Mapping[str, ObservedRow] = field(default_factory=dict)
    first_above: FirstAbove | None = field(default=None, repr=False)
    is_missing: bool = False

    @property
    def hides_secrets(self) -> bool:
        """Does the router print placeholders instead of passwords? It does when none came in clear."""
        return self.hidden > 0 and self.shown == 0


def table(kind: Kind, printed: Sequence[Printed], fingerprint: Fingerprint, *, is_full: bool = True) -> Table:
    """`printed` in canonical values; secrets become fingerprints at once. Dynamic rows are never ours."""
    reader = _Reader(kind, fingerprint)
    rows: dict[str, ObservedRow] = {}
    aliased: dict[str, ObservedRow] = {}
    in_the_way: dict[str, ObservedRow] = {}
    key_of, aliases_of = kind.key_of, kind.aliases_of
    for place, row in enumerate(printed):
        key = key_of(row)
        if key is None:
            continue
        dynamic = is_dynamic(row)
        if dynamic and kind.promotes is None:
            continue
        observed = ObservedRow(row.get(".id", ""), key, reader.values(row), dynamic, place)
        if dynamic:
            if kind.promotes == "make-static" or row.get("timeout"):
                in_the_way[key] = observed
        elif key not in rows or (rows[key].values.get("disabled") is True and not is_disabled(row)):
            rows[key] = observed
        if aliases_of is not None:
            for alias in aliases_of(row):
                before = aliased.get(alias)
                if before is None or _is_better(observed, before):
                    aliased[alias] = observed
    first_above = kind.order(printed) if kind.order is not None else None
    return Table(kind, rows, is_full, reader.hidden, reader.shown, aliased, in_the_way, first_above)


class _Reader:
    """Turns one kind's printed rows into values, and counts the passwords that were shown and hidden."""

    def __init__(self, kind: Kind, fingerprint: Fingerprint) -> None:
        self._plain = tuple((f.name, f.parse) for f in kind.fields if not f.is_secret)
        self._secret_names = tuple(f.name for f in kind.fields if f.is_secret)
        self._fingerprint = fingerprint
        self.hidden = self.shown = 0

    def values(self, row: Printed) -> dict[str, Observed]:
        get = row.get
        values: dict[str, Observed] = {name: parse(get(name)) for name, parse in self._plain}
        for name in self._secret_names:
            printed = get(name)
            if printed == HIDDEN:
                self.hidden += 1
                values[name] = UNVERIFIABLE
            elif printed:
                self.shown += 1
                values[name] = self._fingerprint(printed)
            else:
                values[name] = b""
        return values


def _is_better(row: ObservedRow, before: ObservedRow) -> bool:
    """Of rows with the same mark, a static one is taken before a dynamic, and one in use before a disabled one."""
    return (row.is_dynamic, row.values.get("disabled") is True) < (
        before.is_dynamic,
        before.values.get("disabled") is True,
    )


def mark(values: Mapping[str, Observed]) -> str:
    """What a row says, as one short text that tells equal rows from others and nothing of a password."""
    said = repr(sorted((name, value) for name, value in values.items() if not isinstance(value, Unverifiable)))
    return sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def near_doubles(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys that differ only in case or outer blanks: one subscriber twice, to a person's eye."""
    seen: dict[str, str] = {}
    doubles = []
    for key in keys:
        folded = key.strip().casefold()
        if folded in seen:
            doubles += [seen[folded], key]
        seen[folded] = key
    return tuple(dict.fromkeys(doubles))
