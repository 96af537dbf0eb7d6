"""What the pages and the command line show beyond what one app's selectors know: words for states, facts, causes.

Plain dicts with the models' field names. Reads only.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from imsys.facts.models import RouterFacts
from imsys.network.blocks import blocked_by
from imsys.network.models import Mode
from imsys.network.windows import is_open, next_change
from imsys.reconcile.caps import KINDS, cap
from imsys.subscribers import selectors as subscribers
from imsys.subscribers.models import Cause, Suspension, SyncStatus

Row = dict[str, Any]

RUNS_SHOWN = 10
BLOCKS = {
    "paused": "the router is paused",
    "observe": "the router is only observed",
    "frozen": "everything is frozen",
    "window": "the router's window",
}

# routers


def router_rows() -> list[Row]:
    """Every router; those that need a person first, then by name."""
    facts = {row["router_id"]: row for row in RouterFacts.objects.values("router_id", "read_at", "online")}
    rows = [_router_row(row, facts.get(row["id"])) for row in subscribers.list_routers()]
    return sorted(rows, key=lambda row: row["state"] in ("ok", "unknown"))


def router_row(name: str, *, with_runs: bool = False) -> Row:
    from imsys.fleet import selectors as fleet
    from imsys.network import selectors as network

    pk = network.get_router(name).pk
    row = next(row for row in router_rows() if row["id"] == pk)
    row |= _brakes(row, fleet.database_now())
    return {**row, "runs": fleet.runs(name, RUNS_SHOWN)} if with_runs else row


def _brakes(row: Row, now: datetime) -> Row:
    """Whether it may be written to now, until when that is so, and how much a machine may cause in one run."""
    window, zone = row["window"], row["window_zone"]
    return {
        "is_window_open": is_open(window, zone, now),
        "window_changes_at": next_change(window, zone, now),
        "caps_in_effect": {kind: cap(kind, row["subscribers"], row["caps"]) for kind in KINDS},
    }


def _router_row(row: Row, facts: Mapping[str, Any] | None) -> Row:
    return {
        **row,
        "address": f"{row['host']}:{row['port']}",
        "state": state_word(row),
        "online": facts["online"] if facts else None,
        "facts_read_at": facts["read_at"] if facts else None,
    }


def state_word(row: Mapping[str, Any]) -> str:
    """The condition's code, or whether the router answers."""
    if row["condition"]:
        return str(row["condition"])
    return {True: "ok", False: "down", None: "unknown"}[row["is_reachable"]]


# subscribers


@dataclass(frozen=True, slots=True)
class SubscriberFilter:
    router: str = ""
    package: str = ""
    status: str = ""
    suspended: bool | None = None
    enforced: bool | None = None
    search: str = ""

    @property
    def is_set(self) -> bool:
        return self != SubscriberFilter()


def subscriber_rows(chosen: SubscriberFilter, *, after: str = "", limit: int | None = None) -> list[Row]:
    """In the order of usernames, from the one after `after`."""
    rows = subscribers.list_subscribers(**asdict(chosen), after=after, limit=limit)
    suspended = [row["id"] for row in rows if row["is_suspended"]]
    causes: dict[int, list[str]] = {}
    standing = Suspension.objects.filter(subscriber_id__in=suspended) if limit else Suspension.objects.all()
    for subscriber_id, cause in standing.order_by("cause").values_list("subscriber_id", "cause"):
        causes.setdefault(subscriber_id, []).append(cause)
    modes = _modes()
    return [_with_words(row, causes.get(row["id"], []), modes) for row in rows]


def subscriber_row(username: str) -> Row:
    """All of one subscriber but the password."""
    row = subscribers.subscriber_detail(username)
    words = _with_words(row, [suspension["cause"] for suspension in row["suspensions"]], _modes())
    return {**words, "waits_for": _waits_for(row)}


def _waits_for(row: Row) -> str:
    """What keeps a pending change from being done, other than its turn; empty where nothing does."""
    from imsys.network.models import Router
    from imsys.network.selectors import frozen

    if row["sync_status"] != SyncStatus.PENDING or row["error_code"]:
        return ""
    router = Router.objects.select_related("state").get(name=row["router"])
    opened = is_open(router.window, router.window_zone, timezone.now())
    is_frozen = frozen() is not None
    block = blocked_by(router.mode, is_frozen=is_frozen, is_open=opened, is_enforced=row["is_enforced"])
    if block is not None:
        return BLOCKS[block]
    return router.state.condition_text if router.state.is_reachable is False else ""


def _modes() -> dict[str, str]:
    from imsys.network.models import Router

    return dict(Router.objects.values_list("name", "mode"))


def _with_words(row: Row, causes: list[str], modes: Mapping[str, str]) -> Row:
    return {
        **row,
        "causes": causes,
        "access": access_word(row["is_suspended"], causes),
        "sync": sync_word(row["sync_status"], modes.get(row["router"], ""), is_enforced=row["is_enforced"]),
    }


def access_word(is_suspended: bool, causes: list[str]) -> str:
    if not is_suspended:
        return "active"
    return "expired" if causes == [Cause.EXPIRY] else "suspended"


def sync_word(status: str, mode: str, *, is_enforced: bool = False) -> str:
    """On a router that is only observed nothing is on its way, but for those who are enforced there by themselves."""
    is_observed = mode == Mode.OBSERVE and not is_enforced
    return "observed" if is_observed and status == SyncStatus.PENDING else status


def sync_totals(chosen: SubscriberFilter) -> dict[str, int]:
    """How many match, by sync status, and `total`."""
    from django.db.models import Count

    matching = subscribers.filter_subscribers(**asdict(chosen))
    counts = dict(matching.values_list("sync__sync_status").annotate(count=Count("*")).order_by())
    return {"total": sum(counts.values()), **{status: counts.get(status, 0) for status in SyncStatus.values}}
