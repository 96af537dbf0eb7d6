"""The fights of one run: what rests, and what is to be recorded and told of it. What is a fight, reconcile decides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from imsys.fleet.entries import Fought, Happening
from imsys.fleet.executor import Key
from imsys.reconcile import fights
from imsys.reconcile.desired import Desired
from imsys.reconcile.diff import Step
from imsys.reconcile.fights import Fight, Rules, Spot
from imsys.reconcile.intent import Intent, RouterIntent
from imsys.reconcile.plan import Plan


@dataclass(slots=True)
class Fighting:
    """`now` is one instant for the whole run, so that what goes at its first look does not rest at its second."""

    rules: Rules
    router: RouterIntent
    now: datetime
    known: dict[Spot, Fight] = field(default_factory=dict)
    ended: set[Spot] = field(default_factory=set)
    changed: dict[Spot, Fight] = field(default_factory=dict)
    _begun: list[tuple[Fight, Step]] = field(default_factory=list)

    def load(self, known: Iterable[Fight], wanted: Desired, *, is_whole: bool) -> None:
        self.known = {fight.spot: fight for fight in known}
        self.ended = fights.settled(self.known, wanted, is_whole=is_whole)
        for spot in self.ended:
            del self.known[spot]

    def rest(self, plan: Plan) -> Plan:
        rested = fights.rest(plan, self.known, self.router, now=self.now, rules=self.rules)
        self.known |= rested.changed
        self.changed |= rested.changed
        self._begun += rested.begun
        return rested.plan

    @property
    def begun(self) -> list[Step]:
        """What differed once too often."""
        return [step for _, step in self._begun]

    def fought(self, put_back: Sequence[Step], authors: Mapping[Key, str], now: datetime) -> Fought | None:
        """What is to be recorded; None when that is nothing, as in nearly every run."""
        for fight, step in self._begun:
            self.changed[fight.spot] = replace(fight, who=authors.get(step.place) or fight.who)
        changed = self.changed | fights.put_back(
            self.known | self.changed, put_back, authors, now=now, rules=self.rules
        )
        return Fought(list(changed.values()), self.ended, self.rules) if changed or self.ended else None

    def events(self, authors: Mapping[Key, str], intent: Intent) -> list[Happening]:
        """Told once for each field, when it begins."""
        names = {subscriber.subscriber_id: subscriber.username for subscriber in intent.subscribers}
        return [
            Happening(
                "fight",
                names.get(step.subscriber_id or 0, ""),
                step.subscriber_id,
                actor=f"router: {authors.get(step.place) or fight.who or 'unknown'}",
                before={fight.field: fight.found},
                after={fight.field: fight.wanted},
                note=f"{step.menu} {step.key}: put back {len(fight.repaired_at)} times within the hour, "
                "and changed again",
            )
            for fight, step in self._begun
        ]
