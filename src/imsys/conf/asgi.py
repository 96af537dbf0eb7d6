"""The web application that uvicorn serves."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imsys.conf.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

# Each request of an ASGI server runs in a thread of its own, so a persistent connection would outlive its only user.
settings.DATABASES["default"]["CONN_MAX_AGE"] = 0

application = get_asgi_application()
