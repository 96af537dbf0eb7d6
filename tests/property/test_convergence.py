"""For any services, people and routers: runs end with the rows that are wanted, and with everybody else's untouched."""

from hypothesis import given, settings
from hypothesis import strategies as st

from imsys.reconcile.diff import differing
from imsys.reconcile.kinds import KINDS
from tests.property.worlds import World, read, worlds
from tests.unit.reconcile.rows import Place, Row


def settle(world: World) -> None:
    """Runs until they change nothing any more, which must be soon."""
    for _ in range(len(world.people) + 4):
        rows = world.tables.copy().rows
        world.run()
        if world.tables.rows == rows:
            return
    raise AssertionError(f"still at it: {world.plan().steps}, refused {world.refused}")


def ours(world: World) -> set[Place]:
    """Every place that some rule lets us touch."""
    intent = world.intent
    wanted = world.plan().wanted
    placed = {place for places in intent.placed.values() for place in places}
    return {*wanted.rows, *wanted.absent, *placed, *(g.place for g in world.ghosts), *world.shared}


def adoptable(world: World) -> set[str]:
    """Ids of rows that may be taken over by another mark: a device's lease, the older system's queue of an address."""
    found = set()
    for (menu, _), resource in world.plan().wanted.rows.items():
        aliases_of = KINDS[menu].aliases_of
        if aliases_of is not None:
            found |= {row[".id"] for row in world.tables.rows[menu] if set(aliases_of(row)) & set(resource.aliases)}
    return found


def foreign(world: World) -> dict[str, list[Row]]:
    touchable, taken_over = ours(world), adoptable(world)
    return {
        menu: [dict(r) for r in rows if (menu, KINDS[menu].key_of(r)) not in touchable and r[".id"] not in taken_over]
        for menu, rows in world.tables.rows.items()
    }


def is_right(world: World, place: Place) -> bool:
    """Is the row as wanted, in its own right, and where it works?"""
    resource, table = world.plan().wanted.rows[place], read(world.tables)[place[0]]
    row = table.rows.get(place[1])
    if row is None or row.is_dynamic or differing(resource, row):
        return False
    above = table.first_above(row.key, resource.values) if table.first_above is not None else None
    return above is None or above[0] >= row.place


@settings(max_examples=100)
@given(worlds())
def test_runs_end_with_what_is_wanted(world: World) -> None:
    mine = ours(world)
    theirs = {r[".id"] for m, rows in world.tables.rows.items() for r in rows if (m, KINDS[m].key_of(r)) not in mine}
    settle(world)
    made = world.plan()
    assert not made.in_turn
    blocked = {place: row for place, row in world.refused.items() if row[".id"] in theirs}
    assert [step for step in made.steps if step.place not in blocked] == []
    for place, resource in made.wanted.rows.items():
        if resource.subscriber_id not in made.problems and place not in blocked:
            assert is_right(world, place), place
    for menu, key in made.wanted.absent:
        row = read(world.tables)[menu].rows.get(key)  # a disabled one cuts nobody off, and may stay
        assert row is None or row.values["disabled"] is True
    for ghost in world.ghosts - {ghost for ghost in world.ghosts if ghost.place in made.wanted.rows}:
        assert ghost.key not in read(world.tables)[ghost.menu].rows


@settings(max_examples=100)
@given(worlds())
def test_rows_of_others_stay_byte_for_byte_and_in_their_order(world: World) -> None:
    theirs = foreign(world)
    settle(world)
    for menu, rows in theirs.items():
        ids = {row[".id"] for row in rows}
        assert [row for row in world.tables.rows[menu] if row[".id"] in ids] == rows


@settings(max_examples=100)
@given(worlds(), st.lists(st.integers(0, 3), max_size=4))
def test_runs_that_break_off_anywhere_end_the_same(world: World, cuts: list[int]) -> None:
    for cut in cuts:
        world.run(cut)
    test_runs_end_with_what_is_wanted.hypothesis.inner_test(world)  # type: ignore[attr-defined]


@settings(max_examples=100)
@given(worlds())
def test_before_a_router_has_settled_absence_means_nothing(world: World) -> None:
    made = world.plan(is_settled=False)
    there = {row[".id"] for rows in world.tables.rows.values() for row in rows}
    twins = {step.place for step in made.steps if step.action == "remove"}
    assert all(step.row_id in there or step.place in twins for step in made.steps)
    assert not made.forgotten


@settings(max_examples=300)
@given(worlds())
def test_a_renamed_row_keeps_its_id(world: World) -> None:
    first = world.plan()
    named = [step for step in first.steps if KINDS[step.menu].names_subscriber]  # leases may also go by their device
    renamed = {step.place: step.row_id for step in named if step.old_key}
    world.run()
    for (menu, key), row_id in renamed.items():
        assert KINDS[menu].key_of(world.tables.by_id(menu)[row_id]) == key or (menu, key) in world.refused
