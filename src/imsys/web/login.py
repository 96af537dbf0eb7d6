"""Who may see a page, and the look of it: the login, the guard of every page, the theme cookie."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from django.contrib.auth.views import LoginView, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers

P = ParamSpec("P")
Page = Callable[P, HttpResponse]

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "imsys_theme"
YEAR_S = 365 * 24 * 3600


def page(view: Page[P]) -> Page[P]:
    """A page of ours: for people who are logged in, never kept by a browser's cache, whole or as a fragment for htmx.

    A fragment asked for after the session ended sends the browser to the login, rather than drawing it inside the page.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request = args[0]
        assert isinstance(request, HttpRequest)
        if request.user.is_authenticated:
            return view(*args, **kwargs)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": reverse("login")})
        return redirect_to_login(request.get_full_path())

    return never_cache(vary_on_headers("HX-Request")(guarded))


class Login(LoginView):
    template_name = "web/login.html"
    redirect_authenticated_user = True


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = "/"
    response = HttpResponseRedirect(target)
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE, theme, max_age=YEAR_S, samesite="Lax", secure=request.is_secure(), httponly=True
        )
    return response
