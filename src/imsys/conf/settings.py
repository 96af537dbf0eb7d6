"""Django's settings, and the only reader of the environment. Each default works on a laptop.

Every IMSYS_ variable is explained in docs/reference/settings.md; a test looks for it there.
"""

import base64
import socket
from typing import Any

from django.utils.functional import SimpleLazyObject

from imsys.conf import environment as env
from imsys.conf.database import DATABASE, django_settings, parse_url
from imsys.vault.box import derive
from imsys.vault.keys import load_key

# IMSys's own

DATA_DIR = env.data_dir()
DATABASE_URL = env.text("IMSYS_DATABASE_URL")
EMBEDDED = not DATABASE_URL
PG_ACCOUNT = env.text("IMSYS_PG_ACCOUNT") or None
MASTER_KEY = env.text("IMSYS_SECRET_KEY") or None
EVENT_DAYS = env.number("IMSYS_EVENT_DAYS", 730, at_least=1)
RUN_DAYS = env.number("IMSYS_RUN_DAYS", 30, at_least=1)

# Who is told of incidents, by the least severity that they are told of. The addresses hold tokens.
NOTIFY_URLS = {
    "info": env.hidden_words("IMSYS_NOTIFY_URLS"),
    "warning": env.hidden_words("IMSYS_NOTIFY_WARNING_URLS"),
    "critical": env.hidden_words("IMSYS_NOTIFY_CRITICAL_URLS"),
}
NOTIFY_GAP_S = env.number("IMSYS_NOTIFY_GAP_SECONDS", 60, at_least=0)
NOTIFY_DOWN_S = env.number("IMSYS_NOTIFY_DOWN_SECONDS", 60, at_least=0)
NOTIFY_STALLED_MINUTES = env.number("IMSYS_NOTIFY_STALLED_MINUTES", 10, at_least=1)


def _database_parameters() -> dict[str, str]:
    if not EMBEDDED:
        return parse_url(DATABASE_URL)
    from imsys.postgres import connection_params

    return connection_params(DATA_DIR, DATABASE)


def _django_key() -> str:
    """Made from the master key, so that there is one secret to keep; read late, so that `imsys --help` makes no key."""
    return base64.b64encode(derive(load_key(DATA_DIR, MASTER_KEY), "django")).decode()


# Django's

DEBUG = False
SECRET_KEY: Any = SimpleLazyObject(_django_key)
ALLOWED_HOSTS = env.words("IMSYS_HOSTS", ["localhost", "127.0.0.1", "[::1]", socket.gethostname().lower()])
ROOT_URLCONF = "imsys.conf.urls"
DATABASES = {"default": django_settings(_database_parameters())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = env.time_zone()
USE_I18N = False
LANGUAGE_CODE = "en-us"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "procrastinate.contrib.django",
    "imsys.conf",
    "imsys.timeline",
    "imsys.accounts",
    "imsys.network",
    "imsys.subscribers",
    "imsys.billing",
    "imsys.facts",
    "imsys.fleet",
    "imsys.onboarding",
    "imsys.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# People

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "imsys_session"
CSRF_COOKIE_NAME = "imsys_csrf"

# Behind a proxy that speaks https, cookies travel by https alone.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("IMSYS_HTTPS", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Static files come straight from the installed packages: nothing to collect, nothing fetched from elsewhere.
STATIC_URL = "/static/"
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = False

# Jobs. Procrastinate finds each app's tasks.py by itself; the engine's own chores are in conf/jobs.py.
PROCRASTINATE_IMPORT_PATHS = ["imsys.conf.jobs"]

# What sends messages has addresses with tokens in them, and would log them. timeline.channels alone hears apprise.
_MUTE = {"handlers": ["nowhere"], "propagate": False}
_SENDERS = {"apprise": "WARNING", **dict.fromkeys(("urllib3", "requests", "requests_oauthlib", "oauthlib"), "CRITICAL")}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "imsys.kit.redact.RedactFilter"}},
    "formatters": {"line": {"()": "imsys.conf.logs.LineFormatter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "filters": ["redact"], "formatter": "line"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": env.log_level()},
    # one line per request and per fetched job would bury the one line per run
    "loggers": {
        **{name: {"level": "WARNING"} for name in ("uvicorn.access", "procrastinate", "django.server")},
        **{name: {"level": level, **_MUTE} for name, level in _SENDERS.items()},
    },
}
