"""`imsys serve` tells people by itself: its worker looks, enqueues and sends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_cli_serve import Served, serving, wait_until
from tests.receiver import TOKEN, Receiver, receiver

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def phone() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture
def served(tmp_path: Path, phone: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    start = Served.start

    def start_with_more(self: Served, *options: str) -> None:
        self.env |= {
            "IMSYS_NOTIFY_CRITICAL_URLS": phone.url,
            "IMSYS_NOTIFY_DOWN_SECONDS": "0",
            "IMSYS_LOG_LEVEL": "DEBUG",
        }
        start(self, *options)

    monkeypatch.setattr(Served, "start", start_with_more)
    yield from serving(tmp_path, "--workers", "1")


def test_a_router_that_does_not_answer_is_told_of(served: Served, phone: Receiver, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x\n")
    options = (
        "--host",
        "127.0.0.1",
        "--port",
        "9",
        "--username",
        "imsys",
        "--password-file",
        str(tmp_path / "password"),
    )
    served.imsys("router", "add", "rt-1", *options)
    wait_until(lambda: phone.titles, within_s=50)  # it looks every 15 s
    assert phone.titles[0].startswith("rt-1 is down")
    assert "router-down" in served.imsys("incidents", "--json").stdout
    log = wait_until(lambda: "notified" in (text := served.log.read_text()) and text)
    assert TOKEN not in log
