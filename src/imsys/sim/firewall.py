"""How packets of subscribers meet the forward chain: which flows open, which go on, and which nothing looks at.

A flow is opened from inside. Each look at a flow is one packet up and one down; a fasttrack rule that one of them
meets marks the connection, and from then on no rule sees its packets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsys.sim.dynamics import QUEUES
from imsys.sim.matching import Packet, in_range, inside_of, is_listed, matches
from imsys.sim.menu import Row
from imsys.sim.menus.firewall import CONNECTION, FILTER

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

DEFAULT_SERVICE = "198.51.100.7:443"
_WAN_ADDRESS = "203.0.113.2"
_FIRST_PORT = 40_000
_MOST_JUMPS = 32


@dataclass(slots=True)
class Verdict:
    is_accepted: bool
    is_fasttracked: bool = False


class Firewall:
    """The forward chain of one router and the connections that it tracks."""

    def __init__(self, router: "SimRouter") -> None:
        self._router = router
        self._next_port = _FIRST_PORT

    def open(self, src_address: str, dst_address: str = DEFAULT_SERVICE, protocol: str = "tcp") -> bool:
        """Open a flow; whether it came about. It is then a row of /ip/firewall/connection."""
        if not self._router.is_up:
            return False
        port = self._next_port
        self._next_port += 1
        flow = (src_address, port, *_split(dst_address), protocol)
        verdict = self._opens(flow)
        if not verdict.is_accepted:
            return False
        service, service_port = _split(dst_address)
        self._router.table(CONNECTION.path).put(
            protocol=protocol,
            src_address=f"{src_address}:{port}",
            dst_address=f"{service}:{service_port}",
            reply_src_address=f"{service}:{service_port}",
            reply_dst_address=f"{_WAN_ADDRESS}:{port}",
            tcp_state="established" if protocol == "tcp" else None,
            timeout="23h59m59s" if protocol == "tcp" else "2m59s",
            fasttrack="true" if verdict.is_fasttracked else "false",
            source=src_address,
        )
        return True

    def passes(self, src_address: str) -> bool:
        """Whether this address can use the network now: by a connection that it has, or by opening a new one."""
        if not self._router.is_up:
            return False
        table = self._router.table(CONNECTION.path)
        for row_id in table.ids_where("source", src_address):
            row = table.get(row_id)
            if row is None:
                continue
            if table.shape.value(row, "fasttrack") == "true":
                return True
            source, target = (_split(str(table.shape.value(row, f"{end}-address"))) for end in ("src", "dst"))
            verdict = self._goes_on((*source, *target, str(table.shape.value(row, "protocol"))))
            if verdict.is_fasttracked:
                table.amend(row_id, fasttrack="true")
            if verdict.is_accepted:
                return True
        return self._opens((src_address, self._next_port, *_split(DEFAULT_SERVICE), "tcp")).is_accepted

    def connections(self, src_address: str) -> list[dict[str, str]]:
        """The tracked connections of an address, as print shows them."""
        table = self._router.table(CONNECTION.path)
        rows = [(row_id, table.get(row_id)) for row_id in table.ids_where("source", src_address)]
        return [table.printed(row_id, row) for row_id, row in rows if row is not None]

    def queue(self, address: str) -> dict[str, str] | None:
        """The queue that takes this address's packets: the first in order that fits, and the first of its children."""
        table = self._router.table(QUEUES)
        found: int | None = None
        parent: int | str = "none"
        while (row_id := self._queue_below(table, parent, address)) is not None:
            found, parent = row_id, row_id
        row = None if found is None else table.get(found)
        return None if found is None or row is None else table.printed(found, row)

    def _queue_below(self, table: "Table", parent: int | str, address: str) -> int | None:
        value = table.shape.value
        for row_id, row in table.items():
            is_off = value(row, "disabled") == "true" or value(row, "invalid") == "true"
            if value(row, "parent") == parent and not is_off and self._is_target(str(value(row, "target")), address):
                return row_id
        return None

    def _is_target(self, targets: str, address: str) -> bool:
        for part in targets.split(","):
            if part.startswith("*"):
                if inside_of(self._router, address) == int(part[1:], 16):
                    return True
            elif not part or (":" not in part and in_range(address, part)):
                return True
        return False

    def is_listed(self, list_name: str, address: str) -> bool:
        """Whether an enabled entry of an address list has this address."""
        return is_listed(self._router, list_name, address)

    def _opens(self, flow: tuple[str, int, str, int, str]) -> Verdict:
        first = self._walk(self._packet(flow, "new", is_up=True))
        if not first.is_accepted:
            return first
        return self._goes_on(flow)

    def _goes_on(self, flow: tuple[str, int, str, int, str]) -> Verdict:
        """What happens to a packet of an established connection and to the answer to it."""
        up = self._walk(self._packet(flow, "established", is_up=True))
        down = self._walk(self._packet(flow, "established", is_up=False))
        return Verdict(up.is_accepted and down.is_accepted, up.is_fasttracked or down.is_fasttracked)

    def _packet(self, flow: tuple[str, int, str, int, str], state: str, *, is_up: bool) -> Packet:
        source, source_port, target, target_port, protocol = flow
        if is_up:
            return Packet(self._router, source, target, source_port, target_port, protocol, state, is_up)
        return Packet(self._router, target, source, target_port, source_port, protocol, state, is_up)

    def _walk(self, packet: Packet) -> Verdict:
        verdict = Verdict(is_accepted=True)
        table = self._router.table(FILTER.path)
        decided = self._walk_chain(table, "forward", packet, verdict, 0)
        verdict.is_accepted = decided is not False
        return verdict

    def _walk_chain(self, table: "Table", chain: str, packet: Packet, verdict: Verdict, depth: int) -> bool | None:
        """True: accepted, False: dropped, None: the chain ended without a word."""
        value = table.shape.value
        for row in _rules(table, chain):
            action = str(value(row, "action"))
            if not matches(table, row, packet):
                continue
            if action == "accept":
                return True
            if action in ("drop", "reject", "tarpit"):
                return False
            if action == "return":
                return None
            if action == "fasttrack-connection":
                verdict.is_fasttracked = verdict.is_fasttracked or packet.state in ("established", "related")
            elif action == "jump" and depth < _MOST_JUMPS:
                target = str(value(row, "jump-target") or "")
                decided = self._walk_chain(table, target, packet, verdict, depth + 1)
                if decided is not None:
                    return decided
        return None


def _rules(table: "Table", chain: str) -> Iterator[Row]:
    """The enabled rules of a chain, in order."""
    chain_slot, flag_slot = table.shape.slots["chain"], table.shape.flag_slot
    for _, row in table.items():
        if row[chain_slot] == chain and row[flag_slot] != "true":
            yield row


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port or 443)
