"""From a router that nobody has tidied for years to subscribers, and not one write to it on the way."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from imsys.conf.secrets import vault
from imsys.onboarding.mapfile import COLUMNS, FOR_PEOPLE
from imsys.onboarding.models import Capability
from imsys.sim import SimRouter, SimUser
from imsys.subscribers import services
from imsys.subscribers.models import Package, Subscriber, Suspension, SyncState
from imsys.timeline.models import Event
from imsys.vault.box import SUBSCRIBER_PASSWORD
from tests.integration import messy
from tests.integration.messy import messy_router
from tests.integration.onboarding import ACTOR, USERS, Program, kept

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

CONFIGURED = ("/ppp/secret", "/ppp/profile", "/queue/simple", "/ip/hotspot/user", "/ip/firewall/address-list")


@pytest.fixture
def imsys(capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(capsys)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def write(path: Path, rows: list[dict[str, str]], *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def asked(username: str, package: str, **cells: str) -> dict[str, str]:
    """A row of a map file."""
    row = dict.fromkeys(COLUMNS, "") | {"adopt": "yes", "service": "pppoe", "profile": "10M"}
    return row | {"username": username, "package": package} | cells


def small_router(**options: Any) -> SimRouter:
    """Two secrets and a queue."""
    sim = SimRouter("core", **({"users": USERS} | options))
    profile = sim.table("/ppp/profile").put(name="10M", rate_limit="10M/10M")
    for name, address, disabled in (("ann", "10.9.0.7", "false"), ("ben", None, "true")):
        values = {"name": name, "password": f"{name}-pw", "profile": profile, "remote_address": address}
        sim.table("/ppp/secret").put(**values, service="pppoe", disabled=disabled)
    sim.table("/queue/simple").put(name="shop", target="10.9.8.2/32", max_limit="5000000/5000000")
    return sim


@pytest.mark.parametrize("version", ["6.49.17", "7.12.1", "7.18.2"])
def test_a_messy_router_is_adopted_without_a_write_to_it(version: str, imsys: Program, tmp_path: Path) -> None:
    sim = messy_router(version)
    before = {menu: sim.table(menu).rows for menu in CONFIGURED}
    file = tmp_path / "core.csv"
    with kept(sim):
        assert imsys.json("router", "test", "core")["ok"]
        found = imsys.json("router", "snapshot", "core", "--csv", str(file))
        tried = imsys.json("router", "adopt", "core", "--map", str(file), "--dry-run")
        assert (Subscriber.objects.count(), Package.objects.count(), Event.objects.filter(what="added").count()) == (
            0,
            0,
            0,
        )
        done = imsys.json("router", "adopt", "core", "--map", str(file))
        again = imsys.json("router", "adopt", "core", "--map", str(file))
    assert len(sim.journal) == 0
    assert sim.counters.writes == 0
    assert {menu: sim.table(menu).rows for menu in CONFIGURED} == before

    wanted = found["lines"]["adopt"]
    assert {**tried, "dry_run": False} == done
    assert (done["subscribers"], done["problems"], again["subscribers"], again["already"]) == (wanted, [], 0, wanted)
    assert Subscriber.objects.count() == SyncState.objects.count() == wanted
    assert Capability.objects.count() == 1
    _check_the_subscribers()


def _check_the_subscribers() -> None:
    names = set(Subscriber.objects.values_list("username", flat=True))
    assert {"clean0000", "blank000 ", "twin000", "Twin000", "off000", "jose000", "shop00", "guest00"} <= names
    assert not {name for name in names if name.startswith(("lost", "se", "tunnel", "debtor")) and name[:6] != "second"}
    # of two for one address: who is online, or else the only one that is not cut off, or nobody
    assert "first000" in names
    assert {"first001", "first003"} <= names
    assert not {"second000", "second001", "first002", "second002"} & names
    blank = Subscriber.objects.select_related("package").get(username="blank002 ")
    assert (blank.package.name, blank.package.profile, blank.mac) == ("30MegasSt", "30MegasSt ", "00:0C:42:AA:BB:01")
    # as locks of ours these would be rewritten
    assert {Subscriber.objects.get(username=f"blank00{number} ").mac for number in (0, 1)} == {""}
    shop = Subscriber.objects.select_related("package").get(username="shop01")
    assert (shop.service, shop.address, shop.mac) == ("static", "10.40.0.2", "00:0C:42:00:00:01")
    assert (shop.package.rate_limit, shop.package.profile) == ("5M/20M", "")
    clean = Subscriber.objects.get(username="clean0001")
    assert clean.password_sealed is not None
    assert vault().open(clean.password_sealed, context=SUBSCRIBER_PASSWORD) == "pw-2"
    assert not Subscriber.objects.exclude(expires_at=None).exists()
    suspended = dict(Suspension.objects.values_list("subscriber__username", "note"))
    assert {name: note for name, note in suspended.items() if name.startswith("shop")} == {
        f"shop{number:02d}": "was on the list MOROSOS on the router" for number in range(messy.LISTED)
    }
    off = {name: note for name, note in suspended.items() if name.startswith("off")}
    assert off == {f"off{number:03d}": "was disabled on the router" for number in range(messy.DISABLED)}
    assert len(suspended) == len(off) + messy.LISTED == Subscriber.objects.filter(is_suspended=True).count()


@pytest.mark.django_db(transaction=True)
def test_after_adoption_the_plan_has_nothing_to_change_about_anybody(imsys: Program, tmp_path: Path) -> None:
    """Intent was made equal to what is there: what is left is that the rule stands below what it should be above."""
    sim, file = messy_router(), str(tmp_path / "core.csv")
    with kept(sim, suspend_list="MOROSOS"):
        imsys("router", "snapshot", "core", "--csv", file)
        imsys("router", "adopt", "core", "--map", file)
        (plan,) = imsys.json("plan", "--router", "core")["routers"]
        steps = [(step["menu"], step["action"], step["key"]) for step in plan["steps"]]
    assert steps == [("/ip/firewall/filter", "move", "MOROSOS")]
    assert len(sim.journal) == 0


def test_what_a_snapshot_tells(imsys: Program, tmp_path: Path) -> None:
    with kept(messy_router()):
        found = imsys.json("router", "snapshot", "core", "--csv", str(tmp_path / "core.csv"))
        told = imsys("router", "snapshot", "core")
    assert (found["identity"], found["counts"]["/ppp/secret"], found["counts"]["list MOROSOS"]) == ("core", 2000, 5)
    assert (found["lines"]["pppoe"], found["lines"]["static"], found["lines"]["hotspot"]) == (2000, 40, 33)
    kinds = {
        kind: sum(c["kind"] == kind for c in found["conflicts"]) for kind in {c["kind"] for c in found["conflicts"]}
    }
    assert kinds == {
        "alike": messy.TWINS,
        "blank": messy.WITH_BLANK,
        "same-address": messy.SAME_ADDRESS,
        "not-utf8": messy.NOT_UTF8,
        "profile-gone": 1,
        "same-name": 2,
        "disagree": 1,
    }
    packages = {package["package"]: package for package in found["packages"]}
    assert set(packages) == {"10M", "30MegasSt", "odd", "5M/20M", "2M/2M", "day"}
    assert (packages["10M"]["profile"], packages["10M"]["rate"]) == ("10M", "10M/10M")
    assert (packages["odd"]["rate"], packages["day"]["services"]) == ("", ["hotspot"])
    by = {(way["by"], way["name"]): way for way in found["suspension"]["ways"]}
    assert by["profile", "MOROSOS"]["lines"] == messy.WALLED
    assert by["profile", "MOROSOS"]["grounds"] == "its name says so; it is slow: 64k/64k"
    assert by["address-list", "MOROSOS"]["lines"] == messy.LISTED
    assert found["suspension"]["likely"] == {"by": "disable", "name": ""}
    assert found["without_row"] == ["by-radius"]
    assert found["online"] == ["clean0001", "clean0002", "first000"]
    assert found["passwords"] == {"shown": 2033, "hidden": 0, "blank": 0}
    assert "pw-1" not in str(found) + (tmp_path / "core.csv").read_text() + told
    assert "conflict: 100 of alike, such as: 'twin000' and 'Twin000' differ by case or blanks alone" in told
    (jose,) = [row for row in found["rows"] if row["username"] == "jose000"]
    assert jose["comment"] == "José Pérez"
    (voucher,) = [row for row in found["rows"] if row["username"] == "voucher"]
    told = "it has limits of its own, limit-uptime 1h: name a package that has them"
    assert (voucher["adopt"], voucher["remark"]) == ("no", told)
    (debtor,) = [row for row in found["rows"] if row["username"] == "debtor000"]
    assert (debtor["adopt"], debtor["package"], debtor["on_router"]) == ("no", "", "cut off: in the profile MOROSOS")


def test_a_snapshot_writes_nothing_but_what_the_router_can_do(imsys: Program) -> None:
    sim = small_router()
    with kept(sim):
        events = Event.objects.count()
        imsys("router", "snapshot", "core")
    assert (Event.objects.count(), Subscriber.objects.count(), Package.objects.count()) == (events, 0, 0)
    assert Capability.objects.count() == 1
    assert len(sim.journal) == 0


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), (";", "utf-8")])
def test_the_file_comes_back_from_a_spreadsheet(delimiter: str, encoding: str, imsys: Program, tmp_path: Path) -> None:
    file = tmp_path / "core.csv"
    with kept(small_router()):
        imsys("router", "snapshot", "core", "--csv", str(file))
        rows = rows_of(file)
        assert list(rows[0]) == [*COLUMNS, *FOR_PEOPLE]
        by_name = {row["username"]: row for row in rows}
        by_name["ann"] |= {
            "adopt": "TRUE",
            "full_name": "Ann; Wanjikũ",
            "phone": "+254 712",
            "expires_at": "2027-01-31",
        }
        by_name["ann"] |= {"package": "home", "price": "20.50"}
        by_name["ben"] |= {"adopt": "x", "suspended": "no", "package": "home-2"}
        by_name["shop"] |= {"adopt": "0"}
        write(file, rows, delimiter=delimiter, encoding=encoding)
        done = imsys.json("router", "adopt", "core", "--map", str(file))
    assert (done["subscribers"], done["suspended"], done["left_out"], done["packages"]) == (2, 0, 1, ["home", "home-2"])
    ann = Subscriber.objects.select_related("package").get(username="ann")
    assert (ann.full_name, ann.phone, ann.address) == ("Ann; Wanjikũ", "+254 712", "10.9.0.7")
    assert str(ann.package.price) == "20.50"
    assert ann.package.profile == "10M"
    assert ann.expires_at is not None
    assert not Subscriber.objects.filter(is_suspended=True).exists()


def test_a_past_end_suspends_nobody(imsys: Program, tmp_path: Path) -> None:
    rows = [asked("ann", "p", expires_at="2020-01-31")]
    with kept(small_router()):
        imsys("router", "adopt", "core", "--map", str(write(tmp_path / "core.csv", rows)))
    assert not Subscriber.objects.get(username="ann").is_suspended


def test_every_wrong_line_is_named_and_nothing_is_done(imsys: Program, tmp_path: Path) -> None:
    services.add_package(name="there", profile="20M", price=1, actor=ACTOR)
    rows = [
        asked("ann", "home"),
        asked("anm", "home"),
        asked("ben", "home", profile="30M"),
        asked("ann", "there"),
        asked("shop", "new", service="static", profile="", address="10.9.8.2"),
    ]
    bad = [
        asked("x", "", adopt=adopt, service="ipoe", rate="fast", address="1.2", profile="")
        for adopt in ("maybe", "yes", "no")
    ]
    with kept(small_router()):
        outcome = imsys.json("router", "adopt", "core", "--map", str(write(tmp_path / "a.csv", rows)), code=1)
        wrong = imsys.json("router", "adopt", "core", "--map", str(write(tmp_path / "b.csv", bad)), code=1)
        imsys("router", "adopt", "core", "--map", str(tmp_path / "b.csv"), code=1)
    assert [(problem["line"], problem["error"]) for problem in outcome["problems"]] == [
        (3, "The router has no secret 'anm'. Did you mean 'ann'?"),
        (4, "The router has no profile '30M' for it. Did you mean '10M'?"),
        (4, "The package 'home' has the profile '30M' here and '10M' in line 2."),
        (5, "'ann' stands in line 2 already."),
        (5, "The package 'there' is there already and refers to the profile '20M', not '10M'. Name another package."),
        (6, "The package 'new' is new: give its profile, or its rate."),
    ]
    assert {problem["line"] for problem in wrong["problems"]} == {2, 3}
    assert len(wrong["problems"]) == 5
    assert imsys.err.splitlines()[0].startswith(f"{tmp_path / 'b.csv'}:2: 'maybe' is neither yes nor no.")
    assert imsys.err.splitlines()[-1] == "error: 5 things are wrong, nobody was adopted. Correct the file."
    assert not Subscriber.objects.exists()
    assert Package.objects.count() == 1


def test_who_is_a_subscriber_elsewhere_is_not_adopted(imsys: Program, tmp_path: Path) -> None:
    services.add_package(name="p", profile="10M", price=1, actor=ACTOR)
    file = tmp_path / "core.csv"
    with kept(small_router()), kept(SimRouter("other", users=USERS), "other"):
        services.add_subscriber(username="ann", router="other", package="p", actor=ACTOR)
        imsys("router", "snapshot", "core", "--csv", str(file))
        rows = rows_of(file)
        (ann,) = [row for row in rows if row["username"] == "ann"]
        assert (ann["adopt"], ann["remark"]) == ("no", "a subscriber of this name is on the router other")
        ann["adopt"] = "yes"
        outcome = imsys.json("router", "adopt", "core", "--map", str(write(file, rows)), code=1)
    assert (len(outcome["problems"]), outcome["subscribers"], outcome["packages"]) == (1, 0, [])
    assert "'ann'" in outcome["problems"][0]["error"]
    assert Subscriber.objects.count() == 1


def test_hidden_passwords_stay_the_routers_own(imsys: Program, tmp_path: Path) -> None:
    policies = frozenset({"api", "read", "write", "test"})
    sim = small_router(users={"imsys": SimUser("r0uter", group="imsys", policies=policies)})
    file = tmp_path / "core.csv"
    with kept(sim):
        found = imsys.json("router", "snapshot", "core", "--csv", str(file))
        done = imsys.json("router", "adopt", "core", "--map", str(file))
    assert found["passwords"] == {"shown": 0, "hidden": 2, "blank": 0}
    assert (done["subscribers"], done["without_password"]) == (3, 2)
    assert not Subscriber.objects.exclude(password_mac=None).exists()


def test_a_router_without_hotspot_is_looked_at(imsys: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    from imsys.sim.menus import MENUS

    for menu in [menu for menu in MENUS if menu.startswith("/ip/hotspot")]:
        monkeypatch.delitem(MENUS, menu)
    with kept(small_router()):
        found = imsys.json("router", "snapshot", "core")
    assert "/ip/hotspot/user" in found["missing"]
    assert found["lines"]["hotspot"] == 0


def test_what_cannot_be_a_map_file(imsys: Program, tmp_path: Path) -> None:
    file = tmp_path / "core.csv"
    with kept(small_router()):
        imsys("router", "adopt", "core", "--map", str(file), code=2)
        for content, text in (
            (b"username,service\nann,pppoe\n", "The column 'adopt' is missing."),
            (b"adopt,username,service,package,adress\n", "There is no column 'adress'. Did you mean 'address'?"),
            (b"adopt,username,service,package\nyes,jos\xe9,pppoe,p\n", ":2: The line is not UTF-8."),
            (b"", "The column 'adopt' is missing."),
        ):
            file.write_bytes(content)
            imsys("router", "adopt", "core", "--map", str(file), code=1)
            assert text in imsys.err
