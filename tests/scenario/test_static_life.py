"""A static line from its first day to its last, through the command line, on routers of three versions."""

from functools import partial

import pytest

from imsys.sim.accounts import OUTSIDER
from imsys.sim.router import SimRouter
from imsys.timeline.models import Event
from tests.scenario.isp import (
    BLOCKED,
    CONNECTION,
    DROP_RULE,
    FILTER,
    LEASE,
    LIST,
    QUEUE,
    SERVER,
    VERSIONS,
    Isp,
    Made,
    entry,
    lease,
    queue,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

ADDRESS, OTHER_ADDRESS = "10.20.0.7", "10.20.0.8"
MAC, OTHER_MAC = "AA:BB:CC:00:00:01", "AA:BB:CC:00:00:02"
STATIC = ("--service", "static", "--address", ADDRESS)
FASTTRACK = {"chain": "forward", "action": "fasttrack-connection", "connection-state": "established,related"}


@pytest.mark.parametrize(("version", "has_mac"), [*((version, True) for version in VERSIONS), (VERSIONS[0], False)])
def test_every_change_of_a_static_line(shop: Isp, version: str, has_mac: bool) -> None:
    router = shop.router(version=version)

    def rows(name: str, address: str = ADDRESS, rate: str = "10M/10M", mac: str = MAC) -> list[Made]:
        return [DROP_RULE, queue(name, address, rate), *([lease(address, mac)] if has_mac else [])]

    shop.add("ann", *STATIC, *(("--mac", "aa:bb:cc:00:00:01") if has_mac else ()))
    shop.sync()
    shop.has(*rows("ann"))
    first = shop.row(QUEUE, name="ann")

    shop("subscriber", "set", "ann", "--package", "gold")
    shop.sync()
    shop.has(*rows("ann", rate="50M/50M"))

    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop.has(*rows("ann", rate="50M/50M"), entry(ADDRESS))

    shop("subscriber", "set", "ann", "--address", OTHER_ADDRESS)
    shop.sync()
    shop.has(*rows("ann", OTHER_ADDRESS, "50M/50M"), entry(OTHER_ADDRESS))
    assert not shop.do(lambda: router.firewall.passes(OTHER_ADDRESS))

    shop("subscriber", "rename", "ann", "bea")
    shop.sync()
    shop.has(*rows("bea", OTHER_ADDRESS, "50M/50M"), entry(OTHER_ADDRESS))

    shop("subscriber", "resume", "bea")
    shop.sync()
    shop.has(*rows("bea", OTHER_ADDRESS, "50M/50M"))
    assert shop.do(lambda: router.firewall.passes(OTHER_ADDRESS))

    if has_mac:
        shop("subscriber", "set", "bea", "--mac", OTHER_MAC)
        shop.sync()
        shop.has(*rows("bea", OTHER_ADDRESS, "50M/50M", OTHER_MAC))
    last = shop.row(QUEUE, name="bea")
    assert first[".id"] == last[".id"]  # the same row all along

    shop("package", "set", "gold", "--rate-limit", "5M/6M 7M/8M 4M/4M 8/8 3 1M/1M")
    shop.sync()
    burst = {"burst-limit": "7M/8M", "burst-threshold": "4M/4M", "burst-time": "8s/8s"}
    full = queue("bea", OTHER_ADDRESS, "5M/6M", **burst, **{"limit-at": "1M/1M", "priority": "3/3"})
    shop.has(DROP_RULE, full, *([lease(OTHER_ADDRESS, OTHER_MAC)] if has_mac else []))

    shop("subscriber", "set", "bea", "--mac", "" if has_mac else MAC)
    shop.sync()
    shop.has(DROP_RULE, full, *([] if has_mac else [lease(OTHER_ADDRESS, MAC)]))

    shop("subscriber", "remove", "bea")
    shop.sync()
    shop.world.until(lambda: shop.find(FILTER, comment=DROP_RULE[1]["comment"]) is None, "the last one takes the rule")
    shop.has()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_static_line_is_moved_between_routers(shop: Isp, version: str) -> None:
    shop.router("r1", version=version)
    shop.router("r2", version=version)
    shop.add("ann", *STATIC, "--mac", MAC)
    shop("subscriber", "suspend", "ann")
    shop.sync()
    rows = [DROP_RULE, queue("ann", ADDRESS), lease(ADDRESS, MAC)]
    shop.has(*rows, entry(ADDRESS))
    shop("subscriber", "move", "ann", "--router", "r2")
    shop.sync()
    shop.has(*rows, entry(ADDRESS), on="r2")
    assert shop.shown("ann")["left_on"] == []
    shop.world.until(lambda: shop.find(FILTER, comment=DROP_RULE[1]["comment"]) is None, "nobody needs the rule")
    shop.has()
    shop("subscriber", "resume", "ann")
    shop.sync()
    shop.has(*rows, on="r2")


# -- cutting off


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("is_fasttracked", [False, True], ids=["established", "fasttracked"])
def test_trap_49_a_suspension_cuts_what_was_established(shop: Isp, version: str, is_fasttracked: bool) -> None:
    router = shop.router(version=version)
    if not is_fasttracked:
        shop.others_remove(FILTER, action="fasttrack-connection")
    shop.add("ann", *STATIC)
    shop.add("ben", "--service", "static", "--address", OTHER_ADDRESS)
    shop.sync()
    for address in (ADDRESS, OTHER_ADDRESS):
        assert shop.do(partial(router.firewall.open, address))
        assert shop.do(partial(router.firewall.passes, address))
    marks = {row["fasttrack"] for row in shop.world.rows(menu=CONNECTION)}
    assert ("true" in marks) is is_fasttracked
    shop("subscriber", "suspend", "ann")
    shop.sync()
    assert not shop.do(lambda: router.firewall.passes(ADDRESS))
    assert not shop.do(lambda: router.firewall.open(ADDRESS))
    assert not shop.do(lambda: router.firewall.connections(ADDRESS))
    assert shop.do(lambda: router.firewall.connections(OTHER_ADDRESS))  # somebody else's go on
    shop.is_idle()
    shop("subscriber", "resume", "ann")
    shop.sync()
    assert shop.do(lambda: router.firewall.open(ADDRESS))
    assert shop.do(lambda: router.firewall.passes(ADDRESS))


@pytest.mark.parametrize("what", ["moved-down", "disabled", "removed", "accept-above", "entry-removed", "entry-off"])
def test_trap_49_whatever_makes_the_rule_useless_is_undone(shop: Isp, what: str) -> None:
    router = shop.router()
    shop.add("ann", *STATIC)
    shop("subscriber", "suspend", "ann")
    shop.sync()
    rule = shop.row(FILTER, comment=DROP_RULE[1]["comment"])[".id"]
    listed = shop.row(LIST, list=BLOCKED, address=ADDRESS)[".id"]
    accept = {"chain": "forward", "action": "accept", "connection-state": "established", "place-before": rule}

    menu, key, fields, verb = {
        "moved-down": (FILTER, rule, {}, "move"),
        "disabled": (FILTER, rule, {"disabled": "yes"}, "set"),
        "removed": (FILTER, rule, {}, "remove"),
        "accept-above": (FILTER, "", accept, "add"),
        "entry-removed": (LIST, listed, {}, "remove"),
        "entry-off": (LIST, listed, {"disabled": "yes"}, "set"),
    }[what]

    def tamper() -> None:
        router.tamper(menu, key, fields, verb=verb)
        establish(router)
        assert router.firewall.passes(ADDRESS)

    shop.do(tamper)
    shop.world.until(lambda: not shop.do(lambda: router.firewall.passes(ADDRESS)), "cut off again, unasked")
    shop.sync()
    shop.is_idle()
    assert not shop.do(lambda: router.firewall.passes(ADDRESS))
    assert not shop.do(lambda: router.firewall.connections(ADDRESS))
    assert any("juma via winbox" in event.actor for event in Event.objects.filter(what="drift-repaired"))
    assert not Event.objects.filter(what="change-undone").exists()


def establish(router: SimRouter) -> None:
    """A connection that was there before, whatever the filter says of new ones."""
    rules, table = router.table(FILTER), router.table(FILTER)
    off = [row_id for row_id, row in rules.items() if row[table.shape.slots["action"]] == "drop"]
    was = {row_id: table.shape.value(table.get(row_id), "disabled") for row_id in off}  # type: ignore[arg-type]
    for row_id in off:
        table.amend(row_id, is_quiet=True, disabled="true")
    assert router.firewall.open(ADDRESS)
    for row_id, flag in was.items():
        table.amend(row_id, is_quiet=True, disabled=flag)


def test_an_entitled_line_on_the_list_is_freed(shop: Isp) -> None:
    router = shop.router()
    shop.add("ann", *STATIC)
    shop.sync()

    def cut() -> None:
        router.tamper(LIST, "", {"list": BLOCKED, "address": ADDRESS}, verb="add")
        assert not router.firewall.passes(ADDRESS)

    shop.do(cut)
    shop.world.until(lambda: shop.do(lambda: router.firewall.passes(ADDRESS)), "free again, unasked")
    shop.sync()
    shop.has(DROP_RULE, queue("ann", ADDRESS))
    (event,) = Event.objects.filter(what__in=("drift-repaired", "change-undone"))
    assert (event.what, event.username, event.actor) == ("drift-repaired", "ann", "router: juma via winbox")


# -- queues


@pytest.mark.parametrize("when", ["before", "after"])
def test_trap_38_a_queue_stands_above_a_broader_one(shop: Isp, when: str) -> None:
    router = shop.router()
    broad = {"name": "all of 10.20", "target": "10.20.0.0/16", "max-limit": "1G/1G"}
    if when == "before":
        shop.others_add((QUEUE, broad))
    shop.add("ann", *STATIC)
    shop.sync()
    if when == "after":
        shop.others_add((QUEUE, broad | {"place-before": shop.row(QUEUE, name="ann")[".id"]}))
        assert shop.do(lambda: router.firewall.queue(ADDRESS))["name"] == "all of 10.20"
        shop("reconcile")
    assert shop.do(lambda: router.firewall.queue(ADDRESS))["name"] == "ann"
    shop.has(DROP_RULE, queue("ann", ADDRESS))


# -- leases


def test_trap_47_the_lease_of_a_dynamic_client_is_made_static_and_used(shop: Isp) -> None:
    router = shop.router()

    def come() -> str:
        router.dhcp.add(MAC)
        address = router.dhcp.ask(MAC)
        assert address is not None
        return address

    address = shop.do(come)
    dynamic = shop.row(LEASE, mac_address=MAC)
    assert dynamic["dynamic"] == "true"
    shop.add("ann", "--service", "static", "--address", address, "--mac", MAC)
    shop.sync()
    static = shop.row(LEASE, mac_address=MAC)
    assert (static["dynamic"], static["address"], static["disabled"]) == ("false", address, "false")
    assert len([row for row in shop.world.rows(menu=LEASE) if row.get("mac-address") == MAC]) == 1
    shop.is_idle()
    assert shop.do(lambda: router.dhcp.ask(MAC)) == address


def test_trap_47_a_dynamic_client_is_given_another_address(shop: Isp) -> None:
    router = shop.router()

    def come() -> None:
        router.dhcp.add(MAC)
        assert router.dhcp.ask(MAC) not in (None, ADDRESS)

    shop.do(come)
    shop.add("ann", *STATIC, "--mac", MAC)
    shop.sync()
    (row,) = [row for row in shop.world.rows(menu=LEASE) if row.get("mac-address") == MAC]
    assert (row["address"], row["dynamic"]) == (ADDRESS, "false")
    shop.is_idle()
    assert shop.do(lambda: router.dhcp.ask(MAC)) == ADDRESS


@pytest.mark.parametrize("is_same_address", [True, False], ids=["same-address", "other-address"])
def test_trap_16_a_lease_of_the_mac_on_another_server_is_taken_over(shop: Isp, is_same_address: bool) -> None:
    at = ADDRESS if is_same_address else "10.20.0.99"
    there = lease(at, MAC, server="guests", comment="of the owner")
    router = shop.router()
    shop.others_add((SERVER, {"name": "guests", "interface": "ether4"}))
    shop.do(lambda: router.table(LEASE).add(by=OUTSIDER, **there[1]))
    before = shop.row(LEASE, mac_address=MAC)
    shop.add("ann", *STATIC, "--mac", MAC)
    shop.sync()
    shop.has(DROP_RULE, queue("ann", ADDRESS), lease(ADDRESS, MAC, server="guests", comment="of the owner"))
    after = shop.row(LEASE, mac_address=MAC)
    assert before[".id"] == after[".id"]


def test_trap_16_an_address_that_another_device_has_is_told(shop: Isp) -> None:
    """An address is one lease's in the whole router; whose device it is, IMSys decides by the address."""
    shop.router()
    shop.do(lambda: shop.world.routers["r1"].table(LEASE).add(address=ADDRESS, mac_address=OTHER_MAC, server="dhcp1"))
    shop.add("ann", *STATIC, "--mac", MAC)
    shop.sync()
    shop.has(DROP_RULE, queue("ann", ADDRESS), lease(ADDRESS, MAC, server="dhcp1"))


# -- twins and an older system's rows


def test_trap_14_a_timed_twin_makes_room_for_the_lasting_entry(shop: Isp) -> None:
    router = shop.router()
    shop.add("ann", *STATIC)
    shop.sync()
    shop.do(lambda: router.tamper(LIST, "", {"list": BLOCKED, "address": ADDRESS, "timeout": "1h"}, verb="add"))
    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop.has(DROP_RULE, queue("ann", ADDRESS), entry(ADDRESS))
    (row,) = [row for row in shop.world.rows(menu=LIST) if (row["list"], row["address"]) == (BLOCKED, ADDRESS)]
    assert (row["dynamic"], row.get("timeout")) == ("false", None)


def test_trap_15_a_disabled_twin_is_used_again(shop: Isp) -> None:
    router = shop.router()
    twin = shop.do(lambda: router.table(LIST).add(list=BLOCKED, address=ADDRESS, disabled="yes", comment="was once"))
    shop.add("ann", *STATIC)
    shop.sync()
    off = (LIST, {"list": BLOCKED, "address": ADDRESS, "comment": "was once", "disabled": "yes"})
    shop.has(DROP_RULE, queue("ann", ADDRESS), off)  # it cuts nobody off
    shop("subscriber", "suspend", "ann")
    shop.sync()
    shop.has(DROP_RULE, queue("ann", ADDRESS), (LIST, {"list": BLOCKED, "address": ADDRESS, "comment": "was once"}))
    row = shop.row(LIST, list=BLOCKED, address=ADDRESS)
    assert row[".id"] == twin
    shop("subscriber", "resume", "ann")
    shop.sync()
    shop.has(DROP_RULE, queue("ann", ADDRESS))


@pytest.mark.parametrize("is_suspended", [True, False], ids=["suspended", "paying"])
def test_rows_of_the_older_system_are_taken_over_and_not_doubled(shop: Isp, is_suspended: bool) -> None:
    router = shop.router()
    old = "IMSys: Ann Wanjiku 2024-05-01T10:00:00"
    shop("router", "set", "r1", "--mode", "observe")

    def leave() -> list[str]:
        made = [
            router.table(QUEUE).add(name="Ann W", target=ADDRESS, max_limit="2M/2M", comment=old),
            router.table(LEASE).add(address=ADDRESS, mac_address=MAC.lower(), server="dhcp1", comment=old),
            router.table(LIST).add(list=BLOCKED, address=ADDRESS, comment=old),
        ]
        router.table(FILTER).add(chain="forward", action="drop", src_address_list=BLOCKED, comment="IMSys: block")
        return made

    ids = shop.do(leave)
    shop.add("ann", *STATIC, "--mac", MAC)
    if is_suspended:
        shop("subscriber", "suspend", "ann")
    shop("router", "set", "r1", "--mode", "enforce")
    shop.sync()
    shop.has(
        (FILTER, {"chain": "forward", "action": "drop", "src-address-list": BLOCKED, "comment": "IMSys: block"}),
        queue("ann", ADDRESS, comment=old),
        lease(ADDRESS, MAC, server="dhcp1", comment=old),
        *([(LIST, {"list": BLOCKED, "address": ADDRESS, "comment": old})] if is_suspended else []),
    )
    assert [shop.row(QUEUE, name="ann")[".id"], shop.row(LEASE, address=ADDRESS)[".id"]] == ids[:2]
    listed = shop.find(LIST, list=BLOCKED, address=ADDRESS)
    assert (listed[".id"] if listed is not None else "") == (ids[2] if is_suspended else "")
    assert shop.do(lambda: router.firewall.passes(ADDRESS)) is not is_suspended
