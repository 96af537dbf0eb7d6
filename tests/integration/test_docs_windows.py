"""The page about windows and the freeze is run as it stands, and each window that it names is open when it says."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imsys.network.selectors import frozen
from imsys.network.services import add_router
from imsys.network.windows import check_window, is_open, next_change
from imsys.subscribers import services
from imsys.timeline.models import Event
from tests.integration.test_docs_life import commands_of, run

HOWTO = (Path(__file__).parents[2] / "docs/howto/windows-and-freeze.md").read_text()
ACTOR = "test:docs"


@pytest.mark.django_db
def test_every_command_of_the_page_works(capsys: pytest.CaptureFixture[str]) -> None:
    add_router(name="core", host="192.0.2.1", username="imsys", password="", actor=ACTOR)
    services.add_package(name="home", rate_limit="5M/5M", price=20, actor=ACTOR)
    services.add_subscriber(username="ann", router="core", package="home", actor=ACTOR)
    shown = {line: run(line, capsys) for line in commands_of(HOWTO)}
    assert shown["imsys subscriber list --enforced"].startswith("ann\t")
    assert shown["imsys status"].startswith("FROZEN by ")
    assert frozen() is None
    changed = [event.after for event in Event.objects.filter(what="router-changed").order_by("id")]
    assert changed == [
        {"window": "* 2-5 * * *", "window_zone": "Africa/Nairobi"},
        {"window": "", "window_zone": ""},
        {"caps": {"removes": 5, "kicks": 0}},
        {"caps": {"removes": 5}},
    ]


def test_every_window_of_the_page_is_open_when_it_says() -> None:
    """From a Wednesday in the middle of a month: when each opens and closes next."""
    start = datetime(2027, 3, 17, 12, tzinfo=UTC)
    spans = {}
    for window in re.findall(r"^\| `([^`]+)` \|", HOWTO, re.MULTILINE):
        check_window(window, "UTC")
        assert not is_open(window, "UTC", start)
        opens = next_change(window, "UTC", start)
        closes = next_change(window, "UTC", opens) if opens else None
        spans[window] = f"{opens:%a %d %H:%M} {closes:%a %d %H:%M}"
    assert spans == {
        "* 2-5 * * *": "Thu 18 02:00 Thu 18 06:00",
        "* 22-4 * * *": "Wed 17 22:00 Thu 18 05:00",
        "30-59 1 * * mon-fri": "Thu 18 01:30 Thu 18 02:00",
        "* * * * sat,sun": "Sat 20 00:00 Mon 22 00:00",
        "* 0-4 1-7 * *": "Thu 01 00:00 Thu 01 05:00",
    }
