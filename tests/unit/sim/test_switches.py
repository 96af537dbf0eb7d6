"""Every switch of Behaviour does something, and its default is what most reports say."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from imsys.sim import Behaviour, SimRouter, SimTrap
from tests.unit.sim.talker import ManualClock, connect, login


def made(**switches: object) -> SimRouter:
    router = SimRouter("r1", version=str(switches.pop("version", "7.16.2")), behaviour=Behaviour(**switches))  # type: ignore[arg-type]
    router.table("/ppp/profile").add(name="gold")
    router.seed_secrets(2, name="u{number}")
    return router


def test_each_switch_is_tested() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert not [item.name for item in fields(Behaviour) if not re.search(rf"\b{item.name}\b", text)]


def test_same_name_other_service() -> None:
    with pytest.raises(SimTrap, match="same name"):
        made().table("/ppp/secret").add(name="u1", service="l2tp")
    made(same_name_other_service=True).table("/ppp/secret").add(name="u1", service="l2tp")


def test_prefix_match() -> None:
    made().table("/ppp/secret").add(name="x", profile="go")
    with pytest.raises(SimTrap, match="does not match any value of profile"):
        made(prefix_match=False).table("/ppp/secret").add(name="x", profile="go")


async def test_position_match() -> None:
    await (await login(made())).ret("/ppp/secret/remove", "=.id=0")
    assert await (await login(made(position_match=False))).trap("/ppp/secret/remove", "=.id=0") == "no such item"


def test_duplicate_profile_text() -> None:
    with pytest.raises(SimTrap, match="already have profile"):
        made(duplicate_profile_text="failure: already have profile with this name").table("/ppp/profile").add(
            name="gold"
        )


async def test_sensitive_placeholder() -> None:
    router = made(sensitive_placeholder="hidden")
    router.table("/user/group").add(name="isp", policy="api,read")
    router.table("/user").add(name="imsys", group="isp")
    (row, _) = await (await login(router, "imsys")).rows("/ppp/secret/print", "=.proplist=password")
    assert row == {"password": "hidden"}


@pytest.mark.parametrize(("version", "shown"), [("7.20.8", "secret-1"), ("7.21.5", "*****")])
async def test_hides_without_show_sensitive(version: str, shown: str) -> None:
    talker = await login(made(version=version, hides_without_show_sensitive=True))
    assert (await talker.rows("/ppp/secret/print", "?name=u1"))[0]["password"] == shown
    assert (await talker.rows("/ppp/secret/print", "=show-sensitive=", "?name=u1"))[0]["password"] == "secret-1"


def test_unset_address() -> None:
    assert "remote-address" not in made().table("/ppp/secret").rows[0]
    router = made(unset_address="zero")
    assert router.table("/ppp/secret").rows[0]["remote-address"] == "0.0.0.0"
    router.cpes.add("u1")
    assert router.cpes.dial("u1")
    assert router.table("/ppp/active").rows[0]["address"] == "10.64.0.2"


def test_never_logged_out() -> None:
    assert "last-logged-out" not in made().table("/ppp/secret").rows[0]
    assert made(never_logged_out="epoch").table("/ppp/secret").rows[0]["last-logged-out"] == "1970-01-01 00:00:00"
    old = made(version="6.49.15", never_logged_out="epoch").table("/ppp/secret").rows[0]
    assert old["last-logged-out"] == "jan/01/1970 00:00:00"


def test_active_shows_comment() -> None:
    for is_on in (False, True):
        router = made(active_shows_comment=is_on)
        router.table("/ppp/secret").set("u1", comment="flat 3")
        router.cpes.add("u1")
        router.cpes.dial("u1")
        assert router.table("/ppp/active").rows[0].get("comment") == ("flat 3" if is_on else None)


def test_local_address_required() -> None:
    for is_on in (False, True):
        router = made(local_address_required=is_on)
        router.table("/ppp/profile").set("default", local_address=None)
        router.cpes.add("u1")
        assert router.cpes.dial("u1") is not is_on


async def test_empty_after_write() -> None:
    for version, is_on, kinds in (
        ("7.18", True, ["!empty", "!done"]),
        ("7.16.2", True, ["!done"]),
        ("7.18", False, ["!done"]),
    ):
        talker = await login(made(version=version, empty_after_write=is_on))
        assert [reply.kind for reply in await talker.say("/ppp/secret/set", "=.id=*1", "=comment=x")] == kinds


async def test_missing_id() -> None:
    for switch, kinds in (("trap", ["!trap", "!done"]), ("silent", ["!done"]), ("auto", ["!trap", "!done"])):
        talker = await login(made(missing_id=switch))
        assert [reply.kind for reply in await talker.say("/ppp/secret/set", "=comment=x")] == kinds


def test_address_error_colon() -> None:
    with pytest.raises(SimTrap, match=r"argument remote-address:$"):
        made(address_error_colon=True).table("/ppp/secret").add(name="x", remote_address="")


async def test_failed_logins_before_fatal() -> None:
    talker = await connect(made(failed_logins_before_fatal=1))
    await talker.trap("/login", "=name=admin", "=password=no")
    talker.send("/login", "=name=admin", "=password=")
    await talker.until_lost()
    assert talker.replies[-1].kind == "!fatal"


async def test_renumber_on_reboot(clock: ManualClock) -> None:
    for is_on, wanted in ((False, ["*1", "*2"]), (True, ["*4", "*5"])):
        router = SimRouter("r1", clock=clock, behaviour=Behaviour(renumber_on_reboot=is_on))
        router.seed_secrets(2)
        router.table("/ppp/secret").add(name="gone")
        router.table("/ppp/secret").remove("gone")
        router.power_off()
        router.boot()
        assert [row[".id"] for row in router.table("/ppp/secret").rows] == wanted
        assert router.table("/ppp/secret").rows[0]["profile"] == "default"
