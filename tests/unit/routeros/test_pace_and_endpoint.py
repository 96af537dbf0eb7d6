"""The token bucket, and what an endpoint accepts."""

import asyncio

import pytest

from imsys.kit.errors import InputError
from imsys.routeros.endpoint import Endpoint, parse_fingerprint
from imsys.routeros.pace import Pace
from tests.unit.routeros.clock import ManualClock, settle


async def test_a_burst_goes_at_once_and_then_the_pace_holds() -> None:
    clock = ManualClock()
    pace = Pace(clock, per_s=10, burst=3)
    assert [pace.spend() for _ in range(5)] == pytest.approx([0, 0, 0, 0.1, 0.2])
    await clock.advance(100)
    assert [pace.spend() for _ in range(4)] == pytest.approx([0, 0, 0, 0.1])


async def test_turns_are_given_in_the_order_of_asking_and_a_cancelled_one_is_given_back() -> None:
    clock = ManualClock()
    pace = Pace(clock, per_s=1, burst=1)
    turns: list[int] = []

    async def take(n: int) -> None:
        await pace.wait()
        turns.append(n)

    tasks = [asyncio.create_task(take(n)) for n in range(4)]
    await settle()
    assert turns == [0]
    await clock.advance(1)
    assert turns == [0, 1]
    tasks[3].cancel()
    await clock.advance(1)
    assert turns == [0, 1, 2]
    assert pace.spend() == pytest.approx(1)
    await asyncio.gather(*tasks, return_exceptions=True)


def test_fingerprints_are_written_in_many_ways() -> None:
    plain = "ab" * 32
    assert parse_fingerprint(":".join(["AB"] * 32)) == plain
    assert Endpoint("h", tls="pin", fingerprint=plain.upper()).fingerprint == plain
    for wrong in ("", "ab" * 20, "zz" * 32):
        with pytest.raises(InputError):
            Endpoint("h", tls="pin", fingerprint=wrong)


def test_a_tls_mode_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="off, verify, pin, anonymous"):
        Endpoint("h", tls="yes")  # type: ignore[arg-type]


def test_the_password_is_not_in_the_repr() -> None:
    assert "wonderland" not in repr(Endpoint("h", username="api", password="wonderland"))
    assert Endpoint("2001:db8::1").address == "[2001:db8::1]:8728"
