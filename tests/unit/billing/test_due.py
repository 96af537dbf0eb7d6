"""How many may be cut at once on one router, and what runs would do by and by."""

from datetime import UTC, datetime, timedelta

from imsys.billing.due import Due, RouterDue

NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)


def due(number: int, *, at: datetime = NOON, is_suspended: bool = False) -> Due:
    return Due(number, f"user{number}", at, is_suspended, f"expiry {number}")


def of_router(*each: Due, subscribers: int = 15, **more: object) -> RouterDue:
    return RouterDue(1, "r1", subscribers=subscribers, due=each, **more)  # type: ignore[arg-type]


def test_a_small_router_is_braked_at_half_of_it() -> None:
    assert of_router().cap == 7
    assert len(of_router(*map(due, range(7))).split().go) == 7
    split = of_router(*map(due, range(8))).split()
    assert (len(split.held), split.go) == (8, ())


def test_a_cut_counts_as_a_suspension_and_as_a_kick() -> None:
    assert of_router(subscribers=1000).cap == 50
    assert of_router(subscribers=1000, caps={"kicks": 3}).cap == 3
    assert of_router(subscribers=1000, caps={"suspends": 4, "kicks": 30}).cap == 4


def test_who_is_off_already_does_not_count() -> None:
    off = [due(number, is_suspended=True) for number in range(10)]
    assert len(of_router(*off, *map(due, range(10, 17))).split().go) == 17
    assert len(of_router(*off, *map(due, range(10, 18))).split().held) == 18


def test_what_was_rejected_does_not_count_and_is_passed_over() -> None:
    router = of_router(*map(due, range(15)), rejected_marks=frozenset(f"expiry {n}" for n in range(8)))
    split = router.split()
    assert ([each.subscriber_id for each in split.go], len(split.rejected)) == ([*range(8, 15)], 8)


def test_while_a_hold_waits_nothing_more_goes() -> None:
    assert len(of_router(due(1), is_holding=True).split().held) == 1


def test_runs_go_minute_by_minute_and_a_hold_stops_those_that_follow() -> None:
    few = [due(n, at=NOON + timedelta(minutes=n)) for n in range(12)]
    runs = list(of_router(*few).runs(NOON))
    assert [len(run.go) for run in runs] == [1] * 12
    many = [due(n, at=NOON + timedelta(minutes=1, seconds=1 + n)) for n in range(8)]
    later = due(20, at=NOON + timedelta(minutes=9))
    runs = list(of_router(due(30, at=NOON - timedelta(days=3)), *many, later).runs(NOON))
    assert [(len(run.go), len(run.held)) for run in runs] == [(1, 0), (0, 8), (0, 1)]
