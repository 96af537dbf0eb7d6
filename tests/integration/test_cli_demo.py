"""The demo is a promise of the README: it runs to its end, every claim holds, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

COMMAND = [sys.executable, "-m", "imsys", "demo"]


@pytest.fixture
def temp() -> Iterator[Path]:
    """A temporary folder of its own, and with a short name, where nothing of the demo may stay."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)
        assert not [path.name for path in Path(folder).glob("imsys-demo-*")]


def environment(temp: Path) -> dict[str, str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith(("IMSYS_", "DJANGO_"))}
    return own | {"TMPDIR": str(temp)}


def test_once_every_claim_holds(temp: Path) -> None:
    told = subprocess.run(
        [*COMMAND, "--once", "--json"], capture_output=True, text=True, env=environment(temp), check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    story = json.loads(told.stdout)
    assert story["ok"] is True
    assert [claim["claim"] for claim in story["claims"] if not claim["held"]] == []
    assert len(story["claims"]) == 18
    assert told.stderr == ""


def test_stopped_in_the_middle_it_leaves_nothing(temp: Path) -> None:
    with subprocess.Popen(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(temp)
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        assert demo.stdout.readline().startswith("The pages: http://127.0.0.1:")
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(30) == 130
        assert "Traceback" not in demo.stderr.read()
