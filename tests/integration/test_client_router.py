"""The client against the simulator in memory: pipelining, listen, cancel, and the read that compares bytes first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from imsys.kit.clock import SystemClock
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint
from imsys.sim.faults import Hang
from imsys.sim.router import SimRouter

SECRET = "/ppp/secret"
COLUMNS = (".id", "name", "password", "disabled")


@asynccontextmanager
async def session(router: SimRouter) -> AsyncIterator[Client]:
    client = await Client.connect(Endpoint(router.name, username="admin"), clock=SystemClock(), dial=router.dial())
    async with client:
        yield client
    await router.close()


async def test_equal_bytes_are_unchanged_and_any_change_is_seen() -> None:
    router = SimRouter("r1")
    router.seed_secrets(500)
    async with session(router) as client:
        first = await client.read(SECRET, proplist=COLUMNS)
        assert (first.unchanged, len(first.rows)) == (False, 500)
        parsed = client.stats.rows
        again = await client.read(SECRET, proplist=COLUMNS, known=first.known)
        assert again.unchanged
        assert client.stats.rows == parsed  # nothing was parsed
        router.tamper(SECRET, "r1-u00250", {"password": "other-1234"})
        changed = await client.read(SECRET, proplist=COLUMNS, known=again.known)
        assert not changed.unchanged
        assert [row["password"] for row in changed.rows if row["name"] == "r1-u00250"] == ["other-1234"]
        assert len(changed.rows) == 500
        router.tamper(SECRET, "r1-u00001", verb="remove")
        shorter = await client.read(SECRET, proplist=COLUMNS, known=changed.known)
        assert (shorter.unchanged, len(shorter.rows)) == (False, 499)


async def test_what_happens_beside_a_read_does_not_spoil_it() -> None:
    router = SimRouter("r1")
    router.seed_secrets(300)
    async with session(router) as client:
        known = (await client.read(SECRET, proplist=COLUMNS)).known
        reading, *others = await asyncio.gather(
            client.read(SECRET, proplist=COLUMNS, known=known),
            *(client.print("/system/identity") for _ in range(20)),
        )
        assert len(reading.rows) == 300
        assert all(rows == others[0] for rows in others)


async def test_a_command_that_hangs_holds_up_no_other() -> None:
    router = SimRouter("r1")
    fault = Hang(menu=SECRET, verb="print")
    async with session(router) as client:
        router.faults.arm(fault)
        hanging = asyncio.create_task(client.print(SECRET))
        for _ in range(10):
            assert await client.print("/system/identity") == [{"name": "r1"}]
        assert fault.fired == 1
        assert not hanging.done()
        hanging.cancel()
        await asyncio.wait([hanging])
        assert await client.print(SECRET) == []


async def test_a_listen_tells_of_changes_and_removals_until_it_is_closed() -> None:
    router = SimRouter("r1")
    router.seed_secrets(2, name="user-{number}")
    async with session(router) as client:
        async with client.listen(SECRET) as listening:
            await client.print("/system/identity")  # answered after the listen was taken up
            router.tamper(SECRET, "user-1", {"comment": "changed"})
            changed = await anext(listening)
            assert (changed["name"], changed["comment"]) == ("user-1", "changed")
            router.tamper(SECRET, "user-2", verb="remove")
            dead = await anext(listening)
            assert dead[".dead"] in ("true", "yes")
        assert len(await client.print(SECRET)) == 1  # the session serves on


async def test_bytes_that_are_not_utf8_come_and_go_unchanged() -> None:
    router = SimRouter("r1")
    name = b"jos\xe9 \xff".decode("utf-8", "surrogateescape")
    async with session(router) as client:
        await client.add(SECRET, {"name": name, "comment": name})
        [row] = await client.print(SECRET, queries=[f"?name={name}"])
        assert (row["name"], row["comment"]) == (name, name)
