"""The page about the first router is run as it stands, against a simulated one that serves on a port."""

import re
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from imsys.onboarding.rights import POLICIES
from imsys.sim import SimRouter
from imsys.sim.accounts import parse_policies
from imsys.subscribers.models import Subscriber, SyncState
from tests.integration.onboarding import Program
from tests.integration.sim_thread import SimThread
from tests.unit.onboarding.console import play

PAGE = (Path(__file__).parents[2] / "docs/howto/first-router.md").read_text()

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


@pytest.fixture
def sim() -> SimRouter:
    """Somebody's router: two logins of which one is disabled, and a queue whose address is on the list of debtors."""
    sim = SimRouter("core", version="7.18.2")
    profile = sim.table("/ppp/profile").put(name="10M", rate_limit="10M/10M")
    for name, disabled in (("ann", "false"), ("ben", "true")):
        values = {"name": name, "password": f"{name}-pw", "profile": profile, "service": "pppoe"}
        sim.table("/ppp/secret").put(**values, disabled=disabled)
    sim.table("/queue/simple").put(name="shop", target="10.9.8.2/32", max_limit="5000000/5000000")
    sim.table("/ip/firewall/address-list").put(list="MOROSOS", address="10.9.8.2", disabled="false")
    rules = sim.table("/ip/firewall/filter")
    for rule in list(rules):
        rules.delete(rule)
    rules.put(chain="forward", action="drop", src_address_list="MOROSOS")
    return sim


def commands() -> Iterator[tuple[str, list[str]]]:
    """(section, words) of each line of the page's shell blocks."""
    for section in PAGE.split("\n## ")[1:]:
        for block in re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                yield section.splitlines()[0], shlex.split(line)


def test_the_page(
    sim: SimRouter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    imsys = Program(capsys)
    sections = set()
    before = sim.table("/ppp/secret").rows
    written = 0  # by the technician who pasted the script
    with SimThread(sim) as thread:
        for section, words in commands():
            sections.add(section)
            assert words[0] == "imsys"
            if section < "6.":
                assert len(sim.journal) == written, "the router was written to before a person said so"
            if section.startswith("7."):
                assert ids_written(sim, written) == {row[".id"] for row in before if row["name"] == "ann"}
            if ">" in words:
                *words, _, file = words
                script = imsys(*words[1:])
                (tmp_path / file).write_text(script)
                thread.call(partial(play, with_loopback(script), sim))
                written = len(sim.journal)
                continue
            imsys(*map(here, words[1:]), *port(words, thread))
    assert len(sections) == 7
    group = sim.table("/user/group").find(name="imsys")
    assert group is not None
    assert parse_policies(group["policy"]) == set(POLICIES)
    assert sim.table("/ppp/secret").rows == before
    assert len(ids_written(sim, written)) == 1, "adopting made intent equal to what is there: no other was written"
    assert len(sim.journal) == written + 2, "ann was suspended and resumed"
    assert dict(Subscriber.objects.values_list("username", "is_suspended")) == {"ann": False, "ben": True, "shop": True}
    assert set(SyncState.objects.values_list("sync_status", flat=True)) == {"synced"}


def ids_written(sim: SimRouter, since: int) -> set[str]:
    return {row_id for entry in sim.journal.since(since) for row_id in entry.ids}


def with_loopback(text: str) -> str:
    """Here both ends are this machine."""
    return text.replace("192.0.2.10/32", "127.0.0.0/8")


def here(word: str) -> str:
    return "127.0.0.1" if word == "192.0.2.1" else word


def port(words: list[str], thread: SimThread) -> list[str]:
    return ["--port", str(thread.port)] if words[1:3] == ["router", "add"] else []
