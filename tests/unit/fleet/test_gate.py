"""The gate lets so many in at a time, in order of arrival, and loses no place whatever happens to those who wait."""

import asyncio

from imsys.fleet.gate import Gate


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_finds_no_place_waits_for_one_in_order_of_arrival() -> None:
    gate, inside, leave = Gate(1, holds_s=60), list[int](), asyncio.Event()

    async def visit(number: int) -> None:
        assert await gate.enter(unless=asyncio.Event())
        with gate.inside():
            inside.append(number)
            if number == 0:
                await leave.wait()

    visits = [asyncio.create_task(visit(number)) for number in range(3)]
    await settle()
    assert inside == [0]
    leave.set()
    await asyncio.gather(*visits)
    assert inside == [0, 1, 2]


async def test_who_is_woken_or_cancelled_in_the_queue_takes_no_place() -> None:
    gate, woken = Gate(1, holds_s=60), asyncio.Event()
    assert await gate.enter(unless=asyncio.Event())
    with gate.inside():
        wakes = asyncio.create_task(gate.enter(unless=woken))
        is_cancelled = asyncio.create_task(gate.enter(unless=asyncio.Event()))
        await settle()
        woken.set()
        is_cancelled.cancel()
        assert await wakes is False
    await asyncio.gather(is_cancelled, return_exceptions=True)
    assert await gate.enter(unless=asyncio.Event())


async def test_one_cancelled_just_when_it_is_let_in_gives_the_place_back() -> None:
    gate = Gate(1, holds_s=60)
    assert await gate.enter(unless=asyncio.Event())
    with gate.inside():
        waits = asyncio.create_task(gate.enter(unless=asyncio.Event()))
        await settle()
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    assert waits.cancelled()
    assert await gate.enter(unless=asyncio.Event())


async def test_one_that_stays_too_long_counts_no_more() -> None:
    gate = Gate(1, holds_s=0.01)
    assert await gate.enter(unless=asyncio.Event())
    with gate.inside():
        assert await gate.enter(unless=asyncio.Event())
        with gate.inside():
            pass
    assert await gate.enter(unless=asyncio.Event())
    never = asyncio.Event()
    second = asyncio.create_task(gate.enter(unless=never))
    await settle()
    assert not second.done()  # the first, who left twice, gave one place back
    never.set()
    assert await second is False
