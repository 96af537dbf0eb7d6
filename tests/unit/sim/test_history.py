"""Changes that are taken back: by a lost safe mode, and by a power cut before the flash had them."""

import pytest

from imsys.kit.errors import InputError
from imsys.sim import SimRouter
from tests.unit.sim.talker import ManualClock, Talker, login, settle

SECRETS = "/ppp/secret"
QUEUES = "/queue/simple"
LEASES = "/ip/dhcp-server/lease"
LISTS = "/ip/firewall/address-list"
USERS = "/ip/hotspot/user"
BINDINGS = "/ip/hotspot/ip-binding"
MAC = "48:8F:5A:00:00:01"


@pytest.fixture
def router(clock: ManualClock) -> SimRouter:
    router = SimRouter("r1", clock=clock)
    router.seed_secrets(3, name="u{number}")
    for number in range(1, 4):
        router.table(QUEUES).add(name=f"q{number}", target=f"10.80.0.{number}", max_limit="1M/1M")
    return router


async def change_everything(talker: Talker) -> None:
    """One of each kind of change, by the API."""
    await talker.ret(f"{SECRETS}/add", "=name=new", "=password=x")
    await talker.ret(f"{SECRETS}/set", "=.id=new", "=comment=later")
    await talker.ret(f"{SECRETS}/set", "=.id=u1", "=comment=x", "=disabled=yes", "=name=zoe")
    await talker.ret(f"{SECRETS}/disable", "=.id=u2,u3")
    await talker.ret(f"{SECRETS}/remove", "=.id=u3")
    await talker.ret(f"{QUEUES}/remove", "=.id=q2")
    await talker.ret(f"{QUEUES}/move", "=numbers=q3", "=destination=q1")
    await talker.ret(f"{QUEUES}/add", "=name=q4", "=target=10.80.0.4", "=place-before=q1")
    await talker.ret(f"{QUEUES}/set", "=.id=q1", "=max-limit=2M/2M")
    await talker.ret("/ppp/profile/add", "=name=gold")
    await talker.ret(f"{SECRETS}/set", "=.id=u2", "=profile=gold")
    await talker.ret(f"{LISTS}/add", "=list=debtors", "=address=10.80.0.1")
    await talker.ret(f"{LISTS}/add", "=list=debtors", "=address=10.80.0.2", "=timeout=1h")
    await talker.ret(f"{LEASES}/add", "=address=10.80.0.9", f"=mac-address={MAC}")
    await talker.ret(f"{USERS}/add", "=name=ann")
    await talker.ret(f"{BINDINGS}/add", f"=mac-address={MAC}", "=type=bypassed")
    await talker.ret("/system/identity/set", "=name=other")
    await talker.ret("/ip/service/set", "=.id=ssh", "=disabled=yes")


async def test_a_lost_safe_mode_takes_everything_back(router: SimRouter, clock: ManualClock) -> None:
    talker = await login(router)
    before = router.dump()
    router.take_safe_mode(by="juma")
    assert router.safe_mode_by == "juma"
    active = await talker.rows("/user/active/print", "?name=juma")
    assert [row["via"] for row in active] == ["winbox"]
    await change_everything(talker)
    await clock.advance(300)
    assert router.dump() != before
    assert router.lose_safe_mode() == 19
    assert router.dump() == before
    assert not await talker.rows(f"{LISTS}/print")
    assert not await talker.rows("/user/active/print", "?name=juma")
    assert router.safe_mode_by == ""
    assert router.lose_safe_mode() == 0


async def test_a_released_safe_mode_takes_nothing_back(router: SimRouter) -> None:
    talker = await login(router)
    router.take_safe_mode()
    await change_everything(talker)
    changed = router.dump()
    router.release_safe_mode()
    assert router.lose_safe_mode() == 0
    assert router.dump() == changed
    router.take_safe_mode(by="amina")
    await talker.ret(f"{SECRETS}/add", "=name=last")
    assert router.lose_safe_mode() == 1
    assert router.dump() == changed


async def test_who_listens_sees_what_is_taken_back(router: SimRouter) -> None:
    talker = await login(router)
    router.take_safe_mode(by="juma")
    added = await talker.ret(f"{SECRETS}/add", "=name=new")
    await talker.ret(f"{SECRETS}/set", "=.id=u1", "=comment=x")
    await talker.ret(f"{SECRETS}/remove", "=.id=u2")
    seq = router.journal.seq
    tag = talker.send(f"{SECRETS}/listen", "=.proplist=.id,name,comment", tag="l")
    await settle()
    router.lose_safe_mode()
    await talker.until(lambda: len(talker.of(tag)) == 3)
    assert [dict(reply.attributes) for reply in talker.of(tag)] == [
        {".id": "*2", "name": "u2"},
        {".id": "*1", "name": "u1"},
        {".id": added, ".dead": "true"},
    ]
    messages = [row["message"] for row in router.table("/log").rows[-5:]]
    assert messages[-5].startswith("ppp secret <u2> added by tcp-msg(winbox):juma@192.168.88.10/action:")
    assert messages[-4].startswith("ppp secret <u1> changed by tcp-msg(winbox):juma@")
    assert messages[-3].startswith("ppp secret <new> removed by tcp-msg(winbox):juma@")
    assert messages[-2] == "safe mode of juma lost: 3 changes undone"
    assert [(entry.user, entry.via, entry.path) for entry in router.journal.since(seq)] == [
        ("juma", "safe-mode", f"{SECRETS}/undo")
    ] * 3


async def test_more_than_a_hundred_actions_end_safe_mode(router: SimRouter) -> None:
    talker = await login(router)
    router.take_safe_mode()
    for number in range(100):
        await talker.ret(f"{SECRETS}/set", "=.id=u1,u2", f"=comment={number}")
        await talker.ret(f"{SECRETS}/set", "=.id=u1,u2", f"=comment={number}")  # changes nothing: no action
    assert router.safe_mode_by == "juma"
    await talker.ret(f"{SECRETS}/set", "=.id=u1", "=comment=one too many")
    assert router.safe_mode_by == ""
    assert "too many actions" in router.table("/log").rows[-2]["message"]
    assert router.lose_safe_mode() == 0
    assert [row.get("comment") for row in router.table(SECRETS).rows] == ["one too many", "99", None]
    router.take_safe_mode()
    assert router.safe_mode_by == "juma"


async def test_a_hundred_actions_are_taken_back(router: SimRouter) -> None:
    talker = await login(router)
    router.take_safe_mode()
    for number in range(100):
        await talker.ret(f"{SECRETS}/set", "=.id=u1,u2", f"=comment={number}")
    assert router.lose_safe_mode() == 200
    assert not any("comment" in row for row in router.table(SECRETS).rows)


def test_one_at_a_time_holds_safe_mode(router: SimRouter) -> None:
    router.take_safe_mode(by="juma")
    with pytest.raises(InputError, match="juma holds safe mode"):
        router.take_safe_mode(by="amina")


async def test_sessions_are_not_taken_back_and_go_on(router: SimRouter, clock: ManualClock) -> None:
    router.cpes.add_all(redial_s=2)
    router.take_safe_mode()
    router.tamper(SECRETS, "u1", {"disabled": "yes"})
    router.table("/ppp/active").remove("u1")
    router.cpes.hang_up("u2")
    assert router.lose_safe_mode() == 1
    assert not router.cpes.is_online("u1")
    await clock.advance(3)
    assert router.cpes.is_online("u1")
    row = router.table(SECRETS).find(name="u1") or {}
    assert row["last-disconnect-reason"] == "nas-request"  # noted by the router itself: kept
    await router.close()


async def test_what_hangs_on_a_row_follows(router: SimRouter) -> None:
    router.hotspot.add(MAC)
    router.table(USERS).add(name="ann")
    router.hotspot.login(MAC, "ann")
    router.dhcp.add("48:8F:5A:00:00:02")
    router.dhcp.ask("48:8F:5A:00:00:02")
    router.take_safe_mode()
    lease = router.table(LEASES).rows[0]
    talker = await login(router)
    await talker.ret(f"{LEASES}/make-static", f"=.id={lease['.id']}")
    router.table("/ip/hotspot/cookie").remove("ann")  # no configuration: not taken back
    router.table(USERS).remove("ann")
    router.hotspot.add("48:8F:5A:00:00:03")
    router.table(BINDINGS).add(mac_address="48:8F:5A:00:00:03", type="bypassed")
    assert router.hotspot.passes("48:8F:5A:00:00:03")
    assert router.lose_safe_mode() == 3
    assert router.table(LEASES).rows[0]["dynamic"] == "true"
    assert not router.table(BINDINGS).rows
    assert not router.table("/ip/hotspot/cookie").rows
    router.hotspot.logout(MAC)
    ann = router.table(USERS).find(name="ann") or {}
    assert (ann[".id"], ann["uptime"]) == ("*1", "0s")
    assert router.hotspot.login(MAC)
    await router.close()


def test_a_row_that_went_by_itself_is_left_out(router: SimRouter, clock: ManualClock) -> None:
    router.take_safe_mode()
    router.table(LISTS).add(list="debtors", address="10.80.0.1", timeout="1h")
    router.table(LISTS).add(list="debtors", address="10.80.0.2")
    router.table(LISTS).delete(1)
    assert router.lose_safe_mode() == 1
    assert not router.table(LISTS).rows


async def test_a_reboot_ends_safe_mode_and_takes_nothing_back(router: SimRouter, clock: ManualClock) -> None:
    router.take_safe_mode()
    router.tamper(SECRETS, "u1", {"comment": "x"})
    router.reboot(down_s=10)
    await clock.advance(11)
    assert router.safe_mode_by == ""
    assert router.lose_safe_mode() == 0
    assert (router.table(SECRETS).find(name="u1") or {})["comment"] == "x"
    await router.close()


async def test_a_power_cut_loses_what_is_young(router: SimRouter, clock: ManualClock) -> None:
    router.hold_writes(40)
    talker = await login(router)
    await talker.ret(f"{SECRETS}/set", "=.id=u1", "=comment=old")
    await clock.advance(41)
    kept = router.dump()
    await change_everything(talker)
    await clock.advance(20)
    assert router.power_cut(lost_s=40, down_s=30) == 18  # the timed entry went with the power
    await talker.until_lost()
    await clock.advance(31)
    assert router.dump() == kept
    assert router.uptime_s == 1
    talker = await login(router)
    await talker.ret(f"{SECRETS}/set", "=.id=u1", "=comment=young")
    await clock.advance(10)
    assert router.power_cut(lost_s=5, down_s=30) == 0
    assert (router.table(SECRETS).find(name="u1") or {})["comment"] == "young"
    await router.close()


async def test_without_held_writes_a_power_cut_loses_nothing(router: SimRouter, clock: ManualClock) -> None:
    router.tamper(SECRETS, "u1", {"comment": "x"})
    with pytest.raises(InputError, match="held back for 0 s, not for 40 s"):
        router.power_cut()
    assert router.is_up
    assert router.power_cut(lost_s=0, down_s=1) == 0
    await clock.advance(2)
    assert router.is_up
    assert (router.table(SECRETS).find(name="u1") or {})["comment"] == "x"
    await router.close()


async def test_held_writes_are_forgotten_when_they_are_old(router: SimRouter, clock: ManualClock) -> None:
    router.hold_writes(40)
    for number in range(50):
        router.tamper(SECRETS, "u1", {"comment": str(number)})
        await clock.advance(10)
    assert router.power_cut(lost_s=40, down_s=1) == 4
    assert (router.table(SECRETS).find(name="u1") or {})["comment"] == "45"
    await clock.advance(2)
    router.hold_writes(0)
    router.tamper(SECRETS, "u1", {"comment": "x"})
    assert router.power_cut(lost_s=0) == 0
    await router.close()


def test_an_idle_router_notes_nothing(router: SimRouter) -> None:
    router.tamper(SECRETS, "u1", {"comment": "x"})
    router.take_safe_mode()
    assert router.lose_safe_mode() == 0
    assert (router.table(SECRETS).find(name="u1") or {})["comment"] == "x"
