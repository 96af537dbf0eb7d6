"""Where each page is. All but the login and the two health checks need a login."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from imsys.web import health, login, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("subscribers/", pages.subscribers, name="subscribers"),
    path("subscribers/<path:username>", pages.subscriber, name="subscriber"),
    path("routers/", pages.routers, name="routers"),
    path("login", login.Login.as_view(), name="login"),
    path("logout", LogoutView.as_view(next_page="login"), name="logout"),
    path("theme", login.set_theme, name="theme"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
