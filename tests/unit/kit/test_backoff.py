import pytest

from imsys.kit.backoff import delay_s


def test_each_failure_doubles_the_wait_up_to_the_cap() -> None:
    waits = [delay_s(n, first_s=30, cap_s=900, jitter=0) for n in range(1, 8)]
    assert waits == [30, 60, 120, 240, 480, 900, 900]


def test_without_a_failure_there_is_nothing_to_wait_for() -> None:
    assert delay_s(0, first_s=30, cap_s=900, jitter=0.2) == 0.0


@pytest.mark.parametrize("jitter", [-0.2, 0.0, 0.2])
def test_jitter_comes_after_the_cap_so_that_many_at_the_cap_do_not_come_back_together(jitter: float) -> None:
    assert delay_s(20, first_s=1, cap_s=15, jitter=jitter) == pytest.approx(15 * (1 + jitter))


def test_a_router_that_was_away_for_years_still_has_a_wait() -> None:
    assert delay_s(10**9, first_s=0.001, cap_s=15, jitter=0) == 15


def test_a_first_wait_above_the_cap_is_the_cap() -> None:
    assert delay_s(1, first_s=60, cap_s=15, jitter=0) == 15
