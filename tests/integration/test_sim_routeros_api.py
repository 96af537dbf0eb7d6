"""RouterOS-api, another client that knows nothing of us, finds a RouterOS on the simulator's ports."""

from collections.abc import Iterator
from typing import Any

import pytest
import routeros_api
from routeros_api import query
from routeros_api.exceptions import RouterOsApiCommunicationError

from imsys.sim import SimRouter, SimUser
from tests.integration.sim_thread import SimThread


@pytest.fixture(scope="module")
def sim() -> Iterator[SimThread]:
    with SimThread(SimRouter("r1", users={"admin": SimUser("pw")})) as sim:
        sim.call(lambda: sim.router.seed_secrets(3, name="u{number}"))
        yield sim


def pool(sim: SimThread, password: str = "pw", **more: Any) -> Any:
    return routeros_api.RouterOsApiPool(
        "127.0.0.1", username="admin", password=password, port=sim.port, **({"plaintext_login": True} | more)
    )


@pytest.fixture
def secrets(sim: SimThread) -> Iterator[Any]:
    connection = pool(sim)
    yield connection.get_api().get_resource("/ppp/secret")
    connection.disconnect()


def test_a_wrong_password(sim: SimThread) -> None:
    connection = pool(sim, "wrong")
    with pytest.raises(RouterOsApiCommunicationError, match="invalid user name or password"):
        connection.get_api()
    connection.disconnect()


def test_the_login_before_6_43() -> None:
    with SimThread(SimRouter("old", version="6.40.9", users={"admin": SimUser("pw")})) as sim:
        connection = pool(sim, plaintext_login=False)
        assert connection.get_api().get_resource("/system/identity").get() == [{"name": "old"}]
        connection.disconnect()


def test_printing_and_queries(secrets: Any) -> None:
    assert [row["name"] for row in secrets.get()] == ["u1", "u2", "u3"]
    assert [row["id"] for row in secrets.get(name="u2")] == ["*2"]
    either = query.OrQuery(query.IsEqualQuery("name", "u1"), query.IsEqualQuery("name", "u3"))
    assert [row["name"] for row in secrets.call("print", {}, {}, [either])] == ["u1", "u3"]
    assert secrets.call("print", {"count-only": ""}).done_message["ret"] == "3"


def test_adding_changing_removing(secrets: Any) -> None:
    row_id = secrets.add(name="zoë", password="ü", comment="é").done_message["ret"]
    with pytest.raises(RouterOsApiCommunicationError, match="failure: secret with the same name already exists"):
        secrets.add(name="zoë")
    secrets.set(id=row_id, disabled="yes", comment="çà")
    (row,) = secrets.get(name="zoë")
    assert (row["disabled"], row["comment"], row["password"]) == ("true", "çà", "ü")
    secrets.remove(id=row_id)
    assert secrets.get(name="zoë") == []
    with pytest.raises(RouterOsApiCommunicationError, match=r"missing =\.id="):
        secrets.set(comment="x")


def test_answers_to_tagged_commands_may_be_taken_in_any_order(sim: SimThread) -> None:
    connection = pool(sim)
    api = connection.get_api()
    first = api.get_resource("/ppp/secret").get_async()
    second = api.get_resource("/system/identity").get_async()
    assert second.get() == [{"name": "r1"}]
    assert len(first.get()) == 3
    connection.disconnect()
