"""What becomes of the holds on one router when somebody has looked anew at what is held there.

One hold waits at a time. It follows what is held as that grows and shrinks; what a person has rejected is not asked for
again until it is over, which it is once none of it is held any more. The statements are for whoever writes that down,
on Django's connection or on a keeper's.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Steps = Mapping[str, Mapping[str, Any]]
"""By mark, what is held as people may see it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold that is not over."""

    hold_id: int
    state: str
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Settled:
    """`opened`: what a new hold is about; `filled`: what the waiting one is about from now on. over: those that end."""

    opened: Steps = field(default_factory=dict)
    filled: Steps = field(default_factory=dict)
    waiting: int | None = None
    over: tuple[int, ...] = ()


def marks_of(standing: Sequence[Standing], state: str) -> frozenset[str]:
    return frozenset().union(*(hold.marks for hold in standing if hold.state == state))


def settle(standing: Sequence[Standing], held: Steps, *, outstanding: Collection[str] = ()) -> Settled:
    """`outstanding`: marks of what is not held and is still to be done, which keeps an approval standing."""
    asked = {mark: step for mark, step in held.items() if mark not in marks_of(standing, "rejected")}
    waiting = next((hold for hold in standing if hold.state == "waiting"), None)
    over = [h.hold_id for h in standing if h.state == "rejected" and h.marks.isdisjoint(held)]
    over += [h.hold_id for h in standing if h.state == "approved" and h.marks.isdisjoint({*held, *outstanding})]
    if waiting is None:
        return Settled(opened=asked, over=tuple(over))
    if not asked:
        return Settled(over=(*over, waiting.hold_id))
    return Settled(filled=asked if asked.keys() != waiting.marks else {}, waiting=waiting.hold_id, over=tuple(over))


# The marks of what stands on one router.
STANDING = """
select id, state, array(select jsonb_array_elements(steps) ->> 'mark') from timeline_hold
where router_id = %(router)s and kind = %(kind)s and state <> 'over' order by id
"""

# A decision that a person has made meanwhile stands.
FILL = """
update timeline_hold set steps = %(steps)s, code = %(code)s, text = %(text)s, changed_at = now()
where id = %(waiting)s and state = 'waiting'
"""

OPEN = """
insert into timeline_hold (kind, router_id, router, code, text, steps)
values (%(kind)s, %(router)s, %(name)s, %(code)s, %(text)s, %(steps)s)
on conflict (router_id, kind) where state = 'waiting' do nothing
"""

OVER = "update timeline_hold set state = 'over', over_at = now() where id = any(%(over)s)"


def parameters(settled: Settled, *, kind: str, router_id: int, router: str, code: str, text: str) -> dict[str, Any]:
    """What the statements above need to write `settled` down."""
    steps = [{**step, "mark": mark} for mark, step in (settled.opened or settled.filled).items()]
    names = {"kind": kind, "router": router_id, "name": router, "code": code, "text": text}
    return {**names, "steps": json.dumps(steps), "waiting": settled.waiting, "over": list(settled.over)}
