"""Reads single `IMSYS_*` variables and says in one line what is wrong with one. Used by settings.py alone."""

import os
import zoneinfo
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from imsys.kit.errors import InputError


@dataclass(frozen=True, slots=True)
class Hidden:
    """A setting that is a secret: whoever prints the settings, or an error that has them at hand, does not print it."""

    text: str = field(repr=False)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    value = text(name).lower()
    if value in ("1", "yes", "true", "on"):
        return True
    if value in ("0", "no", "false", "off"):
        return False
    if not value:
        return default
    raise _bad(name, f"{value!r} is neither yes nor no.", "Set it to yes or no, or leave it out.")


def number(name: str, default: int, *, at_least: int) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or int(value) < at_least:
        raise _bad(name, f"{value!r} is not a whole number of {at_least} or more.", f"The default is {default}.")
    return int(value)


def words(name: str, default: list[str]) -> list[str]:
    """A list with commas between its members."""
    return [word for part in text(name).split(",") if (word := part.strip())] or default


def hidden_words(name: str) -> tuple[Hidden, ...]:
    """A list of secrets with blanks or line ends between them; each once."""
    return tuple(Hidden(word) for word in dict.fromkeys(text(name).split()))


def data_dir() -> Path:
    return Path(text("IMSYS_DATA_DIR") or platformdirs.user_data_dir("imsys", appauthor=False)).expanduser().absolute()


def time_zone() -> str:
    name = text("IMSYS_TIME_ZONE", "UTC")
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise _bad(
            "IMSYS_TIME_ZONE", f"{name!r} is not a time zone.", "Use a name such as Africa/Nairobi or UTC."
        ) from exc
    return name


def log_level() -> str:
    level = text("IMSYS_LOG_LEVEL", "INFO").upper()
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise _bad("IMSYS_LOG_LEVEL", f"{level!r} is not a log level.", "Use DEBUG, INFO, WARNING or ERROR.")
    return level


def _bad(name: str, what: str, remedy: str) -> InputError:
    return InputError(f"{name}: {what}", remedy=remedy, code="BadSetting")
