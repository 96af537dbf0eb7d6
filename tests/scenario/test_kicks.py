"""Changes that a session feels only with a new login: when it is ended for them, how often, and how many at once."""

from collections.abc import Sequence
from functools import partial

import pytest

from imsys.sim.menu import Row
from imsys.timeline.models import Event
from tests.scenario.isp import ACTIVE, HOTSPOT_ACTIVE, QUEUE, Isp

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

NAMES = [f"user{number:02d}" for number in range(8)]


class Kicks:
    """When sessions ended, by the router's clock."""

    def __init__(self, shop: Isp, menu: str = ACTIVE) -> None:
        router = shop.world.routers["r1"]
        self.at: list[float] = []
        self.names: list[str] = []
        table = router.table(menu)

        def watcher(_row_id: int, old: Row | None, new: Row | None) -> None:
            if new is None and old is not None:
                self.at.append(router.clock.monotonic())
                self.names.append(str(table.shape.value(old, "name" if menu == ACTIVE else "user")))

        shop.do(lambda: table.watchers.append(watcher))

    def most_within(self, seconds: float) -> int:
        """The most that ended within any span so long."""
        return max((sum(1 for at in self.at if start <= at < start + seconds) for start in self.at), default=0)


def online(shop: Isp, names: Sequence[str] = NAMES, *options: str) -> Kicks:
    for name in names:
        shop.add(name, *options, password=name)
    shop.sync()
    shop.online(*names)
    return Kicks(shop)


def rates(shop: Isp) -> set[str]:
    """Of the queues that the sessions brought."""
    return {row["max-limit"] for row in shop.world.rows(menu=QUEUE) if row["dynamic"] == "true"}


def test_trap_25_a_package_edit_applied_now_reaches_every_session_at_the_routers_pace(shop: Isp) -> None:
    shop.router(kicks_per_s=4)
    kicks = online(shop)
    assert rates(shop) == {"10000000/10000000"}
    shop("package", "set", "home", "--rate-limit", "20M/20M", "--apply", "now")
    shop.sync()
    assert sorted(kicks.names) == NAMES  # each once
    assert kicks.most_within(1.0) <= 4
    shop.world.until(lambda: shop.world.online() >= set(NAMES), "all have dialled in again")
    assert rates(shop) == {"20000000/20000000"}
    shop.is_idle()
    assert sorted(kicks.names) == NAMES
    assert {event.username for event in Event.objects.filter(what="kicked")} == set(NAMES)


def test_trap_26_one_cause_ends_a_session_once_however_often_it_is_looked_at(shop: Isp) -> None:
    shop.router(kicks_per_s=100)
    kicks = online(shop, NAMES[:2])
    shop("package", "set", "home", "--rate-limit", "20M/20M", "--apply", "now")
    shop.sync()
    shop.world.until(lambda: shop.world.online() == set(NAMES[:2]))
    for _ in range(3):
        shop.is_idle()
        shop.sync()
    shop("package", "set", "home", "--price", "21")  # no router shows it
    shop("package", "set", "home", "--rate-limit", "20000k/20M")  # says the same
    shop("subscriber", "set", NAMES[0], "--password-file", "-", stdin="other")  # the session stays as it is
    shop.sync()
    assert sorted(kicks.names) == NAMES[:2]


def test_trap_25_at_the_next_login_nobody_is_kicked(shop: Isp) -> None:
    router = shop.router()
    kicks = online(shop, NAMES[:3])
    shop("package", "set", "home", "--rate-limit", "20M/20M")
    shop("subscriber", "set", NAMES[0], "--package", "gold")
    shop("subscriber", "set", NAMES[1], "--address", "10.20.0.7")
    shop.sync()
    shop.is_idle()
    assert kicks.names == []
    assert rates(shop) == {"10000000/10000000"}
    for name in NAMES[:3]:
        shop.do(partial(router.cpes.hang_up, name))
    shop.world.until(lambda: shop.world.online() == set(NAMES[:3]))
    assert rates(shop) == {"20000000/20000000", "50000000/50000000"}
    assert shop.row(ACTIVE, name=NAMES[1])["address"] == "10.20.0.7"


@pytest.mark.parametrize("change", ["package", "address", "mac"])
def test_a_change_of_one_line_is_felt_at_once_where_its_package_says_so(shop: Isp, change: str) -> None:
    router = shop.router()
    shop("package", "set", "home", "--apply", "now")
    shop("package", "set", "gold", "--apply", "now")
    kicks = online(shop, NAMES[:2])
    mac = shop.do(lambda: router.cpes[NAMES[0]].mac)
    option = {"package": ("--package", "gold"), "address": ("--address", "10.20.0.7"), "mac": ("--mac", mac)}
    shop("subscriber", "set", NAMES[0], *option[change])
    shop.sync()
    shop.world.until(lambda: shop.world.online() == set(NAMES[:2]))
    shop.is_idle()
    assert kicks.names == [NAMES[0]]


def test_several_changes_before_the_router_is_back_end_a_session_once(shop: Isp) -> None:
    router = shop.router()
    shop("package", "set", "home", "--apply", "now")
    kicks = online(shop, NAMES[:2])
    shop("router", "set", "r1", "--mode", "observe")
    shop("package", "set", "home", "--rate-limit", "20M/20M")
    shop("package", "set", "home", "--rate-limit", "30M/30M")
    shop("subscriber", "set", NAMES[0], "--address", "10.20.0.7")
    shop("router", "set", "r1", "--mode", "enforce")
    shop.sync()
    assert sorted(kicks.names) == NAMES[:2]
    shop.world.until(lambda: shop.world.online() == set(NAMES[:2]))
    assert rates(shop) == {"30000000/30000000"}
    shop.is_idle()
    assert shop.do(lambda: router.counters.refused_writes) == 0


def test_somebody_suspended_while_waiting_for_a_turn_is_cut_at_once_and_dials_in_no_more(shop: Isp) -> None:
    shop.router(kicks_per_s=2)
    online(shop)
    shop("package", "set", "home", "--rate-limit", "20M/20M", "--apply", "now")
    shop("subscriber", "suspend", *NAMES[4:])
    shop.world.until(lambda: shop.world.online() & set(NAMES[4:]) == set(), "cuts do not wait for their turn")
    waiting = shop("subscriber", "list")
    assert {row["error_code"] for row in waiting if row["sync_status"] == "pending"} <= {"KickWaits", ""}
    shop.sync()
    shop.world.until(lambda: shop.world.online() == set(NAMES[:4]))
    assert rates(shop) == {"20000000/20000000"}


def test_a_hotspot_package_applied_now_is_felt_too(shop: Isp) -> None:
    router = shop.router(kicks_per_s=50)
    for name in NAMES[:3]:
        shop.add(name, "--service", "hotspot", password=name)
    shop.sync()

    def come() -> bool:
        macs = [router.hotspot.add(redial_s=0.02).mac for _ in NAMES[:3]]
        return all(router.hotspot.login(mac, name) for mac, name in zip(macs, NAMES, strict=False))

    assert shop.do(come)
    kicks = Kicks(shop, HOTSPOT_ACTIVE)
    shop("package", "set", "home", "--rate-limit", "20M/20M", "--apply", "now")
    shop.sync()
    shop.world.until(lambda: len(shop.world.rows(menu=HOTSPOT_ACTIVE)) == 3, "they are back")
    assert rates(shop) == {"20000000/20000000"}
    shop.is_idle()
    assert sorted(kicks.names) == NAMES[:3]


def test_a_static_line_has_its_new_speed_at_once_and_nothing_is_ended(shop: Isp) -> None:
    router = shop.router()
    shop.add("ann", "--service", "static", "--address", "10.20.0.7")
    shop.sync()
    assert shop.do(lambda: router.firewall.open("10.20.0.7"))
    shop("package", "set", "home", "--rate-limit", "20M/20M", "--apply", "now")
    shop.sync()
    assert shop.row(QUEUE, name="ann")["max-limit"] == "20000000/20000000"
    assert shop.do(lambda: router.firewall.connections("10.20.0.7"))
    assert not Event.objects.filter(what="kicked").exists()
