"""What must be so of static lines on one router, and of all that are cut off by the address list."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING

from tests.scenario.sites import ENTRY, LEASE, QUEUE, RULE
from tests.scenario.story import LISTS, REFUSED, Wanted

if TYPE_CHECKING:
    from tests.scenario.judge import Row, View

NO_LIMIT = {
    "max-limit": "0/0", "limit-at": "0/0", "burst-limit": "0/0", "burst-threshold": "0/0", "burst-time": "0s/0s",
    "priority": "8/8",
}  # fmt: skip
SPEEDS = {
    "": NO_LIMIT,
    "10M/10M": {**NO_LIMIT, "max-limit": "10000000/10000000"},
    "10000k/10M": {**NO_LIMIT, "max-limit": "10000000/10000000"},
    "2M/4M 3M/6M 1M/2M 8/8": {
        **NO_LIMIT, "max-limit": "2000000/4000000", "burst-limit": "3000000/6000000",
        "burst-threshold": "1000000/2000000", "burst-time": "8s/8s",
    },
    "50M/50M": {**NO_LIMIT, "max-limit": "50000000/50000000"},
    "1M/1M": {**NO_LIMIT, "max-limit": "1000000/1000000"},
    "64k/1M": {**NO_LIMIT, "max-limit": "64000/1000000"},
}  # fmt: skip
"""What a rate limit means in a queue's own words."""


def wrongs(view: "View") -> Iterator[str]:
    yield from _queues(view)
    yield from _leases(view)
    yield from _entries(view)
    yield from _drop_rules(view)
    yield from _who_passes(view)


def _queues(view: "View") -> Iterator[str]:
    rows = view.static(QUEUE)
    by_name = {row["name"]: row for row in rows}
    lines = view.of("static")
    for name, wanted in lines.items():
        if name not in by_name:
            yield f"{name} has no queue"
            continue
        row = by_name[name]
        speed = SPEEDS[view.tale.sold[wanted.package].rate_limit]
        should = {**speed, "target": f"{wanted.address}/32", "disabled": "false"}
        yield from (f"queue {name}: {k} is {row.get(k)!r}, not {v!r}" for k, v in should.items() if row.get(k) != v)
        takers = [other["name"] for other in rows if _takes(other, wanted.address)]
        if takers[:1] != [name]:
            yield f"queue {name} is not asked: {takers[:1]} takes its packets"
    for name, row in by_name.items():
        if name not in lines and not view.is_theirs(QUEUE, row):
            yield f"orphan queue {name}"


def _takes(row: "Row", address: str) -> bool:
    if row.get("disabled") == "true" or row.get("parent", "none") != "none":
        return False
    return any(ip_network(f"{address}/32").subnet_of(ip_network(part)) for part in row["target"].split(","))  # type: ignore[arg-type]


def _leases(view: "View") -> Iterator[str]:
    rows = view.static(LEASE)
    lines = {wanted.address: (name, wanted) for name, wanted in view.of("static").items() if wanted.mac}
    for address, (name, wanted) in lines.items():
        found = [row for row in rows if row["address"] == address]
        if [(row.get("mac-address"), row.get("disabled")) for row in found] != [(wanted.mac, "false")]:
            yield f"leases of {name}: {found}"
    for row in rows:
        if row["address"] in lines or view.is_theirs(LEASE, row):
            continue
        yield f"orphan lease {row['address']} of {row.get('mac-address')}"


def _entries(view: "View") -> Iterator[str]:
    """Of those whom the list cuts off, the suspended stand on it and nobody else; other people's entries may."""
    rows = view.static(ENTRY)
    site = view.site
    bound = {wanted.address: wanted for wanted in view.tale.on_the_list(view.number)}
    cut = {(site.suspend_list, address) for address, wanted in bound.items() if wanted.is_suspended}
    on_it = [(row["list"], row["address"]) for row in rows if row.get("disabled") != "true"]
    for place in cut - {(site.suspend_list, REFUSED)}:
        if on_it.count(place) != 1:
            yield f"{place} is listed {on_it.count(place)} times"
    for row in rows:
        place = (row["list"], row["address"])
        if place in cut or row["list"] not in LISTS:
            continue
        if row["list"] == site.suspend_list and row["address"] in bound:
            yield f"{row['address']} is on {row['list']}, and is not suspended"
        elif not view.is_theirs(ENTRY, row):
            yield f"orphan {row['address']} on {row['list']}"


def _drop_rules(view: "View") -> Iterator[str]:
    """Of its list there is one when anybody is cut off by it, and none when nobody can be; none of another list."""
    rules = [row for row in view.tables[RULE] if row.get("src-address-list") in LISTS]
    here = [row for row in rules if row["src-address-list"] == view.site.suspend_list]
    is_needed = any(wanted.is_suspended for wanted in view.tale.on_the_list(view.number))
    uses_list = view.of("static") or (view.site.suspend_by == "address-list" and view.wanted)
    if len(here) > 1 or (is_needed and [row.get("disabled") for row in here] != ["false"]):
        yield f"drop rules: {here}"
    if not uses_list and here:
        yield f"orphan drop rule of {view.site.suspend_list}"
    if len(rules) > len(here):
        yield f"orphan drop rules: {[row['src-address-list'] for row in rules]}"


def _who_passes(view: "View") -> Iterator[str]:
    for wanted in view.tale.on_the_list(view.number):
        if wanted.is_suspended and _is_usable(wanted) and view.site.router.firewall.passes(wanted.address):
            yield f"{wanted.address} is suspended and passes"


def _is_usable(wanted: Wanted) -> bool:
    return wanted.address != REFUSED
