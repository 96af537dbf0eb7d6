"""Commands that are not about a row: reboot, ping."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsys.sim import traps
from imsys.sim.fault import LinkGone

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

MAX_PINGS = 1000


@dataclass(frozen=True, slots=True)
class Special:
    """A command with the policy it needs; it returns rows."""

    policy: str
    run: Callable[["SimRouter", Mapping[str, str]], list[dict[str, str]]]


def _reboot(router: "SimRouter", _attributes: Mapping[str, str]) -> list[dict[str, str]]:
    """Drops the link without a reply."""
    router.reboot()
    raise LinkGone


def _ping(router: "SimRouter", attributes: Mapping[str, str]) -> list[dict[str, str]]:
    """An address answers when a session has it. Without `count` a real router never ends; here it counts to 4."""
    if (address := attributes.get("address")) is None:
        raise traps.missing("address")
    count = min(int(attributes.get("count", "4")), MAX_PINGS)
    answers = any(session.address == address for session in router.ppp.sessions.values())
    lost = "0" if answers else "100"
    rows = []
    for seq in range(count):
        row = {"seq": str(seq), "host": address}
        row |= {"size": "56", "ttl": "64", "time": "1ms200us"} if answers else {"status": "timeout"}
        row |= {"sent": str(seq + 1), "received": str(seq + 1 if answers else 0), "packet-loss": lost}
        rows.append(row)
    return rows


SPECIALS: dict[str, Special] = {"/system/reboot": Special("reboot", _reboot), "/ping": Special("test", _ping)}
