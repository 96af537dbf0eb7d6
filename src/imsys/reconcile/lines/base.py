"""The shape of a service, and what several services share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imsys.kit.errors import InputError
from imsys.kit.units import RateLimit
from imsys.reconcile.intent import PackageIntent, RouterIntent, SubscriberIntent, SuspendBy
from imsys.reconcile.kinds import ADDRESS_LIST, DROP_RULE, Resource, Value
from imsys.reconcile.kinds.address_list import key_for
from imsys.reconcile.sessions import CONNECTION, LiveKey

ResourceKey = tuple[str, str]
"""(menu, key)"""


@dataclass(frozen=True, slots=True)
class Line:
    """One service, told by functions of a subscriber's intent.

    cut_by: how somebody suspended is cut off here, with the router's wish where the service leaves a choice.
    profile: the row that its package owns for it, or None where packages own none.
    resources: the rows of one subscriber.
    live: what is live through it, all of which ends when it is cut off in that way.
    """

    cut_by: Callable[[SubscriberIntent, RouterIntent], SuspendBy]
    profile: Callable[[PackageIntent, bool], Resource | None]
    resources: Callable[[SubscriberIntent, PackageIntent, RouterIntent], Sequence[Resource]]
    live: Callable[[SubscriberIntent, SuspendBy], set[LiveKey]]


def rate_value(package: PackageIntent) -> Value:
    if not package.rate_limit:
        return None
    try:
        return RateLimit.parse(package.rate_limit)
    except InputError:  # checked on its way in; kept as text it is refused by the router, in the router's own words
        return package.rate_limit


def on_the_list(subscriber: SubscriberIntent, router: RouterIntent) -> Resource:
    """The entry that cuts a line off. Without the rule that drops what comes from the list it does nothing."""
    return Resource(
        ADDRESS_LIST.menu,
        key_for(router.suspend_list, subscriber.address),
        {"disabled": False},
        subscriber_id=subscriber.subscriber_id,
        is_newer=subscriber.is_newer,
        refers=((DROP_RULE.menu, router.suspend_list),),
    )


def drop_rule(router: RouterIntent) -> Resource:
    return Resource(DROP_RULE.menu, router.suspend_list, {"disabled": False}, is_shared=True)


def connections_of(subscriber: SubscriberIntent) -> set[LiveKey]:
    return {(CONNECTION.menu, subscriber.address)} if subscriber.address else set()
