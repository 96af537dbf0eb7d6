"""Subscribers from a file: all or none, and every fault named at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from imsys.conf.secrets import vault
from imsys.kit.errors import InputError
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber, Suspension, SyncState
from imsys.timeline.models import Event

ACTOR = "cli:ann"
HEADER = "username,password,service,router,package,address,mac,suspended,expires_at,full_name,phone,email\n"


@pytest.fixture(autouse=True)
def isp(db: None) -> None:
    add_router(name="rt-1", host="127.0.0.1", username="api", password="", actor=ACTOR)
    add_router(name="rt-2", host="127.0.0.1", username="api", password="", actor=ACTOR)
    services.add_package(name="10M", rate_limit="10M/10M", price=20, actor=ACTOR)


def load(rows: str, *, dry_run: bool = False) -> services.ImportReport:
    return services.import_rows((HEADER + rows).encode(), dry_run=dry_run, actor=ACTOR)


def test_adds_them_all(tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    file.write_text(
        "\ufeff" + HEADER + "ann,s3cret,pppoe,rt-1,10M,10.0.0.7,,no,2027-03-31,\"Ann, of Ngong\",0722,a@b.ke\r\n"
        "\n"
        "bob,,,rt-2,10M,,,yes,,,,\n"
    )  # fmt: skip
    report = services.import_rows(file, actor=ACTOR)
    assert (report.added, report.errors, report.change is None) == (2, [], False)
    ann, bob = Subscriber.objects.order_by("username")
    assert (ann.router.name, ann.package.name, ann.address, ann.full_name) == (
        "rt-1",
        "10M",
        "10.0.0.7",
        "Ann, of Ngong",
    )
    assert ann.expires_at == datetime(2027, 4, 1, tzinfo=UTC)
    assert ann.password_sealed is not None
    assert vault().open(ann.password_sealed, context="subscriber-password") == "s3cret"
    assert ann.password_mac is not None
    assert bytes(ann.password_mac) == vault().fingerprint("s3cret")
    assert (bob.is_suspended, bob.password_mac, bob.service) == (True, None, "pppoe")
    assert Suspension.objects.get().subscriber == bob
    assert SyncState.objects.filter(sync_status="pending", generation=1, next_attempt_at__isnull=False).count() == 2
    assert Event.objects.filter(what="added", actor=ACTOR).count() == 2


def test_every_service_comes_in() -> None:
    report = load(
        "pat,s3cret,pppoe,rt-1,10M,,000c421a2b3c,,,,,\n"
        "sam,,static,rt-1,10M,10.0.0.7,00-0C-42-1A-2B-3C,,,,,\n"
        "hal,pw,hotspot,rt-1,10M,,00:0c:42:1a:2b:3d,yes,,,,\n"
    )
    assert (report.added, report.errors) == (3, [])
    assert list(Subscriber.objects.order_by("username").values_list("username", "service", "address", "mac")) == [
        ("hal", "hotspot", "", "00:0C:42:1A:2B:3D"),
        ("pat", "pppoe", "", "00:0C:42:1A:2B:3C"),
        ("sam", "static", "10.0.0.7", "00:0C:42:1A:2B:3C"),
    ]
    event = Event.objects.get(what="added", username="sam")
    assert event.after is not None
    assert (event.after["service"], event.after["mac"]) == ("static", "00:0C:42:1A:2B:3C")


def test_what_a_service_asks_for_is_told_by_line() -> None:
    mac = "00:0C:42:1A:2B:3C"
    services.add_subscriber(username="old", router="rt-1", package="10M", service="hotspot", mac=mac, actor=ACTOR)
    report = load(
        "sam,,static,rt-1,10M,,,,,,,\n"
        "hal,,hotspot,rt-1,10M,10.0.0.7,,,,,,\n"
        f"hank,,hotspot,rt-1,10M,,{mac},,,,,\n"
        f"pat,,,rt-1,10M,,{mac},,,,,\n"
        f"pia,,,rt-1,10M,,{mac},,,,,\n"
        f"far,,hotspot,rt-2,10M,,{mac},,,,,\n"
        f"near,,static,rt-2,10M,10.0.0.8,{mac},,,,,\n"
    )
    assert [line for line, _ in report.errors] == [2, 3, 4, 8]
    words = ["needs its address", "no address of its own", "belongs to the subscriber 'old'", "subscriber 'far'"]
    for (_, text), word in zip(report.errors, words, strict=True):
        assert word in text


def test_columns_may_be_left_out_and_stand_in_any_order() -> None:
    report = services.import_rows(b"package,router,username\n10M,rt-1,ann\n", actor=ACTOR)
    assert report.added == 1


def test_a_dry_run_counts_and_adds_nothing() -> None:
    assert load("ann,,,rt-1,10M,,,,,,,\n", dry_run=True) == services.ImportReport(1)
    assert not Subscriber.objects.exists()


def test_names_every_fault_with_its_line_and_adds_nobody() -> None:
    services.add_subscriber(username="old", router="rt-1", package="10M", address="10.0.0.9", actor=ACTOR)
    report = load(
        "good,,,rt-1,10M,,,,,,,\n"  # 2
        "old,,,rt-1,10M,,,,,,,\n"
        "OLD,,,rt-1,10M,,,,,,,\n"
        "good,,,rt-2,10M,,,,,,,\n"
        "Good,,,rt-2,10M,,,,,,,\n"
        "five,,,rt-9,11M,,,,,,,\n"  # 7
        "six,,,rt-1,10M,10.0.0.9,,,,,,\n"
        "seven,,,rt-1,10M,10.0.0.8,,,,,,\n"
        "eight,,,rt-1,10M,10.0.0.8,,,,,,\n"
        "nine,,ipoe,rt-1,10M,nowhere,00:11:22:33:44,perhaps,31/12,,,x\n"  # 11
        ",,,,,,,,,,,x@y\n"
        "short,,\n"
        " blank,,,rt-1,10M,,,,,,,\n"
    )
    assert report.added == 0
    assert not Subscriber.objects.filter(username="good").exists()
    by_line: dict[int, list[str]] = {}
    for line, text in report.errors:
        by_line.setdefault(line, []).append(text)
    assert sorted(by_line) == [3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14]
    for line, word in {
        3: "'old' already exists",
        4: "differs from 'old'",
        5: "stands in line 2 already",
        6: "differs from 'good'",
        8: "belongs to the subscriber 'old'",
        10: "belongs to the subscriber 'seven'",
        13: "has 3 values for 12 columns",
        14: "begins or ends with a blank",
    }.items():
        assert word in by_line[line][0]
    assert len(by_line[7]) == 2
    assert len(by_line[11]) == 6
    assert [text for text in by_line[12] if "empty" in text] == by_line[12][:3]


HEAD = b"username,router,package"


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        (b"", [(1, "The file is empty")]),
        (b"username,router,pakage\n", [(1, "'pakage'. Did you mean 'package'?"), (1, "'package' is missing")]),
        (HEAD.replace(b",", b";"), [(1, "The columns are:"), *[(1, "is missing")] * 3]),
        (HEAD + b",router\n", [(1, "'router' stands there twice")]),
        (HEAD + b"\n\xffann,rt-1,10M\nbob,rt-1,10M\nb\xe9,rt-1,10M\n", [(2, "(byte 0xFF"), (4, "0xE9")]),
        (b"\xff\xfeu\0s\0e\0r\0", [(1, "UTF-16")]),
        (HEAD + b'\nann,"rt-1,10M\n', [(2, "not CSV")]),
    ],
)
def test_a_file_that_is_not_one_is_told_so(content: bytes, errors: list[tuple[int, str]]) -> None:
    found = services.import_rows(content, actor=ACTOR).errors
    assert [line for line, _ in found] == [line for line, _ in errors]
    for (_, text), (_, word) in zip(found, errors, strict=True):
        assert word in text


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        services.import_rows(tmp_path / "none.csv", actor=ACTOR)


def test_no_password_is_shown(tmp_path: Path) -> None:
    report = load("a b,s3cret\x01,,rt-9,10M,,,,,,,\n")
    assert "s3cret" not in str(report)
