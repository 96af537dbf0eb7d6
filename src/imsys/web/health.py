"""Two questions of machines: does the process live, and is the whole ready to work."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imsys.fleet import selectors


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the web process lives. Asks nothing else, so a lost database does not get it killed."""
    return JsonResponse({"web": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when web, database and a worker work; else 503, each part with its reason."""
    parts = {"web": "ok", "database": database_state(), "worker": "unknown, because the database does not answer"}
    if parts["database"] == "ok":
        parts["worker"] = worker_state()
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"ready": ready, **parts}, status=200 if ready else 503)


def database_state() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def worker_state() -> str:
    try:
        alive = selectors.live_workers()
    except DatabaseError:
        return "unknown, because its table cannot be read: run `imsys migrate`"
    return "ok" if alive else f"none was seen in the last {selectors.WORKER_FRESH_S} s: start `imsys worker`"
