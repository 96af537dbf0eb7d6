"""Who has no right to be live, as far as a plan and the rows that were read back tell."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from imsys.reconcile.desired import ResourceKey, cut_by, live_keys, login_keys
from imsys.reconcile.intent import RENAMED, Ghost, Intent, SubscriberIntent
from imsys.reconcile.kinds import ADDRESS_LIST, DROP_RULE, SECRET
from imsys.reconcile.observed import Table
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import OF_LOGIN, REDIALS, SESSION_KINDS, LiveKey, Session, live_by_row

Whose = dict[LiveKey, SubscriberIntent]


def suspended(intent: Intent, touched: Collection[int]) -> Whose:
    """What must not be live because somebody is cut off. Connections are looked at only where that is new."""
    keys: Whose = {}
    for subscriber in intent.subscribers:
        if not subscriber.is_suspended:
            continue
        is_new = not subscriber.is_synced or subscriber.subscriber_id in touched
        if is_new or cut_by(subscriber, intent.router) != "address-list":
            keys.update(dict.fromkeys(live_keys(subscriber, intent), subscriber))
    return keys


def from_elsewhere(intent: Intent, touched: Collection[int]) -> Whose:
    """Sessions that the list does not cut off when they have another address: from before it was changed, say."""
    return {
        key: s
        for s in intent.subscribers
        if s.is_suspended and s.service == "pppoe" and cut_by(s, intent.router) == "address-list"
        if not s.is_synced or s.subscriber_id in touched
        for key in login_keys(s, intent)
    }


def is_from_elsewhere(session: Session, whose: Whose) -> bool:
    return session.address not in ("", whose[session.live_key].address)


def former(intent: Intent) -> dict[LiveKey, Ghost]:
    """Sessions that began under an earlier name, whose placements end with them."""
    found = {
        place: Ghost(*place, subscriber_id)
        for subscriber_id, places in intent.placed.items()
        for place in places
        if place[0] in REDIALS
    }
    return found | {ghost.place: ghost for ghost in intent.ghosts if ghost.menu in SESSION_KINDS}


def of_the_gone(
    intent: Intent, plan: Plan, removed: Collection[ResourceKey], renamed: Collection[ResourceKey]
) -> dict[LiveKey, ResourceKey | None]:
    """What lived by right of rows that nobody wants here any more: by key, the row that must be gone first."""
    keys: dict[LiveKey, ResourceKey | None] = {}
    wanted = plan.wanted.rows
    left = {ghost.place for ghost in intent.ghosts if not ghost.mark.startswith(RENAMED)}
    for menu, key in {*removed, *left}:
        if menu in OF_LOGIN and (menu, key) not in wanted:
            keys.update(dict.fromkeys(live_by_row(menu, key), (menu, key)))
    for menu, key in renamed:  # the session goes on, but nothing may log in under the old name again
        if (menu, key) not in wanted:
            keys.update({place: (menu, key) for place in live_by_row(menu, key) if place[0] not in REDIALS})
    goes_on = former(intent).keys()  # under a name that their row had
    for ghost in plan.forgotten:  # the row went in a run that was cut short before it came to the session
        is_theirs = ghost.subscriber_id in intent.placed and ghost.menu in OF_LOGIN
        if is_theirs and ghost.place not in wanted:
            keys.update(dict.fromkeys(live_by_row(ghost.menu, ghost.key) - goes_on, ghost.place))
    for ghost in intent.ghosts:
        if ghost.menu in SESSION_KINDS and not _is_used(ghost, plan):
            keys[ghost.place] = None
    return keys


def quarantined(shut: Collection[ResourceKey]) -> dict[LiveKey, ResourceKey]:
    """What lives by right of logins that nobody owns and that are shut: by key, the row that must be disabled first."""
    return {key: place for place in shut for key in live_by_row(*place)}


def _is_used(ghost: Ghost, plan: Plan) -> bool:
    """Does somebody else use the name by now? Then the session is theirs to answer for."""
    logins = [menu for menu, kinds in OF_LOGIN.items() if any(kind.menu == ghost.menu for kind in kinds)]
    return any((menu, ghost.key) in plan.wanted.rows for menu in logins)


@dataclass(frozen=True)
class ReadBack:
    """What the rows say once they were read back."""

    intent: Intent
    plan: Plan
    tables: Mapping[str, Table]

    @cached_property
    def unfinished(self) -> set[int]:
        return self.plan.unfinished()

    @cached_property
    def _outstanding(self) -> set[ResourceKey]:
        return {step.place for step in self.plan.outstanding}

    def is_gone(self, place: ResourceKey) -> bool:
        """A menu that was not read proves nothing."""
        table = self.tables.get(place[0])
        return table is not None and place[1] not in table.rows

    def has_no_right(self, key: LiveKey, subscriber: SubscriberIntent) -> bool:
        """Is what this lives by gone or disabled, whatever else of the subscriber is refused?"""
        rows = [r for r in self.plan.wanted.of(subscriber.subscriber_id) if key in live_by_row(r.menu, r.key)]
        return all(self.is_shut((r.menu, r.key)) for r in rows) if rows else self.is_cut(subscriber)

    def is_cut(self, subscriber: SubscriberIntent) -> bool:
        """Can the subscriber not come in again?"""
        if cut_by(subscriber, self.intent.router) == "address-list":
            return subscriber.subscriber_id not in self.unfinished or self._is_listed(subscriber)
        return all(self.is_shut(place) for place in self._logins_of(subscriber))

    def is_confined(self, subscriber: SubscriberIntent) -> bool:
        """Does the subscriber come into the walled garden, whatever else its row refuses to take?"""
        router, table = self.intent.router, self.tables.get(SECRET.menu)
        if table is None or not subscriber.is_suspended or cut_by(subscriber, router) != "profile":
            return False
        row = table.rows.get(subscriber.username)
        return row is not None and row.values["profile"] == router.suspend_profile

    def has_no_row(self, subscriber: SubscriberIntent) -> bool:
        logins = self._logins_of(subscriber)
        return bool(logins) and all(self.is_gone(place) for place in logins)

    def fenced_off(self) -> Whose:
        """Who should be in a walled garden that the router does not have is disabled instead."""
        if self.intent.router.suspend_by != "profile":
            return {}
        return {
            key: s
            for s in self.intent.subscribers
            if s.is_suspended and s.service == "pppoe" and self._is_disabled((SECRET.menu, s.username))
            for key in login_keys(s, self.intent)
        }

    def _logins_of(self, subscriber: SubscriberIntent) -> list[ResourceKey]:
        return [(r.menu, r.key) for r in self.plan.wanted.of(subscriber.subscriber_id) if r.menu in OF_LOGIN]

    def _is_listed(self, subscriber: SubscriberIntent) -> bool:
        """Is its address on the list, and what comes from there dropped, whatever else of it is not right?"""
        rows = self.plan.wanted.of(subscriber.subscriber_id)
        places = {(r.menu, r.key) for r in rows if r.menu == ADDRESS_LIST.menu}
        places |= {(DROP_RULE.menu, self.intent.router.suspend_list)}
        are_there = all(menu in self.tables and key in self.tables[menu].rows for menu, key in places)
        return are_there and places.isdisjoint(self._outstanding)

    def is_shut(self, place: ResourceKey) -> bool:
        return self.is_gone(place) or self._is_disabled(place)

    def _is_disabled(self, place: ResourceKey) -> bool:
        table = self.tables.get(place[0])
        return table is not None and place[1] in table.rows and table.rows[place[1]].values["disabled"] is True
