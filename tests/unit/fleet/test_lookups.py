"""Those just cut are looked up twice, however often it is planned: looks must not breed looks."""

from imsys.fleet.lookups import LookUps


def test_each_name_is_due_at_its_times_and_then_no_more() -> None:
    looks = LookUps()
    looks.plan(["ann"], [5.0, 15.0])
    assert looks.due(4.9) == set()
    assert looks.due(5.0) == {"ann"}
    assert looks.due(5.0) == set()
    assert looks.next_at == 15.0
    assert looks.due(20.0) == {"ann"}
    assert looks.next_at is None


def test_a_name_that_each_look_plans_again_is_due_once_at_a_time() -> None:
    looks = LookUps()
    looks.plan(["ann", "ben"], [5.0, 15.0])
    runs, now = 0, 0.0
    while now < 60.0:
        assert looks.next_at is not None
        now = looks.next_at
        if "ann" in looks.due(now):
            runs += 1
            looks.plan(["ann"], [now + 5.0, now + 15.0])
    assert runs == 12


def test_planning_one_name_leaves_the_others_at_their_times() -> None:
    looks = LookUps()
    looks.plan(["ann", "ben"], [5.0])
    looks.plan(["ann"], [7.0])
    assert looks.due(6.0) == {"ben"}
    assert looks.due(7.0) == {"ann"}
