"""Windows, caps, the freeze and the enforcement of one subscriber: what is kept, who is told to look."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from imsys.conf.database import dsn
from imsys.kit.errors import InputError
from imsys.network import selectors
from imsys.network import services as network
from imsys.network.models import Freeze, Router, RouterState
from imsys.network.wake import CHANNEL, EVERYBODY
from imsys.subscribers import services
from imsys.timeline.models import Event

ACTOR = "cli:ann"
NIGHT = "* 2-5 * * *"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def isp(settings: Any) -> None:
    settings.TIME_ZONE = "Africa/Nairobi"
    for name in ("rt-1", "rt-2"):
        network.add_router(name=name, host="127.0.0.1", username="api", password="", actor=ACTOR)
    RouterState.objects.update(resync_due_at=datetime(2099, 1, 1, tzinfo=UTC), resync_asked_at=None)


def set_router(**changes: Any) -> tuple[str, str, dict[str, int]]:
    router = services.set_router("rt-1", actor=ACTOR, **changes)
    router.refresh_from_db()
    return router.window, router.window_zone, router.caps


def asked() -> set[str]:
    """The routers that are to be read anew now."""
    due = RouterState.objects.filter(resync_due_at__year__lt=2099)
    return set(due.values_list("router__name", flat=True))


class TestWindow:
    def test_its_zone_is_the_isps_and_stays_when_that_changes(self, settings: Any) -> None:
        assert set_router(window=" *  2-5 * * * ") == (NIGHT, "Africa/Nairobi", {})
        assert asked() == {"rt-1"}
        settings.TIME_ZONE = "UTC"
        assert set_router(window="* 3 * * *") == ("* 3 * * *", "Africa/Nairobi", {})
        assert set_router(window_zone="") == ("* 3 * * *", "UTC", {})
        event = Event.objects.filter(what="router-changed").latest("id")
        assert (event.before, event.after) == ({"window_zone": "Africa/Nairobi"}, {"window_zone": "UTC"})

    def test_its_zone_can_be_chosen(self) -> None:
        assert set_router(window=NIGHT, window_zone="Europe/Berlin")[:2] == (NIGHT, "Europe/Berlin")
        assert set_router(window_zone="Africa/Kampala")[:2] == (NIGHT, "Africa/Kampala")

    @pytest.mark.parametrize("empty", ["", "  "])
    def test_empty_clears_it_with_its_zone(self, empty: str) -> None:
        set_router(window=NIGHT)
        assert set_router(window=empty) == ("", "", {})

    def test_a_router_is_added_with_one(self) -> None:
        access: dict[str, Any] = {"host": "h", "username": "u", "password": "", "actor": ACTOR}
        router = network.add_router(name="rt-3", window=NIGHT, caps={"kicks": 5, "removes": None}, **access)
        router.refresh_from_db()
        assert (router.window, router.window_zone, router.caps) == (NIGHT, "Africa/Nairobi", {"kicks": 5})
        with pytest.raises(InputError, match="cannot be read"):
            network.add_router(name="rt-4", window="at night", **access)
        assert not Router.objects.filter(name="rt-4").exists()

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"window": "2-5"}, r"cannot be read\. Write five fields"),
            ({"window": "* * 31 2 *"}, "never opens"),
            ({"window": NIGHT, "window_zone": "Nairobi"}, "'Nairobi' is not a time zone"),
            ({"window_zone": "UTC"}, r"The zone UTC has no window.*--window"),
            ({"window": "", "window_zone": "UTC"}, "has no window"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was(self, changes: dict[str, Any], says: str) -> None:
        with pytest.raises(InputError, match=says):
            set_router(**changes)
        assert set_router() == ("", "", {})
        assert not asked()


class TestCaps:
    def test_what_is_named_changes_and_the_rest_stays(self) -> None:
        assert set_router(caps={"removes": 3, "kicks": 0})[2] == {"removes": 3, "kicks": 0}
        assert asked() == {"rt-1"}
        assert set_router(caps={"removes": None, "suspends": 40})[2] == {"suspends": 40, "kicks": 0}
        event = Event.objects.filter(what="router-changed").latest("id")
        assert (event.before, event.after) == (
            {"caps": {"removes": 3, "kicks": 0}},
            {"caps": {"suspends": 40, "kicks": 0}},
        )

    def test_what_is_so_already_changes_nothing(self) -> None:
        assert set_router(caps={"removes": None}, window="") == ("", "", {})
        assert not Event.objects.filter(what="router-changed").exists()
        assert not asked()

    @pytest.mark.parametrize(
        ("caps", "says"),
        [
            ({"writes": 3}, r"no cap for 'writes'\. Use one of: suspends, resumes, removes, creates, kicks\."),
            ({"kicks": -1}, r"-1 was given for kicks\. Write a number, or --cap kicks=default\."),
            ({"kicks": 1_000_001}, "A cap is 0 to 1000000"),
        ],
    )
    def test_says_what_is_wrong(self, caps: dict[str, Any], says: str) -> None:
        with pytest.raises(InputError, match=says):
            set_router(caps=caps)


class TestFreeze:
    def test_it_stands_with_its_reason(self) -> None:
        assert selectors.frozen() is None
        network.freeze(" core is being moved ", actor=ACTOR)
        frozen = selectors.frozen()
        assert frozen is not None
        assert (frozen["reason"], frozen["by"], frozen["since"].tzinfo) == ("core is being moved", ACTOR, UTC)
        event = Event.objects.get(what="frozen")
        assert (event.actor, event.note) == (ACTOR, "core is being moved")
        assert not asked()

    def test_a_second_one_is_told_who_froze_and_why(self) -> None:
        network.freeze("core is being moved", actor="cli:bob")
        with pytest.raises(InputError) as refused:
            network.freeze("mine", actor=ACTOR)
        since = Freeze.objects.get().since
        assert f"cli:bob has frozen the routers already, on {since:%Y-%m-}" in refused.value.message
        assert refused.value.message.endswith("EAT: core is being moved")
        assert refused.value.remedy.endswith("imsys thaw")
        assert Event.objects.filter(what="frozen").count() == 1

    @pytest.mark.parametrize("reason", ["", "  ", "a\nb"])
    def test_it_has_a_reason_of_one_line(self, reason: str) -> None:
        with pytest.raises(InputError, match="reason for the freeze"):
            network.freeze(reason, actor=ACTOR)
        assert selectors.frozen() is None

    def test_thawing_has_every_router_read(self) -> None:
        network.freeze("core is being moved", actor="cli:bob")
        assert network.thaw(actor=ACTOR) == 2
        assert selectors.frozen() is None
        assert asked() == {"rt-1", "rt-2"}
        event = Event.objects.get(what="thawed")
        assert (event.actor, event.note, event.before and event.before["by"]) == (
            ACTOR,
            "core is being moved",
            "cli:bob",
        )
        network.freeze("again", actor=ACTOR)

    def test_there_is_nothing_to_thaw(self) -> None:
        with pytest.raises(InputError, match="not frozen"):
            network.thaw(actor=ACTOR)
        assert not asked()
        assert not Event.objects.filter(what="thawed").exists()

    @pytest.mark.django_db(transaction=True)
    def test_every_keeper_is_woken_by_both(self) -> None:
        with psycopg.connect(dsn(), autocommit=True) as ear:
            ear.execute(f"listen {CHANNEL}")
            for change in (lambda: network.freeze("core", actor=ACTOR), lambda: network.thaw(actor=ACTOR)):
                change()
                ear.execute("select 1")
                assert [notice.payload for notice in ear.notifies(timeout=0)] == [EVERYBODY]
