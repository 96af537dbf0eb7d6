"""Tells people of incidents: each channel once that one is there, and once that it is over.

At least once, not exactly: a crash between sending and recording repeats the one message that was on its way. What was
not told before it ended is never told. Nothing here is called by a keeper, so a slow channel holds up nobody.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from imsys.conf.sql import execute, fetch
from imsys.kit.backoff import delay_s
from imsys.timeline.channels import Target, send, targets
from imsys.timeline.incidents import FLAP_S
from imsys.timeline.messages import Item, Message, Wording, compose

log = logging.getLogger(__name__)

RETRY_FIRST_S = 15.0
RETRY_CAP_S = 900.0

_SEND_LOCK = 7_215_003  # any number, the same in every process

# A flapping incident is told to be there, and is then told to be over when it has been for a while.
_NEWS = """
select i.id, i.closed_at is not null, i.kind, i.subject, i.severity, i.text, i.remedy, i.count,
       extract(epoch from coalesce(i.closed_at, now()) - i.opened_at)::float
from timeline_incident i left join timeline_telling t on t.incident_id = i.id and t.channel_id = %(mark)s
where case when i.closed_at is null
           then i.severity = any(%(severities)s) and i.tell_from <= now()
                and (t.id is null or t.told_end_at is not null)
           else t.id is not null and t.told_end_at is null
                and (i.count = 1 or i.closed_at <= now() - make_interval(secs => %(flap_s)s))
      end
order by i.opened_at, i.id
"""

_WAITS = "select 1 from timeline_channel where mark = %s and next_attempt_at > now()"

_TOLD = """
insert into timeline_telling (incident_id, channel_id)
select id, %(mark)s from timeline_incident where id = any(%(ids)s) order by id
on conflict (incident_id, channel_id) do update set told_at = now(), told_end_at = null
"""

_SENT = """
update timeline_channel set failures = 0, last_sent_at = now(), next_attempt_at = now() + make_interval(secs => %s)
where mark = %s
"""


@dataclass(frozen=True, slots=True)
class News:
    """What a channel is still to be told."""

    begun: Mapping[int, Item]
    ended: Mapping[int, Item]

    def __bool__(self) -> bool:
        return bool(self.begun or self.ended)


def has_news() -> bool:
    """Is there anybody to be told of anything now?"""
    return any(_news(target) for target in targets() if not _waits(target))


def send_due(wordings: Mapping[str, Wording]) -> int:
    """The number of messages sent. One process sends at a time: another one that tries meanwhile sends none."""
    with _alone() as is_alone:
        return sum(_tell(target, wordings) for target in targets() if not _waits(target)) if is_alone else 0


@contextmanager
def _alone() -> Iterator[bool]:
    is_alone = bool(fetch("select pg_try_advisory_lock(%s)", [_SEND_LOCK])[0][0])
    try:
        yield is_alone
    finally:
        if is_alone:
            execute("select pg_advisory_unlock(%s)", [_SEND_LOCK])


def _waits(target: Target) -> bool:
    """It was sent something a moment ago, or has failed."""
    return bool(fetch(_WAITS, [target.mark]))


def _news(target: Target) -> News:
    parameters = {"mark": target.mark, "severities": target.severities, "flap_s": FLAP_S}
    begun: dict[int, Item] = {}
    ended: dict[int, Item] = {}
    for pk, is_over, *fields in fetch(_NEWS, parameters):
        (ended if is_over else begun)[pk] = Item(*fields)
    return News(begun, ended)


def _tell(target: Target, wordings: Mapping[str, Wording]) -> bool:
    news = _news(target)
    if not news:
        return False
    problem = send(target, compose(list(news.begun.values()), list(news.ended.values()), wordings))
    with transaction.atomic():
        execute("insert into timeline_channel (mark) values (%s) on conflict do nothing", [target.mark])
        if problem:
            _record_failure(target, problem)
        else:
            _record_telling(target, sorted(news.begun), sorted(news.ended))
    return not problem


def _record_telling(target: Target, begun: Sequence[int], ended: Sequence[int]) -> None:
    execute(_TOLD, {"mark": target.mark, "ids": begun})
    known = "update timeline_telling set told_end_at = now() where channel_id = %s and incident_id = any(%s)"
    execute(known, [target.mark, ended])
    execute("update timeline_incident set told_at = coalesce(told_at, now()) where id = any(%s)", [begun])
    execute("update timeline_incident set told_end_at = now() where id = any(%s)", [ended])
    execute(_SENT, [settings.NOTIFY_GAP_S, target.mark])
    log.info("notified", extra={"channel": target.name, "begun": len(begun), "ended": len(ended)})


def _record_failure(target: Target, problem: str) -> None:
    failures = int(fetch("select failures from timeline_channel where mark = %s for update", [target.mark])[0][0]) + 1
    wait_s = delay_s(failures, first_s=RETRY_FIRST_S, cap_s=RETRY_CAP_S)
    update = """
    update timeline_channel set failures = %s, next_attempt_at = now() + make_interval(secs => %s) where mark = %s
    """
    execute(update, [failures, wait_s, target.mark])
    log.warning("not notified", extra={"channel": target.name, "reason": problem, "retry_s": wait_s})


def send_test() -> list[tuple[Target, str]]:
    """Every channel with what went wrong there, after a message that says it is a test. Nothing is recorded."""
    message = Message("IMSys: a test", "This is a test. Messages about incidents arrive here.", "info")
    return [(target, send(target, message)) for target in targets()]
