"""Intent to resources: which rows a router should have, and what each says. What one service asks for is in `lines`."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from imsys.reconcile.intent import Intent, RouterIntent, Service, SubscriberIntent, SuspendBy
from imsys.reconcile.kinds import ADDRESS_LIST, Resource
from imsys.reconcile.kinds.address_list import key_for
from imsys.reconcile.lines import LINES
from imsys.reconcile.lines.base import ResourceKey, drop_rule
from imsys.reconcile.sessions import ACTIVE, HOTSPOT_ACTIVE, REDIALS, LiveKey

__all__ = ["Desired", "ResourceKey", "cut_by", "desired", "live_keys", "login_keys"]


@dataclass(frozen=True, slots=True)
class Desired:
    """`absent`: rows that must not be there, with the subscriber whom they would cut off."""

    rows: dict[ResourceKey, Resource] = field(default_factory=dict)
    absent: dict[ResourceKey, SubscriberIntent] = field(default_factory=dict)
    by_subscriber: dict[int, list[Resource]] = field(default_factory=dict)

    def add(self, resource: Resource) -> None:
        self.rows[resource.menu, resource.key] = resource
        if resource.subscriber_id is not None:
            self.by_subscriber.setdefault(resource.subscriber_id, []).append(resource)

    def of(self, subscriber_id: int) -> list[Resource]:
        return self.by_subscriber.get(subscriber_id, [])


def desired(intent: Intent) -> Desired:
    """The rows that `intent` asks for: its packages' own profiles, each subscriber's rows, and the router's own."""
    wanted = Desired()
    for resource in (*_profiles(intent), *_shared(intent)):
        wanted.add(resource)
    for subscriber in intent.subscribers:
        package = intent.packages[subscriber.package_id]
        for resource in LINES[subscriber.service].resources(subscriber, package, intent.router):
            wanted.add(resource)
    for subscriber in intent.subscribers if intent.uses_list else ():
        if not subscriber.is_suspended and is_list_bound(subscriber, intent.router):
            key = (ADDRESS_LIST.menu, key_for(intent.router.suspend_list, subscriber.address))
            if key not in wanted.rows:
                wanted.absent[key] = subscriber
    return wanted


def _profiles(intent: Intent) -> Iterable[Resource]:
    used: dict[tuple[int, Service], bool] = {}
    for subscriber in intent.subscribers:
        use = (subscriber.package_id, subscriber.service)
        used[use] = used.get(use, False) or subscriber.is_newer
    for (package_id, service), is_newer in sorted(used.items()):
        package = intent.packages[package_id]
        resource = LINES[service].profile(package, is_newer) if package.is_owned else None
        if resource is not None:
            yield resource


def _shared(intent: Intent) -> Iterable[Resource]:
    """The drop rule, as soon as anybody here can be cut off by the list. Somebody's suspension asks for it anew."""
    if not intent.uses_list:
        return
    bound = [subscriber for subscriber in intent.subscribers if is_list_bound(subscriber, intent.router)]
    if bound:
        rule = drop_rule(intent.router)
        is_asked_for = any(subscriber.is_suspended and subscriber.is_newer for subscriber in bound)
        yield replace(rule, is_newer=is_asked_for or (rule.menu, rule.key) not in intent.shared)


def cut_by(subscriber: SubscriberIntent, router: RouterIntent) -> SuspendBy:
    """How this subscriber is cut off when suspended."""
    return LINES[subscriber.service].cut_by(subscriber, router)


def is_list_bound(subscriber: SubscriberIntent, router: RouterIntent) -> bool:
    return cut_by(subscriber, router) == "address-list"


def live_keys(subscriber: SubscriberIntent, intent: Intent) -> set[LiveKey]:
    """What must end when the subscriber is cut off: also sessions that began under a name it had before."""
    way = cut_by(subscriber, intent.router)
    keys = LINES[subscriber.service].live(subscriber, way)
    return keys | _former(subscriber, intent) if way == "disable" else keys


def login_keys(subscriber: SubscriberIntent, intent: Intent) -> set[LiveKey]:
    """The sessions that dial in again by themselves, to come under what their row says by then."""
    menu = {"pppoe": ACTIVE.menu, "hotspot": HOTSPOT_ACTIVE.menu}.get(subscriber.service)
    own = {(menu, subscriber.username)} if menu is not None else set()
    return own | {key for key in _former(subscriber, intent) if key[0] in REDIALS}


def _former(subscriber: SubscriberIntent, intent: Intent) -> set[LiveKey]:
    placed = intent.placed.get(subscriber.subscriber_id, frozenset())
    return {place for place in placed if place[0] in REDIALS}
