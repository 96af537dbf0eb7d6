"""The older system's exports as text: the notation of mongoexport, exact amounts, cycles, and how packages merge."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from imsys.onboarding.legacy.documents import parse, plain
from imsys.onboarding.legacy.export import Export, load
from imsys.onboarding.legacy.records import cycle_days

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ROUTER = {"_id": {"$oid": "r1"}, "name": "rt-1", "ipAddress": "10.0.0.1", "apiUsername": "api", "apiPassword": "x"}
PACKAGE = {"_id": {"$oid": "p1"}, "mikrotikRouter": {"$oid": "r1"}, "serviceType": "pppoe", "name": "Home"}
PACKAGE |= {"price": 20, "status": "active", "profile": "10M"}
USER = {"_id": {"$oid": "u1"}, "mikrotikRouter": {"$oid": "r1"}, "package": {"$oid": "p1"}, "serviceType": "pppoe"}
USER |= {"username": "ann", "pppoePassword": "ann-pw"}


def export(users: list[Any], packages: list[Any] | None = None, *, tenant: str | None = None) -> Export:
    files = {"users": users, "packages": [PACKAGE] if packages is None else packages, "routers": [ROUTER]}
    content = {name: json.dumps(documents).encode() for name, documents in files.items()}
    return load(content, tenant=tenant, zone=UTC, now=NOW)


@pytest.mark.parametrize(
    "content",
    [
        b'[{"a": 1}, {"a": 2}]',
        b'{"a": 1}\n{"a": 2}\n',
        b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}',
        b'{\n  "a": 1\n},\n{\n  "a": 2\n}\n',
    ],
)
def test_an_array_or_a_document_a_line(content: bytes) -> None:
    documents, problems = parse(content, "users")
    assert ([(each.number, each.fields) for each in documents], problems) == ([(1, {"a": 1}), (2, {"a": 2})], [])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'[{"a": 1}, 7]', "users 2: This is no document: a JSON object is wanted."),
        (b'{"a": 1}\n{"a": ', "users: The file is not JSON in line 2: Expecting value."),
        (b'{"a": "jos\xe9"}', "users: The file is not UTF-8."),
    ],
)
def test_what_is_no_export(content: bytes, text: str) -> None:
    assert str(parse(content, "users")[1][0]) == text


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [
        ({"$oid": "64b"}, "64b"),
        ({"$date": "2026-03-31T20:59:59.999Z"}, "2026-03-31T20:59:59.999Z"),
        ({"$date": {"$numberLong": "1774990799999"}}, datetime(2026, 3, 31, 20, 59, 59, 999000, tzinfo=UTC)),
        ({"$date": 0}, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"$numberDecimal": "12.30"}, Decimal("12.30")),
        ({"$numberInt": "7"}, Decimal(7)),
        ({"a": 1}, {"a": 1}),
        ("text", "text"),
    ],
)
def test_extended_json(value: Any, is_plain: Any) -> None:
    assert plain(value) == is_plain


@pytest.mark.parametrize(
    ("text", "days"),
    [
        *(
            ("30", 30),
            ("monthly", 30),
            ("Monthly ", 30),
            ("7 days", 7),
            ("2 weeks", 14),
            ("1 month", 30),
            ("weekly", 7),
        ),
        *(("yearly", 365), ("quarterly", 90), ("1d", 1), ("0", None), ("when he pays", None), ("", None)),
    ],
)
def test_cycles(text: str, days: int | None) -> None:
    assert cycle_days(text) == days


@pytest.mark.parametrize("written", ["-12.345678901234567", "0.1", "1e2", "1234567890123456789"])
def test_a_balance_stays_exact(written: str) -> None:
    content = json.dumps([USER]).replace('"ann-pw"', f'"ann-pw", "walletBalance": {written}').encode()
    files = {"users": content, "packages": json.dumps(PACKAGE).encode(), "routers": json.dumps(ROUTER).encode()}
    found = load(files, tenant=None, zone=UTC, now=NOW)
    assert found.users[0].wallet_balance == Decimal(written)


@pytest.mark.parametrize("balance", [True, "much", {"$numberDecimal": "NaN"}, {"$numberDecimal": "1e-19"}])
def test_a_balance_that_cannot_be_kept_is_a_bad_row(balance: Any) -> None:
    assert [problem.number for problem in export([{**USER, "walletBalance": balance}]).problems] == [1]


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ({"$date": "2026-03-31T20:59:59.999Z"}, datetime(2026, 3, 31, 20, 59, 59, 999000, tzinfo=UTC)),
        ("2026-03-31T23:00:00+03:00", datetime(2026, 3, 31, 20, tzinfo=UTC)),
        ("2026-03-31", datetime(2026, 4, 1, tzinfo=UTC)),
        (None, None),
    ],
)
def test_dates(date: Any, at: datetime | None) -> None:
    assert export([{**USER, "expiryDate": date}]).users[0].expires_at == at


def test_packages_that_are_alike_are_one() -> None:
    packages = [
        PACKAGE,
        {**PACKAGE, "_id": "p2"},
        {**PACKAGE, "_id": "p3", "price": 25},
        {**PACKAGE, "_id": "p4", "serviceType": "static", "rateLimit": "10M/10M"},
        {**PACKAGE, "_id": "p5", "status": "disabled", "name": "Old"},
    ]
    found = export([{**USER, "username": f"u{number}", "package": f"p{number}"} for number in (1, 2, 3, 4)], packages)
    assert found.problems == []
    assert [(each.name, each.profile, each.rate, each.price) for each in found.packages] == [
        ("Home", "10M", "", "20"),
        ("Home (rt-1)", "10M", "", "25"),
        ("Home (2)", "", "10M/10M", "20"),
    ]
    assert found.package_names == {"p1": "Home", "p2": "Home", "p3": "Home (rt-1)", "p4": "Home (2)"}
    assert found.unused_packages == ["Old"]


def test_days_where_all_agree() -> None:
    def days(*cycles: str) -> int:
        users = [{**USER, "username": f"u{n}", "billingCycle": cycle} for n, cycle in enumerate(cycles)]
        return export(users).packages[0].days

    assert (days("7", "weekly"), days("7", "30"), days("7", "odd"), days()) == (7, 30, 30, 30)
    assert export([{**USER, "billingCycle": "odd"}]).cycles == {"odd": 1}


def test_one_tenant_at_a_time() -> None:
    users = [{**USER, "tenant": {"$oid": "t1"}}, {**USER, "username": "ben", "tenant": "t2"}]
    assert [str(each) for each in export(users).problems] == [
        "users: The file holds 2 tenants: t1, t2. Name one with --tenant."
    ]
    found = export(users, tenant="t2")
    assert ([user.username for user in found.users], found.other_tenants) == (["ben"], 1)
    assert export(users, tenant="t3").problems


def test_bad_rows_are_named_each_with_its_number() -> None:
    users = [
        {**USER, "username": ""},
        {**USER, "serviceType": "hotspot"},
        {**USER, "package": "p9"},
        {**USER, "isSuspended": "perhaps"},
        {**USER, "expiryDate": "soon"},
        {**USER, "username": "ben", "mPesaRefNo": "A1"},
        {**USER, "username": "cat", "mPesaRefNo": "A1"},
    ]
    found = export(users)
    assert sorted(each.number for each in found.problems) == [1, 2, 3, 4, 5, 7]


def test_what_is_unknown_and_what_is_dropped_is_counted() -> None:
    found = export([{**USER, "isOnline": True, "__v": 0}, {**USER, "username": "ben", "__v": 1}])
    assert found.notes.unknown == {"users.__v": 2}
    assert found.notes.dropped == {"routers.apiPassword": 1, "users.isOnline": 1}


def test_no_password_in_a_repr() -> None:
    found = export([USER])
    assert "ann-pw" not in repr(found.users)
