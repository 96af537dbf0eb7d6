"""What the pages say about a subscriber's life is run as it stands: every command through the program's own door."""

import re
import shlex
from pathlib import Path

import pytest

from imsys.cli.main import main
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Departure, Package, Subscriber
from imsys.timeline.models import Event

DOCS = Path(__file__).parents[2] / "docs"
HOWTO = (DOCS / "howto/life-of-a-subscriber.md").read_text()
REFERENCE = (DOCS / "reference/cli.md").read_text()
OF_A_LIFE = (
    "subscriber add",
    "subscriber set",
    "subscriber rename",
    "subscriber move",
    "subscriber remove",
    "package set",
)
ACTOR = "test:docs"

pytestmark = pytest.mark.django_db


def commands_of(page: str) -> list[str]:
    """The lines of its shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def examples_of(command: str) -> list[str]:
    section = REFERENCE.split(f"## imsys {command}\n")[1].split("\n## ")[0]
    found = re.findall(r"^ *(imsys .*)$", section.split("Examples:")[1].split("```")[0], re.MULTILINE)
    assert found
    return found


def run(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    words = shlex.split(line)
    assert words[0] == "imsys"
    code = main(words[1:])
    out, err = capsys.readouterr()
    assert code == 0, f"{line}: {err}"
    return out


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the files of the examples lie."""
    monkeypatch.chdir(tmp_path)
    for name in ("ann", "ben", "kiosk"):
        (tmp_path / f"{name}.password").write_text(f"{name}-pw-4711\n")
    (tmp_path / "ann.pw").write_text("ann-pw-4711\n")


@pytest.fixture(autouse=True)
def routers() -> None:
    for name in ("rt-ngong", "rt-thika"):
        add_router(name=name, host="192.0.2.1", username="imsys", password="r0uter", actor=ACTOR)


def test_the_whole_life_as_the_page_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "estate.txt").write_text("cafe\n")
    (tmp_path / "gone.txt").write_text("kiosk\n")
    lines = commands_of(HOWTO)
    assert {" ".join(line.split()[1:3]) for line in lines} >= {*OF_A_LIFE, "subscriber suspend", "subscriber resume"}
    for line in lines:
        shown = run(line, capsys)
        if line == "imsys subscriber show ann.wanjiku":
            assert "OldRouterUnreachable" in shown
    assert list(Subscriber.objects.order_by("username").values_list("username", "service", "router__name")) == [
        ("ann", "pppoe", "rt-ngong"),
        ("ann.wanjiku", "pppoe", "rt-thika"),
        ("cafe", "static", "rt-thika"),
    ]
    assert set(Departure.objects.values_list("subscriber__username", "router__name")) == {
        ("ann.wanjiku", "rt-ngong"),
        ("cafe", "rt-ngong"),
    }
    assert not Subscriber.objects.filter(is_suspended=True).exists()
    package = Package.objects.get(name="home-10m")
    assert (package.rate_limit, package.apply) == ("15M/15M", "now")
    told = set(Event.objects.exclude(username="").values_list("what", flat=True))
    assert told == {"added", "changed", "suspended", "resumed", "renamed", "moved", "removed"}


@pytest.mark.parametrize("line", [example for command in OF_A_LIFE for example in examples_of(command)])
def test_an_example_of_the_reference_works(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("home-10m", "home-20m", "day-pass"):
        services.add_package(name=name, rate_limit="1M/1M", price=1, actor=ACTOR)
    if not line.startswith("imsys subscriber add"):
        for name in ("ann", "ben", "estate", "gone"):
            services.add_subscriber(username=name, router="rt-ngong", package="home-10m", actor=ACTOR)
            (tmp_path / f"{name}.txt").write_text(f"{name}\n")
    events = Event.objects.count()
    run(line, capsys)
    assert Event.objects.count() > events
