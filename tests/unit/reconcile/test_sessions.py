"""Whether a session that was ended is still there, where only its uptime tells it from the next one."""

from imsys.reconcile.sessions import HOTSPOT_ACTIVE, Session, sessions, still_there


def login(uptime: str) -> list[Session]:
    return sessions(HOTSPOT_ACTIVE, [{".id": "*A5A0002", "user": "ann", "uptime": uptime}])


def test_a_session_in_its_first_second_is_gone_when_the_router_said_so() -> None:
    """A device with a cookie is back at once, on the same row and with the same uptime."""
    young, told = login("0s"), {(HOTSPOT_ACTIVE.menu, "*A5A0002")}
    assert still_there(young, login("0s")) == login("0s")
    assert not still_there(young, login("0s"), told)
    assert still_there(login("5s"), login("5s"), told) == login("5s")
    assert not still_there(login("5s"), login("0s"), told)
