"""What a message says. Pure: incidents in, words out. Many of one kind are one line, or nobody would read them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imsys.timeline.models import Severity

NAMES_SHOWN = 10
TITLE_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Wording:
    """How incidents of one kind are spoken of. `many` and `many_over` follow a number, `over` follows a subject."""

    many: str
    over: str
    many_over: str


@dataclass(frozen=True, slots=True)
class Item:
    """An incident as a message needs it. `lasted_s`: from its first sight until its end, or until now."""

    kind: str
    subject: str
    severity: str
    text: str
    remedy: str
    count: int
    lasted_s: float


@dataclass(frozen=True, slots=True)
class Message:
    title: str
    body: str
    severity: str
    """Of the worst that it tells to have begun; empty when it only tells of ends."""


def compose(begun: Sequence[Item], ended: Sequence[Item], wordings: Mapping[str, Wording]) -> Message:
    """One message for all of it: the worst first, then what is over."""
    groups = sorted(_by_kind(begun).values(), key=lambda items: -_rank(items[0].severity))
    opening = [_begun(items, _wording(items[0].kind, wordings)) for items in groups]
    closing = [_ended(items, _wording(items[0].kind, wordings)) for items in _by_kind(ended).values()]
    paragraphs = [*opening, *closing]
    more = len(paragraphs) - 1
    title = _cut(paragraphs[0][0], TITLE_CHARACTERS) + (f" (and {more} more)" if more else "")
    worst = max((item.severity for item in begun), key=_rank, default="")
    return Message(f"IMSys: {title}", "\n\n".join("\n".join(lines) for lines in paragraphs), worst)


def _begun(items: Sequence[Item], wording: Wording) -> list[str]:
    """Lines, the first of which can stand alone."""
    if len(items) == 1:
        lines = [items[0].text, *_flapping(items[0])]
    else:
        lines = [f"{len(items)} {wording.many}: {_names(items)}."]
    remedies = {item.remedy for item in items if item.remedy}
    return [*lines, *(remedies if len(remedies) == 1 else ())]


def _flapping(item: Item) -> list[str]:
    if item.count == 1:
        return []
    return [f"It has begun {item.count} times within {span(item.lasted_s)}; its end is told once that has lasted."]


def _ended(items: Sequence[Item], wording: Wording) -> list[str]:
    if len(items) > 1:
        return [f"{len(items)} {wording.many_over}: {_names(items)}."]
    item = items[0]
    times = f", {item.count} times within" if item.count > 1 else " after"
    return [f"{item.subject} {wording.over}{times} {span(item.lasted_s)}."]


def _names(items: Sequence[Item]) -> str:
    names = sorted(item.subject for item in items)
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _by_kind(items: Iterable[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.kind, []).append(item)
    return found


def _wording(kind: str, wordings: Mapping[str, Wording]) -> Wording:
    """Of a kind that another version knows: something true at least."""
    return wordings.get(kind) or Wording(f"incidents ({kind})", f"is over ({kind})", f"are over ({kind})")


def _rank(severity: str) -> int:
    return Severity.values.index(severity)


def _cut(text: str, most: int) -> str:
    text = text.rstrip(".")
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def span(seconds: float) -> str:
    """A duration in its largest unit: 40 s, 12 min, 3 h, 41 d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
