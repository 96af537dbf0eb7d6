"""An export of the older system becomes subscribers, routers and packages: all of it, or nothing."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from imsys.conf.secrets import vault
from imsys.network.models import Router
from imsys.onboarding.models import LegacyAccount, LegacyRouter
from imsys.subscribers.models import Package, Subscriber, Suspension
from imsys.timeline.models import Event
from imsys.vault.box import SUBSCRIBER_PASSWORD
from tests.integration.onboarding import Program

pytestmark = pytest.mark.django_db

ROUTERS = [
    {"_id": {"$oid": "r1"}, "name": "rt-1", "ipAddress": "192.0.2.1", "apiUsername": "api", "location": "Ngong hill"},
    {"_id": {"$oid": "r2"}, "name": "rt-2", "ipAddress": "192.0.2.2", "apiPort": 8730, "apiUsername": "api"},
]
PPPOE = {"serviceType": "pppoe", "name": "Home", "price": 20.5, "status": "active", "profile": "10M"}
PACKAGES = [
    {"_id": "p1", "mikrotikRouter": "r1", **PPPOE},
    {"_id": "p2", "mikrotikRouter": "r2", **PPPOE},
    {"_id": "p3", "mikrotikRouter": "r1", "serviceType": "static", "name": "Office", "price": 99, "rateLimit": "5M/5M"},
    {"_id": "p4", "mikrotikRouter": "r1", **PPPOE, "name": "Gone", "status": "disabled"},
]
PAST, FUTURE = {"$date": "2020-01-31T21:00:00Z"}, {"$date": "2090-01-31T21:00:00Z"}
USERS = [
    {
        **{"_id": {"$oid": "u1"}, "mikrotikRouter": {"$oid": "r1"}, "package": {"$oid": "p1"}, "serviceType": "pppoe"},
        **{"username": "ann", "pppoePassword": "ann-pw", "remoteAddress": "10.9.0.7", "officialName": "Ann Wanjiku"},
        **{"mobileNumber": 254712345678, "emailAddress": "ann@example.net", "apartment_house_number": "4B"},
        **{"door_number_unit_label": "12", "mPesaRefNo": "A-1", "expiryDate": FUTURE, "walletBalance": 12.30},
        **{"billingCycle": "monthly", "pendingPackage": "p3", "isOnline": True, "createdAt": PAST, "favourite": 1},
    },
    {
        **{"_id": "u2", "mikrotikRouter": "r2", "package": "p2", "serviceType": "pppoe", "username": "ben "},
        **{"pppoePassword": "ben-pw", "expiryDate": PAST, "isSuspended": True, "billingCycle": "whenever"},
    },
    {
        **{"_id": "u3", "mikrotikRouter": "r1", "package": "p3", "serviceType": "static", "username": "shop"},
        **{"ipAddress": "10.9.8.2", "expiryDate": FUTURE, "isSuspended": True, "isManuallyDisconnected": True},
    },
    {
        **{"_id": "u4", "mikrotikRouter": "r2", "package": "p2", "serviceType": "pppoe", "username": "dan"},
        **{"expiryDate": PAST, "walletBalance": -3},
    },
]


@pytest.fixture
def imsys(capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(capsys)


def files(folder: Path, *, users: list[Any] | None = None, lines: bool = False, **others: list[Any]) -> list[str]:
    """The options that name the files; `lines`: a document a line."""
    words = ["import-legacy"]
    for name, documents in {"users": users or USERS, "routers": ROUTERS, "packages": PACKAGES, **others}.items():
        file = folder / f"{name}.json"
        file.write_text("\n".join(map(json.dumps, documents)) if lines else json.dumps(documents))
        words += [f"--{name}", str(file)]
    return words


def passwords(folder: Path) -> list[str]:
    words = []
    for name in ("rt-1", "rt-2"):
        (folder / f"{name}.pw").write_text(f"{name}-r0uter\n")
        words += ["--router-password", f"{name}={folder / f'{name}.pw'}"]
    return words


@pytest.mark.parametrize("lines", [False, True])
def test_everything_comes_over(lines: bool, imsys: Program, tmp_path: Path) -> None:
    words = files(tmp_path, lines=lines)
    tried = imsys.json(*words, "--dry-run")
    assert (tried["subscribers"], tried["passwords_missing"], tried["problems"]) == (4, ["rt-1", "rt-2"], [])
    assert not Subscriber.objects.exists()
    assert not Router.objects.exists()
    done = imsys.json(*words, *passwords(tmp_path))
    again = imsys.json(*words)

    routers = Router.objects.order_by("name").values_list("name", "host", "port", "username", "mode")
    assert list(routers) == [
        ("rt-1", "192.0.2.1", 8728, "api", "observe"),
        ("rt-2", "192.0.2.2", 8730, "api", "observe"),
    ]
    assert LegacyRouter.objects.get().location == "Ngong hill"
    assert list(Package.objects.order_by("name").values_list("name", "profile", "rate_limit", "price", "days")) == [
        ("Home", "10M", "", Decimal("20.50"), 30),
        ("Office", "", "5M/5M", Decimal("99.00"), 30),
    ]
    _check_ann()
    assert set(Suspension.objects.values_list("subscriber__username", "cause", "note")) == {
        ("ben ", "expiry", ""),
        ("shop", "non-payment", ""),
        ("shop", "other", "disconnected by hand"),
    }
    assert not Subscriber.objects.get(username="dan").is_suspended
    assert LegacyAccount.objects.get(subscriber__username="dan").wallet_balance == -3
    assert (done["subscribers"], done["payment_references"]) == (4, 1)
    assert (done["balances"], done["balance_total"]) == (2, "9.3")
    assert (done["merged_packages"], done["unused_packages"]) == (1, ["Gone"])
    assert done["pending_packages"] == [{"username": "ann", "package": "Office"}]
    assert done["cycles_not_understood"] == {"whenever": 1}
    assert done["unknown"] == {"users.favourite": 1}
    assert done["dropped"] == {"users.createdAt": 1, "users.isOnline": 1}
    assert (again["subscribers"], again["already"], again["routers"], again["packages"]) == (0, 4, [], [])
    assert Subscriber.objects.count() == 4


def _check_ann() -> None:
    ann = Subscriber.objects.select_related("package", "router", "legacy_account").get(username="ann")
    assert (ann.router.name, ann.package.name, ann.service, ann.address) == ("rt-1", "Home", "pppoe", "10.9.0.7")
    assert (ann.full_name, ann.phone, ann.email) == ("Ann Wanjiku", "254712345678", "ann@example.net")
    assert ann.note == "house 4B, door 12"
    assert ann.expires_at is not None
    assert ann.expires_at.year == 2090
    assert ann.password_sealed is not None
    assert vault().open(ann.password_sealed, context=SUBSCRIBER_PASSWORD) == "ann-pw"
    account = ann.legacy_account
    assert (account.wallet_balance, account.payment_reference) == (Decimal("12.3"), "A-1")
    assert account.pending_package == "Office"


def test_one_bad_row_and_nothing_is_imported(imsys: Program, tmp_path: Path) -> None:
    users = [*USERS, {**USERS[0], "username": "ann2"}, {**USERS[0], "username": "x", "mPesaRefNo": ""}]
    words = files(tmp_path, users=users)
    events = Event.objects.count()
    outcome = imsys.json(*words, *passwords(tmp_path), code=1)
    found = [(problem["collection"], problem["number"]) for problem in outcome["problems"]]
    assert found == [("users", 5), ("users", 5), ("users", 6)]
    assert (outcome["subscribers"], outcome["routers"], outcome["packages"]) == (0, [], [])
    imsys(*words, *passwords(tmp_path), code=1)
    assert "users 6: 'x': The address 10.9.0.7" in imsys.err
    assert imsys.err.splitlines()[-1] == "error: 3 rows are wrong, nothing was imported. Correct the files."
    for model in (Subscriber, Router, Package, LegacyAccount):
        assert not model.objects.exists()  # type: ignore[attr-defined]
    assert Event.objects.count() == events


def test_a_router_without_a_password_stops_it(imsys: Program, tmp_path: Path) -> None:
    imsys(*files(tmp_path), *passwords(tmp_path)[:2], code=2)
    assert "The passwords of these routers are missing: rt-2." in imsys.err
    imsys(*files(tmp_path), "--router-password", "rt-1", code=2)
    assert "is not NAME=FILE" in imsys.err
    assert not Router.objects.exists()


def test_it_says_what_it_did(imsys: Program, tmp_path: Path) -> None:
    told = imsys(*files(tmp_path), *passwords(tmp_path))
    assert told.splitlines()[0] == "imported: 4 subscribers, 2 routers, 2 packages"
    assert "kept for billing, which is not there yet: 2 balances, 9.3 in all; 1 payment references" in told
    assert "from the next renewal on, by hand: ann to Office" in told
    assert "unknown, skipped: users.favourite of 1 rows" in told
    assert "ann-pw" not in told


def test_a_router_that_is_kept_already_elsewhere_is_a_problem(imsys: Program, tmp_path: Path) -> None:
    imsys(*files(tmp_path), *passwords(tmp_path))
    moved = [{**ROUTERS[0], "ipAddress": "192.0.2.9"}, ROUTERS[1]]
    outcome = imsys.json(*files(tmp_path, routers=moved), code=1)
    assert outcome["problems"][0]["text"].startswith("'rt-1': A router of this name is kept here already, at 192.0.2.1")
