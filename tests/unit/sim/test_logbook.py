"""What the log says, by version, and what another person's hand leaves behind."""

import pytest

from imsys.sim import Behaviour, SimRouter, SimTrap
from imsys.sim.logbook import KEPT_LINES
from tests.unit.sim.talker import login


def messages(router: SimRouter) -> list[str]:
    return [row["message"] for row in router.table("/log").rows if row["topics"] == "system,info"]


async def work(router: SimRouter) -> None:
    talker = await login(router)
    await talker.ret("/ppp/secret/add", "=name=ann", "=password=hush")
    await talker.ret("/ppp/secret/set", "=.id=*1", "=profile=default")
    await talker.ret("/ppp/secret/disable", "=.id=*1")
    await talker.ret("/ppp/secret/remove", "=.id=*1")


async def test_v7_names_user_way_and_command() -> None:
    router = SimRouter("r1")
    await work(router)
    assert messages(router) == [
        "ppp secret <ann> added by api:admin@:: (*1 = /ppp secret add name=ann password=hush)",
        "ppp secret <ann> changed by api:admin@::/action:242 (/ppp secret set ann profile=default)",
        "ppp secret <ann> changed by api:admin@::/action:243 (/ppp secret disable ann)",
        "ppp secret <ann> removed by api:admin@::/action:244 (/ppp secret remove ann)",
    ]


async def test_v6_names_only_the_user() -> None:
    router = SimRouter("r1", version="6.49.15")
    await work(router)
    assert messages(router) == [
        "ppp secret <ann> added by admin",
        "ppp secret <ann> changed by admin",
        "ppp secret <ann> changed by admin",
        "ppp secret <ann> removed by admin",
    ]


async def test_switches_of_the_log() -> None:
    router = SimRouter("r1", behaviour=Behaviour(log_passwords=False, noop_set_logs=False, log_line_max_chars=60))
    await work(router)
    assert "".join(messages(router)).startswith(
        "ppp secret <ann> added by api:admin@:: (*1 = /ppp secret add name=ann password=*****)"
    )
    assert max(map(len, messages(router))) == 60
    assert "profile=default" not in "".join(messages(router))


@pytest.mark.parametrize(
    ("version", "via", "address", "line"),
    [
        ("6.49.15", "winbox", "192.168.88.10", "ppp secret <u1> changed by juma"),
        (
            "7.16.2",
            "winbox",
            "192.168.88.10",
            "ppp secret <u1> changed by tcp-msg(winbox):juma@192.168.88.10/action:241 (/ppp secret set u1 disabled=no)",
        ),
        (
            "7.16.2",
            "mac-winbox",
            "54:14:F3:00:00:01",
            "ppp secret <u1> changed by mac-msg(winbox):juma@54:14:F3:00:00:01/terminal/action:241"
            " (/ppp secret set u1 disabled=no)",
        ),
    ],
)
def test_tampering(version: str, via: str, address: str, line: str) -> None:
    router = SimRouter("r1", version=version)
    router.seed_secrets(2, name="u{number}")
    router.table("/ppp/secret").amend(1, disabled="true")
    router.tamper("/ppp/secret", "u1", {"disabled": "no"}, via=via, address=address)
    router.tamper("/ppp/secret", "u2", verb="remove", via=via, address=address)
    assert messages(router)[0] == line
    (person,) = router.table("/user/active").rows
    assert (person["name"], person["via"], person["address"]) == ("juma", "winbox", address)
    assert [(entry.user, entry.via, entry.path) for entry in router.journal] == [
        ("juma", via, "/ppp/secret/set"),
        ("juma", via, "/ppp/secret/remove"),
    ]
    assert router.counters.writes == 0  # those are not ours
    with pytest.raises(SimTrap, match="same name"):
        router.tamper("/ppp/secret", "u1", verb="add")


def test_passwords_are_not_in_the_journal() -> None:
    router = SimRouter("r1")
    router.table("/ppp/secret").add(name="ann", password="hush")
    assert "hush" not in repr(list(router.journal))
    assert "hush" not in repr(router.cpes.add("ann"))


def test_the_log_keeps_its_last_thousand() -> None:
    router = SimRouter("r1")
    for number in range(KEPT_LINES + 50):
        router.log.write("system,info", str(number))
    rows = router.table("/log").rows
    assert len(rows) == KEPT_LINES
    assert (rows[0]["message"], rows[-1]["message"]) == ("50", "1049")


def test_a_dump_is_configuration_only() -> None:
    router = SimRouter("r1")
    router.seed_secrets(2)
    router.cpes.add_all()
    dump = router.dump()
    assert [row["name"] for row in dump["/interface"]] == [f"ether{number}" for number in range(1, 6)]
    assert dump["/interface/pppoe-server"] == []
    assert "/ppp/active" not in dump
    assert len(dump["/ppp/secret"]) == 2
