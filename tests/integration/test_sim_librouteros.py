"""librouteros, which knows nothing of us, finds a RouterOS on the simulator's ports."""

import ssl
from collections.abc import Iterator
from typing import Any

import librouteros
import pytest
from librouteros.exceptions import ConnectionClosed, FatalError, MultiTrapError, TrapError
from librouteros.login import token
from librouteros.query import Key

from imsys.sim import SimRouter, SimUser
from tests.integration.sim_thread import SimThread


@pytest.fixture(scope="module")
def sim() -> Iterator[SimThread]:
    with SimThread(SimRouter("r1", version="7.18.2", users={"admin": SimUser("pässword")})) as sim:
        yield sim


@pytest.fixture
def api(sim: SimThread) -> Iterator[Any]:
    def seed() -> None:
        table = sim.router.table("/ppp/secret")
        for row_id in list(table):
            table.delete(row_id)
        sim.router.seed_secrets(3, name="u{number}", password="p{number}")

    sim.call(seed)
    api = connect(sim)
    yield api
    api.close()


def connect(sim: SimThread, **more: Any) -> Any:
    more = {"password": "pässword", "port": sim.port, "encoding": "utf-8"} | more
    return librouteros.connect("127.0.0.1", "admin", **more)


def test_a_wrong_password(sim: SimThread) -> None:
    with pytest.raises(TrapError, match=r"invalid user name or password \(6\)"):
        connect(sim, password="wrong")


def test_the_login_before_6_43() -> None:
    with SimThread(SimRouter("old", version="6.42", users={"admin": SimUser("pw")})) as sim:
        api = connect(sim, password="pw", login_method=token)
        assert next(iter(api.path("system", "identity"))) == {"name": "old"}
        api.close()


def test_printing(api: Any) -> None:
    rows = list(api.path("ppp", "secret"))
    assert [row["name"] for row in rows] == ["u1", "u2", "u3"]
    assert rows[0]["disabled"] is False  # its own casting


def test_an_empty_answer(api: Any) -> None:
    assert list(api.path("ppp", "active")) == []  # `!empty` came first


def test_queries(api: Any) -> None:
    name, profile = Key("name"), Key("profile")
    found = api.path("ppp", "secret").select(name, Key(".id")).where(name == "u2", profile == "default")
    assert list(found) == [{"name": "u2", ".id": found_id(api, "u2")}]
    assert [row["name"] for row in api.path("ppp", "secret").select(name).where(name.In("u1", "u3"))] == ["u1", "u3"]


def found_id(api: Any, name: str) -> str:
    (row,) = api.rawCmd("/ppp/secret/print", "=.proplist=.id", f"?name={name}")
    return str(row[".id"])


def test_adding_changing_removing(api: Any) -> None:
    secrets = api.path("ppp", "secret")
    row_id = secrets.add(name="zoë", password="ü", comment="a=b", profile="default")
    with pytest.raises(TrapError, match="failure: secret with the same name already exists"):
        secrets.add(name="zoë")
    secrets.update(**{".id": row_id, "disabled": True, "comment": "é"})
    (row,) = api.rawCmd("/ppp/secret/print", "?name=zoë")
    assert (row["comment"], row["disabled"], row["password"]) == ("é", True, "ü")
    secrets.remove(row_id, found_id(api, "u1"))
    assert [row["name"] for row in secrets] == ["u2", "u3"]
    with pytest.raises(TrapError, match="no such item"):
        secrets.remove(row_id)


def test_counting(api: Any) -> None:
    assert list(api("/ppp/secret/print", **{"count-only": ""})) == [{"ret": 3}]


def test_unknown_commands(api: Any) -> None:
    with pytest.raises(MultiTrapError) as caught:
        list(api("/no/such/print"))
    assert [trap.message for trap in caught.value.traps] == [
        "no such command or directory (no)",
        "no such command prefix",
    ]
    assert len(list(api.path("ppp", "secret"))) == 3  # the connection goes on


def test_listening(sim: SimThread, api: Any) -> None:
    api.protocol.writeSentence("/ppp/secret/listen", "=.proplist=.id,comment", ".tag=l")
    other = connect(sim)
    other.path("ppp", "secret").update(**{".id": "u1", "comment": "x"})
    other.path("ppp", "secret").remove("u2")
    assert [api.protocol.readSentence() for _ in range(2)] == [
        ("!re", (".tag=l", f"=.id={found_id(other, 'u1')}", "=comment=x")),
        ("!re", (".tag=l", f"=.id={other_id(sim)}", "=.dead=true")),
    ]
    other.close()


def other_id(sim: SimThread) -> str:
    """The id that u2 had: the removal is the last entry of the journal."""
    return sim.call(lambda: sim.router.journal[-1].ids[0])


def test_quitting(sim: SimThread) -> None:
    api = connect(sim)
    with pytest.raises(FatalError, match="session terminated on request"):
        list(api("/quit"))
    api.close()


def test_a_lost_connection(sim: SimThread) -> None:
    api = connect(sim)
    sim.call(sim.router.drop_links)
    with pytest.raises((ConnectionClosed, OSError)):
        list(api.path("ppp", "secret"))
    api.close()


def test_anonymous_tls() -> None:
    with SimThread(SimRouter("r1", tls="anonymous")) as sim:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ADH:@SECLEVEL=0")
        api = connect(sim, password="", port=sim.tls_port, ssl_wrapper=context.wrap_socket)
        (row,) = api.path("user", "active")
        assert row["via"] == "api-ssl"
        api.close()
