"""Where a router refuses a part of what cuts somebody off, the rest cuts all the same, and nobody else waits for it."""

import dataclasses

import pytest

from imsys.sim.faults import Refusal
from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from tests.world import CLERK, QUICK, World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

BINDING, FILTER, USER = "/ip/hotspot/ip-binding", "/ip/firewall/filter", "/ip/hotspot/user"
MAC = "AA:BB:CC:00:00:01"


def test_a_login_ends_though_its_binding_is_refused(world: World) -> None:
    router = world.add_router()
    world.start_worker()
    world.add_subscribers(["ann"], service="hotspot", mac=MAC)
    world.until_synced()
    device = world.call(router.hotspot.add)
    assert world.call(lambda: router.hotspot.login(device.mac, "ann", "secret-ann"))
    fault = world.call(lambda: router.faults.arm(Refusal(menu=BINDING, verb="set", times=0)))
    services.suspend(["ann"], actor=CLERK)
    world.until(lambda: not world.call(lambda: router.hotspot.passes(device.mac)), "it is off")
    world.until(lambda: SyncState.objects.filter(sync_status="error").exists(), "and told")
    assert fault.fired


def test_without_its_walled_garden_a_router_disables(world: World) -> None:
    router = world.add_router(suspend_by="profile", suspend_profile="walled")
    world.start_worker()
    world.add_subscribers(["ann"], address="10.9.0.7")
    world.until_synced()
    world.call(lambda: router.table("/ppp/profile").set("home", local_address="10.9.0.1"))
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    services.suspend(["ann"], actor=CLERK)
    world.until(lambda: world.disabled() == {"ann"} and not world.online(), "disabled and offline")
    world.until(lambda: SyncState.objects.get().error_code == "UnknownProfile", "told")
    world.call(lambda: router.table("/ppp/profile").add(name="walled", rate_limit="64k/64k"))
    world.until(lambda: (world.row("ann") or {})["profile"] == "walled" and not world.disabled(), "in the garden")


@pytest.mark.parametrize(
    "rule",
    [{"src_address": "10.20.0.0/24"}, {"in_interface_list": "LAN"}, {"action": "jump", "jump_target": "customers"}],
)
def test_the_drop_rule_stands_above_whatever_lets_debtors_pass(world: World, rule: dict[str, str]) -> None:
    router = world.add_router()
    above = {"chain": "forward", "action": "accept", **rule}
    world.call(lambda: router.table(FILTER).add(**above))
    (last,) = world.rows(menu=FILTER)[-1:]
    world.call(lambda: router.write(FILTER, "move", {"numbers": last[".id"], "destination": "*1"}, _somebody()))
    world.start_worker()
    world.add_subscribers(["ann"], service="static", address="10.20.0.7")
    services.suspend(["ann"], actor=CLERK)
    world.until_synced()
    assert world.rows(menu=FILTER)[0]["src-address-list"] == "BLOCKED_USERS"
    assert not world.call(lambda: router.firewall.passes("10.20.0.7"))


def test_who_may_still_reach_a_few_places_goes_on(world: World) -> None:
    router = world.add_router()
    world.call(lambda: router.table(FILTER).add(chain="forward", action="accept", dst_address="203.0.113.5"))
    (portal,) = world.rows(menu=FILTER)[-1:]
    world.call(lambda: router.write(FILTER, "move", {"numbers": portal[".id"], "destination": "*1"}, _somebody()))
    world.start_worker()
    world.add_subscribers(["ann"], service="static", address="10.20.0.7")
    services.suspend(["ann"], actor=CLERK)
    world.until_synced()
    assert [row.get("dst-address") for row in world.rows(menu=FILTER)[:1]] == ["203.0.113.5"]


def test_names_that_are_taken_hold_nobody_else_up(transactional_db: None) -> None:
    world = World(timing=dataclasses.replace(QUICK, commands_per_run=3))
    try:
        router = world.add_router()
        message = "failure: already have user with this name for this server"
        taken = world.call(lambda: router.faults.arm(Refusal(menu=USER, verb="add", times=8, message=message)))
        world.add_subscribers([f"guest{n}" for n in range(8)], service="hotspot")
        world.add_subscribers(["zed"])
        world.start_worker()
        world.until(lambda: world.row("zed") is not None, "zed is made")
        assert taken.fired
        world.until_synced(30)
    finally:
        world.close()


def _somebody() -> object:
    from imsys.sim.accounts import OUTSIDER

    return OUTSIDER
