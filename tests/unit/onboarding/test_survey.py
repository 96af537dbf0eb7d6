"""Rows of a router, thought through: lines, conflicts, likely packages, the likely way of cutting off."""

from datetime import UTC, datetime
from typing import Any

import pytest

from imsys.onboarding.conflicts import conflicts
from imsys.onboarding.found import Found, find, queue_rate, readable
from imsys.onboarding.reading import Reading
from imsys.onboarding.snapshot import Survey, snapshot_of

SECRETS, QUEUES, LEASES = "/ppp/secret", "/queue/simple", "/ip/dhcp-server/lease"
USERS, PROFILES = "/ip/hotspot/user", "/ppp/profile"


def reading(lists: dict[str, list[str]] | None = None, **tables: list[dict[str, str]]) -> Reading:
    """Tables by their constant's name in lower case."""
    paths = {name.lower(): path for name, path in globals().items() if isinstance(path, str) and path.startswith("/")}
    rows = {paths[name]: found for name, found in tables.items()}
    return Reading(datetime.now(UTC), "core", "7.18.2", rows, lists or {})


def secret(name: str, **values: str) -> dict[str, str]:
    return {".id": "*1", "name": name, "service": "pppoe", "profile": "10M", "password": "pw"} | {
        key.replace("_", "-"): value for key, value in values.items()
    }


def queue(name: str, target: str, limit: str = "5000000/5000000", **values: str) -> dict[str, str]:
    return {"name": name, "target": target, "max-limit": limit} | {k.replace("_", "-"): v for k, v in values.items()}


def one(found: Reading) -> Found:
    (line,) = find(found)
    return line


def kinds(found: Reading) -> list[str]:
    return [conflict.kind for conflict in conflicts(found, find(found))]


def rows(found: Reading, known: dict[str, str] | None = None) -> dict[str, dict[str, str]]:
    return {row["username"]: row for row in snapshot_of(Survey.of(found), "core", known or {}).rows}


@pytest.mark.parametrize(
    ("row", "obstacle"),
    [
        (secret("ann"), ""),
        (secret("ann", service="any"), ""),
        (secret("ann", service="l2tp"), "it is a login for l2tp"),
        (secret("ann", profile="*5"), "its profile is gone: *5"),
        (secret("a\tb"), "The username holds a control character"),
        (secret("jos\udce9"), "The username is not UTF-8"),
        (secret("ann", profile="\udce9"), "The profile is not UTF-8"),
        (secret("x" * 65), "longer than 64"),
        (secret("ann", remote_address="2001:db8::1"), "is not an IPv4 address"),
    ],
)
def test_which_secrets_can_be_adopted(row: dict[str, str], obstacle: str) -> None:
    line = one(reading(secrets=[row]))
    assert obstacle in line.obstacle
    assert bool(obstacle) == bool(line.obstacle)
    assert [each["adopt"] for each in rows(reading(secrets=[row])).values()] == ["no" if obstacle else "yes"]


@pytest.mark.parametrize(
    ("row", "address", "obstacle"),
    [
        (queue("shop", "10.0.0.2/32"), "10.0.0.2", ""),
        (queue("shop", "10.0.0.2"), "10.0.0.2", ""),
        (queue("shop", "10.0.0.2/32", limit="fast"), "10.0.0.2", "its speeds are none that a package can have"),
        (queue("shop", "10.0.0.2/32", disabled="true"), "10.0.0.2", "its queue is disabled, and would be enabled"),
    ],
)
def test_which_queues_are_lines(row: dict[str, str], address: str, obstacle: str) -> None:
    line = one(reading(queues=[row]))
    assert (line.service, line.address, line.obstacle) == ("static", address, obstacle)


@pytest.mark.parametrize(
    "row",
    [
        queue("all", "10.0.0.0/24"),
        queue("port", "ether3"),
        queue("two", "10.0.0.2/32,10.0.0.3/32"),
        queue("six", "2001:db8::1/128"),
        queue("<pppoe-ann>", "10.0.0.2/32", dynamic="true"),
        queue("of ann", "10.0.0.9/32"),
    ],
)
def test_other_queues_are_no_lines(row: dict[str, str]) -> None:
    found = find(reading(queues=[row], secrets=[secret("ann", remote_address="10.0.0.9")]))
    assert [line.username for line in found] == ["ann"]


@pytest.mark.parametrize(
    ("row", "rate"),
    [
        ({"max-limit": "10000000/5000000"}, "10M/5M"),
        ({"max-limit": "0/0"}, "0/0"),
        ({}, "0/0"),
        ({"max-limit": "10000000/10000000", "limit-at": "2000000/2000000"}, "10M/10M 0/0 0/0 0/0 8 2M/2M"),
        (
            {
                **{"max-limit": "1000000/1000000", "burst-limit": "2000000/2000000", "burst-time": "8s/8s"},
                **{"burst-threshold": "500000/500000", "priority": "3/3"},
            },
            "1M/1M 2M/2M 500k/500k 8/8 3",
        ),
    ],
)
def test_a_queues_speeds_as_a_rate_limit(row: dict[str, str], rate: str) -> None:
    assert queue_rate(row) == rate


def test_a_device_comes_from_the_static_lease_of_the_address() -> None:
    leases = [{"address": "10.0.0.2", "mac-address": "00:0c:42:00:00:01"}]
    assert one(reading(queues=[queue("shop", "10.0.0.2/32")], leases=leases)).mac == "00:0C:42:00:00:01"
    dynamic = [{**leases[0], "dynamic": "true"}]
    assert one(reading(queues=[queue("shop", "10.0.0.2/32")], leases=dynamic)).mac == ""


@pytest.mark.parametrize(
    ("caller_id", "mac"), [("00:0C:42:00:00:01", "00:0C:42:00:00:01"), ("00:0c:42:00:00:01", ""), ("*", "")]
)
def test_a_lock_that_we_would_rewrite_stays_peoples(caller_id: str, mac: str) -> None:
    assert one(reading(secrets=[secret("ann", caller_id=caller_id)])).mac == mac


def test_hidden_passwords_are_none_and_a_password_of_stars_is_one() -> None:
    assert one(reading(secrets=[secret("ann", password="*****")])).password is None
    lines = find(reading(secrets=[secret("ann", password="*****"), secret("ben", password="pw")]))
    assert [line.password for line in lines] == ["*****", "pw"]
    assert "pw" not in repr(lines)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("José", "José"), ("Jos\udce9", "José"), ("\udc80", "€"), ("plain", "plain"), ("\udc81", "\ufffd")],
)
def test_comments_of_other_code_pages_are_readable(text: str, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize(
    ("tables", "kind"),
    [
        ({"secrets": [secret("ann"), secret("Ann")]}, ["alike"]),
        ({"secrets": [secret("ann"), secret("ann ")]}, ["alike", "blank"]),
        ({"secrets": [secret("ann")], "users": [{"name": "ann"}]}, ["same-name"]),
        (
            {"secrets": [secret("ann", remote_address="10.0.0.2"), secret("ben", remote_address="10.0.0.2")]},
            ["same-address"],
        ),
        ({"queues": [queue("a", "10.0.0.2"), queue("b", "10.0.0.2/32")]}, ["same-address"]),
        ({"secrets": [secret("ann", profile="*5"), secret("ben", profile="*5")]}, ["profile-gone"]),
        (
            {"queues": [queue("a", "10.0.0.2")], "leases": [{"address": "10.0.0.2", "rate-limit": "1M/1M"}]},
            ["disagree"],
        ),
        ({"queues": [queue("a", "10.0.0.2")], "leases": [{"address": "10.0.0.2", "disabled": "yes"}]}, ["disagree"]),
        ({"queues": [queue("a", "10.0.0.2")], "leases": [{"address": "10.0.0.2", "rate-limit": "5000k"}]}, []),
        ({"secrets": [secret("ann", remote_address="10.0.0.2")], "queues": [queue("a", "10.0.0.2")]}, []),
    ],
)
def test_conflicts(tables: dict[str, Any], kind: list[str]) -> None:
    assert kinds(reading(**tables)) == kind


def test_one_device_on_two_static_lines() -> None:
    leases = [{"address": f"10.0.0.{n}", "mac-address": "00:0C:42:00:00:01", "server": f"dhcp{n}"} for n in (2, 3)]
    found = reading(queues=[queue("a", "10.0.0.2"), queue("b", "10.0.0.3")], leases=leases)
    assert kinds(found) == ["same-device"]
    assert {row["adopt"] for row in rows(found).values()} == {"no"}


def suspension(found: Reading) -> tuple[str, str] | None:
    likely = Survey.of(found).suspension.likely
    return likely and (likely.by, likely.name)


def test_the_likely_way_of_cutting_off() -> None:
    debtors = [secret(f"u{number}", profile="Corte") for number in range(3)]
    profiles = [{"name": "10M", "rate-limit": "10M/10M"}, {"name": "Corte"}, {"name": "slow", "rate-limit": "64k/64k"}]
    assert suspension(reading(secrets=[secret("ann"), *debtors], profiles=profiles)) == ("profile", "Corte")
    assert suspension(reading(secrets=[secret("ann", disabled="true")], profiles=profiles)) == ("disable", "")
    listed = reading({"DEUDA": ["10.0.0.2"]}, secrets=[secret("ann", remote_address="10.0.0.2")])
    assert suspension(listed) == ("address-list", "DEUDA")
    assert suspension(reading(secrets=[secret("ann")], profiles=profiles)) is None


def test_a_slow_profile_alone_is_told_and_cuts_nobody_off() -> None:
    found = reading(secrets=[secret("ann", profile="slow")], profiles=[{"name": "slow", "rate-limit": "64k/64k"}])
    (way, _) = Survey.of(found).suspension.ways[::-1]
    assert (way.name, way.is_clear, way.grounds) == ("slow", False, "it is slow: 64k/64k")
    assert rows(found)["ann"]["adopt"] == "yes"


def test_packages_have_names_of_their_own() -> None:
    found = reading(
        secrets=[secret("ann", profile="10M"), secret("ben", profile="10M "), secret("cat", profile="5M/5M")],
        queues=[queue("shop", "10.0.0.2"), queue("cafe", "10.0.0.3", limit="0/0")],
    )
    packages = {(guess.profile, guess.rate): guess.name for guess in Survey.of(found).packages.values()}
    assert packages == {
        **{("", "0/0"): "0/0", ("", "5M/5M"): "5M/5M", ("10M", ""): "10M", ("10M ", ""): "10M (2)"},
        ("5M/5M", ""): "5M/5M (2)",
    }


def test_of_two_for_one_address_the_one_who_is_in_use_stays() -> None:
    both = [secret("ann", remote_address="10.0.0.2"), secret("ben", remote_address="10.0.0.2", disabled="yes")]
    assert {name: row["adopt"] for name, row in rows(reading(secrets=both)).items()} == {"ann": "yes", "ben": "no"}
    both[1]["disabled"] = "no"
    assert {row["adopt"] for row in rows(reading(secrets=both)).values()} == {"no"}


def test_who_is_a_subscriber_already_is_not_adopted() -> None:
    found = rows(reading(secrets=[secret("ann"), secret("ben")]), {"ann": "core", "ben": "other"})
    assert [found[name]["remark"] for name in ("ann", "ben")] == [
        *("is a subscriber already", "a subscriber of this name is on the router other")
    ]
