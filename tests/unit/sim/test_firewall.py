"""Filter rules, and how flows of subscribers meet them."""

import pytest

from imsys.sim import Behaviour, SimRouter, SimTrap
from tests.unit.sim.talker import Talker

FILTER = "/ip/firewall/filter"
CONNECTION = "/ip/firewall/connection"
LISTS = "/ip/firewall/address-list"
DEBTOR, PAYER = "10.80.0.50", "10.80.0.51"


def comments(router: SimRouter) -> list[str]:
    return [row.get("comment", "") for row in router.table(FILTER).rows]


async def test_the_forward_chain_of_a_fresh_router(talker: Talker) -> None:
    rows = await talker.rows(f"{FILTER}/print")
    common = {"chain": "forward", "bytes": "0", "packets": "0", "invalid": "false", "dynamic": "false"}
    assert rows == [
        {
            ".id": "*1",
            "action": "fasttrack-connection",
            "hw-offload": "true",
            "connection-state": "established,related",
            "comment": "defconf: fasttrack",
        }
        | common,
        {
            ".id": "*2",
            "action": "accept",
            "connection-state": "established,related,untracked",
            "comment": "defconf: accept established,related, untracked",
        }
        | common,
        {".id": "*3", "action": "drop", "connection-state": "invalid", "comment": "defconf: drop invalid"} | common,
        {
            ".id": "*4",
            "action": "drop",
            "connection-state": "new",
            "connection-nat-state": "!dstnat",
            "in-interface-list": "WAN",
            "comment": "defconf: drop all from WAN not DSTNATed",
        }
        | common,
    ]


def test_a_blank_router_has_no_rules_and_an_old_one_no_offload() -> None:
    assert SimRouter("r1", is_blank=True).table(FILTER).rows == []
    assert "hw-offload" not in SimRouter("r1", version="6.49.15").table(FILTER).rows[0]


async def test_properties_are_printed_when_they_were_set(router: SimRouter, talker: Talker) -> None:
    await talker.ret(f"{FILTER}/add", "=chain=forward", "=action=drop", "=src-address-list=debtors")
    row = router.table(FILTER).rows[-1]
    assert not {"disabled", "log", "log-prefix", "comment", "protocol"} & row.keys()
    await talker.ret(f"{FILTER}/disable", f"=.id={row['.id']}")
    await talker.ret(f"{FILTER}/enable", f"=.id={row['.id']}")
    await talker.ret(f"{FILTER}/set", f"=.id={row['.id']}", "=log=yes", "=log-prefix=no money")
    row = router.table(FILTER).rows[-1]
    assert (row["disabled"], row["log"], row["log-prefix"]) == ("false", "true", "no money")


def test_filter_prints_defaults() -> None:
    for is_on in (False, True):
        table = SimRouter("r1", behaviour=Behaviour(filter_prints_defaults=is_on)).table(FILTER)
        table.add(chain="forward")
        assert {"disabled", "log", "log-prefix"} <= table.rows[-1].keys() or not is_on
        assert ("disabled" in table.rows[-1]) is is_on


@pytest.mark.parametrize(
    ("field", "given", "shown"),
    [
        ("src-address", "10.0.0.1/32", "10.0.0.1"),
        ("src-address", "!10.0.0.0-10.0.0.255", "!10.0.0.0/24"),
        ("protocol", "6", "tcp"),
        ("protocol", "200", "200"),
        ("protocol", "!udp", "!udp"),
        ("dst-port", "80,443,1000-2000", "80,443,1000-2000"),
        ("connection-state", "new,inv", "new,invalid"),
        ("connection-nat-state", "!dstnat", "!dstnat"),
        ("in-interface", "ether2", "ether2"),
        ("in-interface", "!ether2", "!ether2"),
        ("out-interface", "all-ppp", "all-ppp"),
        ("out-interface-list", "!LAN", "!LAN"),
        ("src-address-list", "no such list", "no such list"),
        ("jump-target", "no such chain", "no such chain"),
        ("limit", "10,5:packet", "10,5:packet"),
    ],
)
async def test_values(router: SimRouter, talker: Talker, field: str, given: str, shown: str) -> None:
    await talker.ret(f"{FILTER}/add", "=chain=forward", f"={field}={given}")
    assert router.table(FILTER).rows[-1][field] == shown


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["=action=drop"], "missing =chain="),
        (["=chain=forward", "=action=explode"], "input does not match any value of action"),
        (["=chain=forward", "=src-address=10.0.0.300"], "value of range expects range of ip addresses"),
        (["=chain=forward", "=in-interface=ether9"], "input does not match any value of interface"),
        (["=chain=forward", "=in-interface-list=DMZ"], "input does not match any value of interface-list"),
        (["=chain=forward", "=dst-port=99999"], "invalid value for argument dst-port"),
        (["=chain=forward", "=src-mac-address=x"], "invalid value of src-mac-address, mac address required"),
        (["=chain=forward", "=bytes=1"], "unknown parameter bytes"),
        (["=chain=forward", "=place-before=*77"], "no such item"),
    ],
)
async def test_add_refuses(router: SimRouter, talker: Talker, words: list[str], text: str) -> None:
    assert await talker.trap(f"{FILTER}/add", *words) == text
    assert len(router.table(FILTER)) == 4


async def test_placing_and_moving(router: SimRouter, talker: Talker) -> None:
    table = router.table(FILTER)
    for row_id in list(table):
        table.delete(row_id)
    for name in ("a", "b", "c"):
        await talker.ret(f"{FILTER}/add", "=chain=forward", f"=comment={name}")
    first = table.rows[0][".id"]
    await talker.ret(f"{FILTER}/add", "=chain=forward", "=comment=d", f"=place-before={first}")
    assert comments(router) == ["d", "a", "b", "c"]
    await talker.ret(f"{FILTER}/move", "=numbers=c", "=destination=0")  # a comment names a rule, a number a place
    assert comments(router) == ["c", "d", "a", "b"]
    assert await talker.trap(f"{FILTER}/set", "=.id=0", "=place-before=1") == "unknown parameter place-before"
    router.tamper(FILTER, "", {"chain": "forward", "comment": "e", "place-before": first}, verb="add")
    assert comments(router) == ["c", "d", "e", "a", "b"]
    router.power_off()
    router.boot()
    assert comments(router) == ["c", "d", "e", "a", "b"]
    assert [row["comment"] for row in router.dump()[FILTER]] == ["c", "d", "e", "a", "b"]


# Flows


def drop_debtors(router: SimRouter, *, place_before: str = "", **more: str) -> str:
    before = {"place_before": place_before} if place_before else {}
    return router.table(FILTER).add(
        chain="forward", action="drop", **({"src_address_list": "debtors"} if not more else more), **before
    )


def cut_off(router: SimRouter, address: str = DEBTOR) -> str:
    return router.table(LISTS).add(list="debtors", address=address)


async def test_a_flow_becomes_a_connection(router: SimRouter, talker: Talker) -> None:
    assert router.firewall.open(DEBTOR)
    (row,) = await talker.rows(f"{CONNECTION}/print")
    assert (row["protocol"], row["dst-address"], row["tcp-state"], row["fasttrack"]) == (
        "tcp",
        "198.51.100.7:443",
        "established",
        "true",
    )
    assert row["src-address"].startswith(f"{DEBTOR}:")
    assert row["reply-src-address"] == row["dst-address"]
    assert router.firewall.connections(DEBTOR) == [row]
    assert await talker.trap(f"{CONNECTION}/add", "=protocol=tcp") == "no such command"
    assert await talker.trap(f"{CONNECTION}/remove", "=.id=*77") == "no such item (4)"
    await talker.ret(f"{CONNECTION}/remove", f"=.id={row['.id']}")
    assert router.firewall.connections(DEBTOR) == []


@pytest.mark.parametrize("place_before", ["", "*1", "*2"])
def test_a_debtor_opens_nothing_new_wherever_the_drop_stands(place_before: str) -> None:
    router = SimRouter("r1")
    drop_debtors(router, place_before=place_before)
    cut_off(router)
    assert not router.firewall.open(DEBTOR)
    assert not router.firewall.passes(DEBTOR)
    assert router.table(CONNECTION).rows == []
    assert router.firewall.open(PAYER)
    assert router.firewall.passes(PAYER)


def test_a_fasttracked_connection_goes_on_until_it_is_removed() -> None:
    router = SimRouter("r1")
    assert router.firewall.open(DEBTOR)
    drop_debtors(router, place_before="*1")  # even above fasttrack
    cut_off(router)
    assert router.firewall.passes(DEBTOR)
    (row,) = router.firewall.connections(DEBTOR)
    router.table(CONNECTION).remove(row[".id"])
    assert not router.firewall.passes(DEBTOR)


def without_fasttrack(router: SimRouter) -> None:
    router.table(FILTER).set("*1", disabled="yes")


def test_an_established_connection_goes_on_below_accept_established() -> None:
    router = SimRouter("r1")
    without_fasttrack(router)
    router.firewall.open(DEBTOR)
    drop = drop_debtors(router)
    cut_off(router)
    assert router.firewall.connections(DEBTOR)[0]["fasttrack"] == "false"
    assert router.firewall.passes(DEBTOR)
    router.tamper(FILTER, drop, {"destination": "*2"}, verb="move")
    assert not router.firewall.passes(DEBTOR)
    router.table(FILTER).set(drop, disabled="yes")
    assert router.firewall.passes(DEBTOR)


def test_a_rule_may_drop_only_the_answers() -> None:
    router = SimRouter("r1")
    without_fasttrack(router)
    drop_debtors(router, place_before="*2", dst_address_list="debtors")
    cut_off(router)
    assert not router.firewall.open(DEBTOR)


def test_fasttrack_marks_what_goes_on_when_the_rule_comes_later() -> None:
    router = SimRouter("r1")
    without_fasttrack(router)
    router.firewall.open(PAYER)
    router.table(FILTER).set("*1", disabled="no")
    assert router.firewall.passes(PAYER)
    assert router.firewall.connections(PAYER)[0]["fasttrack"] == "true"


@pytest.mark.parametrize("entry", [DEBTOR, "10.80.0.0/24", "10.80.0.49-10.80.0.51", "0.0.0.0/0"])
def test_lists_hold_hosts_prefixes_and_ranges(entry: str) -> None:
    router = SimRouter("r1")
    drop_debtors(router, place_before="*1")
    row_id = cut_off(router, entry)
    router.table(LISTS).add(list="others", address="10.80.0.0/16")
    assert not router.firewall.passes(DEBTOR)
    router.table(LISTS).set(row_id, disabled="yes")
    assert router.firewall.passes(DEBTOR)


@pytest.mark.parametrize(
    ("rule", "is_dropped"),
    [
        ({"src_address": "10.80.0.0/24"}, True),
        ({"src_address": "!10.80.0.0/24"}, False),
        ({"dst_address": "198.51.100.7"}, True),
        ({"protocol": "udp"}, False),
        ({"protocol": "!udp"}, True),
        ({"dst_port": "80,400-500"}, True),
        ({"src_port": "1-1024"}, False),
        ({"port": "443"}, True),
        ({"connection_state": "new"}, True),
        ({"connection_state": "invalid,untracked"}, False),
        ({"connection_nat_state": "srcnat"}, True),
        ({"src_address_list": "!paid"}, True),
        ({"in_interface": "ether2"}, True),
        ({"in_interface": "ether4"}, False),
        ({"out_interface": "!ether1"}, False),
        ({"out_interface": "!ether1", "connection_state": "established"}, True),  # the answers leave by ether2
        ({"out_interface_list": "WAN"}, True),
        ({"in_interface_list": "all"}, True),
        ({"in_interface_list": "dynamic"}, False),
        ({"in_interface": "all-ethernet"}, True),
        ({"in_interface": "all-ppp"}, False),
        ({"src_port": "1-1024", "connection_state": "established"}, True),  # the answers come from there
        ({"content": "x"}, False),  # not compared, so it never matches
        ({"disabled": "yes"}, False),
        ({"chain": "input"}, False),
        ({"action": "reject"}, True),
        ({"action": "tarpit"}, True),
        ({"action": "passthrough"}, False),
        ({"action": "accept"}, False),
    ],
)
def test_matchers(rule: dict[str, str], is_dropped: bool) -> None:
    router = SimRouter("r1")
    without_fasttrack(router)
    base = {"chain": "forward", "action": "drop", "connection_state": "new", "place_before": "*2"}
    router.table(FILTER).add(**(base | rule))
    assert router.firewall.passes(DEBTOR) is not is_dropped


def test_chains_jump_and_return() -> None:
    router = SimRouter("r1")
    table = router.table(FILTER)
    table.add(chain="forward", action="jump", jump_target="debts", place_before="*1")
    allowed = table.add(chain="debts", action="return", dst_address="198.51.100.10")
    table.add(chain="debts", action="drop", src_address_list="debtors")
    table.add(chain="debts", action="jump", jump_target="debts")  # a loop ends
    cut_off(router)
    assert not router.firewall.open(DEBTOR)
    assert router.firewall.open(PAYER)
    table.set(allowed, dst_address=None)
    assert router.firewall.open(DEBTOR)


def test_interfaces_of_sessions_and_leases() -> None:
    router = SimRouter("r1")
    router.seed_secrets(1, name="ann")
    router.cpes.add_all()
    session = router.table("/ppp/active").rows[0]["address"]
    router.dhcp.add("48:8F:5A:00:00:01")
    leased = router.dhcp.ask("48:8F:5A:00:00:01")
    assert leased is not None
    rule = router.table(FILTER).add(chain="forward", action="drop", in_interface="all-ppp", place_before="*1")
    assert (router.firewall.passes(session), router.firewall.passes(leased)) == (False, True)
    router.table(FILTER).set(rule, in_interface="ether3")
    assert (router.firewall.passes(session), router.firewall.passes(leased)) == (True, False)


def test_a_reboot_ends_connections_and_a_router_that_is_off_passes_nothing() -> None:
    router = SimRouter("r1")
    assert router.firewall.open(DEBTOR, "203.0.113.80:53", protocol="udp")
    router.power_off()
    assert not router.firewall.passes(DEBTOR)
    assert not router.firewall.open(DEBTOR)
    router.boot()
    assert router.table(CONNECTION).rows == []
    assert router.firewall.passes(DEBTOR)


def test_a_router_without_rules_passes_everything() -> None:
    router = SimRouter("r1", is_blank=True)
    assert router.firewall.open(DEBTOR)
    assert router.firewall.connections(DEBTOR)[0]["fasttrack"] == "false"


def test_interface_lists() -> None:
    router = SimRouter("r1")
    with pytest.raises(SimTrap, match="built-in"):
        router.table("/interface/list").remove("all")
    with pytest.raises(SimTrap, match="built-in"):
        router.table("/interface/list").set("static", name="x")
    assert router.table(FILTER).rows[3]["in-interface-list"] == "WAN"
    router.table("/interface/list").set("WAN", name="uplink")
    assert router.table(FILTER).rows[3]["in-interface-list"] == "uplink"


def met(router: SimRouter, address: str) -> str | None:
    row = router.firewall.queue(address)
    return None if row is None else row["name"]


def test_the_first_queue_that_fits_takes_the_packets() -> None:
    router = SimRouter("r1")
    queues = router.table("/queue/simple")
    assert met(router, DEBTOR) is None
    queues.add(name="other", target="10.99.0.0/16,2001:db8::/32")
    queues.add(name="broad", target="10.80.0.0/16")
    queues.add(name="own", target=DEBTOR)
    assert met(router, DEBTOR) == "broad"
    router.tamper("/queue/simple", "own", {"destination": "*2"}, verb="move")
    assert (met(router, DEBTOR), met(router, PAYER)) == ("own", "broad")
    queues.set("own", disabled="yes")
    queues.add(name="child", target=DEBTOR, parent="broad")
    assert met(router, DEBTOR) == "child"
    queues.set("broad", target="ether2")
    queues.set("child", disabled="yes")
    assert met(router, DEBTOR) == "broad"


def test_tampering_without_a_name_and_the_dump() -> None:
    router = SimRouter("r1")
    assert router.tamper(LISTS, "", {"list": "debtors", "address": DEBTOR}, verb="add").ret == "*1"
    router.tamper(LISTS, "*1", {"comment": "owes"})
    router.tamper(LISTS, "owes", {"disabled": "yes"})  # a comment names a row as well
    router.table(LISTS).add(list="debtors", address=PAYER, timeout="1h")
    assert [(row["address"], row["disabled"]) for row in router.dump()[LISTS]] == [(DEBTOR, "true")]
    message = router.table("/log").rows[-1]["message"]
    assert message.startswith("address list entry <*2> added by console:admin@local")
    assert (len(router.dump()[FILTER]), CONNECTION in router.dump()) == (4, False)
    router.tamper(LISTS, "*1", verb="remove")
    with pytest.raises(SimTrap, match="no such item"):
        router.tamper(LISTS, "*1", verb="remove")


def test_a_copy_takes_what_people_can_set() -> None:
    router = SimRouter("r1")
    router.dhcp.add("48:8F:5A:00:00:01")
    router.dhcp.ask("48:8F:5A:00:00:01")
    leases = router.table("/ip/dhcp-server/lease")
    leases.add(copy_from="*1", address="10.80.0.77", comment="copy")
    row = leases.rows[1]
    assert (row["dynamic"], row["status"], row["mac-address"]) == ("false", "waiting", "48:8F:5A:00:00:01")
