import io
import logging
import sys

import pytest

from imsys.kit.redact import HIDDEN, RedactFilter, is_secret_name, redact_row, redact_text

SECRET = "hunter2 with spaces"


def test_a_row_keeps_its_keys_and_loses_its_secrets() -> None:
    assert redact_row({"name": "ann", "password": SECRET, "secret": ""}) == {
        "name": "ann",
        "password": HIDDEN,
        "secret": "",
    }


def test_secret_names_are_told_from_others() -> None:
    assert all(map(is_secret_name, ["password", "password_sealed", "IMSYS_SECRET_KEY", "response", "api-key", "psk"]))
    assert not any(map(is_secret_name, ["name", "comment", "monkey", "response-time", "key", "pass-through"]))


@pytest.mark.parametrize(
    "text",
    [
        "login with password=hunter2 failed",
        "password: hunter2",
        "{'name': 'ann', 'password': 'hunter2'}",
        '{"password": "hunter2", "name": "ann"}',
        "User(name='ann', password='hunter2 with \\' quote hunter2')",
        "['/login', '=name=ann', '=password=hunter2 with spaces hunter2']",
        "[b'/ppp/secret/add', b'=password=hunter2']",
        "postgresql://imsys:hunter2@db.example/imsys",
        "IMSYS_SECRET_KEY=hunter2",
        "dsn host=/run/pg user=imsys password=hunter2 dbname=imsys",
    ],
)
def test_running_text_loses_what_looks_like_a_secret(text: str) -> None:
    redacted = redact_text(text)
    assert "hunter2" not in redacted
    assert HIDDEN in redacted
    assert redact_text(redacted) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "12 rows of /ppp/secret read",
        "plan applied",
        "password is not set",
        "http://router.example:8728/x",
        "password=''",
    ],
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_a_long_text_without_secrets_is_read_once() -> None:
    text = "a" * 200_000 + " =" + "b-" * 100_000
    assert redact_text(text) == text  # the mistake that this guards against takes longer than a test may


def test_the_filter_hides_secrets_in_message_arguments_traceback_and_extras() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactFilter())
    handler.setFormatter(logging.Formatter("%(message)s router=%(router)s words=%(words)s secret=%(api_token)s"))
    logger = logging.Logger("test")  # noqa: LOG001 - one that nobody else can see
    logger.addHandler(handler)
    try:
        raise ValueError("bad word '=password=hunter2'")
    except ValueError:
        logger.warning(
            "sent %s to %s",
            "=password=hunter2",
            "r1",
            exc_info=sys.exc_info(),
            extra={"router": "r1", "words": "=secret=hunter2", "api_token": "hunter2"},
        )
    written = stream.getvalue()
    assert "hunter2" not in written
    assert f"sent =password={HIDDEN} to r1 router=r1" in written
    assert "Traceback" in written
