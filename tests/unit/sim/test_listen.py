"""listen, follow, interval and cancel; and commands that run side by side."""

import pytest

from imsys.sim import Behaviour, Latency, SimRouter
from tests.unit.sim.talker import ManualClock, Talker, login, settle


@pytest.fixture
async def talker(router: SimRouter) -> Talker:
    router.seed_secrets(2, name="u{number}")
    return await login(router)


async def test_changes_come_and_nothing_else(router: SimRouter, talker: Talker) -> None:
    talker.send("/ppp/secret/listen", "=.proplist=.id,name,comment", tag="l")
    assert await talker.ret("/ppp/secret/add", "=name=u3") == "*3"
    await talker.ret("/ppp/secret/set", "=.id=*1", "=comment=x")
    await talker.ret("/ppp/secret/set", "=.id=*1", "=comment=x")  # changes nothing
    router.table("/ppp/secret").amend(2, is_quiet=True, last_caller_id="48:00:00:00:00:01")
    router.tamper("/ppp/secret", "u2", verb="remove")
    await settle()
    assert [dict(reply.attributes) for reply in talker.of("l")] == [
        {".id": "*3", "name": "u3"},
        {".id": "*1", "name": "u1", "comment": "x"},
        {".id": "*2", ".dead": "true"},
    ]


async def test_dead_is_yes_on_v6() -> None:
    router = SimRouter("r1", version="6.49.15")
    router.seed_secrets(1)
    talker = await login(router)
    talker.send("/ppp/secret/listen", tag="l")
    await talker.ret("/ppp/secret/remove", "=.id=*1")
    assert [dict(reply.attributes) for reply in talker.of("l")] == [{".id": "*1", ".dead": "yes"}]


async def test_queries_narrow_a_listen(router: SimRouter, talker: Talker) -> None:
    talker.send("/log/listen", "?topics=system,error,critical", "=.proplist=message", tag="l")
    router.log.write("system,info", "no")
    router.log.write("system,error,critical", "yes")
    await settle()
    talker.send("/log/listen", "?topics=system,error,critical", "=.proplist=message", tag="l")
    await settle()
    router.log.write("system,error,critical", "again")  # the same tag again: the first ended
    await settle()
    assert [dict(reply.attributes) for reply in talker.of("l")][-1:] == [{"message": "again"}]


async def test_a_session_is_told_as_it_completes(router: SimRouter, talker: Talker) -> None:
    talker.send("/ppp/active/listen", "=.proplist=name,address,session-id", tag="l")
    await settle()
    router.cpes.add("u1", redial_s=1)
    router.cpes.dial("u1")
    router.cpes.hang_up("u1", redial=False)
    await settle()
    first, second, gone = (dict(reply.attributes) for reply in talker.of("l"))
    assert "address" not in first
    assert second["address"] == "10.64.0.2"
    assert first["session-id"] == second["session-id"]
    assert gone == {".id": "*80000001", ".dead": "true"}


async def test_interfaces_go_unsaid(router: SimRouter, talker: Talker) -> None:
    talker.send("/interface/listen", "=.proplist=name", tag="l")
    await settle()
    router.cpes.add("u1")
    router.cpes.dial("u1")
    router.cpes.hang_up("u1", redial=False)
    await settle()
    assert [dict(reply.attributes) for reply in talker.of("l")] == [{"name": "<pppoe-u1>"}]


async def test_one_row_menus_have_no_listen(talker: Talker) -> None:
    assert await talker.trap("/system/resource/listen") == "unknown parameter follow-only"


async def test_follow_tells_what_is_there_first(router: SimRouter, talker: Talker) -> None:
    talker.send("/ppp/secret/print", "=follow=", "=.proplist=name", tag="a")
    talker.send("/ppp/secret/print", "=follow-only=", "=.proplist=name", tag="b")
    await settle()
    router.table("/ppp/secret").add(name="u3")
    await settle()
    assert [reply.attributes["name"] for reply in talker.of("a")] == ["u1", "u2", "u3"]
    assert [reply.attributes["name"] for reply in talker.of("b")] == ["u3"]


async def test_cancel(router: SimRouter, talker: Talker) -> None:
    talker.send("/ppp/secret/listen", tag="l")
    talker.send("/cancel", "=tag=l", tag="c")
    await talker.until(lambda: len(talker.of("l")) == 2)
    told = [(reply.kind, reply.tag, reply.message, reply.attributes.get("category")) for reply in talker.replies[-3:]]
    assert told == [
        ("!trap", "l", "interrupted", "2"),
        ("!done", "c", "", None),
        ("!done", "l", "", None),
    ]
    router.table("/ppp/secret").add(name="u3")
    await settle()
    assert len(talker.of("l")) == 2
    assert not router.table("/ppp/secret").watchers


async def test_cancel_of_everything_and_of_nothing(router: SimRouter, talker: Talker) -> None:
    for tag in "ab":
        talker.send("/ppp/secret/listen", tag=tag)
    assert [reply.kind for reply in await talker.say("/cancel")] == ["!done"]
    assert [talker.of(tag)[-1].kind for tag in "ab"] == ["!done", "!done"]
    assert [reply.kind for reply in await talker.say("/cancel", "=tag=nope")] == ["!done"]
    switched = await login(SimRouter("r2", behaviour=Behaviour(cancel_unknown_tag="trap")))
    assert [reply.kind for reply in await switched.say("/cancel", "=tag=nope")] == ["!trap", "!done"]


async def test_a_cancelled_write_did_not_happen(clock: ManualClock) -> None:
    router = SimRouter("r1", clock=clock)
    talker = await login(router)
    router.latency = Latency(command_s=1)
    talker.send("/ppp/secret/add", "=name=x", tag="w")
    await settle()
    talker.send("/cancel", "=tag=w", tag="c")
    await clock.advance(2)
    assert [reply.kind for reply in talker.of("w")] == ["!trap", "!done"]
    assert not router.table("/ppp/secret").rows


async def test_interval_repeats_until_cancelled(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    talker.send("/ppp/secret/print", "=interval=2s", "=.proplist=name", "?name=u1", tag="i")
    await clock.advance(5)
    assert len([reply for reply in talker.of("i") if reply.kind == "!re"]) == 3
    await talker.say("/cancel", "=tag=i")
    await clock.advance(5)
    assert len([reply for reply in talker.of("i") if reply.kind == "!re"]) == 3


async def test_a_lost_connection_stops_its_listens(router: SimRouter, talker: Talker) -> None:
    talker.send("/ppp/secret/listen", tag="l")
    await settle()
    assert router.table("/ppp/secret").watchers
    talker.transport.abort()
    await settle()
    assert not router.table("/ppp/secret").watchers
    assert not router.table("/user/active").rows


async def test_a_listener_that_never_reads_is_dropped(
    router: SimRouter, talker: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imsys.sim.session.MAX_BUFFERED_BYTES", 2_000_000)
    talker.send("/ppp/secret/listen", tag="l")
    await settle()
    talker.transport.pause_reading()
    for number in range(30):
        router.table("/ppp/secret").set("*1", comment=f"{number}" * 50_000)
    await settle()
    assert not router.sessions
