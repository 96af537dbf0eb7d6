"""What keeps a router, or one subscriber on it, from being written to."""

import pytest

from imsys.network.blocks import blocked_by


@pytest.mark.parametrize(
    ("mode", "is_enforced", "is_frozen", "is_open", "block"),
    [
        ("enforce", False, False, True, None),
        ("enforce", False, False, False, "window"),
        ("enforce", False, True, False, "frozen"),
        ("observe", False, False, True, "observe"),
        ("observe", False, True, False, "observe"),
        ("observe", True, False, True, None),
        ("observe", True, True, True, "frozen"),
        ("observe", True, False, False, "window"),
        ("paused", True, False, True, "paused"),
        ("paused", True, True, False, "paused"),
    ],
)
def test_the_first_that_a_person_has_to_clear_is_told(
    mode: str, is_enforced: bool, is_frozen: bool, is_open: bool, block: str | None
) -> None:
    assert blocked_by(mode, is_frozen=is_frozen, is_open=is_open, is_enforced=is_enforced) == block
