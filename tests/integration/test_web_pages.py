"""The pages, asked for as a browser does: who may see them, what they show, what they forbid the browser."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from imsys.accounts.services import add_user
from imsys.facts.models import RouterFacts
from imsys.fleet.models import Unmanaged
from imsys.network.models import Router, RouterState
from imsys.network.services import add_router, freeze, thaw
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from imsys.timeline.incidents import Found, settle

ACTOR = "cli:maria"
PASSWORD = "a long one 4711"
ROUTERS = ("rt-ngong", "rt-thika")
OPEN_TO_ALL = {"login", "logout", "theme", "healthz", "readyz"}
HTMX = {"HX-Request": "true"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client: Client) -> Client:
    """A browser in which somebody is logged in."""
    add_user("maria", role="viewer", password=PASSWORD, actor=ACTOR)
    assert client.login(username="maria", password=PASSWORD)
    return client


@pytest.fixture
def isp() -> None:
    for name, mode in (("rt-ngong", "enforce"), ("rt-thika", "observe")):
        add_router(name=name, host="127.0.0.1", username="api", password="", mode=mode, actor=ACTOR)
    services.add_package(name="home-10m", rate_limit="10M/10M", price=20, actor=ACTOR)
    for username, router, full_name in (
        ("wanjiku", "rt-ngong", "Wanjiku Kamau"),
        ("otieno", "rt-ngong", "Peter Otieno"),
        ("achieng", "rt-thika", "<b>Achieng</b>"),
    ):
        services.add_subscriber(
            username=username, router=router, package="home-10m", full_name=full_name, phone="0712345678", actor=ACTOR
        )


def text_of(html: str) -> str:
    """What a person reads, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


def page(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def pages() -> Iterator[str]:
    for pattern in get_resolver().url_patterns:
        for one in getattr(pattern, "url_patterns", [pattern]):
            assert isinstance(one, URLPattern)
            if one.name not in OPEN_TO_ALL:
                yield reverse(one.name, kwargs=dict.fromkeys(one.pattern.converters, "x"))


class TestWhoMaySee:
    def test_every_page_asks_for_a_login(self, client: Client) -> None:
        for path in pages():
            response = client.get(path)
            assert response.status_code == 302, path
            assert response["Location"] == f"/login?next={path}"

    def test_a_fragment_without_a_login_sends_the_browser_there(self, client: Client) -> None:
        response = client.get("/", headers=HTMX)
        assert (response.status_code, response["HX-Redirect"], response.content) == (204, "/login", b"")

    def test_logging_in_leads_where_one_wanted_to_go_and_out_again(self, client: Client) -> None:
        add_user("maria", role="viewer", password=PASSWORD, actor=ACTOR)
        assert "Log in" in page(client, "/login")
        wrong = client.post("/login", {"username": "maria", "password": "wrong"})
        assert "The name or the password is wrong." in wrong.content.decode()
        right = client.post("/login", {"username": "maria", "password": PASSWORD, "next": "/routers/"})
        assert (right.status_code, right["Location"]) == (302, "/routers/")
        assert client.post("/logout")["Location"] == "/login"
        assert client.get("/").status_code == 302

    def test_pages_are_not_kept_by_the_browser(self, person: Client) -> None:
        response = person.get("/")
        assert "no-store" in response["Cache-Control"]
        assert "HX-Request" in response["Vary"]


class TestPolicy:
    POLICY = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )

    @pytest.mark.usefixtures("isp")
    def test_every_page_carries_it_and_keeps_to_it(self, person: Client) -> None:
        for path in ("/", "/subscribers/", "/subscribers/wanjiku", "/routers/", "/login", "/nothing-here"):
            response = person.get(path, follow=True)
            html = response.content.decode()
            given = response["Content-Security-Policy"]
            assert sorted(part.strip() for part in given.split(";")) == sorted(self.POLICY.split("; "))
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:", html), path
            assert not re.search(r"<script(?![^>]*\ssrc=)", html), path
            assert not re.search(r"https?://(?!www\.w3\.org)", html), path

    def test_htmx_is_told_to_evaluate_nothing_and_to_keep_nothing(self, person: Client) -> None:
        html = page(person, "/")
        for setting in ('"allowEval":false', '"includeIndicatorStyles":false', '"historyCacheSize":0'):
            assert setting in html

    def test_every_asset_that_a_page_names_is_there(self, person: Client) -> None:
        assets = re.findall(r'(?:href|src)="(/static/[^"]+)"', page(person, "/"))
        assert len(assets) >= 6
        for asset in assets:
            response = person.get(asset)
            assert (response.status_code, int(response["Content-Length"]) > 100) == (200, True), asset


class TestHome:
    def test_without_a_router_it_says_what_to_do(self, person: Client) -> None:
        text = text_of(page(person, "/"))
        assert "No router yet" in text
        assert "it is only read, nothing is written" in text
        assert "imsys router add" in text

    @pytest.mark.usefixtures("isp")
    def test_a_gap_that_is_not_known_is_not_zero(self, person: Client) -> None:
        text = text_of(page(person, "/"))
        assert "Suspended but online unknown" in text
        assert "not every enforced router was read in the last minute" in text

    @pytest.mark.usefixtures("isp")
    def test_a_zero_is_earned(self, person: Client) -> None:
        SyncState.objects.update(sync_status="synced", applied_generation=1)
        read(router="rt-ngong", suspended_online=0, entitled_cut=2)
        html = page(person, "/")
        text = text_of(html)
        assert "Suspended but online 0 proven on 1 enforced router within a minute" in text
        assert "Entitled but cut off 2 of 1 enforced router" in text
        read(router="rt-ngong", suspended_online=0, entitled_cut=2, age_s=61)
        assert "Suspended but online unknown" in text_of(page(person, "/"))

    @pytest.mark.usefixtures("isp")
    def test_it_counts_and_names_what_needs_a_person(self, person: Client) -> None:
        SyncState.objects.filter(subscriber__username="otieno").update(sync_status="synced", next_attempt_at=None)
        RouterState.objects.filter(router__name="rt-ngong").update(
            condition="LoginRefused",
            condition_text="It refused the login.",
            remedy="Correct it.",
            is_reachable=True,
        )
        text = text_of(page(person, "/"))
        assert "1 Synced of 3" in text
        assert "2 Pending" in text
        assert "rt-ngong LoginRefused It refused the login. Correct it." in text
        assert "wanjiku added by cli:maria package home-10m" in text

    @pytest.mark.usefixtures("isp")
    def test_a_freeze_is_told_first(self, person: Client) -> None:
        assert "Frozen" not in text_of(page(person, "/"))
        freeze("the <core> is moved", actor="cli:juma")
        text = text_of(page(person, "/", **HTMX))
        assert re.match(r"Frozen \d+ s by cli:juma: the &lt;core&gt; is moved Nothing is written to any router", text)
        assert re.search(r"frozen by cli:juma the &lt;core&gt; is moved", text)
        thaw(actor=ACTOR)
        assert "Nothing is written to any router" not in text_of(page(person, "/"))

    @pytest.mark.usefixtures("isp")
    def test_free_internet_is_visible_at_a_glance(self, person: Client) -> None:
        assert "Nobody" not in text_of(page(person, "/"))
        router, now = Router.objects.get(name="rt-ngong"), timezone.now()
        seen = {"menu": "/ppp/secret", "shown": {}, "first_seen_at": now, "last_seen_at": now}
        for key, is_live, decision in (("ann", True, ""), ("ben", False, ""), ("noc", True, "keep")):
            row = {"key": key, "is_live": is_live, "is_disabled": False, "decision": decision}
            Unmanaged.objects.create(router=router, **seen, **row)
        assert "Nobody’s logins 2 1 online: imsys unmanaged list" in text_of(page(person, "/"))

    def test_the_live_part_comes_alone_and_asks_again(self, person: Client) -> None:
        html = page(person, "/", **HTMX)
        assert html.strip().startswith('<div id="live" hx-get="/" hx-trigger="every 4s')
        assert "<html" not in html
        assert '<div id="live" hx-get="/"' in page(person, "/")


class TestSubscribers:
    def test_without_any_it_says_what_to_do(self, person: Client) -> None:
        text = text_of(page(person, "/subscribers/"))
        assert "No subscribers" in text
        assert "imsys subscriber import" in text

    @pytest.mark.usefixtures("isp")
    def test_it_shows_who_is_there_in_which_state(self, person: Client) -> None:
        services.suspend(["otieno"], cause="abuse", actor=ACTOR)
        SyncState.objects.filter(subscriber__username="otieno").update(
            sync_status="error", sync_error="The router has no PPP profile named 'x'."
        )
        html = page(person, "/subscribers/")
        text = text_of(html)
        assert "3 match | 0 synced | 2 pending | 1 in error" in text
        assert re.search(
            r"otieno Peter Otieno pppoe home-10m rt-ngong Suspended abuse Error 0 s The router has no PPP", text
        )
        assert re.search(r"wanjiku Wanjiku Kamau pppoe home-10m rt-ngong Active Pending \d+ s never", text)
        assert re.search(r"achieng &lt;b&gt;Achieng&lt;/b&gt; pppoe home-10m rt-thika Active Observed", text)

    @pytest.mark.usefixtures("isp")
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("q=kamau", ["wanjiku"]),
            ("q=otieno", ["otieno"]),
            ("router=rt-ngong", ["otieno", "wanjiku"]),
            ("access=suspended", ["otieno"]),
            ("access=active&router=rt-ngong", ["wanjiku"]),
            ("status=pending&package=home-10m", ["achieng", "otieno", "wanjiku"]),
            ("status=nonsense&q=achi", ["achieng"]),
        ],
    )
    def test_filters_are_in_the_address(self, person: Client, query: str, names: list[str]) -> None:
        services.suspend(["otieno"], actor=ACTOR)
        assert shown(page(person, f"/subscribers/?{query}")) == names

    @pytest.mark.usefixtures("isp")
    def test_nobody_matches(self, person: Client) -> None:
        for query in ("q=nobody", "router=rt-gone", "package=gone", "q=%00"):
            html = page(person, f"/subscribers/?{query}")
            assert query == "q=%00" or "Nobody matches. Remove the filters." in text_of(html)

    @pytest.mark.usefixtures("isp")
    def test_pages_of_fifty_by_cursor_keep_the_filter(self, person: Client) -> None:
        names = [f"user{number:03}" for number in range(120)]
        for name in names:
            services.add_subscriber(username=name, router="rt-ngong", package="home-10m", actor=ACTOR)
        seen, path = [], "/subscribers/?q=user&router=rt-ngong"
        while path:
            html = page(person, path)
            seen.append(shown(html))
            found = re.search(r'rel="next" href="([^"]+)"', html)
            path = found[1].replace("&amp;", "&") if found else ""
        assert [len(names) for names in seen] == [50, 50, 20]
        assert [name for part in seen for name in part] == names


class TestSubscriber:
    @pytest.mark.usefixtures("isp")
    def test_it_shows_what_is_wanted_why_and_what_happened(self, person: Client) -> None:
        services.suspend(["wanjiku"], cause="request", note="moved house", actor=ACTOR)
        text = text_of(page(person, "/subscribers/wanjiku"))
        assert "Wanjiku Kamau wanjiku" in text
        assert re.search(r"request \d+ s by cli:maria moved house", text)
        assert "Password not managed" in text
        assert "generation 2" in text
        assert "imsys subscriber resume wanjiku" in text
        assert re.search(r"suspended \(request\) by cli:maria moved house", text)
        assert "wanjiku added by cli:maria package home-10m" in text

    @pytest.mark.usefixtures("isp")
    def test_it_shows_the_device_and_what_was_left_behind(self, person: Client) -> None:
        services.add_subscriber(
            username="cafe",
            router="rt-ngong",
            package="home-10m",
            service="static",
            address="10.9.8.2",
            mac="00:0C:42:1A:2B:3C",
            actor=ACTOR,
        )
        services.move_subscribers(["cafe"], "rt-thika", actor=ACTOR)
        services.rename_subscriber("cafe", "java", actor=ACTOR)
        text = text_of(page(person, "/subscribers/java"))
        assert "Service static Address 10.9.8.2 MAC 00:0C:42:1A:2B:3C" in text
        assert re.search(r"Rows may remain on rt-ngong , left \d+ s ago: OldRouterUnreachable", text)
        assert "router rt-ngong → rt-thika" in text
        assert "username cafe → java" in text

    @pytest.mark.usefixtures("isp")
    def test_it_says_what_changed_and_the_last_day(self, person: Client) -> None:
        services.add_package(name="home-20m", rate_limit="20M/20M", price=30, actor=ACTOR)
        midnight = datetime(2027, 2, 1, tzinfo=UTC)
        services.set_subscriber(
            "wanjiku", package="home-20m", expires_at=midnight, address="10.9.0.1", actor="cli:juma"
        )
        text = text_of(page(person, "/subscribers/wanjiku"))
        assert re.search(r"by cli:juma .*package home-10m → home-20m", text)
        assert "address none → 10.9.0.1" in text
        assert "Expires 31 Jan 2027 2027-02-01 00:00:00 UTC" in text
        assert "31 Jan 2027" in text_of(page(person, "/subscribers/"))

    @pytest.mark.usefixtures("isp")
    def test_who_is_not_there(self, person: Client) -> None:
        response = person.get("/subscribers/nobody")
        assert response.status_code == 404
        assert "There is no such page." in response.content.decode()

    @pytest.mark.usefixtures("isp")
    @pytest.mark.parametrize("username", ["a/b", "ann@isp.example", "ann%20", "ünï"])
    def test_any_username_has_a_page(self, person: Client, username: str) -> None:
        services.add_subscriber(username=username, router="rt-ngong", package="home-10m", actor=ACTOR)
        found = re.search(r'id="u-[^"]*" href="([^"]+)"', page(person, "/subscribers/?router=rt-ngong"))
        assert found
        assert username in page(person, reverse("subscriber", args=[username]))


class TestRouters:
    def test_without_any_it_says_what_to_do(self, person: Client) -> None:
        text = text_of(page(person, "/routers/"))
        assert "No router yet" in text
        assert "imsys router add" in text

    @pytest.mark.usefixtures("isp")
    def test_those_that_need_a_person_come_first(self, person: Client) -> None:
        RouterState.objects.filter(router__name="rt-thika").update(
            condition="ConnectFailed", condition_text="No answer.", is_reachable=False, version="7.16.2"
        )
        RouterState.objects.filter(router__name="rt-ngong").update(is_reachable=True)
        read(router="rt-ngong", online=2)
        read(router="rt-thika", online=9, age_s=300)
        text = text_of(page(person, "/routers/"))
        assert text.index("rt-thika 127.0.0.1:8728 Observe") < text.index("rt-ngong 127.0.0.1:8728 Enforce")
        assert re.search(r"ConnectFailed No answer\. +7\.16\.2 1 1 0 \? 9 not yet", text)
        assert re.search(r"Enforce Up 2 2 0 2 not yet", text)


class TestTheme:
    def test_the_choice_is_kept_in_a_cookie_and_drawn_by_the_server(self, person: Client) -> None:
        assert '<html lang="en" data-theme="auto">' in page(person, "/")
        response = person.post("/theme", {"theme": "dark", "next": "/routers/"})
        assert response["Location"] == "/routers/"
        assert '<html lang="en" data-theme="dark">' in page(person, "/")

    def test_nonsense_changes_nothing_and_leads_nowhere_else(self, person: Client) -> None:
        response = person.post("/theme", {"theme": '"><script>', "next": "https://elsewhere.example/"})
        assert response["Location"] == "/"
        assert '<html lang="en" data-theme="auto">' in page(person, "/")


def read(*, router: str, online: int = 0, suspended_online: int = 0, entitled_cut: int = 0, age_s: int = 0) -> None:
    """What a keeper leaves behind after it read the facts of a router."""
    RouterFacts.objects.update_or_create(
        router=Router.objects.get(name=router),
        defaults={
            "read_at": timezone.now() - timedelta(seconds=age_s),
            "online": online,
            "suspended_online": suspended_online,
            "entitled_cut": entitled_cut,
        },
    )


def shown(html: str) -> list[str]:
    return re.findall(r'id="u-([^"]+)"', html)


class TestIncidents:
    def test_they_are_on_the_front_page_and_a_router_in_one_is_not_told_twice(self, person: Client, isp: None) -> None:
        bad = {"condition": "LoginRefused", "condition_text": "<i>No.</i>", "remedy": "Correct the password."}
        RouterState.objects.update(is_reachable=True, condition_since=timezone.now(), **bad)
        assert "Routers that need a person" in text_of(page(person, "/"))
        settle([Found("router-refused", name, "critical", f"{name}: <i>No.</i>", "Mend it.") for name in ROUTERS])
        html = page(person, "/", **HTMX)
        assert "Routers that need a person" not in html
        assert "<i>" not in html
        assert [text_of(html).count(words) for words in ("Critical", "Mend it.", "rt-ngong: ")] == [2, 2, 1]

    def test_a_long_list_says_how_much_longer(self, person: Client, isp: None) -> None:
        settle([Found("router-down", f"rt-{n}", "critical", f"rt-{n} is down.") for n in range(25)])
        assert "and 5 more" in text_of(page(person, "/"))
