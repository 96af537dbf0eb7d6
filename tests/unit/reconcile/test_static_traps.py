"""What RouterOS does to engines that keep queues, leases and address lists: each trap by its number and name."""

import pytest

from imsys.reconcile.desired import live_keys
from imsys.reconcile.intent import Ghost, PackageIntent, SubscriberIntent
from imsys.reconcile.kinds import ADDRESS_LIST, DROP_RULE, KINDS, LEASE, QUEUE
from imsys.reconcile.plan import Plan
from imsys.reconcile.sessions import CONNECTION
from tests.unit.reconcile.rows import (
    Row,
    actions,
    changes,
    drop_rule,
    entry,
    intent,
    lease,
    plan_on,
    queue,
    sent,
    subscriber,
)

MAC = "00:0C:42:1A:2B:3C"
ADDRESS = "10.0.0.5"
PASSES = {".id": "*1", "chain": "forward", "action": "accept", "connection-state": "established,related,untracked"}
ENTRY_KEY = f"BLOCKED_USERS {ADDRESS}"


def line(**more: object) -> SubscriberIntent:
    return subscriber(**{"service": "static", "address": ADDRESS, **more})  # type: ignore[arg-type]


def made(
    asked: SubscriberIntent,
    *,
    queues: tuple[Row, ...] = (),
    leases: tuple[Row, ...] = (),
    entries: tuple[Row, ...] = (),
    rules: tuple[Row, ...] = (),
    rate_limit: str = "5M/10M",
) -> Plan:
    """The plan for one line; its drop rule and its queue are there unless others are given."""
    package = PackageIntent(1, profile="home", is_owned=True, rate_limit=rate_limit)
    rows = {QUEUE.menu: queues or (queue(),), LEASE.menu: leases, ADDRESS_LIST.menu: entries}
    return plan_on(intent(asked, packages=[package]), {**rows, DROP_RULE.menu: rules or (drop_rule(),)})


@pytest.mark.parametrize("limit", ["5M/10M", "5000k/10000k", "5000000/10000000", "5M/10M 0/0 0/0 0/0 8"])
def test_trap_01_a_queue_prints_plain_numbers_and_that_is_no_drift(limit: str) -> None:
    assert not made(line(), rate_limit=limit).steps


def test_trap_01_a_queue_with_its_halves_swapped_is_drift() -> None:
    swapped = queue(max_limit="10000000/5000000")
    assert sent(made(line(), queues=(swapped,))) == {"max-limit": "5000000/10000000"}


def test_trap_02_a_rate_limit_with_a_burst_is_compared_part_by_part() -> None:
    full = "5M/10M 8M/16M 4M/8M 8/16 3 1M/2M"
    row = queue(
        limit_at="1000000/2000000", burst_limit="8000000/16000000", burst_threshold="4000000/8000000",
        burst_time="8s/16s", priority="3/3",
    )  # fmt: skip
    assert not made(line(), queues=(row,), rate_limit=full).steps
    assert set(changes(made(line(), rate_limit=full))) == {
        *("limit-at", "burst-limit", "burst-threshold", "burst-time", "priority")
    }


@pytest.mark.parametrize("target", ["10.0.0.5/32", "10.0.0.5"])
def test_trap_03_a_target_is_the_same_with_its_prefix_and_without(target: str) -> None:
    assert not made(line(), queues=(queue(target=target),)).steps


@pytest.mark.parametrize("address", ["10.0.0.5", "10.0.0.5/32"])
def test_trap_03_a_list_entry_is_the_same_with_its_prefix_and_without(address: str) -> None:
    assert not made(line(is_suspended=True), entries=(entry(address),)).steps


def test_trap_04_a_range_that_is_a_prefix_is_read_as_that_prefix() -> None:
    key_of = KINDS[ADDRESS_LIST.menu].key_of
    assert key_of(entry("192.168.0.0-192.168.1.255")) == key_of(entry("192.168.0.0/23"))
    assert key_of(entry("10.0.0.5-10.0.0.5")) == ENTRY_KEY


def test_trap_04_a_range_or_a_network_around_an_address_is_another_entry() -> None:
    around = (entry("10.0.0.4-10.0.0.6", **{".id": "*1"}), entry("10.0.0.0/24", **{".id": "*2"}))
    assert actions(made(line(is_suspended=True), entries=around)) == [("add", ADDRESS_LIST.menu, ENTRY_KEY)]


@pytest.mark.parametrize("printed", ["true", "yes"])
def test_trap_05_a_disabled_rule_is_read_in_either_spelling(printed: str) -> None:
    found = made(line(is_suspended=True), entries=(entry(),), rules=(drop_rule(disabled=printed),))
    assert sent(found) == {"disabled": "no"}


@pytest.mark.parametrize("printed", ["8s/8s", "8/8", "00:00:08/8s", "8s"])
def test_trap_06_burst_times_compare_as_seconds(printed: str) -> None:
    row = queue(burst_limit="8000000/16000000", burst_threshold="5000000/10000000", burst_time=printed)
    assert not made(line(), queues=(row,), rate_limit="5M/10M 8M/16M 5M/10M 8/8").steps


@pytest.mark.parametrize("printed", ["00:0c:42:1a:2b:3c", "00-0C-42-1A-2B-3C", MAC])
def test_trap_07_a_device_is_the_same_in_any_spelling(printed: str) -> None:
    assert not made(line(mac=MAC), leases=(lease(mac=printed),)).steps


def test_trap_07_a_lease_of_the_device_is_found_in_any_spelling() -> None:
    found = made(line(mac=MAC), leases=(lease("10.0.0.77", MAC.lower()),))
    assert [(step.action, step.old_key, step.key) for step in found.steps] == [("set", "10.0.0.77", ADDRESS)]


@pytest.mark.parametrize("absent", ["parent", "priority", "limit-at", "burst-limit", "burst-time", "disabled"])
def test_trap_08_what_a_queue_does_not_print_is_its_default(absent: str) -> None:
    row = {name: text for name, text in queue().items() if name != absent}
    assert not made(line(), queues=(row,)).steps


def test_trap_08_a_lease_without_a_server_and_a_rule_without_a_flag_are_right() -> None:
    on_one_server, on_all = lease(server="dhcp1"), lease()
    for row in (on_one_server, on_all):
        assert not made(line(mac=MAC, is_suspended=True), leases=(row,), entries=(entry(),)).steps


def test_trap_10_a_limit_that_ends_is_sent_as_zeros() -> None:
    assert sent(made(line(), rate_limit="")) == {"max-limit": "0/0"}


def test_trap_13_dynamic_queues_are_never_ours() -> None:
    dynamic = queue("<pppoe-ann>", **{".id": "*F"}, dynamic="true", max_limit="0/0")
    same_name = queue("ann", dynamic="true", max_limit="0/0")
    assert not made(line(), queues=(dynamic, queue())).steps
    assert actions(made(line(), queues=(same_name,))) == [("add", QUEUE.menu, "ann")]


def test_trap_13_a_dynamic_lease_of_another_device_is_left_alone() -> None:
    other = lease(mac="00:0C:42:00:00:99", dynamic="true")
    assert actions(made(line(mac=MAC), leases=(other,))) == [("add", LEASE.menu, ADDRESS)]


def test_trap_14_a_timed_twin_is_removed_before_ours_is_made() -> None:
    timed = entry(dynamic="true", timeout="1h")
    assert actions(made(line(is_suspended=True), entries=(timed,))) == [
        ("remove", ADDRESS_LIST.menu, ENTRY_KEY),
        ("add", ADDRESS_LIST.menu, ENTRY_KEY),
    ]


def test_trap_14_a_dynamic_entry_of_somebody_served_is_left() -> None:
    assert not made(line(), entries=(entry(dynamic="true", timeout="1h"),)).steps


def test_trap_15_a_disabled_twin_is_enabled_and_not_doubled() -> None:
    found = made(line(is_suspended=True), entries=(entry(disabled="true"),))
    assert [step.row_id for step in found.steps] == ["*D"]
    assert sent(found) == {"disabled": "no"}


def test_trap_15_of_twins_the_enabled_one_counts() -> None:
    twins = (entry(disabled="true"), entry(**{".id": "*D2"}))
    assert not made(line(is_suspended=True), entries=twins).steps


@pytest.mark.parametrize("server", [{}, {"server": "dhcp1"}])
def test_trap_16_a_lease_of_the_address_is_taken_over_on_whichever_server(server: Row) -> None:
    found = made(line(mac=MAC), leases=(lease(mac="00:0C:42:00:00:99", **server),))
    assert [step.row_id for step in found.steps] == ["*C"]
    assert sent(found) == {"mac-address": MAC}


@pytest.mark.parametrize("server", [{}, {"server": "dhcp1"}])
def test_trap_16_a_lease_of_the_device_gets_the_address_on_whichever_server(server: Row) -> None:
    (step,) = made(line(mac=MAC), leases=(lease("10.0.0.77", **server),)).steps
    assert (step.action, step.row_id, step.old_key) == ("set", "*C", "10.0.0.77")


@pytest.mark.parametrize(
    "old",
    [
        "10.0.0.5",
        "10.0.0.77",
    ],
)
def test_trap_47_a_dynamic_lease_is_made_static_before_anything_is_set(old: str) -> None:
    """Its id may be another afterwards, so what differs waits for the next read."""
    (step,) = made(line(mac=MAC), leases=(lease(old, dynamic="true", status="bound"),)).steps
    assert (step.action, step.row_id, dict(step.changes)) == ("make-static", "*C", {})


def test_trap_18_a_lease_on_a_server_that_is_gone_is_no_drift() -> None:
    assert not made(line(mac=MAC), leases=(lease(server="*1"),)).steps


def test_trap_27_a_suspended_line_keeps_its_queue_and_its_lease() -> None:
    found = made(line(mac=MAC, is_suspended=True), leases=(lease(),))
    assert actions(found) == [("add", ADDRESS_LIST.menu, ENTRY_KEY)]


def test_trap_28_counters_and_states_are_not_compared() -> None:
    busy = queue(bytes="9/9", rate="1/1", queued_bytes="4/4", total_bytes="7")
    bound = lease(status="bound", last_seen="3m", expires_after="7m", host_name="tv", active_address=ADDRESS)
    assert not made(line(mac=MAC), queues=(busy,), leases=(bound,)).steps


def test_trap_29_of_a_queue_only_what_differs_is_sent() -> None:
    row = queue(max_limit="1000000/1000000", queue="pcq-up/pcq-down", comment="roof", parent="tower")
    assert sent(made(line(), queues=(row,))) == {"max-limit": "5000000/10000000"}


def test_trap_30_a_comment_in_a_code_page_is_no_drift_in_any_menu() -> None:
    comment = "caf\udce9"
    found = made(
        line(mac=MAC, is_suspended=True),
        queues=(queue(comment=comment),),
        leases=(lease(comment=comment),),
        entries=(entry(comment=comment),),
        rules=(drop_rule(comment=comment),),
    )
    assert not found.steps


@pytest.mark.parametrize("name", ["0012", "true", "123", "*A"])
def test_trap_31_a_queue_s_name_that_looks_like_a_value_stays_text(name: str) -> None:
    assert not made(line(username=name), queues=(queue(name),)).steps


@pytest.mark.parametrize("target", ["10.0.0.0/24", "10.0.0.5/32", "ether1", "0.0.0.0/0", "10.9.0.0/16,10.0.0.5/32"])
def test_trap_38_a_queue_is_moved_above_one_that_takes_its_packets(target: str) -> None:
    broad = queue("all", target, **{".id": "*1"})
    (step,) = made(line(), queues=(broad, queue())).steps
    assert (step.action, step.row_id, step.before_id) == ("move", "*B", "*1")


@pytest.mark.parametrize("target", ["10.0.0.0/24", "ether1"])
def test_trap_38_a_new_queue_is_made_above_the_topmost_that_takes_its_packets(target: str) -> None:
    others = (queue("x", "10.7.0.0/24", **{".id": "*0"}), queue("all", target, **{".id": "*1"}))
    (step,) = made(line(), queues=others).steps
    assert (step.action, step.before_id) == ("add", "*1")


@pytest.mark.parametrize(
    "other", [{"disabled": "true"}, {"dynamic": "true"}, {"parent": "tower"}, {"target": "10.7.0.0/24"}]
)
def test_trap_38_a_queue_that_takes_nothing_of_it_may_stand_above(other: Row) -> None:
    above = {**queue("all", "10.0.0.0/24", **{".id": "*1"}), **other}
    assert not made(line(), queues=(above, queue())).steps


@pytest.mark.parametrize("near", ["Ann", "ann ", " ANN"])
def test_trap_45_a_queue_s_name_matches_to_the_byte(near: str) -> None:
    other = queue(near, "10.0.0.9/32")
    assert actions(made(line(), queues=(other,))) == [("add", QUEUE.menu, "ann")]


@pytest.mark.parametrize("above", [PASSES, {**PASSES, "action": "fasttrack-connection"}])
def test_trap_49_the_drop_rule_stands_above_what_lets_established_flows_pass(above: Row) -> None:
    low = made(line(is_suspended=True), entries=(entry(),), rules=(above, drop_rule()))
    assert [(step.action, step.row_id, step.before_id) for step in low.steps] == [("move", "*E", "*1")]
    assert low.unfinished() == {1}
    none = made(line(is_suspended=True), entries=(entry(),), rules=(above,))
    assert [(step.action, step.key, step.before_id) for step in none.steps] == [("add", "BLOCKED_USERS", "*1")]


def test_trap_49_the_line_s_connections_are_to_end_when_it_is_cut_off() -> None:
    cut = line(is_suspended=True)
    assert live_keys(cut, intent(cut)) == {(CONNECTION.menu, ADDRESS)}


def test_trap_50_the_entry_leaves_before_the_rule_that_makes_it_work_is_gone() -> None:
    """Of a router where nobody needs the list any more; a dangling list name would be silent."""
    asked = intent(ghosts=[Ghost(ADDRESS_LIST.menu, ENTRY_KEY)], shared=[(DROP_RULE.menu, "BLOCKED_USERS")])
    found = plan_on(asked, {ADDRESS_LIST.menu: [entry()], DROP_RULE.menu: [drop_rule()]})
    assert set(actions(found)) == {
        ("remove", ADDRESS_LIST.menu, ENTRY_KEY),
        ("remove", DROP_RULE.menu, "BLOCKED_USERS"),
    }


def test_rows_of_the_older_system_are_taken_over_and_not_doubled() -> None:
    old_queue = queue("ann - 17", comment="IMSys: ann (2024-05-01T10:00:00Z)")
    old_entry = entry(comment="IMSys: suspended ann")
    found = made(line(is_suspended=True), queues=(old_queue,), entries=(old_entry,))
    assert [(step.action, step.row_id, step.old_key, step.key) for step in found.steps] == [
        ("set", "*B", "ann - 17", "ann")
    ]


def test_an_entry_that_keeps_somebody_served_off_goes_whoever_made_it() -> None:
    assert actions(made(line(), entries=(entry(comment="by hand"),))) == [("remove", ADDRESS_LIST.menu, ENTRY_KEY)]


def test_an_entry_is_removed_once_where_two_reasons_say_so() -> None:
    asked = intent(line(is_newer=True), ghosts=[Ghost(ADDRESS_LIST.menu, ENTRY_KEY)])
    rows = {QUEUE.menu: [queue()], ADDRESS_LIST.menu: [entry()], DROP_RULE.menu: [drop_rule()]}
    assert actions(plan_on(asked, rows)) == [("remove", ADDRESS_LIST.menu, ENTRY_KEY)]
