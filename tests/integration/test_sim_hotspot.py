"""The hotspot and safe mode, as two clients that know nothing of us find them over TCP."""

from collections.abc import Callable
from typing import Any

import pytest
from librouteros.exceptions import TrapError
from librouteros.query import Key
from routeros_api.exceptions import RouterOsApiCommunicationError

from tests.integration.sim_thread import SimThread

MAC, OTHER_MAC = "48:8F:5A:00:00:01", "48:8F:5A:00:00:02"
TAKEN = "failure: already have user with this name for this server"


def test_a_login_and_its_end_with_librouteros(sim: SimThread, api: Any) -> None:
    hotspot = sim.router.hotspot

    def seen(work: Callable[[], Any]) -> Any:
        return sim.call(work)

    profiles, users = api.path("ip", "hotspot", "user", "profile"), api.path("ip", "hotspot", "user")
    active, cookies = api.path("ip", "hotspot", "active"), api.path("ip", "hotspot", "cookie")
    assert list(active) == []
    profiles.add(name="gold", **{"rate-limit": "5M/10M", "shared-users": 2})
    with pytest.raises(TrapError, match="unknown parameter comment"):
        profiles.add(name="x", comment="x")
    row_id = users.add(name="ann", password="pw", profile="gold", comment="flat 3", **{"limit-bytes-total": 10**10})
    with pytest.raises(TrapError, match=TAKEN):
        users.add(name="ann")
    with pytest.raises(TrapError, match="default trial user can not be removed"):
        users.remove("*0")
    seen(lambda: hotspot.add(MAC))
    assert seen(lambda: hotspot.login(MAC, "ann", "pw"))
    (session,) = active.select(Key(".id"), Key("user"), Key("address")).where(Key("user") == "ann")
    assert session == {".id": "*A5A0002", "user": "ann", "address": "10.90.0.2"}
    assert [queue["name"] for queue in api.path("queue", "simple")] == ["<hotspot-ann>"]
    active.remove(session[".id"])
    assert seen(lambda: hotspot.passes(MAC))  # by its cookie
    users.update(**{".id": row_id, "disabled": True})
    cookies.remove(*[row[".id"] for row in cookies])
    active.remove(*[row[".id"] for row in active])
    assert not seen(lambda: hotspot.passes(MAC))
    users.update(**{".id": row_id, "disabled": False})
    assert seen(lambda: hotspot.login(MAC))
    seen(lambda: hotspot.use(MAC, bytes_in=1000))
    assert next(iter(users.select(Key("bytes-in")).where(Key("name") == "ann"))) == {"bytes-in": 1000}
    list(users("reset-counters", **{".id": row_id}))
    assert next(iter(users.select(Key("bytes-in")).where(Key("name") == "ann"))) == {"bytes-in": 0}


def test_bindings_with_librouteros(sim: SimThread, api: Any) -> None:
    bindings, hosts = api.path("ip", "hotspot", "ip-binding"), api.path("ip", "hotspot", "host")
    sim.call(lambda: sim.router.hotspot.add(MAC))
    first = bindings.add(type="blocked", server="hotspot1")
    bindings.add(type="bypassed", **{"mac-address": MAC.lower(), "place-before": first})
    assert [(row.get("mac-address"), row["type"], row.get("server")) for row in bindings] == [
        (MAC, "bypassed", None),
        (None, "blocked", "hotspot1"),
    ]
    assert sim.call(lambda: sim.router.hotspot.passes(MAC))
    list(bindings("move", numbers=first, destination=next(iter(bindings))[".id"]))
    assert next(iter(bindings))[".id"] == first
    assert sim.call(lambda: sim.router.hotspot.passes(MAC))
    hosts.remove(*[row[".id"] for row in hosts])
    assert not sim.call(lambda: sim.router.hotspot.passes(MAC))


def test_the_same_with_routeros_api(sim: SimThread, other: Any) -> None:
    users, bindings = other.get_resource("/ip/hotspot/user"), other.get_resource("/ip/hotspot/ip-binding")
    active, hosts = other.get_resource("/ip/hotspot/active"), other.get_resource("/ip/hotspot/host")
    other.get_resource("/ip/hotspot").add(name="roof", interface="ether5")
    ann = users.add(name="ann", password="pw", limit_uptime="1d").done_message["ret"]
    users.add(name="ann", server="roof")
    with pytest.raises(RouterOsApiCommunicationError, match=TAKEN):
        users.add(name="ann", server="roof")
    assert [(row["id"], row.get("server")) for row in users.get(name="ann")] == [(ann, None), ("*2", "roof")]
    assert users.get(id=ann)[0]["limit-uptime"] == "1d"
    with pytest.raises(RouterOsApiCommunicationError, match="does not match any value of profile"):
        users.set(id=ann, profile="gold")
    sim.call(lambda: sim.router.hotspot.add(MAC))
    assert sim.call(lambda: sim.router.hotspot.login(MAC, "ann", "pw"))
    assert active.get(user="ann")[0]["login-by"] == "http-chap"
    active.remove(id=active.get(user="ann")[0]["id"])
    assert active.get(user="ann")[0]["login-by"] == "mac-cookie"
    assert hosts.get()[0]["authorized"] == "true"
    sim.call(lambda: sim.router.hotspot.add(OTHER_MAC))
    bindings.add(mac_address=OTHER_MAC, type="bypassed")
    assert hosts.get(bypassed="true")[0]["mac-address"] == OTHER_MAC


def test_a_lost_safe_mode_with_both(sim: SimThread, api: Any, other: Any) -> None:
    users = api.path("ip", "hotspot", "user")
    sim.call(lambda: sim.router.take_safe_mode(by="juma"))
    assert "juma" in [row["name"] for row in api.path("user", "active")]
    users.add(name="ann")
    other.get_resource("/ppp/secret").add(name="ben")
    assert sim.call(sim.router.lose_safe_mode) == 2
    assert [row["name"] for row in users] == ["default-trial"]
    assert other.get_resource("/ppp/secret").get() == []
    log = [row["message"] for row in api.path("log")]
    assert any(line.startswith("hotspot user <ann> removed by tcp-msg(winbox):juma@") for line in log)
    sim.call(lambda: sim.router.hold_writes(40))
    users.add(name="ann")
    assert sim.call(lambda: sim.router.power_cut(lost_s=40, down_s=0.01)) == 1
