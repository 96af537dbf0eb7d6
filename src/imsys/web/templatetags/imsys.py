"""How a page writes a status, an age and an icon. A status is always a shape and a word, never a colour alone."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from imsys.web.login import THEME_COOKIE, THEMES

register = template.Library()

# Of what is suspended and resumed, what the event's own name and cause say already.
SAID_ALREADY = ("is_suspended", "suspensions")

# Shapes on a 16 x 16 grid. They differ in outline, so that they can be told apart without colour.
_LINE = 'fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"'


def _lines(path: str) -> str:
    return f'<path {_LINE} d="{path}"/>'


def _solid(path: str) -> str:
    return f'<path fill="currentColor" fill-rule="evenodd" d="{path}"/>'


def _disc(radius: float, y: float = 8) -> str:
    return f'<circle cx="8" cy="{y}" r="{radius}" fill="currentColor"/>'


_RING = f'<circle cx="8" cy="8" r="6.2" {_LINE}/>'
_DASHED_RING = f'<circle cx="8" cy="8" r="6.2" stroke-dasharray="2.4 2.4" {_LINE}/>'

SHAPES = {
    "check": _solid("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1 10.4L3.8 8.2l1.2-1.1 1.9 1.9 3.9-4.6 1.3 1Z"),
    "clock": _RING + _lines("M8 4.4V8l2.4 1.6"),
    "triangle": _lines("M8 2 14.4 13.4H1.6ZM8 6.4v3") + _disc(0.9, 11.4),
    "hand": _lines("M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4H5.2l-3.4-3.4V5.2ZM6.5 5.8v4.4m3-4.4v4.4"),
    "eye": _lines("M1.4 8S3.8 3.6 8 3.6 14.6 8 14.6 8 12.2 12.4 8 12.4 1.4 8 1.4 8Z") + _disc(1.9),
    "question": _DASHED_RING + _lines("M6.3 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.9.6-.9 1.3") + _disc(0.9, 11.4),
    "dot": _disc(4),
    "bar": _RING + _lines("M5 8h6"),
    "end": _RING + _lines("M8 4.4V8H4.8"),
    "up": _lines("M8 13.4V3m0 0L3.6 7.4M8 3l4.4 4.4"),
    "down": _lines("M3.2 3.2l9.6 9.6m0-9.6-9.6 9.6"),
    "shield": _lines("M8 1.6 13.4 3.6v4.2c0 3.2-2.2 5.4-5.4 6.6-3.2-1.2-5.4-3.4-5.4-6.6V3.6Z"),
    "pause": _lines("M5.4 3.4v9.2m5.2-9.2v9.2"),
}

# word -> (shape, colour class, text)
STATUSES = {
    "synced": ("check", "good", "Synced"),
    "pending": ("clock", "wait", "Pending"),
    "error": ("triangle", "bad", "Error"),
    "held": ("hand", "held", "Held"),
    "observed": ("eye", "seen", "Observed"),
    "active": ("dot", "plain", "Active"),
    "suspended": ("bar", "plain", "Suspended"),
    "expired": ("end", "plain", "Expired"),
    "ok": ("up", "good", "Up"),
    "down": ("down", "bad", "Down"),
    "unknown": ("question", "dim", "Unknown"),
    "enforce": ("shield", "plain", "Enforce"),
    "observe": ("eye", "seen", "Observe"),
    "paused": ("pause", "held", "Paused"),
    "critical": ("triangle", "bad", "Critical"),
    "warning": ("triangle", "wait", "Warning"),
    "info": ("eye", "seen", "Info"),
}


@register.simple_tag
def icon(name: str) -> SafeString:
    return mark_safe(f'<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{SHAPES[name]}</svg>')  # noqa: S308 - ours


@register.simple_tag
def status(word: str, since: datetime | None = None) -> SafeString:
    """A router's condition has a code as its word: that is shown as it is, as something bad."""
    shape, colour, text = STATUSES.get(word, ("triangle", "bad", word))
    return format_html('<span class="status {}">{}{}{}</span>', colour, icon(shape), text, _age_after_space(since))


def _age_after_space(since: datetime | None) -> SafeString:
    return format_html(" {}", age(since)) if since else SafeString("")


@register.filter
def age(moment: datetime | None) -> SafeString:
    """How long ago, or in how long, with the moment itself on hover."""
    if moment is None:
        return SafeString("")
    local = timezone.localtime(moment)
    seconds = (datetime.now(UTC) - moment).total_seconds()
    text = span(seconds) if seconds >= 0 else f"in {span(-seconds)}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact(moment), text)


@register.filter
def exact(moment: datetime | None) -> str:
    return "" if moment is None else timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S %Z")


@register.filter
def span(seconds: float | None) -> str:
    """A duration in its largest unit: 4 s, 12 min, 3 h, 41 d."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


@register.filter
def is_old(moment: datetime | None, seconds: int) -> bool:
    return moment is None or datetime.now(UTC) - moment > timedelta(seconds=seconds)


@register.filter
def last_day(moment: datetime | None) -> str:
    """The last day that something lasts: what ends at midnight ends with the day before."""
    if moment is None:
        return ""
    day = (timezone.localtime(moment) - timedelta(microseconds=1)).date()
    return f"{day.day} {day:%b %Y}"


@register.filter
def changes(event: Mapping[str, Any]) -> str:
    """What an event changed, on one line: `package home-5m → home-10m`. What its name says already is left out."""
    before, after = event["before"] or {}, event["after"] or {}
    parts = []
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name), after.get(name)
        if old == new or (name in SAID_ALREADY and event["what"] in ("suspended", "resumed")):
            continue
        if name in before and name in after:
            parts.append(f"{name} {_word(old)} → {_word(new)}")
        elif (value := new if name in after else old) not in ("", None, False):
            parts.append(f"{name} {_word(value)}")
    return ", ".join(parts)


def _word(value: Any) -> str:
    if value in ("", None):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={item}" for name, item in value.items()) or "none"
    return str(value)


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    request = context.get("request")
    chosen = request.COOKIES.get(THEME_COOKIE, "auto") if request is not None else "auto"
    return chosen if chosen in THEMES else "auto"


@register.simple_tag
def themes() -> tuple[str, ...]:
    return THEMES
