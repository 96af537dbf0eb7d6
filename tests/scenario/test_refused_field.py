"""A value that the router refuses is the subscriber's error, and no way to stay online."""

from imsys.subscribers import services
from imsys.subscribers.models import SyncState
from tests.world import CLERK, World, leave_address


def test_a_suspended_subscriber_is_cut_though_another_field_is_refused(world: World) -> None:
    router = world.add_router()
    world.add_subscribers(["ann", "bob"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    leave_address("ann", "2001:db8::5")  # a secret's remote-address is IPv4
    services.suspend(["ann"], cause="non-payment", actor=CLERK)
    world.until(lambda: world.disabled() == {"ann"}, "ann is cut")
    world.until(lambda: world.online() == {"bob"}, "her session is ended")
    state = SyncState.objects.get(subscriber__username="ann")
    world.until(lambda: state.refresh_from_db() or state.sync_status == "error", "and she is in error")
    assert state.error_code == "InvalidValue"
    assert "remote-address" in state.sync_error


def test_a_suspended_subscriber_is_confined_though_another_field_is_refused(world: World) -> None:
    router = world.add_router(suspend_by="profile", suspend_profile="walled")
    world.call(lambda: router.table("/ppp/profile").add(name="walled"))
    world.add_subscribers(["ann"])
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    leave_address("ann", "2001:db8::5")
    services.suspend(["ann"], cause="non-payment", actor=CLERK)
    world.until(lambda: (world.row("ann") or {})["profile"] == "walled", "ann's row is confined")
    profiles = router.table("/ppp/profile")
    world.until(
        lambda: (
            world.call(lambda: [profiles.name_of(s.profile_id) for s in router.ppp.sessions.values()]) == ["walled"]
        ),
        "and so is her session",
    )
    state = SyncState.objects.get(subscriber__username="ann")
    world.until(lambda: state.refresh_from_db() or not state.kick_owed, "and ended once")
    kicks = world.call(lambda: router.counters.commands["/ppp/active/remove"])
    attempts = state.attempts
    world.until(lambda: state.refresh_from_db() or state.attempts > attempts + 1, "though the rest is tried again")
    assert world.call(lambda: router.counters.commands["/ppp/active/remove"]) == kicks == 1


def test_connections_end_though_another_row_is_refused(world: World) -> None:
    router = world.add_router(suspend_by="address-list")
    world.add_subscribers(["ann"], address="10.9.0.1")
    world.start_worker()
    world.until_synced()
    world.call(lambda: router.cpes.add_all(redial_s=0.05))
    assert world.call(lambda: router.firewall.open("10.9.0.1") and router.firewall.passes("10.9.0.1"))
    services.add_package(name="leased", profile="not there", price=1, actor=CLERK)
    services.set_subscriber("ann", package="leased", actor=CLERK)
    services.suspend(["ann"], cause="non-payment", actor=CLERK)
    world.until(lambda: not world.call(lambda: router.firewall.connections("10.9.0.1")), "no connection is left")
    assert not world.call(lambda: router.firewall.passes("10.9.0.1"))
