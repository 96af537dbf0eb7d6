"""Each fault does what its name says, and counts that it did."""

import asyncio
from dataclasses import fields

import pytest

from imsys.kit.errors import InputError
from imsys.sim import Latency, SimRouter, parse_fault
from imsys.sim.arming import make_fault, parameters
from imsys.sim.faults import KINDS, Fault, Moment
from tests.unit.sim.talker import ManualClock, Talker, connect, login, settle, until

BUSY = "action timed out - try again, if error continues contact MikroTik support and send a supout file (13)"


@pytest.fixture
async def talker(router: SimRouter) -> Talker:
    router.seed_secrets(6)
    return await login(router)


def arm(router: SimRouter, spec: str) -> Fault:
    return router.faults.arm(parse_fault(spec))


def comments(router: SimRouter) -> list[str | None]:
    return [row.get("comment") for row in router.table("/ppp/secret").rows]


def fired(router: SimRouter, fault: Fault, times: int = 1) -> None:
    assert (fault.fired, router.counters.faults[fault.kind]) == (times, times)


async def test_the_lost_ok(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "drop-after:nth=2,menu=/ppp/secret")
    await talker.ret("/ppp/secret/set", "=.id=*1", "=comment=a")
    talker.send("/ppp/secret/set", "=.id=*2", "=comment=b", tag="x")
    await talker.until_lost()
    assert isinstance(talker.error, ConnectionResetError)
    assert not talker.of("x")
    assert comments(router)[:2] == ["a", "b"]
    assert router.journal[-1].ids == ("*2",)
    fired(router, fault)
    again = await login(router)
    await again.ret("/ppp/secret/set", "=.id=*3", "=comment=c")  # it fires once
    fired(router, fault)


async def test_a_drop_before_the_write(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "drop-before")
    await talker.rows("/ppp/secret/print")  # reads are left alone
    talker.send("/ppp/secret/set", "=.id=*2", "=comment=b", tag="x")
    await talker.until_lost()
    assert comments(router) == [None] * 6
    fired(router, fault)


async def test_a_drop_while_reading(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "drop:verb=print,menu=/ppp/secret")
    await talker.rows("/ppp/profile/print")
    talker.send("/ppp/secret/print", tag="x")
    await talker.until_lost()
    fired(router, fault)


async def test_the_first_rows_of_a_write(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "partial-write:ids=2")
    await talker.ret("/ppp/secret/set", "=.id=*1,*2", "=comment=both")  # has no more rows than that
    talker.send("/ppp/secret/set", "=.id=*3,*4,*5,*6", "=comment=some", tag="x")
    await talker.until_lost()
    assert comments(router) == ["both", "both", "some", "some", None, None]
    assert router.journal[-1].ids == ("*3", "*4")
    fired(router, fault)


@pytest.mark.parametrize("applied", [True, False])
async def test_busy(router: SimRouter, talker: Talker, applied: bool) -> None:
    fault = arm(router, f"busy:applied={'yes' if applied else 'no'}")
    assert await talker.trap("/ppp/secret/set", "=.id=*1", "=comment=x") == BUSY
    assert comments(router)[0] == ("x" if applied else None)
    await talker.ret("/ppp/secret/set", "=.id=*1", "=comment=y")
    fired(router, fault)


async def test_busy_has_older_words_on_v6() -> None:
    router = SimRouter("r1", version="6.49.15")
    arm(router, "busy")
    assert await (await login(router)).trap("/ppp/secret/add", "=name=x") == "std failure: timeout (13)"


async def test_any_trap(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "trap:message=failure: out of sorts,verb=print,times=2")
    for _ in range(2):
        assert await talker.trap("/ppp/secret/print") == "failure: out of sorts"
    await talker.rows("/ppp/secret/print")
    fired(router, fault, 2)


async def test_a_delay(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    fault = arm(router, "delay:seconds=30,verb=print")
    talker.send("/ppp/secret/print", tag="slow")
    await talker.ret("/ppp/secret/set", "=.id=*1", "=comment=x")  # others overtake it
    await clock.advance(29)
    assert not talker.of("slow")
    await clock.advance(2)
    assert talker.of("slow")[-1].kind == "!done"
    fired(router, fault)


async def test_a_hang(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "hang:verb=print")
    talker.send("/ppp/secret/print", tag="stuck")
    await talker.ret("/ppp/secret/set", "=.id=*1", "=comment=x")
    assert not talker.of("stuck")
    await talker.say("/cancel", "=tag=stuck")
    assert [reply.kind for reply in talker.of("stuck")] == ["!trap", "!done"]
    fired(router, fault)


async def test_a_drip(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    fault = arm(router, "drip:chunk=16,interval_s=1")
    before = len(talker.raw)
    talker.send("/ppp/secret/print", tag="x")
    await clock.advance(2.5)
    assert len(talker.raw) - before == 3 * 16
    await clock.advance(200)
    assert [reply.kind for reply in talker.of("x")] == ["!re"] * 6 + ["!done"]
    fired(router, fault)


@pytest.mark.parametrize("keep", ["0.5", "40"])
async def test_a_truncated_reply(router: SimRouter, talker: Talker, keep: str) -> None:
    fault = arm(router, f"truncate:keep={keep}")
    before = len(talker.raw)
    talker.send("/ppp/secret/print", tag="x")
    await talker.until_lost()
    assert talker.error is None  # an orderly end in the middle of a sentence
    assert (len(talker.raw) - before == 40) is (keep == "40")
    assert "!done" not in [reply.kind for reply in talker.of("x")]
    fired(router, fault)


async def test_garbage_is_the_same_for_the_same_seed() -> None:
    heard = []
    for _ in range(2):
        router = SimRouter("r1", seed=7)
        raw = RawTalker()
        await router.dial()(lambda raw=raw: raw)
        raw.send("/login", "=name=admin", "=password=")
        await until(lambda raw=raw: raw.raw.endswith(b"!done\0"))
        fault = arm(router, "garbage:size=100")
        raw.send("/ppp/secret/print")
        await until(lambda raw=raw: len(raw.raw) == 107)
        heard.append(bytes(raw.raw))
        fired(router, fault)
    assert heard[0] == heard[1]


class RawTalker(Talker):
    """Keeps bytes and does not try to understand them."""

    def data_received(self, data: bytes) -> None:
        self.raw += data


async def test_an_endless_reply(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "endless:verb=print")
    talker.send("/ppp/secret/print", tag="x")
    await talker.until(lambda: len(talker.raw) > 1_000_000)
    assert {reply.kind for reply in talker.of("x")} == {"!re"}
    fired(router, fault)
    talker.transport.abort()
    await until(lambda: not router.sessions)


async def test_a_partial_table(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "partial-table:menu=/ppp/secret,share=0.5")
    assert len(await talker.rows("/ppp/secret/print")) == 3
    assert len(await talker.rows("/ppp/secret/print")) == 6
    fired(router, fault)


async def test_a_partial_table_after_boot(router: SimRouter, clock: ManualClock) -> None:
    router.seed_secrets(6)
    fault = arm(router, "partial-table:menu=/ppp/secret,share=0,boot_s=10,times=0")
    assert len(await (await login(router)).rows("/ppp/secret/print")) == 6  # up for days
    router.power_off()
    router.boot()
    talker = await login(router)
    assert await talker.ret("/ppp/secret/print", "=count-only=") == "0"
    assert await talker.rows("/ppp/secret/print") == []
    await clock.advance(11)
    assert len(await talker.rows("/ppp/secret/print")) == 6
    fired(router, fault, 2)


async def test_refusing(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    fault = arm(router, "refuse:seconds=5")
    with pytest.raises(ConnectionRefusedError):
        await connect(router)
    await talker.rows("/ppp/secret/print")  # what is open stays
    await clock.advance(6)
    await login(router)
    fired(router, fault)


async def test_a_black_hole(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    fault = arm(router, "blackhole:seconds=5")
    late = await connect(router)
    for one in (talker, late):
        one.send("/login", "=name=admin", "=password=", tag="x")
    await clock.advance(6)
    assert not talker.of("x")
    assert not late.of("x")
    assert not talker.is_lost
    assert not late.is_lost
    await login(router)
    fired(router, fault)


async def test_a_session_limit(router: SimRouter, talker: Talker) -> None:
    fault = arm(router, "session-limit:limit=1")
    await (await connect(router)).until_lost()
    await talker.rows("/ppp/secret/print")
    fired(router, fault)
    router.faults.disarm(fault)
    await login(router)


async def test_a_reboot_in_the_middle_of_a_write(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    fault = arm(router, "reboot:down_s=30,verb=set")
    talker.send("/ppp/secret/set", "=.id=*1", "=comment=x", tag="x")
    await talker.until_lost()
    assert comments(router)[0] == "x"
    with pytest.raises(ConnectionRefusedError):
        await connect(router)
    await clock.advance(31)
    (row,) = await (await login(router)).rows("/system/resource/print")
    assert row["uptime"] == "1s"
    fired(router, fault)


async def test_faults_compose(router: SimRouter, talker: Talker, clock: ManualClock) -> None:
    slow, lost = arm(router, "delay:seconds=3,verb=set"), arm(router, "drop-after")
    talker.send("/ppp/secret/set", "=.id=*1", "=comment=x", tag="x")
    await clock.advance(2)
    assert comments(router)[0] is None
    await clock.advance(2)
    assert talker.is_lost
    assert comments(router)[0] == "x"
    fired(router, slow)
    fired(router, lost)


async def test_chance_is_seeded() -> None:
    def pattern(seed: int) -> list[bool]:
        router = SimRouter("r1", seed=seed)
        fault = arm(router, "trap:probability=0.5,times=0")
        return [fault.takes(Moment("/ppp/secret", "print"), router.random) for _ in range(40)]

    assert pattern(1) == pattern(1)
    assert pattern(1) != pattern(2)
    assert 5 < sum(pattern(1)) < 35


async def test_clearing_ends_them_all(router: SimRouter, talker: Talker) -> None:
    arm(router, "refuse")
    arm(router, "busy:times=0")
    router.faults.clear()
    await login(router)
    await talker.ret("/ppp/secret/set", "=.id=*1", "=comment=x")
    assert not router.faults


async def test_latency_is_per_command_and_row_and_overlaps(clock: ManualClock) -> None:
    router = SimRouter("r1", clock=clock)
    router.seed_secrets(10)
    talker = await login(router)
    router.latency = Latency(command_s=1.0, row_s=0.1)
    for tag in ("a", "b"):
        talker.send("/ppp/secret/set", f"=.id=*{tag}".upper(), "=comment=x", tag=tag)
    talker.send("/ppp/secret/print", tag="p")
    await clock.advance(0.9)
    assert talker.of("a") == []
    await clock.advance(0.2)
    assert [talker.of(tag)[-1].kind for tag in "ab"] == ["!done", "!done"]
    assert not talker.of("p")
    await clock.advance(1)
    assert len(talker.of("p")) == 11


async def test_untagged_commands_wait_for_each_other(clock: ManualClock) -> None:
    router = SimRouter("r1", clock=clock)
    talker = await login(router)
    router.latency = Latency(command_s=1.0)
    talker.send("/ppp/secret/add", "=name=a")
    talker.send("/ppp/secret/add", "=name=b")
    await clock.advance(1.5)
    assert [reply.attributes["ret"] for reply in talker.of("")] == ["*1"]
    await clock.advance(1)
    assert [reply.attributes["ret"] for reply in talker.of("")] == ["*1", "*2"]


def test_every_kind_can_be_written_as_a_spec() -> None:
    for kind, fault in KINDS.items():
        values = {name: default for name, default in parameters(fault).items() if default != ""}
        assert make_fault(kind, values) == parse_fault(
            f"{kind}:" + ",".join(f"{name}={value}" for name, value in values.items() if "," not in str(value))
        )
        assert {item.name for item in fields(fault) if item.init} == set(parameters(fault))
    assert parse_fault("lost-ok:3") == parse_fault("drop-after:nth=3")


@pytest.mark.parametrize("spec", ["nope", "busy:colour=red", "delay:seconds=long", "busy:applied=perhaps"])
def test_a_bad_spec_says_what_is_right(spec: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_fault(spec)
    assert caught.value.remedy


async def test_a_cut_connection_leaves_no_task(router: SimRouter, talker: Talker) -> None:
    arm(router, "hang:times=0")
    for number in range(5):
        talker.send("/ppp/secret/print", tag=str(number))
    await settle()
    talker.transport.abort()
    await settle()
    assert len(asyncio.all_tasks()) == 1
