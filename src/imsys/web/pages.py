"""The pages. Each is served whole, and again as its live part alone when htmx asks."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from imsys.fleet import selectors
from imsys.kit.errors import InputError
from imsys.network.models import Router
from imsys.subscribers.models import Package, SyncStatus
from imsys.timeline import selectors as timeline
from imsys.timeline.incidents import incidents
from imsys.web import rows
from imsys.web.login import page

PAGE_SIZE = 50
EVENTS_ON_HOME = 8
INCIDENTS_ON_HOME = 20
EVENTS_OF_SUBSCRIBER = 50


def _answer(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    is_fragment = bool(request.headers.get("HX-Request"))
    template = f"web/parts/{name}.html" if is_fragment else f"web/{name}.html"
    return render(request, template, {"section": name, "live_url": request.get_full_path(), **context})


@page
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    status = selectors.status()
    routers = [{**row, "name": row["router"], "state": rows.state_word(row)} for row in status["routers"]]
    enforced = [row for row in routers if row["mode"] == "enforce"]
    wrong = incidents(limit=INCIDENTS_ON_HOME)
    told = {incident["subject"] for incident in wrong}  # a router's trouble is an incident once it has lasted a while
    context = {
        "frozen": status["frozen"],
        "unmanaged": status["unmanaged"],
        "gap": status["gap"],
        "counts": status["subscribers"],
        "total": sum(status["subscribers"].values()),
        "oldest_pending_s": status["oldest_pending_s"],
        "routers": routers,
        "incidents": wrong,
        "more_incidents": status["incidents"] - len(wrong),
        "troubled": [row for row in routers if row["state"] not in ("ok", "unknown") and row["name"] not in told],
        "up": sum(row["state"] == "ok" for row in routers),
        "enforced": len(enforced),
        "events": timeline.events(limit=EVENTS_ON_HOME),
    }
    return _answer(request, "home", context)


@page
@require_safe
def subscribers(request: HttpRequest) -> HttpResponse:
    chosen = filter_from(request)
    after = _text(request, "after")
    try:
        found = rows.subscriber_rows(chosen, after=after, limit=PAGE_SIZE + 1)
        totals = rows.sync_totals(chosen)
    except InputError:  # the address names a router or a package that is gone
        found, totals = [], dict.fromkeys(("total", *SyncStatus.values), 0)
    shown = found[:PAGE_SIZE]
    context = {
        "rows": shown,
        "filter": chosen,
        "totals": totals,
        "after": after,
        "first_url": _url(request, after=None),
        "next_url": _url(request, after=shown[-1]["username"]) if len(found) > PAGE_SIZE else None,
    }
    if not request.headers.get("HX-Request"):
        context["router_names"] = list(Router.objects.order_by("name").values_list("name", flat=True))
        context["package_names"] = list(Package.objects.order_by("name").values_list("name", flat=True))
        context["statuses"] = SyncStatus.values
    return _answer(request, "subscribers", context)


def filter_from(request: HttpRequest) -> rows.SubscriberFilter:
    """The filter that the address asks for; what it does not know is left out."""
    status = _text(request, "status")
    return rows.SubscriberFilter(
        router=_text(request, "router"),
        package=_text(request, "package"),
        status=status if status in SyncStatus.values else "",
        suspended={"suspended": True, "active": False}.get(_text(request, "access")),
        search=_text(request, "q").strip()[:100],
    )


def _text(request: HttpRequest, key: str) -> str:
    """A part of the address; without the one character that PostgreSQL's text has no room for."""
    return request.GET.get(key, "").replace("\x00", "")


def _url(request: HttpRequest, *, after: str | None) -> str:
    """This page's address at another place of the list, its filters kept."""
    query = {key: value for key, value in request.GET.items() if value and key != "after"}
    if after:
        query["after"] = after
    return f"{request.path}?{urlencode(query)}" if query else request.path


@page
@require_safe
def subscriber(request: HttpRequest, username: str) -> HttpResponse:
    try:
        row = rows.subscriber_row(username)
    except InputError as error:
        raise Http404 from error
    context = {"row": row, "events": timeline.events(username=username, limit=EVENTS_OF_SUBSCRIBER)}
    return _answer(request, "subscriber", context)


@page
@require_safe
def routers(request: HttpRequest) -> HttpResponse:
    return _answer(request, "routers", {"rows": rows.router_rows()})
