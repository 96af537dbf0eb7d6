"""Ends the sessions that a run's confirmed rows leave no right to, and those that must dial in again."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from imsys.fleet.claiming import Claiming
from imsys.fleet.entries import Happening
from imsys.fleet.executor import Executor, Key
from imsys.fleet.observer import Observer, Tables
from imsys.fleet.pacing import Allowance
from imsys.reconcile import rights
from imsys.reconcile.desired import cut_by, live_keys, login_keys
from imsys.reconcile.intent import Ghost, Intent, SubscriberIntent
from imsys.reconcile.kinds import HOTSPOT_USER
from imsys.reconcile.plan import Plan
from imsys.reconcile.rights import ReadBack
from imsys.reconcile.sessions import (
    ACTIVE,
    CONNECTION,
    COOKIE,
    HOST,
    HOTSPOT_ACTIVE,
    LiveKey,
    Session,
    among,
    live_by_row,
    still_there,
)


@dataclass(slots=True)
class Ending:
    """The sessions of one run.

    present: what was last read of them: all PPP sessions, or at least those in `covered`.
    redial: subscribers whose session must end once. removed: rows taken away in this run.
    renamed: places that rows were renamed from. stuck: sessions that would not end.
    later: subscribers whose turn comes later; deferred: in how many seconds. ended: what was ended and seen gone.
    redialled: subscribers whose session ended as it had to, or who had none.
    shut: logins of nobody that are to be disabled, and whose sessions end with that.
    """

    observer: Observer
    executor: Executor
    kicks: Allowance
    claims: Claiming
    rounds: int
    present: list[Session] | None = None
    covered: set[LiveKey] | None = None
    redial: set[int] = field(default_factory=set)
    removed: set[Key] = field(default_factory=set)
    renamed: set[Key] = field(default_factory=set)
    stuck: set[LiveKey] = field(default_factory=set)
    later: list[int] = field(default_factory=list)
    deferred: dict[int, float] = field(default_factory=dict)
    ended: list[Session] = field(default_factory=list)
    redialled: set[int] = field(default_factory=set)
    forgotten: list[Ghost] = field(default_factory=list)
    shut: set[Key] = field(default_factory=set)

    @property
    def intent(self) -> Intent:
        """Of those whose sessions may be ended."""
        return self.claims.acting

    @property
    def owed(self) -> list[SubscriberIntent]:
        """Whose session must end once, by this run or since an earlier one that could not."""
        whose = self.redial | self.claims.taken_over
        return [s for s in self.intent.subscribers if s.is_kick_owed or s.subscriber_id in whose]

    def _to_redial(self, subscriber: SubscriberIntent) -> set[LiveKey]:
        """Of somebody whose name was another's, also what would let the other one in again; theirs goes on."""
        keys, i = login_keys(subscriber, self.intent), subscriber.subscriber_id
        if i not in self.claims.taken_over:
            return keys
        if not (subscriber.is_kick_owed or i in self.redial):
            keys = {key for key in keys if key[1] == subscriber.username}
        return keys | (
            live_by_row(HOTSPOT_USER.menu, subscriber.username) if subscriber.service == "hotspot" else set()
        )

    def concerned(self, plan: Plan, touched: Collection[int]) -> set[LiveKey]:
        """All sessions that this run may have to end: worth reading together with its rows."""
        owed = set().union(*(self._to_redial(s) for s in self.owed))
        cut = {*rights.suspended(self.intent, touched), *rights.from_elsewhere(self.intent, touched)}
        return cut | owed | self._of_the_gone(plan).keys() | rights.quarantined(self.shut).keys()

    def _of_the_gone(self, plan: Plan) -> dict[LiveKey, Key | None]:
        return rights.of_the_gone(self.intent, plan, self.removed, self.renamed)

    async def look(self) -> None:
        """Without the right to end a session, one that should not be keeps its subscriber from being synced."""
        intent, acting = self.claims.intent, {s.subscriber_id for s in self.intent.subscribers}
        keys = {
            key: s
            for key, s in rights.suspended(intent, ()).items()
            if cut_by(s, intent.router) == "disable" and s.subscriber_id not in acting
        }
        if keys:
            self.stuck |= {session.live_key for session in among(await self._known(set(keys)), keys)}

    async def end(self, plan: Plan, tables: Tables, touched: Collection[int]) -> None:
        """Kick, look, and kick again what is still there."""
        seen = ReadBack(self.intent, plan, tables)
        cut = rights.suspended(self.intent, touched) | seen.fenced_off()
        forbidden = {key for key, s in cut.items() if seen.has_no_right(key, s)}
        forbidden |= {key for key, row in self._of_the_gone(plan).items() if row is None or seen.is_gone(row)}
        forbidden |= {key for key, row in rights.quarantined(self.shut).items() if seen.is_shut(row)}
        for subscriber in self.owed:  # whose row the router refuses, while the one before them is still online
            if seen.has_no_row(subscriber):
                forbidden |= login_keys(subscriber, self.intent)
        redial = {
            key: s
            for s in self.owed
            if s.subscriber_id not in seen.unfinished or seen.is_confined(s)
            for key in self._to_redial(s) - forbidden
        }
        elsewhere = {key: s for key, s in rights.from_elsewhere(self.intent, touched).items() if seen.is_cut(s)}
        former = rights.former(self.intent)
        concerned = {*forbidden, *redial, *former, *elsewhere}
        if not concerned:
            return
        has_addresses = self.covered is not None  # they are read with some sessions, not with all
        present = await (self._known(concerned) if has_addresses or not elsewhere else self.read(concerned))
        ending = among(present, forbidden)
        ending += [s for s in among(present, elsewhere) if rights.is_from_elsewhere(s, elsewhere)]
        redialling = [s for s in among(present, redial) if s not in ending]
        ending += self._in_turn(redialling, redial)
        present = await self._kick(ending, forbidden, concerned, present)
        waiting = {s.subscriber_id for key, s in redial.items() if key in self.stuck}.union(self.later)
        self.redialled = {s.subscriber_id for s in redial.values()} - waiting
        self.deferred = dict(zip(self.later, self.kicks.turns(len(self.later)), strict=True))
        self._forget(former, present)

    def all_live(self) -> frozenset[LiveKey] | None:
        """What is live, as far as an earlier read tells of all PPP sessions; None where none does."""
        if self.present is None or self.covered is not None:
            return None
        return frozenset(session.live_key for session in self.present)

    async def foreseen(self, plan: Plan) -> list[tuple[Session, int | None, str]]:
        """What is live and would have no right to be, were all of the plan done: the session, whose it is, and why."""
        intent = self.claims.intent
        why: dict[LiveKey, tuple[int | None, str]] = {}
        for subscriber in intent.subscribers:
            if subscriber.is_kick_owed or subscriber.subscriber_id in self.redial:
                owed = self._to_redial(subscriber)
                why.update(dict.fromkeys(owed, (subscriber.subscriber_id, "redial")))
        reasons = {step.place: step.reason for step in plan.outstanding}
        gone = rights.of_the_gone(intent, plan, self.removed, self.renamed) | rights.quarantined(self.shut)
        why.update({key: (None, reasons.get(place, "ghost") if place else "ghost") for key, place in gone.items()})
        for key, subscriber in rights.suspended(intent, ()).items():
            why[key] = subscriber.subscriber_id, "suspended"
        if not why:
            return []
        return [(session, *why[session.live_key]) for session in among(await self._known(set(why)), why)]

    async def read(self, keys: set[LiveKey]) -> list[Session]:
        """What is live under these keys, by a read sent now."""
        self.present, self.covered = await self.observer.sessions(keys), keys
        return self.present

    async def _known(self, keys: set[LiveKey]) -> list[Session]:
        """What is live under these keys. The latest read serves where it covers them."""
        if self.present is not None:
            is_ppp_alone = all(menu == ACTIVE.menu for menu, _ in keys)
            if keys <= self.covered if self.covered is not None else is_ppp_alone:
                return self.present
        return await self.read(keys)

    async def _kick(
        self, ending: list[Session], forbidden: set[LiveKey], keys: set[LiveKey], present: list[Session]
    ) -> list[Session]:
        ended: dict[tuple[str, str, str], Session] = {}
        said_yes: set[tuple[str, str]] = set()
        for attempt in range(self.rounds):
            if not ending:
                break
            ended.update({session.identity: session for session in ending})
            said_yes |= await self.executor.end(ending, alone=attempt > 0)
            self.kicks.spent()
            present = await self.observer.sessions(keys)
            may_not_be = {
                key for key in forbidden if key[0] != CONNECTION.menu
            }  # to the router itself there may be new
            others = [s for s in still_there(ended.values(), present, said_yes) if s.live_key not in may_not_be]
            ending = among(present, may_not_be) + others
        self.stuck = {session.live_key for session in ending}
        self.ended = [session for session in ended.values() if session.live_key not in self.stuck]
        return present

    def _in_turn(self, present: list[Session], whose: dict[LiveKey, SubscriberIntent]) -> list[Session]:
        """Those whose turn it is; the rest waits, so that not all dial in again at once. Who is confined goes first."""
        waiting = sorted(present, key=lambda s: (not whose[s.live_key].is_suspended, s.name))
        now = self.kicks.take(len(waiting))
        self.later = [whose[session.live_key].subscriber_id for session in waiting[now:]]
        return waiting[:now]

    def _forget(self, former: dict[LiveKey, Ghost], present: Iterable[Session]) -> None:
        live = {session.live_key for session in present}
        self.forgotten = [ghost for key, ghost in former.items() if key not in live]

    def kicked_once(self) -> list[int]:
        """Of those who owed it, whose session was ended and is gone."""
        ended = {session.live_key for session in self.ended}
        return [
            s.subscriber_id
            for s in self.owed
            if s.subscriber_id in self.redialled and not ended.isdisjoint(login_keys(s, self.intent))
        ]

    def whose_are_stuck(self) -> set[int]:
        if not self.stuck:
            return set()
        intent = self.claims.intent
        return {
            s.subscriber_id
            for s in intent.subscribers
            if not self.stuck.isdisjoint(live_keys(s, intent) | login_keys(s, intent))
        }

    def may_slip_in(self, subscriber: SubscriberIntent) -> bool:
        """Can its CPE have dialled in between the write that cut it off and the look that found nobody?"""
        return cut_by(subscriber, self.intent.router) == "disable"

    def happenings(self) -> list[Happening]:
        """One line for each subscriber and kind of session."""
        if not self.ended:
            return []
        names = {
            key: s for s in self.intent.subscribers for key in live_keys(s, self.intent) | login_keys(s, self.intent)
        }
        lines = {}
        for session in self.ended:
            owner = names.get(session.live_key)
            username = owner.username if owner is not None else session.name
            note = f"session {session.session_id}" if session.session_id else _WHAT.get(session.menu, "")
            lines[username, note] = Happening("kicked", username, owner.subscriber_id if owner else None, note=note)
        return list(lines.values())


_WHAT = {
    CONNECTION.menu: "its connections",
    COOKIE.menu: "its hotspot cookie",
    HOST.menu: "its bypassed device",
    HOTSPOT_ACTIVE.menu: "its hotspot session",
}
