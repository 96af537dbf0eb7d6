"""The settings: what a wrong variable says, what the right ones mean, and that nothing secret shows."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imsys.conf import environment
from imsys.conf.database import django_settings, parse_url
from imsys.conf.logs import LineFormatter
from imsys.kit.errors import ImsysError, InputError


def settings_with(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Load them in a process of their own, as a command does."""
    program = (
        "import json, sys; from imsys.kit.errors import ImsysError\n"
        "try: from imsys.conf import settings as s\n"
        "except ImsysError as error: sys.exit(f'error: {error}')\n"
        "print(json.dumps({'db': s.DATABASES['default'], 'zone': s.TIME_ZONE, 'embedded': s.EMBEDDED}))"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMSYS_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "IMSYS_DATA_DIR": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_server_of_ones_own(tmp_path: Path) -> None:
    done = settings_with(
        tmp_path,
        IMSYS_DATABASE_URL="postgresql://imsys:s%40cret@db.example.net:5433/isp?sslmode=verify-full",
        IMSYS_TIME_ZONE="Africa/Nairobi",
    )
    loaded = json.loads(done.stdout)
    assert (loaded["zone"], loaded["embedded"]) == ("Africa/Nairobi", False)
    db = loaded["db"]
    assert (db["HOST"], db["PORT"], db["NAME"], db["USER"]) == ("db.example.net", "5433", "isp", "imsys")
    assert db["OPTIONS"]["sslmode"] == "verify-full"
    assert (db["CONN_MAX_AGE"], db["CONN_HEALTH_CHECKS"]) == (60, True)


def test_without_one_the_embedded_server_and_no_key_is_made_for_reading_settings(tmp_path: Path) -> None:
    loaded = json.loads(settings_with(tmp_path).stdout)
    assert loaded["embedded"]
    assert loaded["db"]["NAME"] == "imsys"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"IMSYS_DATABASE_URL": "mysql://root:s3cret@db/imsys"}, "IMSYS_DATABASE_URL is neither"),
        ({"IMSYS_DATABASE_URL": "postgresql://imsys:s3cret@db:port:x/imsys"}, "IMSYS_DATABASE_URL is neither"),
        ({"IMSYS_TIME_ZONE": "Nairobi"}, "IMSYS_TIME_ZONE: 'Nairobi' is not a time zone. Use a name such as"),
        ({"IMSYS_TIME_ZONE": "../etc/passwd"}, "IMSYS_TIME_ZONE"),
        ({"IMSYS_LOG_LEVEL": "loud"}, "IMSYS_LOG_LEVEL: 'LOUD' is not a log level"),
        ({"IMSYS_EVENT_DAYS": "-1"}, "IMSYS_EVENT_DAYS: '-1' is not a whole number of 1 or more"),
        ({"IMSYS_HTTPS": "perhaps"}, "IMSYS_HTTPS: 'perhaps' is neither yes nor no"),
    ],
)
def test_a_wrong_value_is_one_line(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    done = settings_with(tmp_path, **variables)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "s3cret" not in done.stderr


def test_an_error_about_the_url_chains_nothing_that_quotes_it() -> None:
    with pytest.raises(ImsysError) as raised:
        parse_url("postgresql://imsys:s3cret@db/imsys?pasword=s3cret")
    assert raised.value.__suppress_context__
    assert "s3cret" not in str(raised.value)


def test_conninfo_is_taken_as_well_and_a_database_need_not_be_named() -> None:
    assert parse_url("host=/run/pg user=me") == {"dbname": "imsys", "host": "/run/pg", "user": "me"}
    assert parse_url("postgresql:///?host=/run/pg")["dbname"] == "imsys"
    assert django_settings(parse_url("host=/run/pg"))["HOST"] == "/run/pg"


def test_lists_and_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMSYS_X", " a, b ,,c")
    assert environment.words("IMSYS_X", []) == ["a", "b", "c"]
    assert environment.words("IMSYS_Y", ["d"]) == ["d"]
    monkeypatch.setenv("IMSYS_X", " json://t0ken/a,b\n tgram://t0ken/c json://t0ken/a,b ")
    hidden = environment.hidden_words("IMSYS_X")
    assert [one.text for one in hidden] == ["json://t0ken/a,b", "tgram://t0ken/c"]
    assert "t0ken" not in f"{hidden} {hidden[0]}"
    for text, value in {"yes": True, "OFF": False, "": True}.items():
        monkeypatch.setenv("IMSYS_X", text)
        assert environment.flag("IMSYS_X", True) is value
    monkeypatch.setenv("IMSYS_X", "12.5")
    with pytest.raises(InputError, match="whole number"):
        environment.number("IMSYS_X", 1, at_least=0)


def test_a_log_line_has_its_values_behind_it() -> None:
    record = logging.makeLogRecord({"name": "imsys.x", "levelname": "INFO", "msg": "run ended"})
    record.router, record.duration_ms = "rt-1", 41
    assert LineFormatter().format(record).endswith("INFO imsys.x run ended router='rt-1' duration_ms=41")
