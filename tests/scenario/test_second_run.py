"""Whatever a first run had to do, a second one finds nothing to write, also one by a worker that knows nothing."""

from collections.abc import Callable

import pytest

from imsys.sim.accounts import SimUser
from imsys.sim.router import SimRouter
from imsys.subscribers import services
from tests.world import CLERK, SECRET, World

NAMES = [f"user{number:02d}" for number in range(20)]
PROFILE = "/ppp/profile"
HIDING = frozenset(("api", "read", "write", "test"))


def begin(world: World, *, sim: SimRouter | None = None, **options: str) -> SimRouter:
    router = world.add_router(sim=sim, **options)
    if options.get("suspend_by") == "profile":
        world.call(lambda: router.tamper(PROFILE, "walled", {"rate-limit": "64k/64k"}, verb="add"))
    world.add_subscribers(NAMES)
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.02))
    return router


def adds(world: World) -> None:
    router = world.add_router()
    world.call(lambda: router.tamper(PROFILE, "of the isp", {"rate-limit": "1M/1M"}, verb="add"))
    services.add_package(name="leased", profile="of the isp", price=1, actor=CLERK)
    services.add_package(name="burst", rate_limit="2M/4M 3M/6M 1M/2M 8/8 5", price=1, actor=CLERK)
    services.add_package(name="free", price=1, actor=CLERK)
    world.add_subscribers(["ann"], package="leased", address="10.9.0.2")
    world.add_subscribers(["bob", "=f?", "дан"], package="burst", password="")
    world.add_subscribers(["c d", "0012", "true"], package="free", suspended=True)
    world.start_worker()
    world.until_synced()


def adoption(world: World) -> None:
    router = world.add_router()
    world.call(lambda: router.seed_secrets(5, name="user{number:02d}", first=0))
    world.add_subscribers(NAMES)
    world.start_worker()
    world.until_synced()


def suspension(world: World) -> None:
    begin(world)
    services.suspend(NAMES[:10], cause="non-payment", actor=CLERK)
    world.until_synced()
    world.until(lambda: world.online() == set(NAMES[10:]), "the others are online")


def resumption(world: World) -> None:
    suspension(world)
    services.resume(NAMES[:10], actor=CLERK)
    world.until_synced()


def walled_garden(world: World) -> None:
    begin(world, suspend_by="profile", suspend_profile="walled")
    services.suspend(NAMES[:10], cause="non-payment", actor=CLERK)
    world.until_synced()
    world.until(lambda: world.online() == set(NAMES), "all are online, ten in the garden")


def another_way_to_suspend(world: World) -> None:
    walled_garden(world)
    services.set_router("r1", suspend_by="disable", actor=CLERK)
    world.until_synced()
    assert world.disabled() == set(NAMES[:10])


def tampering(world: World) -> None:
    router = begin(world)
    services.suspend(NAMES[:5], cause="abuse", actor=CLERK)
    world.until_synced()

    def tamper() -> None:
        for name in NAMES[:5]:
            router.tamper(SECRET, name, {"disabled": "no", "comment": "freed"})
        router.tamper(SECRET, NAMES[6], {"password": "theirs", "profile": "default", "remote-address": "10.8.8.8"})
        router.tamper(SECRET, NAMES[7], {"service": "l2tp"})
        router.tamper(SECRET, NAMES[8], verb="remove")
        router.tamper(PROFILE, "home", {"rate-limit": "1M/1M"})

    world.call(tamper)
    world.resync()
    world.until(lambda: world.disabled() == set(NAMES[:5]), "put back")
    world.until_synced()


def removal(world: World) -> None:
    begin(world)
    services.remove_subscribers(NAMES[:10], actor=CLERK)
    world.until(lambda: sorted(row["name"] for row in world.rows()) == NAMES[10:], "they are gone")
    world.until(lambda: world.online() == set(NAMES[10:]), "their sessions too")


def another_package(world: World) -> None:
    begin(world)
    services.add_package(name="gold", rate_limit="50M/50M", price=1, actor=CLERK)
    services.set_subscriber(NAMES[0], package="gold", address="10.9.0.9", password="new", actor=CLERK)
    services.set_package("home", rate_limit="20M", actor=CLERK)
    world.until_synced()


def hidden_passwords(world: World) -> None:
    begin(world, sim=SimRouter("r1", users={"admin": SimUser(group="imsys", policies=HIDING)}))
    services.set_subscriber(NAMES[0], password="new", actor=CLERK)
    world.until_synced()


def old_version(world: World) -> None:
    begin(world, sim=SimRouter("r1", version="6.49.15"))
    services.suspend(NAMES[:10], cause="non-payment", actor=CLERK)
    world.until_synced()


def an_error(world: World) -> None:
    begin(world)
    services.add_package(name="gold", profile="nowhere", price=1, actor=CLERK)
    services.set_subscriber(NAMES[0], package="gold", actor=CLERK)
    world.until(lambda: world.statuses() == {"synced": 19, "error": 1}, "one in error")


FIRST_RUNS: list[Callable[[World], None]] = [
    adds,
    adoption,
    suspension,
    resumption,
    walled_garden,
    another_way_to_suspend,
    tampering,
    removal,
    another_package,
    hidden_passwords,
    old_version,
    an_error,
]


@pytest.mark.parametrize("first_run", FIRST_RUNS, ids=lambda run: run.__name__)
def test_a_second_run_writes_nothing(world: World, first_run: Callable[[World], None]) -> None:
    first_run(world)
    world.resync()
    router = world.routers["r1"]
    written, rows = world.writes(), config(world)
    assert written > 0
    world.resync()
    assert world.writes() == written
    world.stop_workers()
    world.start_worker()
    world.resync()
    assert world.writes() == written
    assert world.call(lambda: router.counters.noop_writes) == 0  # nor did the first one write anything twice
    assert world.call(lambda: router.counters.refused_writes) == 0
    assert config(world) == rows


def config(world: World) -> list[dict[str, str]]:
    """The rows that people and we make, without what the router notes at each logout."""
    rows = [*world.rows(), *world.rows(menu=PROFILE)]
    return [{name: value for name, value in row.items() if not name.startswith("last-")} for row in rows]
