"""Cutting service off and giving it back. `is_suspended` is true while any suspension stands."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from imsys.conf.sql import fetch
from imsys.kit.errors import InputError
from imsys.kit.nearest import first_few
from imsys.network.wake import wake
from imsys.subscribers.models import Cause
from imsys.subscribers.services.rows import BUMP, Locked, lock_named, lock_of_router
from imsys.subscribers.validation import check_text
from imsys.timeline.services import INSERT_EVENTS


@dataclass(frozen=True, slots=True)
class Changed:
    """What a bulk change did: who was changed, and how many were so already.

    After a resume, `still_suspended` are those that something else keeps off, and `hint` says what and how to lift it.
    """

    changed: list[str]
    already: int
    still_suspended: list[str] = field(default_factory=list)
    hint: str = ""


@transaction.atomic
def suspend(usernames: Iterable[str], *, cause: str = Cause.NON_PAYMENT, note: str = "", actor: str) -> Changed:
    """Cut them off for `cause`; who is already suspended for it stays as they are.

    Raises: UnknownSubscriber, and then nothing was done for anybody.
    """
    return _suspend(lock_named(usernames), _cause(cause), check_text("note", note), actor)


@transaction.atomic
def suspend_all(router: str, *, cause: str = Cause.NON_PAYMENT, note: str = "", actor: str) -> Changed:
    return _suspend(lock_of_router(router), _cause(cause), check_text("note", note), actor)


@transaction.atomic
def resume(usernames: Iterable[str], *, cause: str | None = None, actor: str) -> Changed:
    """Lift the suspensions for `cause`, or all that people set: every cause but `expiry`, which paying lifts."""
    return _resume(lock_named(usernames), _cause(cause) if cause else None, actor)


@transaction.atomic
def resume_all(router: str, *, cause: str | None = None, actor: str) -> Changed:
    return _resume(lock_of_router(router), _cause(cause) if cause else None, actor)


# Who is off for another cause already looks the same to the router: an event, no bump.
_SUSPEND = f"""
with target as materialized (
    select id, username, router_id, is_suspended
    from subscribers_subscriber where id = any(%(ids)s::bigint[]) order by id
), stood as (
    insert into subscribers_suspension (subscriber_id, cause, note, by)
    select id, %(cause)s, %(note)s, %(actor)s from target
    on conflict (subscriber_id, cause) do nothing
    returning subscriber_id
), newly as materialized (
    select target.* from target join stood on stood.subscriber_id = target.id order by id
), cut as (
    update subscribers_subscriber s set is_suspended = true, updated_at = now()
    from newly where s.id = newly.id and not newly.is_suspended
    returning s.id
), bumped as ({BUMP.format(concerned="cut")}), told as (
    {INSERT_EVENTS}
    select %(actor)s, 'suspended', n.id, n.username, n.router_id, r.name,
        jsonb_build_object('is_suspended', n.is_suspended), jsonb_build_object('is_suspended', true),
        %(cause)s, %(note)s
    from newly n join network_router r on r.id = n.router_id order by n.id
)
select username, router_id, not is_suspended from newly order by username
"""  # noqa: S608 - constants of ours


def _suspend(locked: Locked, cause: Cause, note: str, actor: str) -> Changed:
    rows = fetch(_SUSPEND, {"ids": locked.ids, "cause": cause.value, "note": note, "actor": actor})
    wake({router_id for _, router_id, was_cut in rows if was_cut})
    return Changed([username for username, _, _ in rows], already=len(locked) - len(rows))


_RESUME = f"""
with target as materialized (
    select id, username, router_id, is_suspended
    from subscribers_subscriber where id = any(%(ids)s::bigint[]) order by id
), standing as materialized (
    select p.id, p.subscriber_id, p.cause, p.cause = any(%(causes)s::text[]) as lifts
    from subscribers_suspension p join target on target.id = p.subscriber_id
), lifted as (
    delete from subscribers_suspension p using standing where p.id = standing.id and standing.lifts
), newly as materialized (
    select t.*, string_agg(g.cause, ', ' order by g.cause) filter (where g.lifts) as lifted,
        string_agg(g.cause, ', ' order by g.cause) filter (where not g.lifts) as stays
    from target t join standing g on g.subscriber_id = t.id group by t.id, t.username, t.router_id, t.is_suspended
), freed as (
    update subscribers_subscriber s set is_suspended = false, updated_at = now()
    from newly where s.id = newly.id and newly.stays is null
    returning s.id
), bumped as ({BUMP.format(concerned="freed")}), told as (
    {INSERT_EVENTS}
    select %(actor)s, 'resumed', n.id, n.username, n.router_id, r.name,
        jsonb_build_object('is_suspended', n.is_suspended),
        jsonb_build_object('is_suspended', n.stays is not null), n.lifted, ''
    from newly n join network_router r on r.id = n.router_id where n.lifted is not null order by n.id
)
select username, router_id, lifted is not null, coalesce(stays, '') from newly order by username
"""  # noqa: S608 - constants of ours


def _resume(locked: Locked, cause: Cause | None, actor: str) -> Changed:
    causes = [cause] if cause else [each for each in Cause if each is not Cause.EXPIRY]
    rows = fetch(_RESUME, {"ids": locked.ids, "causes": [each.value for each in causes], "actor": actor})
    wake({router_id for _, router_id, was_lifted, stays in rows if was_lifted and not stays})
    changed = [username for username, _, was_lifted, _ in rows if was_lifted]
    still = {username: stays for username, _, _, stays in rows if stays}
    return Changed(changed, already=len(locked) - len(rows), still_suspended=list(still), hint=_hint(still))


def _hint(still: dict[str, str]) -> str:
    """What keeps them off, and how to lift it."""
    if not still:
        return ""
    causes = sorted({cause for causes in still.values() for cause in causes.split(", ")})
    lift = " or ".join(f"--reason {cause}" for cause in causes)
    paying = "; lift an expiry with --cause expiry" if Cause.EXPIRY in causes else ""
    return f"{first_few(still)} stay suspended ({', '.join(causes)}). To lift that as well: {lift}{paying}."


def _cause(text: str) -> Cause:
    if text not in Cause.values:
        raise InputError(f"{text!r} is not a cause.", remedy=f"Use one of: {', '.join(Cause.values)}")
    return Cause(text)
