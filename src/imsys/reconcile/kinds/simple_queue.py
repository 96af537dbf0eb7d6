"""/queue/simple: the speed of a static line, keyed by name. docs/spec/queue-simple.md is its page.

Order matters: a packet takes the first queue whose target it fits, so ours may not stand below a broader one.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network

from imsys.kit.addresses import networks
from imsys.reconcile.kinds.base import (
    Above,
    Field,
    FirstAbove,
    Kind,
    Printed,
    Value,
    boolean,
    is_disabled,
    is_dynamic,
    sent_boolean,
    sent_text,
)
from imsys.reconcile.kinds.rates import durations, rate, sent_rate, sent_word

MENU = "/queue/simple"
MOST_OF_A_KIND = 2
"""Of queues with the same target the first that is not ours matters; ours may be the first."""
OLD_MARK = "IMSys:"
"""How the comments of the older system's rows begin."""


def target(printed: str | None) -> str:
    """Prefixes in their usual spelling, in the order of their text: a bare address is its /32."""
    return ",".join(sorted(str(network) for network in networks(printed or "")))


def priority(printed: str | None) -> Value:
    halves = (printed or "8/8").split("/")
    return f"{halves[0]}/{halves[-1]}"


def aliases_of(row: Printed) -> tuple[str, ...]:
    """A queue that the older system made for the same address is that line's queue, whatever its name."""
    if is_dynamic(row) or not row.get("comment", "").startswith(OLD_MARK):
        return ()
    return (f"target {target(row.get('target'))}",)


def order(rows: Sequence[Printed]) -> FirstAbove:
    """The first queue at the top level that takes the packets meant for ours."""
    return _Takers(rows).first


class _Takers:
    """Queues at the top level by what they take: one address, a network, or whatever comes through an interface."""

    def __init__(self, rows: Sequence[Printed]) -> None:
        self.by_network: dict[int, dict[int, list[tuple[int, str, str]]]] = {}
        self.interfaces: list[tuple[int, str, str]] = []
        for place, row in enumerate(rows):
            if is_dynamic(row) or is_disabled(row) or row.get("parent") not in (None, "", "none"):
                continue
            at = (place, row.get(".id", ""), row.get("name", ""))
            for network in networks(row.get("target", "")):
                if isinstance(network, str):
                    self.interfaces.append(at)
                elif isinstance(network, IPv4Network):
                    of_this_size = self.by_network.setdefault(int(network.netmask), {})
                    of_this_size.setdefault(int(network.network_address), []).append(at)

    def first(self, key: str, values: Mapping[str, Value]) -> Above | None:
        found = [above for own in networks(str(values["target"])) for above in self._takers_of(own, key)]
        return min(found, default=None)

    def _takers_of(self, own: IPv4Network | IPv6Network | str, key: str) -> Iterator[Above]:
        if not isinstance(own, IPv4Network):
            return
        address = int(own.network_address)
        found = [self.interfaces, *(of.get(address & mask, []) for mask, of in self.by_network.items())]
        for takers in found:
            yield from ((place, row_id) for place, row_id, name in takers[:MOST_OF_A_KIND] if name != key)


QUEUE = Kind(
    menu=MENU,
    key_names=("name",),
    fields=(
        Field("target", target, sent_text),
        Field("max-limit", rate, sent_rate),
        Field("limit-at", rate, sent_rate),
        Field("burst-limit", rate, sent_rate),
        Field("burst-threshold", rate, sent_rate),
        Field("burst-time", durations, sent_word),
        Field("priority", priority, sent_word),
        Field("disabled", boolean, sent_boolean),
    ),
    aliases_of=aliases_of,
    also_read=("parent", "comment"),
    order=order,
    can_rename=True,
    names_subscriber=True,
    log_noun="queue simple",
    is_read_whole=True,
)
