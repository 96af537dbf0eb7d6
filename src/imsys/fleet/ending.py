"""Ends the sessions that a run's confirmed rows leave no right to, and those that must dial in again."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from imsys.fleet.executor import Executor
from imsys.fleet.observer import Observer, Tables
from imsys.fleet.pacing import Allowance
from imsys.fleet.records import Happening
from imsys.reconcile.desired import cut_by, live_keys, login_keys
from imsys.reconcile.intent import RENAMED, Ghost, Intent, SubscriberIntent
from imsys.reconcile.kinds import ADDRESS_LIST, DROP_RULE, HOTSPOT_USER, SECRET
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import (
    ACTIVE,
    CONNECTION,
    COOKIE,
    HOST,
    HOTSPOT_ACTIVE,
    OF_LOGIN,
    REDIALS,
    SESSION_KINDS,
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
    redial: subscribers whose session must end once. taken_over: who has somebody else's row and name by now, so that
    a session of this name is not theirs.
    renamed: places that rows were renamed from.
    removed: rows taken away in this run. stuck: sessions that would not end. later: subscribers whose turn
    comes later; deferred: in how many seconds. ended: what was ended and seen gone.
    redialled: subscribers whose session ended as it had to, or who had none.
    """

    observer: Observer
    executor: Executor
    kicks: Allowance
    intent: Intent
    rounds: int
    present: list[Session] | None = None
    covered: set[LiveKey] | None = None
    redial: set[int] = field(default_factory=set)
    taken_over: set[int] = field(default_factory=set)
    removed: set[tuple[str, str]] = field(default_factory=set)
    renamed: set[tuple[str, str]] = field(default_factory=set)
    stuck: set[LiveKey] = field(default_factory=set)
    later: list[int] = field(default_factory=list)
    deferred: dict[int, float] = field(default_factory=dict)
    ended: list[Session] = field(default_factory=list)
    redialled: set[int] = field(default_factory=set)
    forgotten: list[Ghost] = field(default_factory=list)

    @property
    def owed(self) -> list[SubscriberIntent]:
        """Whose session must end once, by this run or since an earlier one that could not."""
        whose = self.redial | self.taken_over
        return [s for s in self.intent.subscribers if s.is_kick_owed or s.subscriber_id in whose]

    def suspended(self, touched: Collection[int]) -> dict[LiveKey, SubscriberIntent]:
        """What must not be live because somebody is cut off. Connections are looked at only where that is new."""
        keys: dict[LiveKey, SubscriberIntent] = {}
        for subscriber in self.intent.subscribers:
            if not subscriber.is_suspended:
                continue
            is_new = not subscriber.is_synced or subscriber.subscriber_id in touched
            if is_new or cut_by(subscriber, self.intent.router) != "address-list":
                keys.update(dict.fromkeys(live_keys(subscriber, self.intent), subscriber))
        return keys

    def strays(self, touched: Collection[int]) -> dict[LiveKey, SubscriberIntent]:
        """Sessions that the list does not cut off when they have another address: from before it was changed, say."""
        return {
            key: s
            for s in self.intent.subscribers
            if s.is_suspended and s.service == "pppoe" and cut_by(s, self.intent.router) == "address-list"
            if not s.is_synced or s.subscriber_id in touched
            for key in login_keys(s, self.intent)
        }

    def of_the_gone(self, plan: Plan) -> dict[LiveKey, tuple[str, str] | None]:
        """What lived by right of rows that nobody wants here any more: by key, the row that must be gone first."""
        keys: dict[LiveKey, tuple[str, str] | None] = {}
        left = {ghost.place for ghost in self.intent.ghosts if not ghost.mark.startswith(RENAMED)}
        for menu, key in {*self.removed, *left}:
            if menu in OF_LOGIN and (menu, key) not in plan.wanted.rows:
                keys.update(dict.fromkeys(live_by_row(menu, key), (menu, key)))
        for menu, key in self.renamed:  # the session goes on, but nothing may log in under the old name again
            if (menu, key) not in plan.wanted.rows:
                keys.update({place: (menu, key) for place in live_by_row(menu, key) if place[0] not in REDIALS})
        former = self._former()  # these go on under a name that their row had
        for ghost in plan.forgotten:  # the row went in a run that was cut short before it came to the session
            is_theirs = ghost.subscriber_id in self.intent.placed and ghost.menu in OF_LOGIN
            if is_theirs and ghost.place not in plan.wanted.rows:
                live = live_by_row(ghost.menu, ghost.key) - former.keys()
                keys.update(dict.fromkeys(live, ghost.place))
        for ghost in self.intent.ghosts:
            if ghost.menu in SESSION_KINDS and not self._is_used(ghost, plan):
                keys[ghost.place] = None
        return keys

    def _is_used(self, ghost: Ghost, plan: Plan) -> bool:
        """Does somebody else use the name by now? Then the session is theirs to answer for."""
        logins = [menu for menu, kinds in OF_LOGIN.items() if any(kind.menu == ghost.menu for kind in kinds)]
        return any((menu, ghost.key) in plan.wanted.rows for menu in logins)

    def _to_redial(self, subscriber: SubscriberIntent) -> set[LiveKey]:
        """Of somebody whose name was another's, also what would let the other one in again; theirs goes on."""
        keys, i = login_keys(subscriber, self.intent), subscriber.subscriber_id
        if i not in self.taken_over:
            return keys
        if not (subscriber.is_kick_owed or i in self.redial):
            keys = {key for key in keys if key[1] == subscriber.username}
        return keys | (
            live_by_row(HOTSPOT_USER.menu, subscriber.username) if subscriber.service == "hotspot" else set()
        )

    def concerned(self, plan: Plan, touched: Collection[int]) -> set[LiveKey]:
        """All sessions that this run may have to end: worth reading together with its rows."""
        owed = set().union(*(self._to_redial(s) for s in self.owed))
        return {*self.suspended(touched), *self.strays(touched), *self.of_the_gone(plan)} | owed

    async def look(self) -> None:
        """Without the right to end a session, one that should not be keeps its subscriber from being synced."""
        keys = {key: s for key, s in self.suspended(()).items() if cut_by(s, self.intent.router) == "disable"}
        if keys:
            self.stuck = {session.live_key for session in among(await self._known(set(keys)), keys)}

    async def end(self, plan: Plan, tables: Tables, touched: Collection[int]) -> None:
        """Kick, look, and kick again what is still there."""
        unfinished = plan.unfinished()
        suspended = self.suspended(touched) | self._fenced_off(tables)
        forbidden = {key for key, s in suspended.items() if self._has_no_right(key, s, plan, tables, unfinished)}
        forbidden |= {key for key, row in self.of_the_gone(plan).items() if row is None or _is_gone(row, tables)}
        for subscriber in self.owed:  # whose row the router refuses, while the one before them is still online
            if self._has_no_row(subscriber, plan, tables):
                forbidden |= login_keys(subscriber, self.intent)
        redial = {
            key: s
            for s in self.owed
            if s.subscriber_id not in unfinished or self._is_confined(s, tables)
            for key in self._to_redial(s) - forbidden
        }
        strays = {k: s for k, s in self.strays(touched).items() if self._is_cut(s, plan, tables, unfinished)}
        former = self._former()
        concerned = {*forbidden, *redial, *former, *strays}
        if not concerned:
            return
        has_addresses = self.covered is not None  # they are read with some sessions, not with all
        present = await (self._known(concerned) if has_addresses or not strays else self.read(concerned))
        ending = among(present, forbidden) + [s for s in among(present, strays) if _is_stray(s, strays)]
        redialling = [s for s in among(present, redial) if s not in ending]
        ending += self._in_turn(redialling, redial)
        present = await self._kick(ending, forbidden, concerned, present)
        waiting = {s.subscriber_id for key, s in redial.items() if key in self.stuck}.union(self.later)
        self.redialled = {s.subscriber_id for s in redial.values()} - waiting
        self.deferred = dict(zip(self.later, self.kicks.turns(len(self.later)), strict=True))
        self._forget(former, present)

    def _fenced_off(self, tables: Tables) -> dict[LiveKey, SubscriberIntent]:
        """Who should be in a walled garden that the router does not have is disabled instead."""
        if self.intent.router.suspend_by != "profile":
            return {}
        fenced = [s for s in self.intent.subscribers if s.is_suspended and s.service == "pppoe"]
        return {
            key: s
            for s in fenced
            if _is_disabled(SECRET.menu, s.username, tables)
            for key in login_keys(s, self.intent)
        }

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

    def _has_no_right(
        self, key: LiveKey, subscriber: SubscriberIntent, plan: Plan, tables: Tables, unfinished: Collection[int]
    ) -> bool:
        """Was it read back that what this lives by is gone or disabled, whatever else of the subscriber is refused?"""
        rows = [r for r in plan.wanted.of(subscriber.subscriber_id) if key in live_by_row(r.menu, r.key)]
        if not rows:
            return self._is_cut(subscriber, plan, tables, unfinished)
        return all(_is_gone((r.menu, r.key), tables) or _is_disabled(r.menu, r.key, tables) for r in rows)

    def _is_cut(self, subscriber: SubscriberIntent, plan: Plan, tables: Tables, unfinished: Collection[int]) -> bool:
        """Was it read back that the subscriber can't come in again?"""
        if cut_by(subscriber, self.intent.router) == "address-list":
            return subscriber.subscriber_id not in unfinished or self._is_listed(subscriber, plan, tables)
        rows = [resource for resource in plan.wanted.of(subscriber.subscriber_id) if resource.menu in OF_LOGIN]
        return all(_is_gone((r.menu, r.key), tables) or _is_disabled(r.menu, r.key, tables) for r in rows)

    def _is_listed(self, subscriber: SubscriberIntent, plan: Plan, tables: Tables) -> bool:
        """Is its address on the list, and what comes from there dropped, whatever else of it is not right?"""
        rows = plan.wanted.of(subscriber.subscriber_id)
        places = {(r.menu, r.key) for r in rows if r.menu == ADDRESS_LIST.menu}
        places |= {(DROP_RULE.menu, self.intent.router.suspend_list)}
        outstanding = {step.place for step in (*plan.steps, *plan.held)}
        return places.isdisjoint(outstanding) and all(_is_there(place, tables) for place in places)

    def _is_confined(self, subscriber: SubscriberIntent, tables: Tables) -> bool:
        """Was it read back that the subscriber comes into the walled garden, whatever else its row refuses to take?"""
        router, table = self.intent.router, tables.get(SECRET.menu)
        if table is None or not subscriber.is_suspended or cut_by(subscriber, router) != "profile":
            return False
        row = table.rows.get(subscriber.username)
        return row is not None and row.values["profile"] == router.suspend_profile

    def _has_no_row(self, subscriber: SubscriberIntent, plan: Plan, tables: Tables) -> bool:
        rows = [(r.menu, r.key) for r in plan.wanted.of(subscriber.subscriber_id) if r.menu in OF_LOGIN]
        return bool(rows) and all(_is_gone(row, tables) for row in rows)

    def _former(self) -> dict[LiveKey, Ghost]:
        """Sessions that began under an earlier name, whose placements end with them."""
        found = {
            place: Ghost(*place, subscriber_id)
            for subscriber_id, places in self.intent.placed.items()
            for place in places
            if place[0] in REDIALS
        }
        return found | {ghost.place: ghost for ghost in self.intent.ghosts if ghost.menu in SESSION_KINDS}

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
        return {
            s.subscriber_id
            for s in self.intent.subscribers
            if not self.stuck.isdisjoint(live_keys(s, self.intent) | login_keys(s, self.intent))
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


def _is_stray(session: Session, whose: dict[LiveKey, SubscriberIntent]) -> bool:
    return session.address not in ("", whose[session.live_key].address)


def _is_gone(place: tuple[str, str], tables: Tables) -> bool:
    table = tables.get(place[0])
    return table is not None and place[1] not in table.rows


def _is_there(place: tuple[str, str], tables: Tables) -> bool:
    return place[0] in tables and place[1] in tables[place[0]].rows


def _is_disabled(menu: str, key: str, tables: Tables) -> bool:
    table = tables.get(menu)
    return table is not None and key in table.rows and table.rows[key].values["disabled"] is True
