"""One database, named once: from its URL to Django's settings, and from those to the conninfo of psycopg's pools."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from imsys.kit.errors import InputError

DATABASE = "imsys"
CONNECT_TIMEOUT_S = 10
_DJANGO_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def parse_url(url: str) -> dict[str, str]:
    """The libpq parameters of a postgresql:// address or a libpq connection string.

    The error does not quote it, nor chain psycopg's, which would: a password may stand in it.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise _bad_url() from None
    parameters = {"dbname": DATABASE, **{name: str(value) for name, value in given.items() if value is not None}}
    ports = parameters.get("port", "").replace(",", "")  # one for each host, when there are several
    if ports and not (ports.isascii() and ports.isdigit()):
        raise _bad_url()
    return parameters


def _bad_url() -> InputError:
    return InputError(
        "IMSYS_DATABASE_URL is neither a postgresql:// address nor a libpq connection string.",
        remedy="Write it like postgresql://imsys:PASSWORD@db.example.net/imsys; escape special characters as %XX.",
        code="BadSetting",
    )


def django_settings(parameters: dict[str, str]) -> dict[str, Any]:
    """An entry of DATABASES. Persistent connections that are checked before use survive a restart of the server."""
    options = {"connect_timeout": str(CONNECT_TIMEOUT_S), "application_name": "imsys"}
    options |= {name: value for name, value in parameters.items() if name not in _DJANGO_NAMES}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{django: parameters.get(libpq, "") for libpq, django in _DJANGO_NAMES.items()},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def dsn(**more: str | int) -> str:
    """Where Django's default connection leads, as libpq conninfo; in tests that is the test database."""
    from django.db import connection

    settings = connection.settings_dict
    parameters = {libpq: settings[django] for libpq, django in _DJANGO_NAMES.items() if settings[django]}
    extra = {name: value for name, value in settings["OPTIONS"].items() if isinstance(value, str | int)}
    return make_conninfo(**{**parameters, **extra, **more})
