"""Where each page is. Pages are `imsys.web`'s."""

from django.urls import include, path

urlpatterns = [path("", include("imsys.web.urls"))]

handler404 = "imsys.web.errors.not_found"
handler500 = "imsys.web.errors.broken"
