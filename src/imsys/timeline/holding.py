"""What becomes of the holds on one router when somebody has looked anew at what is held there.

One hold waits at a time. It shrinks as what it holds is settled otherwise, and is over when none is left. What is held
besides makes a new hold of all of it: whoever approves one approves what it showed. What a person has rejected is not
asked for again until it is held no more. The statements are for whoever writes that down, on Django's connection or on
a keeper's.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Steps = Mapping[str, Mapping[str, Any]]
"""By mark, what is held as people may see it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold that is not over. `code` and `text`: why it is one."""

    hold_id: int
    state: str
    marks: frozenset[str]
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """opened: what a new hold is about; `is_growth`: one was waiting, in whose place it comes.

    left: by hold, what it is about from now on. over: holds that end, with the state in which they do: a decision that
    a person has made meanwhile stands.
    """

    opened: Steps = field(default_factory=dict)
    is_growth: bool = False
    left: Mapping[int, frozenset[str]] = field(default_factory=dict)
    over: Mapping[int, str] = field(default_factory=dict)


def marks_of(standing: Sequence[Standing], state: str) -> frozenset[str]:
    return frozenset().union(*(hold.marks for hold in standing if hold.state == state))


def settle(standing: Sequence[Standing], held: Steps, *, code: str = "", outstanding: Collection[str] = ()) -> Settled:
    """`code`: why it is held. `outstanding`: marks of what is to be done, by which an approval stands."""
    asked = {mark: step for mark, step in held.items() if mark not in marks_of(standing, "rejected")}
    waiting = next((hold for hold in standing if hold.state == "waiting"), None)
    is_growth = waiting is not None and bool(asked) and (not asked.keys() <= waiting.marks or code != waiting.code)
    left: dict[int, frozenset[str]] = {}
    over: dict[int, str] = {}
    for hold in standing:
        still = hold.marks & ({*held, *outstanding} if hold.state == "approved" else held.keys())
        if not still or (hold is waiting and is_growth):
            over[hold.hold_id] = hold.state
        elif still != hold.marks:
            left[hold.hold_id] = still
    return Settled(asked if waiting is None or is_growth else {}, is_growth, left, over)


# With the marks of what stands on one router.
STANDING = """
select id, state, array(select jsonb_array_elements(steps) ->> 'mark'), code, text from timeline_hold
where router_id = %(router)s and kind = %(kind)s and state <> 'over' order by id
"""

SHRINK = """
update timeline_hold h
set changed_at = now(), steps = (
    select coalesce(jsonb_agg(e.step order by e.number), '[]')
    from jsonb_array_elements(h.steps) with ordinality e(step, number) where e.step ->> 'mark' = any(%(marks)s)
)
where id = %(id)s
"""

OPEN = """
insert into timeline_hold (kind, router_id, router, code, text, serial, steps)
values (%(kind)s, %(router)s, %(name)s, %(code)s, %(text)s, %(serial)s, %(steps)s)
on conflict (router_id, kind) where state = 'waiting' do nothing
"""

OVER = """
update timeline_hold h set state = 'over', over_at = now()
from unnest(%(ids)s::bigint[], %(states)s::text[]) as v(id, state) where h.id = v.id and h.state = v.state
"""

Statement = tuple[str, dict[str, Any]]


def endings(settled: Settled) -> list[Statement]:
    """What ends and shrinks: first, since only one hold waits at a time."""
    over = {"ids": list(settled.over), "states": list(settled.over.values())}
    shrinking = [(SHRINK, {"id": hold, "marks": sorted(marks)}) for hold, marks in sorted(settled.left.items())]
    return [*([(OVER, over)] if settled.over else []), *shrinking]


def opening(
    settled: Settled, *, kind: str, router_id: int, router: str, code: str, text: str, serial: str = ""
) -> Statement | None:
    if not settled.opened:
        return None
    steps = json.dumps([{**step, "mark": mark} for mark, step in settled.opened.items()])
    words = {"code": code, "text": text, "serial": serial}
    return OPEN, {"kind": kind, "router": router_id, "name": router, **words, "steps": steps}
