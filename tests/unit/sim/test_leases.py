"""/ip/dhcp-server and its leases, and the devices that ask for them."""

import pytest

from imsys.sim import Behaviour, SimRouter, SimTrap
from tests.unit.sim.talker import ManualClock, Talker

SERVERS = "/ip/dhcp-server"
LEASES = "/ip/dhcp-server/lease"
QUEUES = "/queue/simple"
LISTS = "/ip/firewall/address-list"
MAC, OTHER_MAC = "48:8F:5A:00:00:01", "48:8F:5A:00:00:02"
SAME_CLIENT = "failure: already have static lease for this client"
SAME_ADDRESS = "failure: already have static lease with this IP address"


def lease(router: SimRouter, mac: str = MAC) -> dict[str, str]:
    row = router.table(LEASES).find(mac_address=mac)
    assert row is not None
    return row


async def test_the_server_of_a_small_isp(talker: Talker) -> None:
    (row,) = await talker.rows(f"{SERVERS}/print")
    shown = {name: row[name] for name in ("name", "interface", "address-pool", "lease-time", "disabled")}
    assert shown == {
        "name": "dhcp1",
        "interface": "ether3",
        "address-pool": "dhcp",
        "lease-time": "30m",
        "disabled": "false",
    }
    assert "conflict-detection" not in row  # until it is set
    assert await talker.trap(f"{SERVERS}/add", "=name=dhcp1", "=interface=ether4") == (
        "failure: server with such name already exists"
    )
    assert await talker.trap(f"{SERVERS}/add", "=interface=ether4", "=address-pool=nope") == (
        "input does not match any value of address-pool"
    )
    await talker.ret(f"{SERVERS}/add", "=interface=ether4", "=use-radius=accounting")
    row = (await talker.rows(f"{SERVERS}/print"))[1]
    assert (row["name"], row["address-pool"], row["use-radius"]) == ("dhcp2", "static-only", "accounting")


async def test_a_static_lease_that_nobody_asked_for(talker: Talker) -> None:
    await talker.ret(f"{LEASES}/add", "=address=10.80.0.50", "=mac-address=48:8f:5a:00:00:01", "=server=all")
    assert await talker.rows(f"{LEASES}/print") == [
        {
            ".id": "*1",
            "address": "10.80.0.50",
            "mac-address": MAC,
            "address-lists": "",
            "dhcp-option": "",
            "status": "waiting",
            "last-seen": "never",
            "radius": "false",
            "dynamic": "false",
            "blocked": "false",
            "disabled": "false",
        }
    ]
    assert await talker.rows(f"{LEASES}/print", "?server=all") == []
    await talker.ret(f"{LEASES}/set", "=.id=*1", "=server=dhcp1", "=client-id=1:48:8F:5A:00:00:01")
    row = (await talker.rows(f"{LEASES}/print"))[0]
    assert (row["server"], row["client-id"]) == ("dhcp1", "1:48:8f:5a:0:0:1")
    await talker.ret(f"{LEASES}/set", "=.id=*1", "=server=all", "=!client-id=")
    assert not {"server", "client-id"} & (await talker.rows(f"{LEASES}/print"))[0].keys()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["=mac-address=" + MAC], "missing =address="),
        (["=address=10.80.0.9", "=mac-address=nope"], "invalid value of mac-address, mac address required"),
        (["=address=nope", "=mac-address=" + MAC], "invalid value for argument address"),
        (["=address=10.80.0.9", "=server=nope"], "input does not match any value of server"),
        (["=address=10.80.0.9", "=status=bound"], "unknown parameter status"),
        (["=address=10.80.0.9", "=place-before=*1"], "unknown parameter place-before"),
    ],
)
async def test_add_refuses(router: SimRouter, talker: Talker, words: list[str], text: str) -> None:
    assert await talker.trap(f"{LEASES}/add", *words) == text
    assert len(router.table(LEASES)) == 0


def test_what_counts_as_a_duplicate() -> None:
    router = SimRouter("r1")
    router.table(SERVERS).add(name="south", interface="ether4")
    table = router.table(LEASES)
    first = table.add(address="10.80.0.50", mac_address=MAC, server="dhcp1")
    for server in ("dhcp1", "all"):
        with pytest.raises(SimTrap, match=SAME_CLIENT):
            table.add(address="10.80.0.51", mac_address=MAC.lower(), server=server)
    table.add(address="10.80.0.51", mac_address=MAC, server="south")  # another server
    for server in ("dhcp1", "south", "all"):
        with pytest.raises(SimTrap, match=SAME_ADDRESS):
            table.add(address="10.80.0.50", mac_address=OTHER_MAC, server=server)
    everywhere = table.add(address="10.80.0.52", mac_address=OTHER_MAC)
    with pytest.raises(SimTrap, match=SAME_CLIENT):
        table.add(address="10.80.0.53", mac_address=OTHER_MAC, server="south")
    off = table.add(address="10.80.0.53", mac_address=OTHER_MAC, server="south", disabled="yes")
    with pytest.raises(SimTrap, match=SAME_CLIENT):
        table.set(off, disabled="no")
    table.set(everywhere, disabled="yes")
    table.set(off, disabled="no")
    with pytest.raises(SimTrap, match=SAME_ADDRESS):
        table.set(off, address="10.80.0.50")
    table.remove(first)
    table.set(off, address="10.80.0.50")


def test_disabled_lease_frees_address() -> None:
    for is_on in (False, True):
        table = SimRouter("r1", behaviour=Behaviour(disabled_lease_frees_address=is_on)).table(LEASES)
        table.add(address="10.80.0.50", mac_address=MAC, disabled="yes")
        if is_on:
            table.add(address="10.80.0.50", mac_address=OTHER_MAC)
            continue
        with pytest.raises(SimTrap, match=SAME_ADDRESS):
            table.add(address="10.80.0.50", mac_address=OTHER_MAC)


async def test_a_device_gets_an_address_of_the_pool(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    device = router.dhcp.add(MAC.lower(), host_name="tv")
    assert router.dhcp.ask(MAC) == device.address == "10.80.0.2"
    await clock.advance(60)
    (row,) = await talker.rows(f"{LEASES}/print")
    shown = {name: text for name, text in row.items() if name.startswith("active-") or name in _OF_A_BOUND_LEASE}
    assert shown == {
        "address": "10.80.0.2",
        "server": "dhcp1",
        "status": "bound",
        "expires-after": "29m",
        "last-seen": "1m",
        "active-address": "10.80.0.2",
        "active-mac-address": MAC,
        "active-server": "dhcp1",
        "host-name": "tv",
        "dynamic": "true",
    }
    assert router.table("/log").rows[-1]["message"] == f"dhcp1 assigned 10.80.0.2 for {MAC} tv"
    await clock.advance(28 * 60)  # it renewed at half time
    assert lease(router)["last-seen"] == "14m"
    router.dhcp.unplug(MAC)
    await clock.advance(16 * 60)
    assert len(router.table(LEASES)) == 0
    assert router.table("/log").rows[-1]["message"] == f"dhcp1 deassigned 10.80.0.2 for {MAC}"


_OF_A_BOUND_LEASE = ("address", "server", "status", "expires-after", "last-seen", "host-name", "dynamic")


async def test_a_device_gets_the_address_of_its_static_lease(router: SimRouter, clock: ManualClock) -> None:
    router.table(LEASES).add(address="10.80.0.50", mac_address=MAC, lease_time="1h")
    router.dhcp.add(MAC)
    assert router.dhcp.ask(MAC) == "10.80.0.50"
    row = lease(router)
    assert (row[".id"], row["status"], row["expires-after"], row["dynamic"]) == ("*1", "bound", "1h", "false")
    router.dhcp.release(MAC)
    row = lease(router)
    assert (row["status"], "active-address" in row, row["last-seen"]) == ("waiting", False, "0s")


async def test_a_static_lease_takes_over_at_the_next_renewal(router: SimRouter, clock: ManualClock) -> None:
    router.dhcp.add(MAC)
    router.dhcp.ask(MAC)
    router.table(LEASES).add(address="10.80.0.50", mac_address=MAC)  # beside the dynamic one
    assert router.dhcp[MAC].address == "10.80.0.2"
    await clock.advance(15 * 60)
    assert router.dhcp[MAC].address == "10.80.0.50"
    assert [row["dynamic"] for row in router.table(LEASES).rows] == ["false"]


async def test_make_static(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    router.dhcp.add(MAC)
    router.dhcp.ask(MAC)
    before = lease(router)
    await talker.ret(f"{LEASES}/make-static", f"=.id={before['.id']}")
    assert lease(router) == before | {"dynamic": "false"}
    assert router.journal[-1].path == f"{LEASES}/make-static"
    await talker.ret(f"{LEASES}/make-static", f"=.id={before['.id']}")  # once more changes nothing
    assert router.counters.noop_writes == 1
    assert await talker.trap(f"{LEASES}/make-static", "=.id=*77") == "no such item"
    await talker.ret(f"{LEASES}/set", f"=.id={before['.id']}", "=comment=now it can be changed")
    router.dhcp.unplug(MAC)
    await clock.advance(31 * 60)
    assert lease(router)["status"] == "waiting"


async def test_make_static_beside_a_static_twin(router: SimRouter, talker: Talker) -> None:
    router.dhcp.add(MAC)
    router.dhcp.ask(MAC)
    router.table(LEASES).add(address="10.80.0.50", mac_address=MAC)
    assert await talker.trap(f"{LEASES}/make-static", f"=.id={lease(router)['.id']}") == SAME_CLIENT


def test_make_static_renumbers() -> None:
    for is_on in (False, True):
        router = SimRouter("r1", behaviour=Behaviour(make_static_renumbers=is_on))
        router.dhcp.add(MAC)
        router.dhcp.ask(MAC)
        old = lease(router)
        router.tamper(LEASES, old[".id"], verb="make-static")
        new = lease(router)
        assert (new[".id"] != old[".id"]) is is_on
        assert (new["status"], new["address"], len(router.table(LEASES))) == ("bound", old["address"], 1)
        router.dhcp.release(MAC)
        assert lease(router)["status"] == "waiting"


def test_dynamic_lease_edit() -> None:
    for switch in ("refused", "accepted"):
        router = SimRouter("r1", behaviour=Behaviour(dynamic_lease_edit=switch))  # type: ignore[arg-type]
        router.dhcp.add(MAC)
        router.dhcp.ask(MAC)
        row_id = lease(router)[".id"]
        if switch == "accepted":
            router.table(LEASES).set(row_id, comment="x")
            assert lease(router)["comment"] == "x"
        else:
            for verb, fields in (("set", {"comment": "x"}), ("disable", {}), ("comment", {"comment": "x"})):
                with pytest.raises(SimTrap, match="dynamic"):
                    router.tamper(LEASES, row_id, fields, verb=verb)
        router.table(LEASES).remove(row_id)  # works always


async def test_the_queue_and_list_entries_of_a_bound_lease(router: SimRouter, clock: ManualClock) -> None:
    router.table(QUEUES).add(name="all", target="10.80.0.0/16")
    router.table(LEASES).add(address="10.80.0.50", mac_address=MAC, rate_limit="5M/10M", address_lists="paid,tv")
    assert router.table(LISTS).rows == []
    router.dhcp.add(MAC)
    router.dhcp.ask(MAC)
    first = router.table(QUEUES).rows[0]
    assert (first["name"], first["target"], first["max-limit"], first["dynamic"]) == (
        f"dhcp-ds<{MAC}>",
        "10.80.0.50/32",
        "5000000/10000000",
        "true",
    )
    entries = router.table(LISTS).rows
    assert [(row["list"], row["address"], row["dynamic"]) for row in entries] == [
        ("paid", "10.80.0.50", "true"),
        ("tv", "10.80.0.50", "true"),
    ]
    router.dhcp.release(MAC)
    assert [row["name"] for row in router.table(QUEUES).rows] == ["all"]
    assert router.table(LISTS).rows == []


async def test_lease_changes_are_live(clock: ManualClock) -> None:
    for is_on in (False, True):
        router = SimRouter("r1", clock=clock, behaviour=Behaviour(lease_changes_are_live=is_on))
        row_id = router.table(LEASES).add(address="10.80.0.50", mac_address=MAC, rate_limit="5M/10M")
        router.dhcp.add(MAC)
        router.dhcp.ask(MAC)
        router.table(LEASES).set(row_id, rate_limit="6M/6M", address_lists="paid")
        old, new = ("5000000/10000000", "6000000/6000000")
        assert router.table(QUEUES).rows[0]["max-limit"] == (new if is_on else old)
        assert len(router.table(LISTS)) == is_on
        await clock.advance(15 * 60)
        assert [row["max-limit"] for row in router.table(QUEUES).rows] == [new]
        assert len(router.table(LISTS)) == 1
        router.table(LEASES).set(row_id, rate_limit=None)
        router.dhcp.ask(MAC)
        assert router.table(QUEUES).rows == []
        await router.close()


async def test_a_blocked_device_is_refused_and_keeps_its_address_until_its_time_is_up(
    router: SimRouter, clock: ManualClock
) -> None:
    row_id = router.table(LEASES).add(address="10.80.0.50", mac_address=MAC)
    router.dhcp.add(MAC)
    router.dhcp.ask(MAC)
    router.table(LEASES).set(row_id, block_access="yes")
    assert (lease(router)["blocked"], lease(router)["status"]) == ("true", "bound")
    await clock.advance(20 * 60)
    assert (router.dhcp[MAC].address, router.dhcp[MAC].refusal) == ("10.80.0.50", "blocked")
    await clock.advance(15 * 60)
    assert router.dhcp[MAC].address is None
    assert lease(router)["status"] == "waiting"
    router.table(LEASES).set(row_id, block_access="no")
    await clock.advance(10)
    assert router.dhcp[MAC].address == "10.80.0.50"
    assert lease(router)["blocked"] == "false"


async def test_a_disabled_or_removed_reservation_leaves_the_pool(router: SimRouter, clock: ManualClock) -> None:
    row_id = router.table(LEASES).add(address="10.80.0.50", mac_address=MAC)
    router.dhcp.add(MAC)
    router.dhcp.ask(MAC)
    router.table(LEASES).set(row_id, disabled="yes")
    assert (lease(router)["status"], router.dhcp[MAC].address) == ("waiting", "10.80.0.50")
    await clock.advance(15 * 60)
    assert router.dhcp[MAC].address == "10.80.0.3"
    router.table(LEASES).remove(row_id)
    router.table(LEASES).remove(lease(router)[".id"])
    assert router.dhcp[MAC].address == "10.80.0.3"  # until it renews
    assert router.dhcp.ask(MAC) == "10.80.0.2"


def test_who_gets_no_address() -> None:
    router = SimRouter("r1")
    router.dhcp.add(MAC, interface="ether4")
    assert router.dhcp.ask(MAC) is None
    assert router.dhcp[MAC].refusal == "no server"
    router.table(SERVERS).add(name="south", interface="ether4")
    assert router.dhcp.ask(MAC) is None
    assert router.dhcp[MAC].refusal == "no pool"
    router.table("/ip/pool").add(name="tiny", ranges="10.90.0.1-10.90.0.1")
    router.table(SERVERS).set("south", address_pool="tiny")
    router.table(LEASES).add(address="10.90.0.1", mac_address=OTHER_MAC)
    assert router.dhcp.ask(MAC) is None
    assert router.dhcp[MAC].refusal == "pool is empty"
    router.table("/ip/pool").set("tiny", ranges="10.90.0.1-10.90.0.2")
    assert router.dhcp.ask(MAC) == "10.90.0.2"


def test_an_address_that_somebody_has_is_a_conflict() -> None:
    router = SimRouter("r1")
    router.dhcp.add(OTHER_MAC)
    assert router.dhcp.ask(OTHER_MAC) == "10.80.0.2"
    row_id = router.table(LEASES).add(address="10.80.0.2", mac_address=MAC)
    router.dhcp.add(MAC)
    assert router.dhcp.ask(MAC) is None
    assert lease(router)["status"] == "conflict"
    router.tamper(LEASES, row_id, verb="check-status")
    assert lease(router)["status"] == "waiting"
    router.dhcp.ask(OTHER_MAC)  # its dynamic lease is in the way of the reservation: it gets another
    assert router.dhcp[OTHER_MAC].address not in (None, "10.80.0.2")
    assert router.dhcp.ask(MAC) == "10.80.0.2"


def test_a_lease_of_a_deleted_server() -> None:
    router = SimRouter("r1")
    router.table(LEASES).add(address="10.80.0.50", mac_address=MAC, server="dhcp1")
    router.table(SERVERS).remove("dhcp1")
    assert lease(router)["server"] == "*1"
    router.table(SERVERS).add(name="dhcp1", interface="ether3", address_pool="dhcp")
    assert lease(router)["server"] == "*1"
    router.dhcp.add(MAC)
    assert router.dhcp.ask(MAC) != "10.80.0.50"


async def test_leases_after_a_power_cut(router: SimRouter, clock: ManualClock) -> None:
    """What the disk does not have yet is lost; static leases wait; the devices come back."""
    router.table(LEASES).add(address="10.80.0.50", mac_address=MAC, rate_limit="5M/10M")
    early, late = router.dhcp.add(OTHER_MAC), router.dhcp.add("48:8F:5A:00:00:03")
    router.dhcp.add(MAC)
    for mac in (MAC, OTHER_MAC):
        router.dhcp.ask(mac)
    await clock.advance(400)
    router.dhcp.ask(late.mac)
    router.power_off()
    assert router.table(QUEUES).rows == []
    assert router.dhcp.ask(OTHER_MAC) == early.address  # it goes on using it
    router.boot()
    rows = {row["mac-address"]: (row["status"], row["last-seen"]) for row in router.table(LEASES).rows}
    assert rows == {MAC: ("waiting", "never"), OTHER_MAC: ("bound", "6m40s")}
    await clock.advance(2)
    assert {row["mac-address"]: row["status"] for row in router.table(LEASES).rows} == dict.fromkeys(
        (MAC, OTHER_MAC, late.mac), "bound"
    )
    assert [row["name"] for row in router.table(QUEUES).rows] == [f"dhcp-ds<{MAC}>"]


async def test_an_orderly_reboot_keeps_every_dynamic_lease_and_its_time_runs_on(clock: ManualClock) -> None:
    router = SimRouter("r1", clock=clock, behaviour=Behaviour(renumber_on_reboot=True))
    for mac in (MAC, OTHER_MAC):
        router.dhcp.add(mac)
        router.dhcp.ask(mac)
    router.dhcp.unplug(OTHER_MAC)
    await clock.advance(60)
    router.reboot(down_s=60)
    await clock.advance(60)
    assert [row["expires-after"] for row in router.table(LEASES).rows] == ["28m", "28m"]
    assert [row["server"] for row in router.table(LEASES).rows] == ["dhcp1", "dhcp1"]
    router.reboot(down_s=1800)
    await clock.advance(1802)
    assert [row["mac-address"] for row in router.table(LEASES).rows] == [MAC]
    await router.close()
