"""Reading the timeline."""

from typing import Any

from imsys.timeline.models import NAMING, Event

_FIELDS = (
    "id",
    "at",
    "actor",
    "what",
    "username",
    "subscriber_id",
    "router",
    "router_id",
    "cause",
    "note",
    "before",
    "after",
    "change_id",
)


def subscriber_ids(username: str) -> list[int]:
    """Who has borne this name, those removed since among them."""
    named = Event.objects.filter(username=username, what__in=NAMING).order_by()
    return [pk for pk in named.values_list("subscriber_id", flat=True).distinct() if pk is not None]


def events(
    *, username: str = "", subscriber_id: int | None = None, router: str = "", after_id: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """The newest events first; of a username, those of all who have borne it.

    With `after_id`, only those recorded later: for whoever follows along.
    """
    rows = Event.objects.order_by("-id")
    if subscriber_id is not None:
        rows = rows.filter(subscriber_id=subscriber_id)
    if username:
        rows = rows.filter(subscriber_id__in=subscriber_ids(username))
    if router:
        rows = rows.filter(router=router)
    if after_id:
        rows = rows.filter(id__gt=after_id)
    return list(rows.values(*_FIELDS)[:limit])
