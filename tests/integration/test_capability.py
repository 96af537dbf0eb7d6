"""What a router can do is remembered, once for each of its boots."""

import pytest

from imsys.onboarding.models import Capability
from imsys.onboarding.selectors import latest_capability
from imsys.onboarding.services import capabilities, record_capability
from imsys.sim import SimRouter
from imsys.subscribers import services
from tests.integration.onboarding import ACTOR, USERS, Program, kept

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("version", ["6.49.17", "7.12.1", "7.18.2"])
def test_a_test_of_the_router_records_it(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    sim = SimRouter("core", version=version, users=USERS)
    sim.seed_secrets(3)
    program = Program(capsys)
    with kept(sim) as thread:
        report = program.json("router", "test", "core")
        program.json("router", "test", "core")
        (first,) = Capability.objects.all()
        thread.call(lambda: sim.power_off() or sim.boot())
        program.json("router", "test", "core")
    assert report["ok"]
    assert report["services"] == ["pppoe", "static", "hotspot"]
    assert report["counts"]["/ppp/secret"] == 3
    assert first.menus["/ppp/secret"]["rows"] == 3
    assert "remote-address" not in first.menus["/ppp/secret"]["fields"]
    assert first.menus["/radius"] is None
    assert first.version.startswith(version)
    second = latest_capability(first.router_id)
    assert second is not None
    assert second.booted_at > first.booted_at
    assert len(sim.journal) == 0


def test_of_each_router_the_last_few_boots_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    from datetime import UTC, datetime, timedelta

    with kept(SimRouter("core", users=USERS)):
        Program(capsys)("router", "test", "core")
    (row,) = Capability.objects.all()
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    for day in range(capabilities.KEPT + 5):
        at = begun + timedelta(days=day)
        record_capability(row.router_id, booted_at=at, version="7", serial="", menus={})
    assert Capability.objects.count() == capabilities.KEPT
    assert Capability.objects.filter(pk=row.pk).exists()


def test_a_password_that_we_keep_is_the_one_that_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    sim = SimRouter("core", users=USERS)
    (name,) = sim.seed_secrets(1)
    services.add_package(name="home", rate_limit="5M/5M", price=20, actor=ACTOR)
    with kept(sim):
        services.add_subscriber(username=name, router="core", package="home", password="secret-1", actor=ACTOR)
        report = Program(capsys).json("router", "test", "core")
    (step,) = [step for step in report["steps"] if step["name"] == "sensitive"]
    assert step["text"] == f"the password of {name} reads back as it is kept here"
