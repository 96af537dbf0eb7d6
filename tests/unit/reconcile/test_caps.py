"""Twenty or one in twenty, whichever is more, and never more than half."""

import pytest

from imsys.reconcile.caps import KINDS, cap


@pytest.mark.parametrize(
    ("rows", "most"), [(0, 1), (1, 1), (2, 1), (15, 7), (40, 20), (41, 20), (400, 20), (500, 25), (10_000, 500)]
)
def test_the_default(rows: int, most: int) -> None:
    assert [cap(kind, rows, {}) for kind in KINDS] == [most] * len(KINDS)


def test_what_people_set_counts_for_its_kind_and_never_past_half() -> None:
    given = {"removes": 3, "kicks": 900}
    assert [cap(kind, 1000, given) for kind in KINDS] == [50, 50, 3, 50, 500]
    assert cap("removes", 1000, {"removes": 0}) == 0
