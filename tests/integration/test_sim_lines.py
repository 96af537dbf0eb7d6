"""Queues, leases, lists and rules of static lines, as two clients that know nothing of us find them over TCP."""

from typing import Any

import pytest
from librouteros.exceptions import TrapError
from librouteros.query import Key
from routeros_api.exceptions import RouterOsApiCommunicationError

from tests.integration.sim_thread import SimThread

MAC = "48:8F:5A:00:00:01"


def test_queues_with_librouteros(api: Any) -> None:
    queues = api.path("queue", "simple")
    last = queues.add(name="all", target="10.80.0.0/16", **{"max-limit": "100M/100M"})
    first = queues.add(name="ann", target="10.80.0.50", **{"max-limit": "5M/10M", "place-before": last})
    assert [(row["name"], row["target"], row["max-limit"]) for row in queues] == [
        ("ann", "10.80.0.50/32", "5000000/10000000"),
        ("all", "10.80.0.0/16", "100000000/100000000"),
    ]
    list(queues("move", numbers=first))
    assert [row["name"] for row in queues] == ["all", "ann"]
    with pytest.raises(TrapError, match="failure: already have such name"):
        queues.add(name="ann", target="10.80.0.51")
    with pytest.raises(TrapError, match="unknown parameter place-before"):
        queues.update(**{".id": first, "place-before": last})
    with pytest.raises(TrapError, match="input does not match any value of interface"):
        queues.add(target="ether9")


def test_leases_with_librouteros(sim: SimThread, api: Any) -> None:
    def ask() -> Any:
        sim.router.dhcp.add(MAC, host_name="tv")
        return sim.router.dhcp.ask(MAC)

    address = sim.call(ask)
    leases = api.path("ip", "dhcp-server", "lease")
    (row,) = leases.select(Key(".id"), Key("address"), Key("status"), Key("dynamic")).where(Key("mac-address") == MAC)
    assert (row["address"], row["status"], row["dynamic"]) == (address, "bound", True)
    with pytest.raises(TrapError, match="dynamic"):
        leases.update(**{".id": row[".id"], "comment": "no"})
    list(leases("make-static", **{".id": row[".id"]}))
    leases.update(**{".id": row[".id"], "comment": "flat 3", "rate-limit": "5M/10M"})
    with pytest.raises(TrapError, match="failure: already have static lease for this client"):
        leases.add(address="10.80.0.99", **{"mac-address": MAC.lower()})
    leases.add(address="10.80.0.99", **{"mac-address": "48:8F:5A:00:00:02"})
    assert len(list(api("/ip/dhcp-server/lease/print", active=""))) == 1
    sim.call(lambda: sim.router.dhcp.ask(MAC))
    assert [queue["name"] for queue in api.path("queue", "simple")] == [f"dhcp-ds<{MAC}>"]


def test_a_debtor_with_librouteros(sim: SimThread, api: Any) -> None:
    def passes() -> bool:
        return sim.call(lambda: sim.router.firewall.passes("10.80.0.50"))

    assert sim.call(lambda: sim.router.firewall.open("10.80.0.50"))
    rules, entries = api.path("ip", "firewall", "filter"), api.path("ip", "firewall", "address-list")
    first = next(iter(rules))[".id"]
    rules.add(
        chain="forward", action="drop", comment="debtors", **{"src-address-list": "debtors", "place-before": first}
    )
    assert next(iter(rules))["comment"] == "debtors"
    entry = entries.add(list="debtors", address="10.80.0.50/32")
    with pytest.raises(TrapError, match="failure: already have such entry"):
        entries.add(list="debtors", address="10.80.0.50", timeout="1h")
    assert passes()  # fasttracked
    connections = api.path("ip", "firewall", "connection")
    connections.remove(*[row[".id"] for row in connections])
    assert not passes()
    entries.remove(entry)
    assert passes()


def test_the_same_with_routeros_api(sim: SimThread, other: Any) -> None:
    queues, leases = other.get_resource("/queue/simple"), other.get_resource("/ip/dhcp-server/lease")
    rules, entries = other.get_resource("/ip/firewall/filter"), other.get_resource("/ip/firewall/address-list")
    queue = queues.add(name="ann", target="10.80.0.50", max_limit="5M/10M").done_message["ret"]
    assert queues.get(name="ann")[0]["max-limit"] == "5000000/10000000"
    queues.set(id=queue, disabled="yes")
    assert queues.get(disabled="true")[0]["id"] == queue
    with pytest.raises(RouterOsApiCommunicationError, match="failure: already have such name"):
        queues.add(name="ann", target="10.80.0.51")
    lease = leases.add(address="10.80.0.50", mac_address=MAC.lower(), server="dhcp1").done_message["ret"]
    (row,) = leases.get(id=lease)
    assert (row["mac-address"], row["status"], row["last-seen"]) == (MAC, "waiting", "never")
    with pytest.raises(RouterOsApiCommunicationError, match="already have static lease with this IP address"):
        leases.add(address="10.80.0.50", mac_address="48:8F:5A:00:00:02")
    rule = rules.add(chain="forward", action="drop", src_address_list="debtors").done_message["ret"]
    rules.call("move", {"numbers": rule, "destination": rules.get()[0]["id"]})
    assert rules.get()[0]["id"] == rule
    entries.add(list="debtors", address="10.80.0.50")
    assert not sim.call(lambda: sim.router.firewall.passes("10.80.0.50"))
    assert other.get_resource("/ip/firewall/connection").get() == []
