"""How a plan reads: short ones line by line under each subscriber, long ones by what is done to how many."""

from typing import Any

from imsys.cli.plan import MOST_LINES, told


def step(subscriber: str | None, **more: Any) -> dict[str, Any]:
    made = {
        "subscriber": subscriber,
        "menu": "/ppp/secret",
        "key": subscriber or "old",
        "action": "set",
        "before": {"disabled": "no"},
        "after": {"disabled": "yes"},
        "reason": "intent",
        "blocked": None,
    }
    return made | more


def plan(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"router": "core", "mode": "enforce", "blocked": None, "held": None, "problem": None, "steps": list(steps)}
    return said | more


def test_a_short_plan_is_told_subscriber_by_subscriber_with_the_reason() -> None:
    gone = step(None, action="remove", before={}, after={}, reason="ghost")
    lines = list(told([plan(step("ben"), gone, step("ann"))]))
    assert lines == [
        "core (enforce): 3 changes for 2 subscribers, all of them to be done now",
        "  shared by many, or nobody here",
        "    remove /ppp/secret old  (left behind by who was removed, moved or renamed)",
        "  ann",
        "    set /ppp/secret ann: disabled: no -> yes  (asked for here)",
        "  ben",
        "    set /ppp/secret ben: disabled: no -> yes  (asked for here)",
    ]


def test_what_is_not_done_says_why() -> None:
    held = step("ann", action="add", before={}, after={"name": "ann"}, reason="drift", blocked="held")
    lines = list(told([plan(held, held="12 of 20 rows are gone.")]))
    assert lines[0] == "core (enforce): 1 change for 1 subscriber, 0 of them to be done now"
    assert lines[1] == "  held: 12 of 20 rows are gone."
    assert "held until a person decides, or as one decided: imsys hold list --all" in lines[-1]


def test_a_long_plan_is_summed_up_and_all_of_it_is_to_be_had() -> None:
    steps = [step(f"user{number:03d}", blocked="observe") for number in range(MOST_LINES)]
    kick = {"action": "kick", "menu": "/ppp/active", "before": {}, "after": {}, "reason": "suspended"}
    steps.append(step("zoe", **kick, blocked="observe"))
    lines = list(told([plan(*steps, mode="observe")]))
    assert len(lines) == 4
    assert lines[1].startswith("  40 x set /ppp/secret disabled: user000, user001, user002, ...  (asked for here; not")
    assert lines[2].startswith("  1 x kick /ppp/active: zoe")
    assert lines[3] == "  every step: imsys plan --router core --all"
    assert len(list(told([plan(*steps, mode="observe")], everything=True))) == 1 + 2 * len(steps)


def test_routers_that_are_right_not_read_or_not_there_are_told_of() -> None:
    assert list(told([plan()])) == ["core (enforce): as wanted, nothing to do"]
    assert list(told([plan(problem="It is off.")])) == ["core (enforce): It is off."]
    assert next(iter(told([]))).startswith("No router yet")
