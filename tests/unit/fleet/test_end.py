"""A worker's tasks end when told to, also when the first cancellation gets lost on its way."""

import asyncio

from imsys.fleet.worker import end


async def test_a_task_that_lost_a_cancellation_is_told_again() -> None:
    asleep = asyncio.Event()

    async def deaf_once() -> None:
        try:
            asleep.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    async def fails() -> None:
        raise ValueError("as it is")

    tasks = [asyncio.create_task(deaf_once()), asyncio.create_task(fails())]
    await asleep.wait()
    lost, failed = await end(tasks)
    assert isinstance(lost, asyncio.CancelledError)
    assert isinstance(failed, ValueError)
