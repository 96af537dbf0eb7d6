"""What a version number decides."""

import json
from pathlib import Path

import pytest

from imsys.kit.errors import InputError
from imsys.sim import SimRouter
from imsys.sim.behaviour import Version
from imsys.sim.menus import MENUS
from tests.unit.sim.talker import ManualClock, login

SCHEMA = Path(__file__).parents[4] / "shared" / "routeros-schema"
VERSIONS = ("7.9", "7.12.2", "7.16.2", "7.18.2", "7.20.8", "7.21.5", "7.22.3", "7.24")
# Not properties of a row but ways to name rows or places.
NOT_PROPERTIES = {"numbers", "copy-from", "place-before", "value-name", "dynamic"}
# Menus whose every property is here; of the others only those that matter for subscribers.
COMPLETE = (
    *("/ppp/secret", "/ppp/profile", "/ppp/active", "/ip/pool", "/user/group", "/system/identity"),
    *("/queue/simple", "/ip/dhcp-server", "/ip/dhcp-server/lease"),
    *("/ip/firewall/address-list", "/ip/firewall/filter", "/ip/firewall/connection"),
    *("/ip/hotspot", "/ip/hotspot/user", "/ip/hotspot/user/profile", "/ip/hotspot/ip-binding"),
)


@pytest.mark.parametrize(
    ("version", "kinds"), [("6.49.15", ["!done"]), ("7.17.2", ["!done"]), ("7.18", ["!empty", "!done"])]
)
async def test_a_print_without_rows(version: str, kinds: list[str]) -> None:
    talker = await login(SimRouter("r1", version=version))
    replies = await talker.say("/ppp/secret/print")
    assert [reply.kind for reply in replies] == kinds
    assert len({reply.tag for reply in replies}) == 1


@pytest.mark.parametrize(
    ("version", "date", "time_of_log", "older"),
    [
        ("6.49.15", "mar/09/2026", "12:00:00", "mar/09 12:00:00"),
        ("7.9", "mar/09/2026", "12:00:00", "mar/09 12:00:00"),
        ("7.16.2", "2026-03-09", "2026-03-09 12:00:00", "2026-03-09 12:00:00"),
    ],
)
async def test_dates(version: str, date: str, time_of_log: str, older: str, clock: ManualClock) -> None:
    router = SimRouter("r1", version=version, clock=clock)
    talker = await login(router)
    (row,) = await talker.rows("/system/clock/print")
    assert (row["date"], row["time"]) == (date, "12:00:00")
    assert (await talker.rows("/log/print"))[0]["time"] == time_of_log
    await clock.advance(86400)
    assert (await talker.rows("/log/print"))[0]["time"] == older
    router.seed_secrets(1)
    router.table("/ppp/secret").amend(1, last_logged_out="2023-05-01 20:52:13")
    shown = router.table("/ppp/secret").rows[0]["last-logged-out"]
    assert shown == ("2023-05-01 20:52:13" if version == "7.16.2" else "may/01/2023 20:52:13")


async def test_set_without_id_was_silent() -> None:
    router = SimRouter("r1", version="6.49.15")
    router.seed_secrets(1)
    talker = await login(router)
    assert [reply.kind for reply in await talker.say("/ppp/secret/set", "=comment=x")] == ["!done"]
    assert "comment" not in router.table("/ppp/secret").rows[0]


@pytest.mark.parametrize(
    ("version", "accepted"),
    [
        ("6.49.15", set()),
        ("7.16.2", set()),
        ("7.18.2", {"bridge-port-vid"}),
        ("7.20.8", {"bridge-port-vid", "dhcpv6-lease-time"}),
    ],
)
async def test_newer_fields_are_unknown_to_older_versions(version: str, accepted: set[str]) -> None:
    talker = await login(SimRouter("r1", version=version))
    for field, value in (("bridge-port-vid", "7"), ("dhcpv6-lease-time", "1d")):
        replies = await talker.say("/ppp/profile/add", f"=name={field}", f"={field}={value}")
        expected = "" if field in accepted else f"unknown parameter {field}"
        assert replies[0].message == expected


def test_the_service_address_has_another_name_from_7_24() -> None:
    old, new = (SimRouter("r1", version=version).table("/ip/service").rows[0] for version in ("7.22.3", "7.24"))
    assert ("address" in old, "available-from" in old) == (True, False)
    assert ("address" in new, "available-from" in new) == (False, True)


def test_versions_are_read() -> None:
    assert Version.parse("7.23.7 (long-term)").channel == "long-term"
    assert Version.parse("7.2rc5").number == (7, 2, 0)
    assert str(Version.parse("6.49.15")) == "6.49.15 (stable)"
    with pytest.raises(InputError, match=r"7\.16\.2"):
        Version.parse("seven")


async def test_resource_says_version_and_board(clock: ManualClock) -> None:
    router = SimRouter("r1", version="7.20.8", clock=clock, uptime_s=93784)
    (row,) = await (await login(router)).rows("/system/resource/print")
    assert (row["version"], row["uptime"], row["board-name"]) == ("7.20.8 (stable)", "1d2h3m4s", "RB4011iGS+")
    assert ".id" not in row
    board, chr_router = SimRouter("r1"), SimRouter("r2", board="CHR")
    assert board.table("/system/routerboard").rows[0]["serial-number"] == board.serial
    assert "software-id" in board.table("/system/license").rows[0]
    assert chr_router.table("/system/routerboard").rows[0]["routerboard"] == "false"
    assert "system-id" in chr_router.table("/system/license").rows[0]


@pytest.mark.skipif(not SCHEMA.is_dir(), reason="the extract of real routers' consoles is not beside the checkout")
@pytest.mark.parametrize("version", VERSIONS)
def test_arguments_are_those_of_real_routers(version: str) -> None:
    """Nothing is accepted that the router of that version does not know; in the complete menus nothing is missing."""
    schema = json.loads((SCHEMA / f"{version}.json").read_text())
    router = SimRouter("r1", version=version)
    wrong = {}
    for path in MENUS:
        if path not in schema:
            continue
        for verb in ("add", "set"):
            known = set(schema[path].get(verb, {}))
            writable = {column.name for column in router.table(path).shape.columns if not column.read_only}
            ours = writable if verb in MENUS[path].verbs else set()
            if extra := ours - known - ({"password"} if path == "/user" else set()):
                wrong[f"{path}/{verb}", "not on the router"] = extra
            if path in COMPLETE and (lacking := known - NOT_PROPERTIES - ours):
                wrong[f"{path}/{verb}", "missing here"] = lacking
    assert not wrong
