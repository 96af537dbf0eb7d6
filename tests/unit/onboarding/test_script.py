"""The script that lets IMSys in: routers know its commands, and what they mean is done on a simulated one."""

import json
import re
from pathlib import Path

import pytest

from imsys.kit.errors import InputError
from imsys.onboarding.rights import POLICIES
from imsys.onboarding.script import Access, check_addresses, quoted, script
from imsys.sim import SimRouter
from imsys.sim.accounts import parse_policies
from tests.unit.onboarding.console import commands, play

SCHEMAS = Path(__file__).parents[4] / "shared" / "routeros-schema"
ACCESS = Access("imsys", "s3cret", ("192.0.2.10/32",))


def group(sim: SimRouter) -> frozenset[str]:
    row = sim.table("/user/group").find(name="imsys")
    assert row is not None
    return parse_policies(row["policy"])


@pytest.mark.parametrize("version", ["6.49.17", "7.12.1", "7.18.2"])
def test_it_makes_a_group_with_those_rights_alone_and_a_user_in_it(version: str) -> None:
    sim = SimRouter("rt-1", version=version)
    play(script(ACCESS), sim)
    assert group(sim) == set(POLICIES)
    user = sim.table("/user").find(name="imsys")
    assert user is not None
    assert (user["group"], user["address"], user["disabled"]) == ("imsys", "192.0.2.10/32", "false")


def test_a_second_time_changes_nothing() -> None:
    sim = SimRouter("rt-1")
    play(script(ACCESS), sim)
    once = sim.dump()
    play(script(ACCESS), sim)
    assert sim.dump() == once


def test_a_group_that_was_there_loses_what_is_not_needed() -> None:
    sim = SimRouter("rt-1")
    sim.table("/user/group").add(name="imsys", policy="api,read,policy,winbox,ftp")
    play(script(ACCESS), sim)
    assert group(sim) == set(POLICIES)


def test_a_disabled_api_is_enabled() -> None:
    sim = SimRouter("rt-1")
    sim.table("/ip/service").set("api", disabled="yes")
    play(script(ACCESS), sim)
    row = sim.table("/ip/service").find(name="api")
    assert row is not None
    assert row["disabled"] == "false"


def test_somebody_elses_user_is_left_alone() -> None:
    """What changes a user stands behind the question whether it is in our group."""
    (line,) = [line for line in script(Access("admin", "pw")).splitlines() if "/user set" in line]
    assert line.startswith(':if ([:len [/user find name="admin" group="imsys"]] = 0) do={:put "The user admin is')


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="the extracts of routers' own consoles are not here")
@pytest.mark.parametrize("tls", ["off", "anonymous", "pin"])
def test_routers_know_every_command(tls: str) -> None:
    for path in sorted(SCHEMAS.glob("*.json")):
        schema = json.loads(path.read_text())
        for menu, verb, _, fields in commands(script(Access("imsys", "pw", tls=tls))):  # type: ignore[arg-type]
            if menu != "/certificate":  # no part of the extracts
                assert verb in schema[menu], (path.name, menu, verb)
                assert set(fields) <= set(schema[menu][verb]), (path.name, menu, verb)


def test_the_commands_of_each_way_in() -> None:
    def named(tls: str) -> list[tuple[str, str]]:
        return [(menu, verb) for menu, verb, _, _ in commands(script(Access("imsys", "pw", tls=tls)))]  # type: ignore[arg-type]

    of_group_and_user = [("/user/group", "add"), *[("/user/group", "set")] * 2, ("/user", "add"), ("/user", "set")]
    assert named("off") == [*of_group_and_user, ("/ip/service", "set")]
    assert named("anonymous") == named("off")
    of_a_certificate = [("/certificate", "add"), ("/certificate", "sign"), ("/ip/service", "set")]
    assert named("pin") == named("verify") == [*of_group_and_user, *of_a_certificate, ("/ip/service", "set")]
    assert "fingerprint" in script(Access("imsys", "pw", tls="pin")).splitlines()[-3]


def test_every_line_stands_by_itself() -> None:
    for line in script(Access("imsys", "pw", tls="pin")).splitlines():
        bare = re.sub(r'"(?:\\.|[^"\\])*"', "", line)
        assert line.startswith("#") or bare.count("{") == bare.count("}")
        assert line.startswith("#") or bare.count("[") == bare.count("]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain", '"plain"'), ('a"b\\c', '"a\\"b\\\\c"'), ("$5?", '"\\$5\\?"'), ("ñ", '"\\C3\\B1"'), ("a b{}", '"a b{}"')],
)
def test_what_a_terminal_would_take_for_its_own_is_escaped(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_addresses_and_networks() -> None:
    assert check_addresses(["192.0.2.10", "10.0.0.9/8", "2001:db8::1"]) == [
        *("192.0.2.10/32", "10.0.0.0/8", "2001:db8::1/128")
    ]
    with pytest.raises(InputError, match="no address or network"):
        check_addresses(["core.example"])


def test_no_password_in_a_repr_and_no_line_break_in_one() -> None:
    assert "s3cret" not in repr(ACCESS)
    for username, password in (("imsys", "a\nb"), ("", "pw"), ("im\tsys", "pw")):
        with pytest.raises(InputError):
            Access(username, password)
