"""Suspensions that stand: put up and lifted, each by one statement for however many, with bump, events and wake.

Whoever calls has locked the subscribers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from imsys.conf.sql import fetch
from imsys.network.wake import wake
from imsys.subscribers.models import Cause
from imsys.subscribers.services.rows import BUMP
from imsys.timeline.services import INSERT_EVENTS_OF_CHANGE


class PutUp(NamedTuple):
    """Somebody newly suspended; `is_cut`: nothing else kept them off before."""

    username: str
    router_id: int
    is_cut: bool


class Lifted(NamedTuple):
    """Somebody who was suspended: whether a suspension was lifted, and the causes that stay, as a text."""

    username: str
    router_id: int
    was_lifted: bool
    stays: str


# No intermediate result is joined with another: by a guess of few rows each would be compared with each. Subscribers
# are looked up by their key, and whatever comes as a list is an array of constants.

# `{given}` selects what is to stand. Who is off for another cause already looks the same to the router: an event and no
# bump.
_PUT_UP = f"""
with stood as (
    insert into subscribers_suspension (subscriber_id, cause, note, by, since)
    {{given}}
    on conflict (subscriber_id, cause) do nothing
    returning subscriber_id, cause, note
), newly as materialized (
    select s.id, s.username, s.router_id, s.is_suspended, stood.cause, stood.note
    from stood join subscribers_subscriber s on s.id = stood.subscriber_id order by s.id, stood.cause
), cut as (
    update subscribers_subscriber s set is_suspended = true, updated_at = now()
    from newly where s.id = newly.id and not newly.is_suspended
    returning s.id
), bumped as ({BUMP.format(concerned="cut")}), told as (
    {INSERT_EVENTS_OF_CHANGE}
    select %(actor)s, 'suspended', n.id, n.username, n.router_id, r.name,
        jsonb_build_object('is_suspended', n.is_suspended), jsonb_build_object('is_suspended', true),
        n.cause, n.note, %(change)s::bigint
    from newly n join network_router r on r.id = n.router_id order by n.id, n.cause
)
select distinct username, router_id, not is_suspended from newly order by username
"""  # noqa: S608 - constants of ours

_FOR_ONE_CAUSE = """
select id, %(cause)s::text, %(note)s::text, %(actor)s::text, now()
from subscribers_subscriber where id = any(%(ids)s::bigint[]) order by id
"""

# What events of a change tell that it lifted.
_AS_BEFORE = """
select e.subscriber_id, v.cause, v.note, v.by, v.since
from timeline_event e
cross join jsonb_to_recordset(e.before -> 'suspensions') as v(cause text, note text, by text, since timestamptz)
where e.change_id = %(undone)s and e.what = 'resumed' and e.subscriber_id = any(%(ids)s::bigint[])
order by e.subscriber_id, v.cause
"""


def put_up(ids: Sequence[int], *, cause: Cause, note: str, actor: str, change_id: int | None = None) -> list[PutUp]:
    """Suspend them for `cause`; those who were not suspended for it before, by username."""
    return _put_up(_FOR_ONE_CAUSE, ids, actor, change_id, {"cause": cause.value, "note": note})


def put_back(ids: Sequence[int], *, undone: int, actor: str, change_id: int) -> list[PutUp]:
    """What the change `undone` lifted from them stands again, with its note, since when it did, and by whom."""
    return _put_up(_AS_BEFORE, ids, actor, change_id, {"undone": undone})


def _put_up(
    given: str, ids: Sequence[int], actor: str, change_id: int | None, parameters: Mapping[str, Any]
) -> list[PutUp]:
    values = {**parameters, "ids": ids, "actor": actor, "change": change_id}
    rows = [PutUp(*row) for row in fetch(_PUT_UP.format(given=given), values)]
    wake({row.router_id for row in rows if row.is_cut})
    return rows


# `{lifts}` says of a suspension `p` whether it goes. The event keeps what went, so that it can be put back.
_LIFT = f"""
with standing as materialized (
    select s.id, s.username, s.router_id, s.is_suspended, p.id as suspension_id, p.cause, p.note, p.by, p.since,
        {{lifts}} as lifts
    from subscribers_suspension p join subscribers_subscriber s on s.id = p.subscriber_id
    where p.subscriber_id = any(%(ids)s::bigint[])
), lifted as (
    delete from subscribers_suspension p using standing where p.id = standing.suspension_id and standing.lifts
), newly as materialized (
    select g.id, g.username, g.router_id, g.is_suspended,
        string_agg(g.cause, ', ' order by g.cause) filter (where g.lifts) as lifted,
        string_agg(g.cause, ', ' order by g.cause) filter (where not g.lifts) as stays,
        jsonb_agg(
            jsonb_build_object('cause', g.cause, 'note', g.note, 'by', g.by, 'since', g.since) order by g.cause
        ) filter (where g.lifts) as suspensions
    from standing g group by g.id, g.username, g.router_id, g.is_suspended
), freed as (
    update subscribers_subscriber s set is_suspended = false, updated_at = now()
    from newly where s.id = newly.id and newly.stays is null
    returning s.id
), bumped as ({BUMP.format(concerned="freed")}), told as (
    {INSERT_EVENTS_OF_CHANGE}
    select %(actor)s, 'resumed', n.id, n.username, n.router_id, r.name,
        jsonb_build_object('is_suspended', n.is_suspended, 'suspensions', n.suspensions),
        jsonb_build_object('is_suspended', n.stays is not null), n.lifted, %(note)s, %(change)s::bigint
    from newly n join network_router r on r.id = n.router_id where n.lifted is not null order by n.id
)
select username, router_id, lifted is not null, coalesce(stays, '') from newly order by username
"""  # noqa: S608 - constants of ours

_BY_CAUSE = "p.cause = any(%(causes)s::text[])"
_OF_A_CHANGE = "p.subscriber_id || ' ' || p.cause = any(%(put_up)s::text[])"
_PUT_UP_BY = """
select subscriber_id || ' ' || cause from timeline_event where change_id = %s and what = 'suspended'
"""


def lift(
    ids: Sequence[int], *, causes: Sequence[Cause], note: str = "", actor: str, change_id: int | None = None
) -> list[Lifted]:
    """Lift what stands for these causes; all of them who were suspended, by username."""
    parameters = {"causes": [cause.value for cause in causes]}
    return _lift(_BY_CAUSE, ids, note, actor, change_id, parameters)


def take_down(ids: Sequence[int], *, undone: int, note: str, actor: str, change_id: int) -> list[Lifted]:
    """Lift what the change `undone` put up."""
    put_up_then = [pair for (pair,) in fetch(_PUT_UP_BY, [undone])]
    return _lift(_OF_A_CHANGE, ids, note, actor, change_id, {"put_up": put_up_then})


def _lift(
    lifts: str, ids: Sequence[int], note: str, actor: str, change_id: int | None, parameters: Mapping[str, Any]
) -> list[Lifted]:
    values = {**parameters, "ids": ids, "note": note, "actor": actor, "change": change_id}
    rows = [Lifted(*row) for row in fetch(_LIFT.format(lifts=lifts), values)]
    wake({row.router_id for row in rows if row.was_lifted and not row.stays})
    return rows
