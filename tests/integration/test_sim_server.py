"""Simulated routers over TCP: refusal, reboot, TLS, many at once, the control port, a whole simulation."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from imsys.kit.errors import InputError
from imsys.sim import SimRouter, SimServer, parse_fault
from imsys.sim.command import Options, Simulation, running, simulate
from imsys.sim.faults import KINDS
from tests.unit.sim.talker import Talker, until

BOUND_S = 5.0


async def dial(port: int, context: ssl.SSLContext | None = None) -> Talker:
    _, talker = await asyncio.get_running_loop().create_connection(Talker, "127.0.0.1", port, ssl=context)
    return talker


async def login(port: int, password: str = "", context: ssl.SSLContext | None = None) -> Talker:
    talker = await dial(port, context)
    await talker.ret("/login", "=name=admin", f"=password={password}")
    return talker


async def eventually_open(port: int) -> Talker:
    async with asyncio.timeout(BOUND_S):
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                return await login(port)
            await asyncio.sleep(0.01)


@pytest.fixture
async def server() -> AsyncIterator[SimServer]:
    async with await SimServer.start([SimRouter("r1"), SimRouter("r2")]) as server:
        yield server


async def test_each_router_has_its_port(server: SimServer) -> None:
    for name in ("r1", "r2"):
        talker = await login(server.port(name))
        assert await talker.rows("/system/identity/print") == [{"name": name}]


async def test_answers_do_not_wait_to_be_sent_together(server: SimServer) -> None:
    """Else the second of two in flight is sent once the first is acknowledged, 40 ms later."""
    await login(server.port("r1"))
    (session,) = server.routers["r1"].sessions
    sock = session._transport.get_extra_info("socket")  # type: ignore[union-attr]
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


async def test_a_reboot_resets_refuses_and_comes_back_on_the_same_port(server: SimServer) -> None:
    router, port = server.routers["r1"], server.port("r1")
    talker = await login(port)
    router.reboot(down_s=0.2)
    await talker.until_lost()
    assert isinstance(talker.error, ConnectionResetError)
    with pytest.raises(ConnectionRefusedError):
        await dial(port)
    await login(server.port("r2"))  # the others do not care
    talker = await eventually_open(port)
    assert float((await talker.rows("/system/resource/print"))[0]["uptime"].rstrip("s")) < 60


async def test_refusing_and_the_lost_ok_over_tcp(server: SimServer) -> None:
    router, port = server.routers["r1"], server.port("r1")
    refuse = router.faults.arm(parse_fault("refuse"))
    with pytest.raises(ConnectionRefusedError):
        await dial(port)
    router.faults.disarm(refuse)
    talker = await eventually_open(port)
    lost = router.faults.arm(parse_fault("drop-after"))
    talker.send("/ppp/secret/add", "=name=ann", tag="x")
    await talker.until_lost()
    assert isinstance(talker.error, ConnectionResetError)
    assert router.table("/ppp/secret").find(name="ann") is not None
    assert (refuse.fired, lost.fired) == (1, 1)


async def test_a_client_that_does_not_read_is_waited_for(server: SimServer) -> None:
    router = server.routers["r1"]
    router.seed_secrets(20_000)
    _, slow = await asyncio.get_running_loop().create_connection(Counting, "127.0.0.1", server.port("r1"))
    slow.send("/login", "=name=admin", "=password=")
    await until(lambda: slow.dones == 1)
    slow.transport.pause_reading()
    for number in range(8):
        slow.send("/ppp/secret/print", tag=f"p{number}")
    await until(lambda: router.counters.commands["/ppp/secret/print"] == 8)
    assert router.counters.rows < 160_000  # the rest waits for the reader
    slow.transport.resume_reading()
    await until(lambda: slow.dones == 9)
    assert router.counters.rows == 160_000


class Counting(Talker):
    """Looks only for the ends of answers."""

    dones = 0

    def data_received(self, data: bytes) -> None:
        self.dones += (bytes(self.raw[-5:]) + data).count(b"!done")
        self.raw = bytearray(data)


async def test_a_port_in_use_is_said(server: SimServer) -> None:
    blocker = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = blocker.sockets[0].getsockname()[1]
    with pytest.raises(InputError, match="cannot listen"):
        async with running(Options(base_port=port)):
            raise AssertionError("the port is taken")
    blocker.close()


async def test_tls_with_a_certificate(tmp_path: Any) -> None:
    context, client = certified(tmp_path)
    async with await SimServer.start([SimRouter("r1", tls=context)]) as server:
        talker = await login(server.tls_port("r1"), context=client)
        assert (await talker.rows("/user/active/print"))[0]["via"] == "api-ssl"
        await login(server.port("r1"))  # the plain port stays


def certified(folder: Any) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    from datetime import UTC, datetime, timedelta
    from ipaddress import IPv4Address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from imsys.sim.tls import certificate_context

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "router")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "c.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "k.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_context(folder / "c.pem", folder / "k.pem"), ssl.create_default_context(cafile=folder / "c.pem")


class Steering:
    """A client of the control port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def raw(self, line: str) -> dict[str, Any]:
        self._writer.write(line.encode() + b"\n")
        return json.loads(await self._reader.readline())  # type: ignore[no-any-return]

    async def ask(self, do: str, **values: Any) -> Any:
        answer = await self.raw(json.dumps({"do": do} | values))
        assert answer["ok"], answer
        return answer["result"]

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with running(Options(routers=2, subscribers=3, control_port=0, password="pw", redial_s=0.05)) as simulation:
        yield simulation


@pytest.fixture
async def steering(simulation: Simulation) -> AsyncIterator[Steering]:
    steering = Steering(*await asyncio.open_connection("127.0.0.1", simulation.control_port))
    yield steering
    steering.close()


async def test_the_control_port_shows(simulation: Simulation, steering: Steering) -> None:
    routers = await steering.ask("routers")
    assert [(router["name"], router["secrets"], router["online"]) for router in routers] == [("r1", 3, 3), ("r2", 3, 3)]
    talker = await login(routers[0]["port"], "pw")
    await talker.ret("/ppp/secret/set", "=.id=*1", "=password=new")
    counters = await steering.ask("counters", router="r1", reset=True)
    assert (counters["r1"]["writes"], counters["r1"]["logins"]) == (1, 1)
    assert (await steering.ask("counters", router="r1"))["r1"]["writes"] == 0
    (entry,) = (await steering.ask("journal", router="r1"))["r1"]
    assert (entry["path"], entry["ids"]) == ("/ppp/secret/set", ["*1"])
    assert "new" not in json.dumps(entry)
    assert (await steering.ask("journal", router="r1", since=entry["seq"]))["r1"] == []
    assert (await steering.ask("dump", router="r1"))["r1"]["/ppp/secret"][0]["name"] == "r1-u00001"
    assert len((await steering.ask("rows", router="r2", menu="/ppp/active"))["r2"]) == 3


async def test_the_control_port_breaks_and_mends(simulation: Simulation, steering: Steering) -> None:
    router, port = simulation.routers[0], simulation.ports()["r1"]
    talker = await login(port, "pw")
    numbers = await steering.ask("arm", fault="busy:verb=set", router="r1")
    await steering.ask("arm", kind="trap", **{"with": {"verb": "add", "message": "failure: no"}}, router="r1")
    assert "(13)" in await talker.trap("/ppp/secret/set", "=.id=*1", "=comment=x")
    assert await talker.trap("/ppp/secret/add", "=name=x") == "failure: no"
    faults = (await steering.ask("faults", router="r1"))["r1"]
    assert [(fault["kind"], fault["fired"]) for fault in faults] == [("busy", 1), ("trap", 1)]
    assert await steering.ask("disarm", number=numbers["r1"]) == 1
    assert await steering.ask("disarm", router="*") == 1
    await steering.ask("tamper", router="r1", menu="/ppp/secret", key="r1-u00002", fields={"disabled": "yes"}, by="eve")
    assert router.table("/ppp/secret").rows[1]["disabled"] == "true"
    await steering.ask("latency", router="*", command_s=0.001, row_s=0)
    assert simulation.routers[1].latency.command_s == 0.001
    await steering.ask("drop-links", router="r1")
    await talker.until_lost()
    await steering.ask("power-off", router="r1")
    assert not router.is_up
    await steering.ask("boot", router="r1")
    await steering.ask("reboot", router="r2", down_s=0.01)
    await until(lambda: simulation.routers[1].is_up)


async def test_the_control_port_has_the_cpes(simulation: Simulation, steering: Steering) -> None:
    assert (await steering.ask("cpes", router="r1"))["r1"]["r1-u00001"] is True
    await steering.ask("cpes", router="r1", how="hang-up", name="r1-u00001", redial=False)
    assert (await steering.ask("cpes", router="r1"))["r1"]["r1-u00001"] is False
    assert (await steering.ask("cpes", router="r1", how="dial", name="r1-u00001"))["r1"] is True
    await steering.ask("cpes", router="r1", how="remove", name="r1-u00001")
    assert (await steering.ask("cpes", router="r1", how="add-all"))["r1"] == 3


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"do": "dance"}',
        '{"do": "dump", "router": "r9"}',
        '{"do": "arm", "fault": "nope"}',
        '{"do": "rows", "menu": "/nope"}',
        '{"do": "tamper", "router": "r1", "menu": "/ppp/secret", "key": "nobody"}',
        '{"do": "cpes", "how": "fly"}',
    ],
)
async def test_mistakes_are_answers(steering: Steering, line: str) -> None:
    answer = await steering.raw(line)
    assert answer["ok"] is False
    assert answer["error"]
    assert await steering.ask("routers")


async def test_simulate_runs_until_it_is_stopped() -> None:
    stop, seen = asyncio.Event(), []
    options = Options(subscribers=2, faults=("delay:seconds=0,verb=print",), version="6.49.15", username="isp")
    task = asyncio.create_task(simulate(options, stop=stop, on_ready=seen.append))
    await until(lambda: bool(seen))
    (simulation,) = seen
    talker = await dial(simulation.ports()["r1"])
    await talker.ret("/login", "=name=isp", "=password=")
    assert len(await talker.rows("/ppp/secret/print")) == 2
    assert simulation.routers[0].counters.faults == {"delay": 1}
    stop.set()
    await asyncio.wait_for(task, BOUND_S)
    with pytest.raises(ConnectionRefusedError):
        await dial(simulation.ports()["r1"])


async def test_bad_options_are_said_before_anything_runs() -> None:
    for options in (Options(faults=("nope",)), Options(version="seven")):
        with pytest.raises(InputError):
            await simulate(options)
    assert len(KINDS) == 17


async def test_equal_seeds_make_equal_routers() -> None:
    dumps = []
    for seed in (1, 1, 2):
        async with running(Options(subscribers=3, seed=seed)) as simulation:
            router = simulation.routers[0]
            dumps.append((router.serial, [row["caller-id"] for row in router.table("/ppp/active").rows]))
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]


async def test_the_control_port_has_devices_and_flows(simulation: Simulation, steering: Steering) -> None:
    mac = "48:8F:5A:00:00:01"
    assert await steering.ask("devices", router="r1", how="add", mac=mac) == {"r1": "10.80.0.2"}
    assert await steering.ask("devices", router="r1") == {"r1": {mac: "10.80.0.2"}}
    assert await steering.ask("flows", router="r1", how="open", address="10.80.0.2") == {"r1": True}
    assert len((await steering.ask("flows", router="r1", how="list", address="10.80.0.2"))["r1"]) == 1
    rule = {"chain": "forward", "action": "drop", "src-address": "10.80.0.2"}
    await steering.ask("tamper", router="r1", menu="/ip/firewall/filter", verb="add", fields=rule)
    assert await steering.ask("flows", router="r1", address="10.80.0.2") == {"r1": True}  # fasttracked
    assert await steering.ask("devices", router="r1", how="ask", mac=mac) == {"r1": "10.80.0.2"}
    await steering.ask("devices", router="r1", how="unplug", mac=mac)
    assert await steering.ask("devices", router="r1") == {"r1": {mac: None}}
    await steering.ask("devices", router="r1", how="release", mac=mac)
