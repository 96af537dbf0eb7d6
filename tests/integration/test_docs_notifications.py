"""What the page about messages says is run as it stands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imsys.cli.main import main
from imsys.conf.environment import Hidden
from imsys.timeline.models import Severity
from tests.integration.test_docs_life import commands_of, run
from tests.receiver import TOKEN, Receiver, receiver

HOWTO = (Path(__file__).parents[2] / "docs/howto/notifications.md").read_text()

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def listen(settings: Any, *urls: str) -> None:
    settings.NOTIFY_URLS = {**dict.fromkeys(Severity.values, ()), "info": tuple(map(Hidden, urls))}


def test_every_command_of_the_page_works(phone: Receiver, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    listen(settings, phone.url)
    lines = commands_of(HOWTO)
    assert {" ".join(line.split()[1:3]) for line in lines} >= {"incidents --all", "notify test"}
    for line in lines:
        run(line, capsys)
    assert phone.titles == ["a test"] * 2


def test_who_did_not_take_the_test_is_named_without_a_secret(
    phone: Receiver, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver() as broken:
        broken.status = 403
        listen(settings, phone.url, broken.url, f"nosuch://{TOKEN}")
        assert main(["notify", "test"]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "IMSYS_NOTIFY_URLS #1 json://****\tok\t",
        "IMSYS_NOTIFY_URLS #2 json://****\tfailed\tit answered 403",
        "IMSYS_NOTIFY_URLS #3 nosuch://****\tfailed\tnot an address that apprise knows",
    ]
    assert TOKEN not in shown.out + shown.err
    assert len(phone.taken) == 1


def test_a_receiver_that_is_gone(phone: Receiver, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with receiver() as gone:
        listen(settings, gone.url)
    assert main(["notify", "test"]) == 1
    assert "it could not be reached" in capsys.readouterr().out


def test_nobody_to_tell(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    listen(settings)
    assert main(["notify", "test"]) == 2
    assert capsys.readouterr().err.startswith("error: Nobody is to be told: IMSYS_NOTIFY_URLS is empty.")
