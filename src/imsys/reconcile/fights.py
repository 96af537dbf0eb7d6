"""Fields that are put back again and again: somebody else's automation changes them each time. No clock in here.

A person who changes a field twice is put right twice. What was put back `repairs` times within `within_s` and differs
once more is a fight: its repair rests, for longer each time that the field differs again. What restricts access never
rests for long: fought over, it is put back at most once in `restricting_s`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from imsys.reconcile.desired import Desired
from imsys.reconcile.diff import Step
from imsys.reconcile.intent import RouterIntent
from imsys.reconcile.kinds import ADDRESS_LIST, DROP_RULE, KINDS, QUEUE
from imsys.reconcile.plan import Paused, Plan
from imsys.reconcile.show import shown_value

Spot = tuple[str, str, str]
"""Menu, key and field; the field of a row that is there or not is `row`, that of where it stands `place`."""

ROW, PLACE = "row", "place"


@dataclass(frozen=True, slots=True)
class Rules:
    """When it is a fight and how long its repair rests. Seconds, but for `repairs`."""

    repairs: int = 3
    within_s: float = 3600.0
    first_s: float = 900.0
    cap_s: float = 86_400.0
    restricting_s: float = 60.0

    def pause_s(self, pauses: int) -> float:
        """The length of the pause of that number; 0 before the first."""
        return min(self.first_s * 2.0 ** min(pauses - 1, 20), self.cap_s) if pauses else 0.0


@dataclass(frozen=True, slots=True)
class Fight:
    """One field that was put back lately, a fight from `begun_at` on.

    repaired_at: the latest repairs, as many as the rules ask about, the newest last.
    who: whom the router's log named last, "" when nobody. found, wanted: as printed, secrets masked.
    """

    menu: str
    key: str
    field: str
    repaired_at: tuple[datetime, ...] = ()
    pauses: int = 0
    paused_until: datetime | None = None
    begun_at: datetime | None = None
    who: str = ""
    found: str = ""
    wanted: str = ""

    @property
    def spot(self) -> Spot:
        return self.menu, self.key, self.field

    def over_at(self, rules: Rules) -> datetime:
        """When it counts no more, if the field is left alone until then: after twice its last pause, or longer."""
        quiet_from = max(self.repaired_at[-1], self.paused_until or self.repaired_at[-1])
        return quiet_from + timedelta(seconds=max(2 * rules.pause_s(self.pauses), rules.within_s))

    def is_resting(self, now: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now


@dataclass(frozen=True, slots=True)
class Rested:
    """A plan without what rests, and the fights that it began or prolonged, with the steps that showed it."""

    plan: Plan
    changed: Mapping[Spot, Fight] = field(default_factory=dict)
    begun: tuple[tuple[Fight, Step], ...] = ()


def rest(plan: Plan, fights: Mapping[Spot, Fight], router: RouterIntent, *, now: datetime, rules: Rules) -> Rested:
    """Take what rests out of the plan's drift. What a person wants by now, and what others need, never does."""
    if not fights:
        return Rested(plan)
    judged: dict[Spot, Fight] = {}
    for step in plan.steps:
        for name in _fields(step) if _may_rest(step, plan) else ():
            known = fights.get((*step.place, name))
            if known is not None and known.over_at(rules) > now:
                is_restricting = restricts(step, name, router) or _gives_the_listed_address(step, name, plan.wanted)
                judged[known.spot] = _judge(known, step, now, rules, is_restricting=is_restricting)
    resting = {spot: fight for spot, fight in judged.items() if fight.is_resting(now)}
    for menu, key in _needed(plan, resting):
        for cache in (judged, resting):
            cache.pop((menu, key, ROW), None)
    changed = {spot: fight for spot, fight in judged.items() if fight != fights[spot]}
    steps = {(*step.place, name): step for step in plan.steps if not step.is_aside for name in _fields(step)}
    begun = tuple((fight, steps[spot]) for spot, fight in changed.items() if fights[spot].begun_at is None)
    return Rested(_without(plan, resting), changed, begun)


def _gives_the_listed_address(step: Step, name: str, wanted: Desired) -> bool:
    """Is it what gives somebody the address by which they are cut off? With another they would pass."""
    if step.subscriber_id is None or step.menu == QUEUE.menu or name not in ("remote-address", "mac-address", ROW):
        return False
    return any(row.menu == ADDRESS_LIST.menu for row in wanted.of(step.subscriber_id))


def restricts(step: Step, name: str, router: RouterIntent) -> bool:
    """Does this change of the step keep somebody out? That somebody entitled is let in again is none."""
    if step.menu in (ADDRESS_LIST.menu, DROP_RULE.menu):
        return step.menu == DROP_RULE.menu or step.action != "remove"
    if step.action == "remove":
        return True
    garden = router.suspend_profile if router.suspend_by == "profile" else None
    value = step.changes.get(name)
    return (name == "disabled" and value is True) or (name == "profile" and garden is not None and value == garden)


def put_back(
    fights: Mapping[Spot, Fight],
    steps: Iterable[Step],
    authors: Mapping[tuple[str, str], str],
    *,
    now: datetime,
    rules: Rules,
) -> dict[Spot, Fight]:
    """What these repairs make of the fields that they put back."""
    counted = {}
    for step in steps:
        for name in _fields(step) if step.reason == "drift" and not step.is_aside else ():
            spot = (*step.place, name)
            known = fights.get(spot)
            if known is None or known.over_at(rules) <= now:
                known = Fight(*spot)
            latest = (*known.repaired_at, now)[-rules.repairs :]
            counted[spot] = replace(
                _as_found(known, step), repaired_at=latest, who=authors.get(step.place) or known.who
            )
    return counted


def settled(fights: Mapping[Spot, Fight], wanted: Desired, *, is_whole: bool) -> set[Spot]:
    """Those that a person has ended by wanting something else. is_whole: `wanted` is all that is wanted.

    Whoever changes a subscriber means each of its rows. A profile or rule of many changes hands only with its value.
    """
    return {spot for spot, fight in fights.items() if _is_settled(fight, wanted, is_whole=is_whole)}


def _is_settled(fight: Fight, wanted: Desired, *, is_whole: bool) -> bool:
    place = (fight.menu, fight.key)
    resource = wanted.rows.get(place)
    if resource is None:
        owner = wanted.absent.get(place)
        return owner.is_newer if owner is not None else is_whole
    if not resource.is_newer or resource.subscriber_id is not None:
        return resource.is_newer
    if fight.field not in resource.values:
        return False
    return shown_value(KINDS[fight.menu], fight.field, resource.values[fight.field]) != fight.wanted


def _may_rest(step: Step, plan: Plan) -> bool:
    """A row of many may be asked for anew by one of them, whatever else is wrong with it."""
    resource = plan.wanted.rows.get(step.place)
    return step.reason == "drift" and not step.is_aside and not (resource is not None and resource.is_newer)


def _fields(step: Step) -> Collection[str]:
    if step.action == "set":
        return step.changes.keys()
    return (PLACE,) if step.action == "move" else (ROW,)


def _judge(known: Fight, step: Step, now: datetime, rules: Rules, *, is_restricting: bool) -> Fight:
    """The field differs. Was it put back too often to be put back at once?"""
    last = known.repaired_at[-1]
    minute = last + timedelta(seconds=rules.restricting_s)
    if known.is_resting(now) and not is_restricting:
        return known
    is_again = known.begun_at is not None and (known.paused_until is None or last >= known.paused_until)
    if known.begun_at is None:
        recent = [at for at in known.repaired_at if at > now - timedelta(seconds=rules.within_s)]
        is_again = len(recent) >= rules.repairs
    if is_restricting:
        is_too_long = known.paused_until is not None and known.paused_until > minute
        until, pauses = (minute if is_again or is_too_long else known.paused_until), known.pauses
    elif is_again:
        pauses = known.pauses + 1
        until = now + timedelta(seconds=rules.pause_s(pauses))
    else:
        return known
    begun_at = known.begun_at or (now if is_again else None)
    if (until, pauses, begun_at) == (known.paused_until, known.pauses, known.begun_at):
        return known
    return replace(_as_found(known, step), paused_until=until, pauses=pauses, begun_at=begun_at)


def _as_found(fight: Fight, step: Step) -> Fight:
    if step.action == "set":
        kind, name = KINDS[step.menu], fight.field
        found = shown_value(kind, name, step.before[name]) if name in step.before else ""
        wanted = shown_value(kind, name, step.changes[name])
    elif step.action == "move":
        found, wanted = "below what makes it useless", "above it"
    else:
        found, wanted = ("there", "missing") if step.action == "remove" else ("missing", "there")
    return replace(fight, found=found, wanted=wanted)


def _needed(plan: Plan, resting: Mapping[Spot, Fight]) -> set[tuple[str, str]]:
    """Missing rows without which the router would refuse what goes on, such as somebody's new profile."""
    missing = {(menu, key) for menu, key, name in resting if name == ROW}
    if not missing:
        return set()
    going = [s.place for s in plan.steps if "profile" in s.changes and _part(s, resting, is_resting=False)]
    rows = (plan.wanted.rows.get(place) for place in going)
    return missing.intersection(place for row in rows if row is not None for place in row.refers)


def _without(plan: Plan, resting: Mapping[Spot, Fight]) -> Plan:
    """What makes room for a row (`is_aside`) waits with it, and so does a step that nothing is left of."""
    if not resting:
        return plan
    places: dict[tuple[str, str], datetime] = {}
    for fight in resting.values():
        assert fight.paused_until is not None
        place = (fight.menu, fight.key)
        places[place] = min(places.get(place, fight.paused_until), fight.paused_until)
    going: list[Step] = []
    paused: list[Paused] = []
    for step in plan.steps:
        if step.place not in places:
            going.append(step)
            continue
        goes, waits = (_part(step, resting, is_resting=flag) for flag in (False, True))
        if step.is_aside:
            goes, waits = None, step
        going += [goes] if goes is not None else []
        paused += [Paused(waits, places[step.place])] if waits is not None else []
    return replace(plan, steps=tuple(going), paused=tuple(paused))


def _part(step: Step, resting: Mapping[Spot, Fight], *, is_resting: bool) -> Step | None:
    """The step with its resting fields alone, or without them; None when nothing is left of it."""
    names = [name for name in _fields(step) if ((*step.place, name) in resting) is is_resting]
    if step.action != "set":
        return step if names else None
    old_key = "" if is_resting else step.old_key
    if not names and not old_key:
        return None
    changes = {name: step.changes[name] for name in names}
    before = {name: step.before[name] for name in names if name in step.before}
    return replace(step, changes=changes, before=before, old_key=old_key)
