"""Cutting service off and giving it back. `is_suspended` is true while any suspension stands."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from imsys.conf.sql import fetch
from imsys.kit.errors import InputError
from imsys.kit.nearest import first_few
from imsys.subscribers.models import Cause
from imsys.subscribers.services.rows import Locked, lock_named, lock_of_router
from imsys.subscribers.services.standing import lift, put_up
from imsys.subscribers.validation import check_text
from imsys.timeline import changes
from imsys.timeline.models import Change


@dataclass(frozen=True, slots=True)
class Changed:
    """What a bulk change did: who was changed, and how many were so already.

    After a resume, `still_suspended` are those that something else keeps off, and `hint` says what and how to lift it.
    `change`: the number by which it can be undone, when more than one was named, or a whole router.
    """

    changed: list[str]
    already: int
    still_suspended: list[str] = field(default_factory=list)
    hint: str = ""
    change: int | None = None


@transaction.atomic
def suspend(
    usernames: Iterable[str], *, cause: str = Cause.NON_PAYMENT, note: str = "", actor: str, is_change: bool = True
) -> Changed:
    """Cut them off for `cause`; who is already suspended for it stays as they are.

    `is_change`: several are a change that can be undone; not so where they were cut off before they came here.

    Raises: UnknownSubscriber, and then nothing was done for anybody.
    """
    return _suspend(lock_named(usernames), _cause(cause), check_text("note", note), actor, is_change=is_change)


@transaction.atomic
def suspend_all(router: str, *, cause: str = Cause.NON_PAYMENT, note: str = "", actor: str) -> Changed:
    return _suspend(lock_of_router(router), _cause(cause), check_text("note", note), actor, router)


@transaction.atomic
def resume(usernames: Iterable[str], *, cause: str | None = None, actor: str) -> Changed:
    """Lift the suspensions for `cause`, or all that people set: every cause but `expiry`, which paying lifts."""
    return _resume(lock_named(usernames), _cause(cause) if cause else None, actor)


@transaction.atomic
def resume_all(router: str, *, cause: str | None = None, actor: str) -> Changed:
    return _resume(lock_of_router(router), _cause(cause) if cause else None, actor, router)


def _suspend(
    locked: Locked, cause: Cause, note: str, actor: str, router: str = "", *, is_change: bool = True
) -> Changed:
    number = _number(locked, router) if is_change else None
    rows = put_up(locked.ids, cause=cause, note=note, actor=actor, change_id=number)
    change = number and changes.record(
        number, Change.What.SUSPEND, count=len(rows), actor=actor, router=router, cause=cause.value
    )
    return Changed([row.username for row in rows], already=len(locked) - len(rows), change=change)


def _resume(locked: Locked, cause: Cause | None, actor: str, router: str = "") -> Changed:
    number = _number(locked, router)
    causes = [cause] if cause else [each for each in Cause if each is not Cause.EXPIRY]
    rows = lift(locked.ids, causes=causes, actor=actor, change_id=number)
    changed = [row.username for row in rows if row.was_lifted]
    still = {row.username: row.stays for row in rows if row.stays}
    change = number and changes.record(
        number, Change.What.RESUME, count=len(changed), actor=actor, router=router, cause=cause or ""
    )
    hints = [_hint(still), _hint_expired(locked, changed) if Cause.EXPIRY in causes else ""]
    return Changed(
        changed,
        already=len(locked) - len(rows),
        still_suspended=list(still),
        hint=" ".join(hint for hint in hints if hint),
        change=change,
    )


def _number(locked: Locked, router: str) -> int | None:
    """Of the change that this is, when it is one: a single name is as easily named again."""
    return changes.next_id() if router or len(locked) > 1 else None


def _hint(still: dict[str, str]) -> str:
    """What keeps them off, and how to lift it."""
    if not still:
        return ""
    causes = sorted({cause for causes in still.values() for cause in causes.split(", ")})
    lift = " or ".join(f"--reason {cause}" for cause in causes)
    paying = "; lift an expiry with --cause expiry" if Cause.EXPIRY in causes else ""
    return f"{first_few(still)} stay suspended ({', '.join(causes)}). To lift that as well: {lift}{paying}."


def _hint_expired(locked: Locked, usernames: list[str]) -> str:
    """Who is past the day that their service ends."""
    rows = fetch(
        "select username from subscribers_subscriber "
        "where id = any(%s::bigint[]) and username = any(%s::text[]) and expires_at <= now() order by username",
        [locked.ids, usernames],
    )
    if not rows:
        return ""
    names = [username for (username,) in rows]
    return (
        f"{first_few(names)} {'is' if len(names) == 1 else 'are'} still expired, and cut again by the next expiry run. "
        "Say until when they may be online: imsys subscriber set NAME --expires-at T."
    )


def _cause(text: str) -> Cause:
    if text not in Cause.values:
        raise InputError(f"{text!r} is not a cause.", remedy=f"Use one of: {', '.join(Cause.values)}")
    return Cause(text)
