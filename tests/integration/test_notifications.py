"""Incidents: opened once, told once to each channel, and once that they are over, whatever channels do meanwhile."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from procrastinate.contrib.django.models import ProcrastinateJob

from imsys.conf import settings as conf
from imsys.conf.environment import Hidden
from imsys.conf.sql import execute
from imsys.fleet import incidents as conditions
from imsys.fleet import watchman
from imsys.fleet.incidents import look, send_due
from imsys.fleet.watchman import stand_in
from imsys.network.services import add_router
from imsys.timeline import incidents, notify
from imsys.timeline.channels import targets
from imsys.timeline.incidents import Found, settle
from imsys.timeline.models import Channel, Incident, Severity, Telling
from tests.receiver import TOKEN, Receiver, receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture(autouse=True)
def told(phone: Receiver, settings: Any) -> None:
    """Who is told: the phone, of everything, as often as there is something to say."""
    listen(settings, info=[phone])
    settings.NOTIFY_GAP_S = 0


def listen(settings: Any, **by_severity: list[Receiver]) -> None:
    settings.NOTIFY_URLS = {
        severity: tuple(Hidden(one.url) for one in by_severity.get(severity, ())) for severity in Severity.values
    }


def down(*names: str) -> list[Found]:
    return [
        Found("router-down", name, "critical", f"{name} is down. No answer.", "Look at its power.") for name in names
    ]


def errors(subject: str) -> Found:
    return Found("subscriber-errors", subject, "warning", f"3 subscribers are in error: {subject}.")


def later(seconds: float) -> None:
    """Let time pass: all that is written down happened so much earlier."""
    passed = timedelta(seconds=seconds)
    execute(
        "update timeline_incident set opened_at = opened_at - %(s)s, closed_at = closed_at - %(s)s,"
        " tell_from = tell_from - %(s)s",
        {"s": passed},
    )
    execute("update timeline_channel set next_attempt_at = next_attempt_at - %s", [passed])


class TestIncidents:
    def test_one_is_opened_once_however_often_it_is_seen(self) -> None:
        assert [settle(down("rt-1")).opened for _ in range(3)] == [1, 0, 0]
        assert [(row["kind"], row["subject"], row["count"]) for row in incidents.incidents()] == [
            ("router-down", "rt-1", 1)
        ]

    def test_one_that_is_seen_no_more_is_over(self) -> None:
        settle([*down("rt-1", "rt-2"), errors("rt-3 MissingProfile")])
        assert settle(down("rt-2")).closed == 2
        assert [row["subject"] for row in incidents.incidents()] == ["rt-2"]
        assert len(incidents.incidents(with_closed=True)) == 3
        assert incidents.count_open() == 1

    def test_its_words_follow_what_is_so_and_the_worst_comes_first(self) -> None:
        settle([errors("rt-3"), *down("rt-1")])
        settle([Found("subscriber-errors", "rt-3", "warning", "4 subscribers are in error."), *down("rt-1")])
        assert [row["text"] for row in incidents.incidents()] == [
            "rt-1 is down. No answer.",
            "4 subscribers are in error.",
        ]

    def test_what_is_found_twice_is_one(self) -> None:
        assert settle([*down("rt-1"), *down("rt-1")]).opened == 1

    def test_one_that_is_back_soon_is_the_same_and_later_another(self) -> None:
        settle(down("rt-1"))
        settle([])
        later(60)
        settle(down("rt-1"))
        assert [row["count"] for row in incidents.incidents(with_closed=True)] == [2]
        settle([])
        later(incidents.FLAP_S + 1)
        settle(down("rt-1"))
        assert [row["count"] for row in incidents.incidents(with_closed=True)] == [1, 2]

    def test_old_ones_are_forgotten_open_ones_never(self) -> None:
        settle(down("rt-1", "rt-2"))
        send_due()
        settle(down("rt-2"))
        later(3 * 86_400)
        assert incidents.prune(keep=timedelta(days=2)) == 1
        assert [row.subject for row in Incident.objects.all()] == ["rt-2"]
        assert Telling.objects.count() == 1


class TestTelling:
    def test_each_is_told_once_and_its_end_once(self, phone: Receiver) -> None:
        settle(down("rt-1"))
        assert [send_due() for _ in range(3)] == [1, 0, 0]
        later(720)
        settle([])
        assert [send_due() for _ in range(3)] == [1, 0, 0]
        assert phone.titles == ["rt-1 is down. No answer", "rt-1 is no longer down after 12 min"]
        assert [message["type"] for message in phone.taken] == ["failure", "success"]
        assert "Look at its power." in phone.taken[0]["message"]
        (row,) = incidents.incidents(with_closed=True)
        assert row["told_at"]
        assert row["told_end_at"]

    def test_many_at_once_are_one_message(self, phone: Receiver) -> None:
        settle([*down(*(f"rt-{n:02}" for n in range(1, 14))), errors("rt-99 MissingProfile")])
        assert send_due() == 1
        (title,) = phone.titles
        assert title.startswith("13 routers are down: rt-01, rt-02, rt-03, ")
        assert title.endswith(" rt-10 and 3 more (and 1 more)")
        assert "3 subscribers are in error: rt-99 MissingProfile." in phone.taken[0]["message"]

    def test_one_that_ended_before_it_was_told_is_not_told(self, phone: Receiver) -> None:
        settle(down("rt-1"))
        settle([])
        assert send_due() == 0
        assert phone.taken == []

    def test_one_that_is_given_time_is_told_when_it_lasts(self, phone: Receiver) -> None:
        patient = Found("no-worker", "The fleet", "critical", "No worker.", patience_s=30)
        settle([patient])
        assert send_due() == 0
        later(31)
        settle([patient])
        assert send_due() == 1

    def test_messages_keep_their_distance_and_what_waits_goes_together(self, phone: Receiver, settings: Any) -> None:
        settings.NOTIFY_GAP_S = 60
        settle(down("rt-1"))
        assert send_due() == 1
        settle(down("rt-1", "rt-2"))
        later(30)
        assert (notify.has_news(), send_due()) == (False, 0)
        settle(down("rt-2", "rt-3"))
        later(31)
        assert (notify.has_news(), send_due()) == (True, 1)
        assert len(phone.taken) == 2
        assert phone.taken[1]["message"].startswith("2 routers are down: rt-2, rt-3.")
        assert "rt-1 is no longer down" in phone.taken[1]["message"]

    def test_flapping_is_told_once_and_ends_when_it_has_been_calm(self, phone: Receiver) -> None:
        for _ in range(6):
            settle(down("rt-1"))
            send_due()
            later(30)
            settle([])
            send_due()
            later(30)
        assert phone.titles == [
            "rt-1 is down. No answer",
            "rt-1 is no longer down after 30 s",
            "rt-1 is down. No answer",
        ]
        assert "It has begun 2 times" in phone.taken[2]["message"]
        later(incidents.FLAP_S)
        settle([])
        assert [send_due(), send_due()] == [1, 0]
        assert phone.titles[3] == "rt-1 is no longer down, 6 times within 5 min"

    def test_a_channel_is_told_of_what_is_bad_enough_for_it(self, phone: Receiver, settings: Any) -> None:
        with receiver() as pager, receiver() as mail:
            listen(settings, info=[phone], warning=[mail], critical=[pager, phone])
            settle([*down("rt-1"), errors("rt-2 X"), Found("passwords-hidden", "rt-3", "info", "rt-3 hides them.")])
            assert send_due() == 3
            assert [len(one.taken) for one in (phone, mail, pager)] == [1, 1, 1]
            assert "rt-3" in phone.taken[0]["message"]
            assert "rt-3" not in mail.taken[0]["message"]
            assert "rt-2" in mail.taken[0]["message"]
            assert "rt-2" not in pager.taken[0]["message"]
            assert [target.name.split()[0] for target in targets()] == [
                "IMSYS_NOTIFY_URLS", "IMSYS_NOTIFY_WARNING_URLS", "IMSYS_NOTIFY_CRITICAL_URLS",
            ]  # fmt: skip

    def test_a_channel_that_is_down_is_tried_again_and_holds_up_no_other(self, phone: Receiver, settings: Any) -> None:
        with receiver() as broken:
            listen(settings, info=[broken, phone])
            broken.status = 503
            settle(down("rt-1"))
            assert send_due() == 1
            assert (broken.refused, len(phone.taken)) == (1, 1)
            assert (notify.has_news(), send_due()) == (False, 0)  # it waits
            waits = []
            for _ in range(4):
                row = Channel.objects.get(failures__gt=0)
                waits.append(round((row.next_attempt_at - Incident.objects.get().opened_at).total_seconds()))
                later(10_000)
                send_due()
            assert broken.refused == 5
            assert waits == sorted(waits)
            broken.status = 200
            later(10_000)
            assert send_due() == 1
            assert (len(broken.taken), len(phone.taken)) == (1, 1)
            assert Channel.objects.filter(failures=0).count() == 2

    def test_what_ended_while_a_channel_was_down_is_not_told_there(self, phone: Receiver) -> None:
        phone.status = 500
        settle(down("rt-1", "rt-2"))
        send_due()
        settle(down("rt-2"))
        phone.status = 200
        later(10_000)
        assert send_due() == 1
        assert phone.titles == ["rt-2 is down. No answer"]

    def test_a_crash_between_sending_and_recording_repeats_that_message_alone(
        self, phone: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError

        settle(down("rt-1"))
        with monkeypatch.context() as patch:
            patch.setattr(notify, "_record_telling", crash)
            with pytest.raises(ZeroDivisionError):
                send_due()
        assert [send_due() for _ in range(2)] == [1, 0]
        assert phone.titles == ["rt-1 is down. No answer"] * 2

    def test_without_a_channel_incidents_are_kept_all_the_same(self, settings: Any) -> None:
        listen(settings)
        settle(down("rt-1"))
        assert (notify.has_news(), send_due(), incidents.count_open()) == (False, 0, 1)


class TestJobs:
    """One job sends, however often it is asked for; nothing secret is in it or anywhere else."""

    def test_a_look_enqueues_one_job_while_there_is_something_to_tell(self, phone: Receiver, no_worker: None) -> None:
        for _ in range(3):
            look()
        jobs = ProcrastinateJob.objects.filter(task_name=conditions.SEND_TASK)
        assert [(job.status, job.args) for job in jobs] == [("todo", {})]
        send_due()
        jobs.delete()
        look()
        assert not jobs.exists()

    def test_no_secret_shows(
        self, phone: Receiver, no_worker: None, settings: Any, caplog: pytest.LogCaptureFixture, capfd: Any
    ) -> None:
        caplog.set_level(logging.DEBUG)
        look()
        phone.status = 401
        send_due()
        phone.status = 200
        later(100)
        send_due()
        settings.NOTIFY_URLS = {**settings.NOTIFY_URLS, "warning": (Hidden(f"nosuch://{TOKEN}"),)}
        send_due()
        assert len(phone.taken) == 1
        shown = [
            caplog.text,
            *map(str, vars(caplog)),
            *(str(vars(record)) for record in caplog.records),
            *capfd.readouterr(),
        ]
        shown += [repr(targets()), repr(settings.NOTIFY_URLS), repr(notify.send_test())]
        shown += [str(list(model.objects.values())) for model in (ProcrastinateJob, Channel, Incident, Telling)]
        assert any("it answered 401" in text for text in shown)
        assert any("not an address that apprise knows" in text for text in shown)
        assert not [text for text in shown if TOKEN in text]

    @pytest.fixture
    def no_worker(self) -> None:
        """An incident that the real conditions find: a router, and nobody who keeps it."""
        add_router(name="rt-1", host="192.0.2.1", username="imsys", password="", actor="cli:ann")
        look()
        later(conditions.NO_WORKER_PATIENCE_S + 1)


class TestWatchman:
    """While no worker lives, the web process looks and sends."""

    @pytest.fixture(autouse=True)
    def router(self) -> None:
        add_router(name="rt-1", host="192.0.2.1", username="imsys", password="", actor="cli:ann")

    def test_it_tells_that_no_worker_lives_once_that_lasts(self, phone: Receiver) -> None:
        assert stand_in() == 0
        later(conditions.NO_WORKER_PATIENCE_S + 1)
        assert [stand_in() for _ in range(2)] == [1, 0]
        assert phone.titles[0].startswith("No worker keeps the routers")

    def test_it_leaves_all_to_a_worker_that_lives(self) -> None:
        execute("insert into fleet_worker (id, name) values (gen_random_uuid(), 'here')")
        settle(down("rt-1"))
        assert stand_in() == 0
        assert incidents.count_open() == 1

    def test_a_database_that_is_away_does_not_end_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stop, tries = threading.Event(), []

        def fail() -> int:
            tries.append(1)
            if len(tries) == 3:
                stop.set()
            raise OperationalError

        monkeypatch.setattr(watchman, "stand_in", fail)
        monkeypatch.setattr(watchman, "close_old_connections", lambda: None)
        watchman.watch(stop, every_s=0.001)
        assert len(tries) == 3


def test_the_senders_own_loggers_are_mute() -> None:
    for name in ("apprise", "urllib3", "requests_oauthlib"):
        assert not logging.getLogger(name).propagate
    assert set(conf.NOTIFY_URLS) == set(Severity.values)
