"""Printed rows to resources: the other side of the comparison, in the same canonical values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from imsys.reconcile.kinds import UNVERIFIABLE, Kind, Observed
from imsys.reconcile.kinds.ppp_secret import HIDDEN

Fingerprint = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class ObservedRow:
    row_id: str
    key: str
    values: Mapping[str, Observed]


@dataclass(frozen=True, slots=True)
class Table:
    """One menu as read at one moment. `is_full`: absence from `rows` means absence from the router."""

    kind: Kind
    rows: Mapping[str, ObservedRow]
    is_full: bool = True
    hidden: int = 0
    shown: int = 0

    @property
    def hides_secrets(self) -> bool:
        """Does the router print placeholders instead of passwords? It does when none came in clear."""
        return self.hidden > 0 and self.shown == 0


def table(kind: Kind, printed: Iterable[Mapping[str, str]], fingerprint: Fingerprint, *, is_full: bool = True) -> Table:
    """`printed` in canonical values; secrets become fingerprints at once. Dynamic rows are left out: never ours."""
    rows: dict[str, ObservedRow] = {}
    hidden = shown = 0
    plain = tuple((f.name, f.parse) for f in kind.fields if not f.is_secret)
    secret_names = tuple(f.name for f in kind.fields if f.is_secret)
    for row in printed:
        if row.get("dynamic") in ("true", "yes"):
            continue
        key = row.get(kind.key_name)
        if key is None:
            continue
        get = row.get
        values: dict[str, Observed] = {name: parse(get(name)) for name, parse in plain}
        for name in secret_names:
            printed_secret = get(name)
            if printed_secret == HIDDEN:
                hidden += 1
                values[name] = UNVERIFIABLE
            elif printed_secret:
                shown += 1
                values[name] = fingerprint(printed_secret)
            else:
                values[name] = b""
        rows[key] = ObservedRow(row.get(".id", ""), key, values)
    return Table(kind, rows, is_full, hidden, shown)


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
