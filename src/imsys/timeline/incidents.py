"""Keeps incidents in line with what is found to be wrong now: opens what is new, closes what is over.

Level-triggered: whoever looks passes all that it found, as often as it likes. What is wrong, upper packages say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, IntegerField, When

from imsys.conf.sql import execute, fetch
from imsys.timeline.models import Incident, Severity

FLAP_S = 600.0
"""What is back so soon after its end is the same incident; from then on its end is told when it has lasted so long."""

_LOOK_LOCK = 7_215_002  # any number, the same in every process

_FIELDS = (
    *("id", "kind", "subject", "severity", "text", "remedy", "opened_at", "closed_at", "count", "told_at"),
    "told_end_at",
)


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is wrong now. `subject` is whom or what it concerns, once per kind.

    patience_s: so long it has to last before anybody is told.
    """

    kind: str
    subject: str
    severity: str
    text: str
    remedy: str = ""
    patience_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Settled:
    opened: int
    closed: int


@transaction.atomic
def settle(found: Sequence[Found]) -> Settled:
    """Make the open incidents those of `found`, which is all that is wrong now."""
    execute("select pg_advisory_xact_lock(%s)", [_LOOK_LOCK])
    columns = _columns(found)
    execute(_REFRESH, columns)
    closed = execute(_CLOSE, columns)
    reopened = execute(_REOPEN, {**columns, "flap_s": FLAP_S})
    return Settled(opened=reopened + execute(_OPEN, columns), closed=closed)


def _columns(found: Sequence[Found]) -> dict[str, Any]:
    unique = {(one.kind, one.subject): one for one in found}
    rows = [unique[place] for place in sorted(unique)]
    names = ("kind", "subject", "severity", "text", "remedy", "patience_s")
    return {name: [getattr(row, name) for row in rows] for name in names}


_FOUND = """
found as (
    select * from unnest(%(kind)s::text[], %(subject)s::text[], %(severity)s::text[], %(text)s::text[],
                         %(remedy)s::text[], %(patience_s)s::float[])
                  as v(kind, subject, severity, text, remedy, patience_s)
)
"""

# Words change while it lasts: another error of the router, more subscribers. That is no new incident.
_REFRESH = f"""
with {_FOUND}
update timeline_incident i set severity = f.severity, text = f.text, remedy = f.remedy
from found f
where i.closed_at is null and i.kind = f.kind and i.subject = f.subject
  and (i.severity, i.text, i.remedy) is distinct from (f.severity, f.text, f.remedy)
"""  # noqa: S608 - no input

_CLOSE = f"""
with {_FOUND}
update timeline_incident i set closed_at = now()
where i.closed_at is null
  and not exists (select 1 from found f where f.kind = i.kind and f.subject = i.subject)
"""  # noqa: S608 - no input

_REOPEN = f"""
with {_FOUND}, latest as (
    select distinct on (i.kind, i.subject) i.id, f.severity, f.text, f.remedy, f.patience_s
    from timeline_incident i join found f on f.kind = i.kind and f.subject = i.subject
    where i.closed_at > now() - make_interval(secs => %(flap_s)s)
      and not exists (select 1 from timeline_incident o
                      where o.closed_at is null and o.kind = i.kind and o.subject = i.subject)
    order by i.kind, i.subject, i.closed_at desc
)
update timeline_incident i
set closed_at = null, count = i.count + 1, severity = l.severity, text = l.text, remedy = l.remedy,
    tell_from = now() + make_interval(secs => l.patience_s)
from latest l where i.id = l.id
"""  # noqa: S608 - no input

_OPEN = f"""
with {_FOUND}
insert into timeline_incident (kind, subject, severity, text, remedy, opened_at, tell_from)
select f.kind, f.subject, f.severity, f.text, f.remedy, now(), now() + make_interval(secs => f.patience_s) from found f
on conflict (kind, subject) where closed_at is null do nothing
"""  # noqa: S608 - no input


# reads

_WORST_FIRST = Case(
    *(When(severity=severity, then=rank) for rank, severity in enumerate(reversed(Severity.values))),
    output_field=IntegerField(),
)


def incidents(*, with_closed: bool = False, limit: int | None = None) -> list[dict[str, Any]]:
    """The open ones, the worst and then the oldest first; `with_closed`: all, the newest first."""
    if with_closed:
        rows = Incident.objects.order_by("-opened_at", "-id")
    else:
        rows = Incident.objects.filter(closed_at=None).order_by(_WORST_FIRST, "opened_at", "id")
    return list(rows.values(*_FIELDS)[:limit])


def count_open() -> int:
    return int(fetch("select count(*) from timeline_incident where closed_at is null")[0][0])


def prune(*, keep: timedelta) -> int:
    """The number of incidents deleted that were over before."""
    with transaction.atomic():
        old = "select id from timeline_incident where closed_at < now() - %s"
        execute(f"delete from timeline_telling where incident_id in ({old})", [keep])  # noqa: S608 - no input
        return execute("delete from timeline_incident where closed_at < now() - %s", [keep])
