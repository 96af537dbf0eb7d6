"""Subscribers' sessions: who gets one, what rows it has, what ends it and what does not."""

import pytest

from imsys.sim import Behaviour, SimRouter
from tests.unit.sim.talker import ManualClock, Talker, login, until

ACTIVE = "/ppp/active"


@pytest.fixture
def router(clock: ManualClock) -> SimRouter:
    router = SimRouter("r1", clock=clock)
    router.seed_secrets(3, name="u{number}")
    return router


def online(router: SimRouter) -> list[str]:
    return [row["name"] for row in router.table(ACTIVE).rows]


async def test_a_session_has_its_rows_everywhere(router: SimRouter, clock: ManualClock) -> None:
    router.table("/ppp/profile").add(name="gold", rate_limit="10M/5M", address_list="paying")
    router.table("/ppp/secret").set("u1", profile="gold", remote_address="10.9.9.9", comment="x")
    router.cpes.add("u1", mac="48:00:00:00:00:01")
    assert router.cpes.dial("u1")
    await clock.advance(65)
    (row,) = await (await login(router)).rows(f"{ACTIVE}/print")
    assert row.pop("session-id").startswith("0x81A")
    assert row == {
        ".id": "*80000001",
        "name": "u1",
        "service": "pppoe",
        "caller-id": "48:00:00:00:00:01",
        "address": "10.9.9.9",
        "uptime": "1m5s",
        "encoding": "",
        "limit-bytes-in": "0",
        "limit-bytes-out": "0",
        "radius": "false",
    }
    interface = router.table("/interface").find(name="<pppoe-u1>")
    assert interface is not None
    assert (interface["dynamic"], interface["running"]) == ("true", "true")
    binding = router.table("/interface/pppoe-server").find(user="u1")
    assert binding is not None
    assert (binding["remote-address"], binding["interface"], binding["uptime"]) == (
        "48:00:00:00:00:01",
        "ether2",
        "1m5s",
    )
    queue = router.table("/queue/simple").find(name="<pppoe-u1>")
    assert queue is not None
    assert (queue["target"], queue["max-limit"], queue["dynamic"]) == ("10.9.9.9/32", "10000000/5000000", "true")
    entry = router.table("/ip/firewall/address-list").find(list="paying")
    assert entry is not None
    assert (entry["address"], entry["dynamic"]) == ("10.9.9.9", "true")
    router.cpes.hang_up("u1", redial=False)
    for menu in (ACTIVE, "/interface/pppoe-server", "/queue/simple", "/ip/firewall/address-list"):
        assert not router.table(menu).rows
    assert router.table("/interface").find(dynamic="true") is None
    secret = router.table("/ppp/secret").find(name="u1")
    assert secret is not None
    assert secret["last-caller-id"] == "48:00:00:00:00:01"
    assert secret["last-disconnect-reason"] == "peer-request"
    assert secret["last-logged-out"] == "2026-03-09 12:01:05"


@pytest.mark.parametrize(
    ("change", "password"),
    [
        ({"disabled": "yes"}, None),
        ({}, "wrong"),
        ({"service": "l2tp"}, None),
        ({"caller_id": "48:00:00:00:00:FF"}, None),
        ({"profile": "bare"}, None),
    ],
)
async def test_who_is_refused(router: SimRouter, change: dict[str, str], password: str | None) -> None:
    router.table("/ppp/profile").add(name="bare")
    if "profile" in change:  # no local address anywhere: sessions end at once
        router.table("/ppp/profile").set("default", local_address=None)
    router.table("/ppp/secret").set("u1", **change)
    router.cpes.add("u1", password=password)
    assert not router.cpes.dial("u1")
    assert not online(router)
    assert router.table("/log").rows[-1]["topics"] == "pppoe,ppp,error"
    assert router.cpes["u1"].refusals == 1


async def test_a_subscriber_without_secret_is_refused(router: SimRouter) -> None:
    router.cpes.add("nobody", password="x")
    assert not router.cpes.dial("nobody")
    assert router.cpes.refusals == {"authentication failed": 1}


async def test_disabling_keeps_the_session_and_a_kick_then_holds(router: SimRouter, clock: ManualClock) -> None:
    talker = await login(router)
    router.cpes.add_all(redial_s=2)
    assert online(router) == ["u1", "u2", "u3"]
    await talker.ret("/ppp/secret/disable", "=.id=*1,*2")
    await talker.ret("/ppp/secret/remove", "=.id=*2")
    assert online(router) == ["u1", "u2", "u3"]
    ids = await talker.rows(f"{ACTIVE}/print", "=.proplist=.id,name")
    await talker.ret(f"{ACTIVE}/remove", "=.id=" + ",".join(row[".id"] for row in ids))
    assert online(router) == []
    await clock.advance(3)
    assert online(router) == ["u3"]
    await talker.ret("/ppp/secret/enable", "=.id=*1")
    await clock.advance(3)  # the CPE never gave up
    assert sorted(online(router)) == ["u1", "u3"]
    assert await talker.trap(f"{ACTIVE}/remove", f"=.id={ids[0]['.id']}") == "no such item (4)"
    messages = [row["message"] for row in router.table("/log").rows]
    assert "<pppoe-u1>: terminating... - administrator request" in messages
    assert "<pppoe-u1>: disconnected" in messages


async def test_an_interface_that_is_removed_ends_its_session(router: SimRouter) -> None:
    router.cpes.add("u1")
    router.cpes.dial("u1")
    await (await login(router)).ret("/interface/pppoe-server/remove", "=numbers=<pppoe-u1>")
    assert not online(router)


async def test_addresses_come_from_the_pool_and_go_back(router: SimRouter) -> None:
    router.table("/ip/pool").set("pppoe", ranges="10.64.0.2-10.64.0.3")
    router.cpes.add_all()
    assert sorted(row["address"] for row in router.table(ACTIVE).rows) == ["10.64.0.2", "10.64.0.3"]
    assert router.cpes.refusals == {"could not determine remote address - pool is empty": 1}
    router.cpes.hang_up("u1", redial=False)
    assert router.cpes.dial("u3")


async def test_a_second_session_of_the_same_name(router: SimRouter) -> None:
    router.cpes.add("u1")
    router.cpes.dial("u1")
    router.ppp.connect("u1", "secret-1", "48:00:00:00:00:02")
    assert online(router) == ["u1", "u1"]
    assert router.table("/interface").find(name="<pppoe-u1-1>") is not None
    assert len(router.ppp.of("u1")) == 2


@pytest.mark.parametrize(("switch", "left"), [("refuse", "48:00:00:00:00:01"), ("drop-first", "48:00:00:00:00:02")])
async def test_only_one(clock: ManualClock, switch: str, left: str) -> None:
    router = SimRouter("r1", clock=clock, behaviour=Behaviour(only_one=switch))  # type: ignore[arg-type]
    router.seed_secrets(1, name="u1")
    router.table("/ppp/profile").set("default", only_one="yes")
    for mac in ("48:00:00:00:00:01", "48:00:00:00:00:02"):
        router.cpes.add("u1", mac=mac)
        router.cpes.dial("u1")
    assert [row["caller-id"] for row in router.table(ACTIVE).rows] == [left]


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("disable_drops_session", ("/ppp/secret/disable", "=.id=*1")),
        ("remove_drops_session", ("/ppp/secret/remove", "=.id=*1")),
        ("profile_change_drops_session", ("/ppp/secret/set", "=.id=*1", "=profile=gold")),
    ],
)
async def test_live_effects_only_behind_their_switches(switch: str, words: tuple[str, ...]) -> None:
    for is_on in (False, True):
        router = SimRouter("r1", behaviour=Behaviour(**{switch: is_on}))  # type: ignore[arg-type]
        router.seed_secrets(1, name="u{number}")
        router.table("/ppp/profile").add(name="gold")
        router.cpes.add("u1")
        router.cpes.dial("u1")
        await (await login(router)).ret(*words)
        assert online(router) == ([] if is_on else ["u1"])
        await router.close()


async def test_a_rate_change_is_live_only_behind_its_switch() -> None:
    for is_on in (False, True):
        router = SimRouter("r1", behaviour=Behaviour(rate_change_is_live=is_on))
        router.seed_secrets(1, name="u{number}")
        router.table("/ppp/profile").set("default", rate_limit="1M/1M")
        router.cpes.add("u1")
        router.cpes.dial("u1")
        router.table("/ppp/profile").set("default", rate_limit="2M/2M")
        queue = router.table("/queue/simple").rows[0]
        assert queue["max-limit"] == ("2000000/2000000" if is_on else "1000000/1000000")


async def test_a_reboot_takes_sessions_and_keeps_configuration(router: SimRouter, clock: ManualClock) -> None:
    router.table("/ip/firewall/address-list").add(list="timed", address="10.0.0.1", timeout="1h")
    router.table("/ip/firewall/address-list").add(list="static", address="10.0.0.1")
    router.cpes.add_all(redial_s=2)
    before = router.dump()
    talker = await login(router)
    talker.send("/system/reboot", tag="x")
    await talker.until_lost()
    assert not talker.of("x")
    assert not router.is_up
    assert online(router) == []
    assert router.dump() == {
        menu: [
            row | ({"last-disconnect-reason": "reboot"} if menu == "/ppp/secret" else {})
            for row in rows
            if row.get("list") != "timed"
        ]
        for menu, rows in _with_logouts(router, before).items()
    }
    await clock.advance(21)
    assert router.is_up
    assert online(router) == []
    await clock.advance(3)
    assert sorted(online(router)) == ["u1", "u2", "u3"]
    assert not [row for row in router.table("/log").rows if "logged in" in row["message"]]


def _with_logouts(router: SimRouter, before: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    after = {row["name"]: row for row in router.table("/ppp/secret").rows}
    names = ("last-logged-out", "last-caller-id")
    secrets = [row | {name: after[row["name"]][name] for name in names} for row in before["/ppp/secret"]]
    users = router.table("/user").rows
    return before | {"/ppp/secret": secrets, "/user": users}


async def test_dialling_needs_no_hand(talker: Talker, router: SimRouter, clock: ManualClock) -> None:
    router.cpes.add("u1", redial_s=1)
    router.cpes.dial("u1")
    for _ in range(3):
        router.cpes.hang_up("u1")
        assert online(router) == []
        await clock.advance(2)
        assert online(router) == ["u1"]
    router.cpes.remove("u1")
    await clock.advance(5)
    assert online(router) == []
    await until(lambda: clock.sleepers == 0)


async def test_an_address_answers_pings_while_its_session_is_up(router: SimRouter, talker: Talker) -> None:
    router.cpes.add("u1")
    router.cpes.dial("u1")
    rows = await talker.rows("/ping", "=address=10.64.0.2", "=count=2")
    assert [row["received"] for row in rows] == ["1", "2"]
    rows = await talker.rows("/ping", "=address=10.64.0.77", "=count=1")
    assert rows[0]["status"] == "timeout"
    assert "time" not in rows[0]
