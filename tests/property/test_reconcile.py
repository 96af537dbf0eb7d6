"""For any intent and any tables: a plan carried out leaves nothing to do, and touches nobody else's row."""

from collections.abc import Mapping
from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from imsys.reconcile.batch import IDS_AT_ONCE, phases
from imsys.reconcile.desired import desired
from imsys.reconcile.diff import Step
from imsys.reconcile.intent import Ghost, Intent, PackageIntent, RouterIntent, SubscriberIntent
from imsys.reconcile.kinds import KINDS, PROFILE, SECRET
from imsys.reconcile.observed import table
from imsys.reconcile.plan import Plan, make_plan
from tests.unit.reconcile.rows import Row, fingerprint

Tables = dict[str, list[Row]]

names = st.sampled_from(["ann", "Ann", "ann ", "ben", "0012", "true", "cé", "udo\udce9", "*1", "default"])
profile_names = st.sampled_from(["default", "home", "fast", "walled", "30MegasSt "])
limits = st.sampled_from(
    ["", "5M/10M", "5000k/10000k", "10M", "5M/10M 0/0 0/0 0/0 8", "2M/4M 3M/6M", "as typed by hand"]
)
addresses = st.sampled_from(["", "10.0.0.5", "10.0.0.6", "2001:db8::5"])
passwords = st.sampled_from(["", "pw", "true", "*****", "p\udce9"])
flags = st.sampled_from(["true", "false", "yes", "no"])
PASSWORDS = {fingerprint(text): text for text in ("pw", "true", "p\udce9")}


@st.composite
def secrets(draw: st.DrawFn) -> list[Row]:
    optional = {
        "service": st.sampled_from(["any", "pppoe", "l2tp", ""]),
        "profile": profile_names,
        "remote-address": addresses | st.just("0.0.0.0"),
        "disabled": flags,
        "password": passwords,
        "comment": st.text(max_size=5),
        "dynamic": flags,
    }
    rows = draw(st.lists(st.fixed_dictionaries({"name": names}, optional=optional), unique_by=lambda row: row["name"]))
    return [{".id": f"*{n:X}", **row} for n, row in enumerate(rows)]


@st.composite
def profiles(draw: st.DrawFn) -> list[Row]:
    rows = draw(
        st.lists(
            st.fixed_dictionaries({"name": profile_names}, optional={"rate-limit": limits, "dns-server": addresses}),
            unique_by=lambda row: row["name"],
        )
    )
    return [{".id": f"*{n:X}", **row} for n, row in enumerate(rows)]


@st.composite
def intents(draw: st.DrawFn) -> Intent:
    packages = [
        PackageIntent(1, "home", is_owned=True, rate_limit=draw(st.sampled_from(["", "5M/10M", "2M/4M 3M/6M"]))),
        PackageIntent(2, draw(profile_names), is_owned=False),
    ]
    people = draw(st.lists(names, unique=True))
    suspend_by = draw(st.sampled_from(["disable", "profile"]))
    subscribers = [
        SubscriberIntent(
            subscriber_id=n,
            username=name,
            generation=draw(st.integers(1, 2)),
            applied_generation=1,
            package_id=draw(st.sampled_from([1, 2])),
            address=draw(addresses),
            is_suspended=draw(st.booleans()),
            password_mac=draw(st.none() | st.sampled_from(list(PASSWORDS))),
        )
        for n, name in enumerate(people)
    ]
    ghosts = draw(st.lists(st.builds(Ghost, st.just(SECRET.menu), names), unique=True))
    router = RouterIntent(1, suspend_by=suspend_by, suspend_profile="walled")  # type: ignore[arg-type]
    return Intent(router, {package.package_id: package for package in packages}, subscribers, tuple(ghosts))


def plan(intent: Intent, tables: Tables, *, is_settled: bool = True) -> Plan:
    return make_plan(
        intent, {menu: table(KINDS[menu], rows, fingerprint) for menu, rows in tables.items()}, is_settled=is_settled
    )


def carry_out(steps: tuple[Step, ...], before: Tables) -> Tables:
    """What a router that says yes to everything prints afterwards."""
    tables = deepcopy(before)
    for step in steps:
        rows = tables[step.menu]
        if step.action == "add":
            rows.append({".id": f"*F{len(rows)}", "name": step.key})
        (row,) = (row for row in rows if row["name"] == step.key and row.get("dynamic") not in ("true", "yes"))
        if step.action == "remove":
            rows.remove(row)
            continue
        for name, text in texts(step).items():
            row.pop(name, None)
            if text is not None:
                row[name] = {"yes": "true", "no": "false"}.get(text, text) if name == "disabled" else text
    return tables


def texts(step: Step) -> Mapping[str, str | None]:
    kind = KINDS[step.menu]
    return {
        name: PASSWORDS[value] if isinstance(value, bytes) else kind.field(name).render(value)
        for name, value in step.changes.items()
    }


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Intent, Tables]:
    """A key that a dynamic row has is the router's own affair: such a world has no second row of that name."""
    intent, printed = draw(intents()), draw(secrets())
    wanted = {subscriber.username for subscriber in intent.subscribers}
    printed = [row for row in printed if row.get("dynamic") not in ("true", "yes") or row["name"] not in wanted]
    return intent, {PROFILE.menu: draw(profiles()), SECRET.menu: printed}


@given(worlds())
def test_after_a_plan_nothing_is_left_to_do(world: tuple[Intent, Tables]) -> None:
    intent, tables = world
    first = plan(intent, tables)
    second = plan(intent, carry_out(first.steps, tables))
    hidden = [step for step in second.steps if tuple(step.changes) == ("password",)]  # printed as a placeholder
    assert list(second.steps) == hidden
    assert second.problems == first.problems


@given(worlds())
def test_only_rows_that_are_desired_or_placed_are_touched(world: tuple[Intent, Tables]) -> None:
    intent, tables = world
    ours = set(desired(intent).rows) | {(ghost.menu, ghost.key) for ghost in intent.ghosts}
    made = plan(intent, tables)
    assert {(step.menu, step.key) for step in made.steps} <= ours
    after = carry_out(made.steps, tables)
    for menu, rows in tables.items():
        theirs = [row for row in rows if (menu, row["name"]) not in ours]
        assert [row for row in after[menu] if (menu, row["name"]) not in ours] == theirs


@given(worlds())
def test_only_managed_fields_are_written(world: tuple[Intent, Tables]) -> None:
    intent, tables = world
    for step in plan(intent, tables).steps:
        assert set(step.changes) <= {field.name for field in KINDS[step.menu].fields}


@given(worlds())
def test_nobody_suspended_is_left_with_a_way_in(world: tuple[Intent, Tables]) -> None:
    intent, tables = world
    if intent.router.suspend_by != "disable":
        return
    after = {row["name"]: row for row in carry_out(plan(intent, tables).steps, tables)[SECRET.menu]}
    for subscriber in intent.subscribers:
        if subscriber.is_suspended and subscriber.username in after:
            assert after[subscriber.username].get("disabled") in ("true", "yes")


@given(worlds())
def test_before_a_router_has_settled_nothing_is_made_or_forgotten(world: tuple[Intent, Tables]) -> None:
    intent, tables = world
    made = plan(intent, tables, is_settled=False)
    assert "add" not in {step.action for step in made.steps}
    assert not made.forgotten


@given(worlds())
def test_commands_carry_each_step_once_and_in_the_order_of_the_plan(world: tuple[Intent, Tables]) -> None:
    intent, tables = world
    steps = plan(intent, tables).steps
    carried = [step for members in phases(steps) for batch in members for step in batch.steps]
    assert sorted(carried, key=lambda step: (step.menu, step.key)) == sorted(
        steps, key=lambda step: (step.menu, step.key)
    )
    stages = [KINDS[step.menu].phase_of(step.action) for step in carried]
    assert stages == sorted(stages)
    for members in phases(steps):
        for batch in members:
            assert len(batch.steps) <= IDS_AT_ONCE
            assert len({(step.action, step.menu, str(step.changes)) for step in batch.steps}) == 1
