"""What the page about expiry and undo says is run as it stands."""

import re
import shlex
from pathlib import Path

import pytest

from imsys.conf.sql import execute
from imsys.network.services import add_router
from imsys.subscribers import services
from imsys.subscribers.models import Subscriber
from tests.integration.onboarding import Program

PAGE = (Path(__file__).parents[2] / "docs/howto/expiry-and-undo.md").read_text()
ACTOR = "test:docs"

pytestmark = pytest.mark.django_db


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("rt-ngong", "rt-thika"):
        add_router(name=name, host="192.0.2.1", username="imsys", password="r0uter", actor=ACTOR)
    services.add_package(name="home", rate_limit="1M/1M", price=1, actor=ACTOR)
    for name in ("ann", "ben", "cat", "dan"):
        services.add_subscriber(username=name, router="rt-ngong", package="home", actor=ACTOR)
    execute("update subscribers_subscriber set expires_at = now() - interval '1 day' where username = 'cat'")
    (tmp_path / "unpaid.txt").write_text("ann\nben\ndan\n")
    imsys, change = Program(capsys), ""
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = [change if word == "1" else word for word in shlex.split(line)]
            said = imsys(*words[1:])
            if words[1:3] == ["subscriber", "suspend"]:
                change = said.split()[-1]
                assert suspended() == {"ann", "ben", "cat", "dan"}
    assert suspended() == {"cat"}, "she had expired; what the file did is undone"


def suspended() -> set[str]:
    return set(Subscriber.objects.filter(is_suspended=True).values_list("username", flat=True))
