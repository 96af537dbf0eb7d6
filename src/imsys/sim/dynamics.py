"""Rows that the router makes for somebody who is online, whatever brought them: the queue and the list entries."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from imsys.kit.errors import InputError
from imsys.kit.units import RateLimit

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

QUEUES = "/queue/simple"
ADDRESS_LIST = "/ip/firewall/address-list"


def queue_rate(rate_limit: str) -> str:
    """The max-limit of the dynamic queue that a rate-limit makes; empty when there is none to make."""
    if not rate_limit:
        return ""
    try:
        rate = RateLimit.parse(rate_limit).rate
    except InputError:
        return ""
    return f"{rate.upload_bps}/{rate.download_bps}"


def put_queue(router: "SimRouter", name: str, address: str, rate_limit: str) -> int | None:
    """A dynamic queue for an address, above the queues of people; None when the rate limit makes none."""
    if not (rate := queue_rate(rate_limit)):
        return None
    queues = router.table(QUEUES)
    has_static = queues.next_id > queues.shape.menu.first_id
    first = next(iter(queues), None) if has_static else None
    queue_id = queues.put(
        queues.take_dynamic_id(),
        name=name,
        target=f"{address}/32",
        max_limit=rate,
        limit_at=rate,
        dynamic="true",
    )
    if first is not None:
        queues.move_before([queue_id], first)
    return queue_id


def put_list_entries(router: "SimRouter", lists: Iterable[str], address: str) -> tuple[int, ...]:
    """A dynamic entry for an address in each of the lists. They are made whatever people have put there."""
    if not (names := [name for name in lists if name]):
        return ()
    table, now = router.table(ADDRESS_LIST), router.local_text()
    return tuple(
        table.put(table.take_dynamic_id(), list=name, address=address, dynamic="true", creation_time=now)
        for name in names
    )


def drop_rows(router: "SimRouter", path: str, ids: Iterable[int | None]) -> None:
    """Delete rows that were made here; those that are gone already do not matter."""
    for row_id in ids:
        if row_id is not None and row_id in router.table(path):
            router.table(path).delete(row_id)
