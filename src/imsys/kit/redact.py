"""Keeps secrets out of logs, journals and reprs: what may hold one passes through here before it is written anywhere.

`redact_row` is exact, since it sees names and values apart. `redact_text` looks for the shapes that secrets have in
running text: it is the last net, not a licence to log them.
"""

import logging
import re
from collections.abc import Mapping

HIDDEN = "<hidden>"

_STEM = r"(?:pass(?:word|wd|phrase|code)|secret|token|pre-?shared[-_]key|private[-_]key|api[-_]?key|sealed)"
_SECRET_NAME = re.compile(rf"{_STEM}|psk|^otp|^response$", re.IGNORECASE)
_NAME_FROM_STEM = rf"(?:{_STEM}[\w.-]{{0,40}}|\bresponse)"  # searched for in long texts: no run of characters before it
_QUOTED_WORD = re.compile(
    rf"(?P<quote>['\"])(?P<keep>[=?][=!<>-]?[\w.-]{{0,40}}{_NAME_FROM_STEM}=)(?:(?!(?P=quote)).)*",
    re.IGNORECASE | re.DOTALL,
)
_ASSIGNMENT = re.compile(
    rf"(?P<keep>{_NAME_FROM_STEM}['\"]?\s*[=:]\s*)(?P<value>b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\"|[^\s'\",;&)}}\]]+)",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(?P<keep>://[^\s:/@]{0,100}:)[^\s@/]+(?=@)")


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds something that only its owner and the router may see."""
    return _SECRET_NAME.search(name) is not None


def redact_row(row: Mapping[str, str]) -> dict[str, str]:
    """A copy of a row or of attributes, secret values hidden. An empty value stays: that there is none is no secret."""
    return {name: HIDDEN if value and is_secret_name(name) else value for name, value in row.items()}


def redact_text(text: str) -> str:
    """Running text with what looks like a secret hidden: `password=...`, `'=secret=...'`, `scheme://user:...@host`."""
    text = _QUOTED_WORD.sub(rf"\g<quote>\g<keep>{HIDDEN}", text)
    text = _URL_PASSWORD.sub(rf"\g<keep>{HIDDEN}", text)
    return _ASSIGNMENT.sub(_hide_value, text)


class RedactFilter(logging.Filter):
    """Hides secrets in a record's message, in its traceback and in the values beside it. Put it on handlers.

    On a handler it sees every record, those of libraries too; on a logger only that logger's own.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact_text(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:  # formatters print this text instead of formatting the exception again
            record.exc_text = redact_text(record.exc_text)
        for name, value in vars(record).items():
            if name not in _RECORD_FIELDS and isinstance(value, str):
                setattr(record, name, HIDDEN if is_secret_name(name) else redact_text(value))
        return True


_RECORD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def _hide_value(match: re.Match[str]) -> str:
    value = match["value"]
    if HIDDEN in value or value in ("''", '""', "None", "null"):
        return match[0]
    quote = value[-1] if value[-1] in "'\"" else ""
    return f"{match['keep']}{quote}{HIDDEN}{quote}"
