import os
from pathlib import Path

import pytest

from tests.bench.measure import Measure, cpu_s, memory_mb, percentile, stopwatch
from tests.bench.one import measures
from tests.bench.report import Result, write_page


def test_a_ceiling_is_kept_up_to_and_with_itself() -> None:
    assert Measure(what="a", value=3, budget=3).is_kept
    assert not Measure(what="a", value=3.1, budget=3).is_kept
    assert Measure(what="a", value=3, budget=6).share == 0.5


def test_a_floor_is_kept_from_itself_on() -> None:
    assert Measure(what="a", value=10, budget=10, bound="at least").is_kept
    assert not Measure(what="a", value=9, budget=10, bound="at least").is_kept
    assert Measure(what="a", value=40, budget=10, bound="at least").share == 0.25
    assert Measure(what="a", value=0, budget=10, bound="at least").share == float("inf")


def test_without_a_budget_nothing_is_exceeded() -> None:
    assert Measure(what="a", value=10**9).is_kept
    assert Measure(what="a", value=10**9).share is None


def test_measures_survive_json() -> None:
    measure = Measure(what="a", value=1.5, unit="x", budget=2, note="n")
    assert Measure.from_json(measure.to_json()) == measure


def test_a_bench_may_hand_back_a_mapping() -> None:
    assert measures({"a": 2, "b": {"value": 3, "unit": "s"}}) == [
        Measure(what="a", value=2.0),
        Measure(what="b", value=3, unit="s"),
    ]


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 5), (0.9, 9), (0.99, 10), (1.0, 10)])
def test_percentiles_are_values_that_occurred(share: float, value: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == value


def test_this_process_uses_processor_time_and_memory() -> None:
    with stopwatch() as watch:
        sum(range(10**6))
    assert 0 <= watch.cpu_s
    assert 0 < watch.wall_s
    assert cpu_s() >= 0
    assert memory_mb(os.getpid()) > 1


def test_a_page_keeps_the_sections_of_benches_that_did_not_run(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\n## Results\n")
    one = Result("one", "The first", (Measure(what="a", value=1, unit="x", budget=2),), 1.0)
    two = Result("two", "The second", (Measure(what="b", value=5000, unit="rows/s"),), 1.0)
    write_page([one, two], page)
    before = page.read_text()
    assert "| a | 1x | at most 2x | 50% |  |" in before
    assert "| b | 5,000 rows/s |  |  |  |" in before

    again = Result("one", "The first", (Measure(what="a", value=1.5, unit="x", budget=2),), 1.0)
    write_page([again, Result("two", "The second", (), 1.0, failure="ended with 1")], page)
    assert page.read_text() == before.replace("| a | 1x | at most 2x | 50% |", "| a | 1.5x | at most 2x | 75% |")
