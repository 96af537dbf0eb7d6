"""Commands that change intent and show it, each through the same door as the program: `main`."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from imsys.accounts.models import User
from imsys.cli.main import main
from imsys.network.models import Router
from imsys.subscribers.models import Package, Subscriber
from imsys.timeline.models import Event
from imsys.vault.box import ROUTER_PASSWORD

pytestmark = pytest.mark.django_db


class Shell:
    """A person, or a script, at the command line."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self.code, self.out, self.err = 0, "", ""
        self.is_terminal = False

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        keyboard = io.StringIO(stdin)
        keyboard.isatty = lambda: self.is_terminal  # type: ignore[method-assign]
        self._monkeypatch.setattr("sys.stdin", keyboard)
        self.code = main(arguments)
        self.out, self.err = self._capsys.readouterr()
        assert self.code == code, self.err
        return self.out

    def json(self, *arguments: str, stdin: str = "", code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", stdin=stdin, code=code))

    def fails(self, *arguments: str, code: int = 2, stdin: str = "") -> str:
        """The one line on standard error."""
        self(*arguments, code=code, stdin=stdin)
        assert self.err.startswith("error: ")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("error: ").strip()


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


@pytest.fixture
def isp(shell: Shell) -> Shell:
    shell("router", "add", "rt-1", "--host", "127.0.0.1", "--username", "api", "--password-file", "-", stdin="s3cret\n")
    shell("package", "add", "home", "--rate-limit", "5M/10M", "--price", "20.50")
    for name in ("ann", "ben", "cat"):
        shell("subscriber", "add", name, "--router", "rt-1", "--package", "home", "--full-name", name.title())
    return shell


class TestRouter:
    def test_a_new_router_is_only_observed(self, shell: Shell) -> None:
        row = shell.json(
            *("router", "add", "rt-1", "--host", "10.0.0.1", "--username", "api", "--password-file", "-"), stdin="pw\n"
        )
        assert (row["name"], row["mode"], row["port"], row["state"]) == ("rt-1", "observe", 8728, "unknown")

    def test_its_password_is_sealed_and_never_shown(self, isp: Shell) -> None:
        from imsys.conf.secrets import vault

        router = Router.objects.get(name="rt-1")
        assert vault().open(router.password_sealed, context=ROUTER_PASSWORD) == "s3cret"
        shown = isp("router", "show", "rt-1", "--json") + isp("events", "--json") + isp("router", "list", "--json")
        assert "s3cret" not in shown

    def test_tls_has_its_own_port(self, shell: Shell) -> None:
        access = ("--username", "u", "--password-file", "-", "--tls", "verify")
        assert shell.json("router", "add", "rt-1", "--host", "h", *access)["port"] == 8729

    def test_without_a_password_a_script_is_told_how_to_give_one(self, shell: Shell) -> None:
        line = shell.fails("router", "add", "rt-1", "--host", "h", "--username", "u")
        assert line == "The router's password is missing. Pass --password-file FILE, or - to read standard input."

    def test_set_changes_what_is_named(self, isp: Shell) -> None:
        row = isp.json("router", "set", "rt-1", "--mode", "enforce", "--pace", "40")
        assert (row["mode"], row["pace_per_s"], row["host"]) == ("enforce", 40, "127.0.0.1")
        (event,) = Event.objects.filter(what="router-changed")
        assert event.actor.startswith("cli:")

    def test_show_has_what_scripts_rely_on(self, isp: Shell) -> None:
        row = isp.json("router", "show", "rt-1")
        assert (row["mode"], row["subscribers"], row["pending"], row["runs"]) == ("observe", 3, 3, [])

    def test_how_it_suspends_and_kicks(self, isp: Shell) -> None:
        row = isp.json("router", "show", "rt-1")
        assert (row["suspend_by"], row["suspend_list"], row["kicks_per_s"]) == ("disable", "BLOCKED_USERS", 5)
        chosen = ("--suspend-by", "address-list", "--suspend-list", "NO_PAY", "--kicks-per-second", "20")
        row = isp.json("router", "set", "rt-1", *chosen)
        assert (row["suspend_by"], row["suspend_list"], row["kicks_per_s"]) == ("address-list", "NO_PAY", 20)
        access = ("--host", "h", "--username", "u", "--password-file", "-")
        row = isp.json("router", "add", "rt-2", *access, *chosen, stdin="pw\n")
        assert (row["suspend_by"], row["suspend_list"], row["kicks_per_s"]) == ("address-list", "NO_PAY", 20)
        assert "has a comma" in isp.fails("router", "set", "rt-1", "--suspend-list", "a,b")

    def test_when_it_may_be_written_to(self, isp: Shell) -> None:
        row = isp.json("router", "show", "rt-1")
        assert [row[key] for key in ("window", "is_window_open", "window_changes_at")] == ["", True, None]
        always = ("--window", "* 0-11,12-23 * * *", "--window-zone", "Africa/Nairobi")
        row = isp.json("router", "set", "rt-1", *always)
        assert (row["window"], row["window_zone"]) == (always[1], always[3])
        assert (row["is_window_open"], row["window_changes_at"]) == (True, None)
        year = datetime.now(UTC).year + 1
        row = isp.json("router", "set", "rt-1", "--window", f"* * * {(datetime.now(UTC).month + 5) % 12 + 1} *")
        assert row["is_window_open"] is False
        assert datetime.fromisoformat(row["window_changes_at"]).year in (year - 1, year)
        assert "window_changes_at  20" in isp("router", "show", "rt-1")
        row = isp.json("router", "set", "rt-1", "--window", "")
        assert (row["window"], row["window_zone"], row["is_window_open"]) == ("", "", True)
        line = isp.fails("router", "set", "rt-1", "--window", "2-5")
        assert line.startswith("The window '2-5' cannot be read. Write five fields of cron, such as '* 2-5 * * *'")
        access = ("--host", "h", "--username", "u", "--password-file", "-")
        assert isp.json("router", "add", "rt-2", *access, *always, stdin="pw\n")["window_zone"] == "Africa/Nairobi"

    def test_caps_given_and_in_effect(self, isp: Shell) -> None:
        default = dict.fromkeys(("suspends", "resumes", "removes", "creates", "kicks"), 1)
        row = isp.json("router", "show", "rt-1")
        assert (row["caps"], row["caps_in_effect"]) == ({}, default)
        row = isp.json("router", "set", "rt-1", "--cap", "removes=0", "--cap", "kicks=9")
        assert (row["caps"], row["caps_in_effect"]) == ({"removes": 0, "kicks": 9}, {**default, "removes": 0})
        line = "caps_in_effect     suspends 1, resumes 1, removes 0, creates 1, kicks 1\n"
        assert line in isp("router", "show", "rt-1")
        assert isp.json("router", "set", "rt-1", "--cap", "removes=default")["caps"] == {"kicks": 9}
        assert isp.fails("router", "set", "rt-1", "--cap", "writes=3") == (
            "There is no cap for 'writes'. Use one of: suspends, resumes, removes, creates, kicks."
        )
        for wrong in ("kicks", "kicks=", "kicks=-1", "kicks=many", "kicks=٣"):
            assert f"{wrong!r} is no cap" in isp.fails("router", "set", "rt-1", "--cap", wrong)
        access = ("--host", "h", "--username", "u", "--password-file", "-")
        row = isp.json("router", "add", "rt-2", *access, "--cap", "creates=4", stdin="pw\n")
        assert (row["caps"], row["caps_in_effect"]["creates"]) == ({"creates": 4}, 1)

    def test_enforcing_it_asks_nothing_and_says_what_follows(self, isp: Shell) -> None:
        line = "IMSys writes to rt-1 from now on. What is to be done there, and why: imsys plan --router rt-1\n"
        assert isp("router", "set", "rt-1", "--mode", "enforce").endswith(line)
        assert "imsys plan" not in isp("router", "set", "rt-1", "--mode", "observe")
        assert isp.json("router", "set", "rt-1", "--mode", "enforce")["mode"] == "enforce"

    def test_an_unknown_one_is_named_with_a_guess(self, isp: Shell) -> None:
        assert isp.fails("router", "show", "rt-2") == "There is no router 'rt-2'. Did you mean 'rt-1'?"

    def test_remove_refuses_while_there_are_subscribers(self, isp: Shell) -> None:
        assert "still has 3 subscribers" in isp.fails("router", "remove", "rt-1")
        isp("subscriber", "remove", "ann", "ben", "cat")
        assert isp.json("router", "remove", "rt-1", "--forget")["removed"] == "rt-1"
        assert isp.json("router", "list") == []

    def test_a_list_in_a_pipe_can_be_cut(self, isp: Shell) -> None:
        assert isp("router", "list").split("\t")[:3] == ["rt-1", "observe", "unknown"]


class TestPackage:
    def test_add_show_change_remove(self, shell: Shell) -> None:
        row = shell.json("package", "add", "home", "--rate-limit", "5M/10M", "--price", "20.5", "--days", "31")
        assert (row["name"], row["rate_limit"], row["price"], row["days"]) == ("home", "5M/10M", "20.50", 31)
        assert shell.json("package", "set", "home", "--price", "22")["price"] == "22.00"
        assert [row["name"] for row in shell.json("package", "list")] == ["home"]
        shell("package", "remove", "home")
        assert not Package.objects.exists()

    def test_limits_and_when_a_change_is_felt(self, shell: Shell) -> None:
        row = shell.json("package", "add", "home", "--price", "1")
        shown = ("apply", "shared_users", "limit_uptime", "limit_bytes")
        assert [row[key] for key in shown] == ["next-login", 1, "", 0]
        limits = ("--shared-users", "3", "--limit-uptime", "30d", "--limit-bytes", "10G")
        row = shell.json("package", "set", "home", "--apply", "now", *limits)
        assert [row[key] for key in shown] == ["now", 3, "4w2d", 10_000_000_000]
        row = shell.json("package", "set", "home", "--limit-uptime", "", "--limit-bytes", "0")
        assert [row[key] for key in shown] == ["now", 3, "", 0]
        row = shell.json("package", "add", "day", "--price", "1", "--apply", "now", *limits)
        assert [row[key] for key in shown] == ["now", 3, "4w2d", 10_000_000_000]
        assert "no number of bytes" in shell.fails("package", "set", "home", "--limit-bytes", "much")

    def test_what_is_wrong_is_said(self, isp: Shell) -> None:
        assert "already exists" in isp.fails("package", "add", "home", "--price", "1")
        assert isp.fails("package", "add", "x", "--price", "1", "--rate-limit", "fast")
        assert "still has 3 subscribers" in isp.fails("package", "remove", "home")


class TestSubscriber:
    def test_show_has_the_models_field_names(self, isp: Shell) -> None:
        row = isp.json("subscriber", "show", "ann")
        expected = {"username": "ann", "router": "rt-1", "package": "home", "is_suspended": False, "service": "pppoe"}
        expected |= {"sync_status": "pending", "last_synced_at": None, "generation": 1, "expires_at": None}
        assert {key: row[key] for key in expected} == expected
        assert row["suspensions"] == []

    def test_the_password_comes_from_a_file_and_is_never_shown(self, isp: Shell, tmp_path: Path) -> None:
        (tmp_path / "pw").write_text("correct horse\nanother line\n")
        row = isp.json(
            *("subscriber", "add", "dan", "--router", "rt-1", "--package", "home"),
            *("--password-file", str(tmp_path / "pw")),
        )
        assert row["has_password"] is True
        assert "correct horse" not in isp.out + isp("events", "dan", "--json")

    def test_a_bare_date_ends_that_day(self, isp: Shell) -> None:
        row = isp.json("subscriber", "set", "ann", "--expires-at", "2027-01-31")
        assert row["expires_at"] == "2027-02-01T00:00:00Z"
        assert isp.json("subscriber", "set", "ann", "--expires-at", "never")["expires_at"] is None

    def test_list_filters(self, isp: Shell) -> None:
        isp("subscriber", "suspend", "ben")
        names = lambda *options: [row["username"] for row in isp.json("subscriber", "list", *options)]  # noqa: E731
        assert names() == ["ann", "ben", "cat"]
        assert names("--suspended") == ["ben"]
        assert names("--active", "--limit", "1") == ["ann"]
        assert names("--search", "Cat") == ["cat"]
        assert names("--status", "synced") == []
        assert "no router 'rt-9'" in isp.fails("subscriber", "list", "--router", "rt-9")

    def test_one_is_enforced_on_a_router_that_is_observed(self, isp: Shell) -> None:
        before = isp.json("subscriber", "show", "ann")
        assert (before["is_enforced"], before["sync"]) == (False, "observed")
        row = isp.json("subscriber", "set", "ann", "--enforce")
        assert (row["is_enforced"], row["sync"], row["generation"]) == (True, "pending", 2)
        assert [row["username"] for row in isp.json("subscriber", "list", "--enforced")] == ["ann"]
        assert "is_enforced         yes" in isp("subscriber", "show", "ann")
        assert isp.json("subscriber", "set", "ann", "--phone", "1")["is_enforced"] is True
        assert isp.json("subscriber", "set", "ann", "--no-enforce")["is_enforced"] is False
        assert isp.json("subscriber", "list", "--enforced") == []

    def test_the_unknown_is_named_and_nothing_is_done(self, isp: Shell) -> None:
        assert "'ghost'" in isp.fails("subscriber", "suspend", "ann", "ghost")
        assert not Subscriber.objects.filter(is_suspended=True).exists()


MAC = "00:0C:42:1A:2B:3C"


class TestLife:
    def test_every_service_can_be_added(self, isp: Shell) -> None:
        line = ("--router", "rt-1", "--package", "home")
        row = isp.json("subscriber", "add", "sam", *line, "--service", "static", "--address", "10.9.8.2", "--mac", MAC)
        assert (row["service"], row["address"], row["mac"], row["left_on"]) == ("static", "10.9.8.2", MAC, [])
        row = isp.json("subscriber", "add", "hal", *line, "--service", "hotspot", "--mac", "000c421a2b3d")
        assert (row["service"], row["mac"]) == ("hotspot", "00:0C:42:1A:2B:3D")
        services = {row["username"]: row["service"] for row in isp.json("subscriber", "list")}
        assert services == {"ann": "pppoe", "ben": "pppoe", "cat": "pppoe", "hal": "hotspot", "sam": "static"}
        assert isp("subscriber", "list", "--search", "sam").split("\t")[2:4] == ["rt-1", "static"]
        assert isp.fails("subscriber", "add", "x", *line, "--service", "static") == (
            "A static line needs its address. Give it with --address, such as --address 10.0.0.7."
        )
        assert "has no address of its own" in isp.fails("subscriber", "set", "hal", "--address", "10.9.8.3")
        assert "belongs to the subscriber 'sam'" in isp.fails("subscriber", "set", "hal", "--mac", MAC)

    def test_service_and_device_can_be_changed(self, isp: Shell) -> None:
        row = isp.json("subscriber", "set", "ann", "--service", "static", "--address", "10.9.8.2", "--mac", MAC)
        assert (row["service"], row["address"], row["mac"], row["generation"]) == ("static", "10.9.8.2", MAC, 2)
        row = isp.json("subscriber", "set", "ann", "--service", "hotspot", "--address", "", "--mac", "")
        assert (row["service"], row["address"], row["mac"]) == ("hotspot", "", "")

    def test_rename(self, isp: Shell) -> None:
        row = isp.json("subscriber", "rename", "ann", "anna")
        assert (row["username"], row["full_name"], row["generation"]) == ("anna", "Ann", 2)
        assert [event["what"] for event in isp.json("events", "anna")] == ["renamed", "added"]
        assert "'ben' already exists" in isp.fails("subscriber", "rename", "anna", "ben")
        assert "by upper and lower case alone" in isp.fails("subscriber", "rename", "anna", "Ben")
        assert isp.json("subscriber", "rename", "anna", "Ben", "--exact")["username"] == "Ben"
        assert "no subscriber 'ann'" in isp.fails("subscriber", "show", "ann")

    def test_move(self, isp: Shell, tmp_path: Path) -> None:
        access = ("--host", "h", "--username", "u", "--password-file", "-")
        isp("router", "add", "rt-2", *access, stdin="pw\n")
        assert isp("subscriber", "move", "ann", "--router", "rt-2") == "moved 1 to rt-2\n"
        row = isp.json("subscriber", "show", "ann")
        assert (row["router"], row["sync_status"], row["made_at"]) == ("rt-2", "pending", None)
        (left,) = row["left_on"]
        assert (left["router"], left["reason"], set(left)) == (
            "rt-1",
            "OldRouterUnreachable",
            {"router", "since", "reason"},
        )
        assert "router rt-1, since" in isp("subscriber", "show", "ann")
        (tmp_path / "names").write_text("ann\nben\n")
        moved = isp.json("subscriber", "move", "--file", str(tmp_path / "names"), "--router", "rt-2")
        assert moved == {"moved": 1, "already": 1, "router": "rt-2"}
        assert isp("subscriber", "move", "ann", "cat", "--router", "rt-2") == "moved 1 to rt-2, 1 was there already\n"
        assert "may still have rows there" in isp.fails("router", "remove", "rt-1")
        assert "'ghost'" in isp.fails("subscriber", "move", "ghost", "ann", "--router", "rt-1")
        assert isp.json("subscriber", "show", "ann")["router"] == "rt-2"

    def test_an_exact_name_is_meant_so(self, isp: Shell) -> None:
        line = ("--router", "rt-1", "--package", "home")
        assert "by upper and lower case alone" in isp.fails("subscriber", "add", "ANN", *line)
        assert isp.json("subscriber", "add", "ANN", *line, "--exact")["username"] == "ANN"


class TestSuspension:
    def test_suspend_and_resume(self, isp: Shell) -> None:
        done = isp.json("subscriber", "suspend", "ann", "ben", "--reason", "abuse")
        assert (done["changed"], done["already"], done["change"] is None) == (2, 0, False)
        done = isp.json("subscriber", "suspend", "ann", "--reason", "abuse")
        assert done == {"changed": 0, "already": 1, "change": None}
        row = isp.json("subscriber", "show", "ann")
        assert (row["is_suspended"], row["access"], row["suspensions"][0]["cause"]) == (True, "suspended", "abuse")
        assert isp.json("subscriber", "resume", "ann")["changed"] == 1
        assert isp.json("subscriber", "show", "ann")["is_suspended"] is False

    def test_any_other_reason_is_a_note(self, isp: Shell) -> None:
        isp("subscriber", "suspend", "ann", "--reason", "moved house")
        (suspension,) = isp.json("subscriber", "show", "ann")["suspensions"]
        assert (suspension["cause"], suspension["note"]) == ("other", "moved house")

    def test_resume_leaves_expiry_and_says_so(self, isp: Shell) -> None:
        isp("subscriber", "suspend", "ann", "--reason", "expiry")
        assert "'ann' stay suspended (expiry)" in isp("subscriber", "resume", "ann")
        assert isp.json("subscriber", "resume", "ann", "--cause", "expiry")["changed"] == 1

    def test_names_from_a_file(self, isp: Shell, tmp_path: Path) -> None:
        (tmp_path / "names").write_text("\ufeff# who did not pay\nann\n\n  ben  \nann\n", encoding="utf-8")
        said = isp("subscriber", "suspend", "--file", str(tmp_path / "names")).splitlines()
        assert (said[0], len(said)) == ("suspended 2", 2)
        assert isp("subscriber", "resume", "--file", "-", stdin="ann\n") == "resumed 1\n"

    def test_a_whole_router_wants_a_yes(self, isp: Shell) -> None:
        line = isp.fails("subscriber", "suspend", "--router", "rt-1", "--all")
        assert line == "This would suspend all 3 subscribers of rt-1. Pass --yes to do it."
        assert isp.json("subscriber", "suspend", "--router", "rt-1", "--all", "--yes")["changed"] == 3

    @pytest.mark.parametrize(("answer", "changed"), [("3", 3), ("2", 0), ("yes", 0), ("", 0)])
    def test_a_person_types_the_number(self, isp: Shell, answer: str, changed: int) -> None:
        isp.is_terminal = True
        isp("subscriber", "suspend", "--router", "rt-1", "--all", stdin=f"{answer}\n", code=0 if changed else 1)
        assert "all 3 subscribers of rt-1. Type their number to go on" in isp.err
        assert Subscriber.objects.filter(is_suspended=True).count() == changed


class TestImport:
    HEADING = "username,password,router,package,full_name\n"

    def test_all_or_none_and_every_wrong_line_named(self, isp: Shell, tmp_path: Path) -> None:
        file = tmp_path / "people.csv"
        file.write_text(self.HEADING + "dan,pw,rt-1,home,Dan\neve,,rt-9,home,Eve\nann,,rt-1,home,Ann\n")
        isp("subscriber", "import", str(file), code=1)
        lines = isp.err.splitlines()
        assert lines[0].startswith(f"{file}:3: There is no router 'rt-9'")
        assert lines[1].startswith(f"{file}:4: The subscriber 'ann' already exists")
        assert lines[2] == "error: 2 lines are wrong, nobody was added. Correct the file."
        assert not Subscriber.objects.filter(username="dan").exists()
        report = isp.json("subscriber", "import", str(file), code=1)
        assert (report["added"], [error["line"] for error in report["errors"]]) == (0, [3, 4])

    def test_a_dry_run_adds_nobody(self, isp: Shell, tmp_path: Path) -> None:
        file = tmp_path / "people.csv"
        file.write_text(self.HEADING + "dan,pw,rt-1,home,Dan\n")
        assert isp("subscriber", "import", str(file), "--dry-run") == "1 would be added\n"
        assert not Subscriber.objects.filter(username="dan").exists()
        assert isp("subscriber", "import", str(file)).splitlines()[0] == "added 1 subscribers"
        assert Subscriber.objects.get(username="dan").full_name == "Dan"


class TestUser:
    def test_add_with_a_password_from_a_file(self, shell: Shell) -> None:
        shell("user", "add", "maria", "--role", "admin", "--password-file", "-", stdin="a long one 4711\n")
        assert User.objects.get(username="maria").check_password("a long one 4711")

    def test_where_nobody_answers_one_is_made(self, shell: Shell) -> None:
        made = shell.json("user", "add", "maria", "--role", "viewer")
        assert User.objects.get(username="maria").check_password(made["password"])

    def test_a_weak_password_is_refused(self, shell: Shell) -> None:
        assert "too short" in shell.fails("user", "add", "m", "--role", "admin", "--password-file", "-", stdin="x\n")


class TestFreeze:
    def test_freeze_and_thaw(self, isp: Shell) -> None:
        assert isp.json("status")["frozen"] is None
        assert isp("freeze", "the core is moved") == "frozen: nothing is written to any router until imsys thaw\n"
        frozen = isp.json("status")["frozen"]
        assert frozen["reason"] == "the core is moved"
        assert frozen["by"].startswith("cli:")
        first = isp("status").splitlines()[0]
        assert first.startswith(f"FROZEN by {frozen['by']} since 20")
        assert first.endswith(": the core is moved")
        line = isp.fails("freeze", "another")
        assert line.startswith(f"{frozen['by']} has frozen the routers already, on ")
        assert line.endswith("thaw first: imsys thaw.")
        assert isp("thaw") == "thawed: 1 router is read now\n"
        assert isp.json("status")["frozen"] is None
        assert isp("status").startswith("suspended but online")
        assert isp.fails("thaw") == "The routers are not frozen. Nothing is to be done; see: imsys status."
        told = [(event["what"], event["note"]) for event in isp.json("events", "--limit", "2")]
        assert told == [("thawed", "the core is moved"), ("frozen", "the core is moved")]

    def test_in_json(self, isp: Shell) -> None:
        assert set(isp.json("freeze", "audit")["frozen"]) == {"reason", "by", "since"}
        assert isp.json("thaw") == {"frozen": None, "routers": 1}

    def test_it_has_a_reason(self, isp: Shell) -> None:
        assert isp.fails("freeze", " ") == (
            "The reason for the freeze is empty or holds a control character. "
            "Say in one line what everybody should know."
        )


class TestTimeline:
    def test_events_newest_first_and_by_subject(self, isp: Shell) -> None:
        isp("subscriber", "suspend", "ann")
        assert [event["what"] for event in isp.json("events", "ann")] == ["suspended", "added"]
        assert [event["what"] for event in isp.json("events", "--limit", "1")] == ["suspended"]
        assert len(isp.json("events", "--router", "rt-1")) == 5
        assert "\tsuspended\tann\trt-1\tcli:" in isp("events", "ann")

    def test_watch_shows_what_comes(self, isp: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        from imsys.cli import watch
        from imsys.subscribers import services

        monkeypatch.setattr(watch.time, "sleep", lambda _s: services.suspend(["ann"], actor="cli:maria"))
        feed = watch.feed("", None)
        assert next(feed)["username"] == "ann"
        monkeypatch.setattr(watch.time, "sleep", lambda _s: services.resume(["ann"], actor="cli:maria"))
        assert watch.event_line(next(feed)).split(" ", 2)[2].endswith("ann resumed by cli:maria (non-payment)")


def test_status_has_what_scripts_rely_on(isp: Shell) -> None:
    values = isp.json("status")
    assert values["subscribers"] == {"pending": 3, "synced": 0, "error": 0}
    assert values["gap"]["suspended_online"] is None
    assert values["gap"]["entitled_cut"] is None
    assert values["oldest_pending_s"] is None  # nothing is on its way to a router that is only observed
    text = isp("status")
    assert "suspended but online  unknown" in text
    assert "subscribers           0 synced, 3 pending, 0 in error" in text
    assert "none: start imsys serve, or imsys worker" in text
