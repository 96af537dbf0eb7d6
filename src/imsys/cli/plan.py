"""`imsys plan`: what a run would do on the routers and why, as lines for a person, rows for a pipe, or JSON."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from imsys.cli.app import Json, RouterFilter, command
from imsys.cli.exits import Code

COLUMNS = {
    "router": "Router",
    "subscriber": "Subscriber",
    "menu": "Menu",
    "key": "Key",
    "action": "Action",
    "before": "Before",
    "after": "After",
    "reason": "Reason",
    "blocked": "Blocked",
}
MOST_LINES = 40
"""A plan of more steps is summarised; nobody reads two thousand lines."""
WHY = {
    "intent": "asked for here",
    "drift": "changed on the router",
    "ghost": "left behind by who was removed, moved or renamed",
    "unasked": "left behind, and nobody is known to have asked for it",
    "unmanaged": "nobody's login, as a person decided",
    "policy": "nobody's login, by the router's policy",
    "suspended": "suspended, and online",
    "redial": "has to dial in again",
    "fight": "somebody else changes it back each time",
}
BLOCKS = {
    "held": "held until a person decides, or as one decided: imsys hold list --all",
    "observe": "not done: the router is only observed",
    "paused": "not done: the router is paused",
    "window": "not done now: outside of the router's window",
    "frozen": "not done: everything is frozen",
    "fight": "its repair rests: imsys fight list",
}


def add_to(app: typer.Typer) -> None:
    examples = ["imsys plan", "imsys plan --router rt-ngong --all", "imsys plan --router rt-ngong --json"]

    @command(app, "plan", examples=examples)
    def plan(
        router: RouterFilter = None,
        everything: Annotated[bool, typer.Option("--all", help="Every step, however many they are.")] = False,
        as_json: Json = False,
    ) -> None:
        """Show what a run would do on the routers, and why. Reads them, writes nothing.

        Long plans are summarised on a terminal; --all, a pipe and --json have every step.
        """
        from imsys.cli.database import database
        from imsys.cli.output import complain, print_json, print_list

        with database():
            from imsys.fleet import commands

            plans = commands.plan(router)
        problems = [plan for plan in plans if plan["problem"]]
        if as_json:
            print_json({"routers": plans})
        elif sys.stdout.isatty():
            for line in told(plans, everything=everything):
                print(line)
        else:
            rows = [{"router": plan["router"], **_flat(step)} for plan in plans for step in plan["steps"]]
            print_list(rows, COLUMNS, as_json=False, empty="")
        for plan in problems:
            complain(f"error: {plan['router']} was not read. {plan['problem']}")
        if problems:
            raise typer.Exit(Code.FAILED)


def told(plans: Sequence[dict[str, Any]], *, everything: bool = False) -> Iterator[str]:
    """Router by router, subscriber by subscriber; or by what is done to how many."""
    if not plans:
        yield "No router yet. Add one, it is only read at first: imsys router add NAME --host H --username U"
    for plan in plans:
        steps = plan["steps"]
        yield f"{plan['router']} ({plan['mode']}): {_headline(plan)}"
        if plan["held"]:
            yield f"  held: {plan['held']}"
        yield from _by_subscriber(steps) if everything or len(steps) <= MOST_LINES else _summary(plan["router"], steps)
        for error in plan.get("errors", ()):
            yield f"  {error['subscriber']}: {error['text']}"
        if waiting := plan.get("waiting"):
            yield f"  {len(waiting)} wait for the router to settle after its boot, or for another to leave its name"


def _headline(plan: dict[str, Any]) -> str:
    steps = plan["steps"]
    if plan["problem"]:
        return str(plan["problem"])
    if not steps:
        return "as wanted, nothing to do"
    people = len({step["subscriber"] for step in steps if step["subscriber"] is not None})
    now = sum(step["blocked"] is None for step in steps)
    what = "1 change" if len(steps) == 1 else f"{len(steps)} changes"
    whom = "1 subscriber" if people == 1 else f"{people} subscribers"
    return f"{what} for {whom}, {now if now < len(steps) else 'all'} of them to be done now"


def _by_subscriber(steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    whose: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        whose.setdefault(step["subscriber"] or "", []).append(step)
    for name in sorted(whose):
        yield f"  {name or 'shared by many, or nobody here'}"
        for step in whose[name]:
            yield f"    {_line(step)}"


def _line(step: dict[str, Any]) -> str:
    what = f"{step['action']} {step['menu']} {step['key']}"
    before = step["before"]
    changes = ", ".join(
        f"{name}: {before[name] or 'none'} -> {value or 'none'}" if name in before else f"{name}={value}"
        for name, value in step["after"].items()
    )
    why = WHY.get(step["reason"], step["reason"])
    blocked = f"; {BLOCKS[step['blocked']]}" if step["blocked"] else ""
    return f"{what}{': ' if changes else ''}{changes}  ({why}{blocked})"


def _summary(router: str, steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What is done to how many, the most first, with some of their names."""
    kinds: Counter[tuple[str, str, str, str, str | None]] = Counter()
    names: dict[tuple[str, str, str, str, str | None], list[str]] = {}
    for step in steps:
        fields = ", ".join(step["after"]) if step["action"] == "set" else ""
        kind = (step["action"], step["menu"], fields, step["reason"], step["blocked"])
        kinds[kind] += 1
        names.setdefault(kind, []).append(step["subscriber"] or step["key"])
    for kind, count in kinds.most_common():
        action, menu, fields, reason, blocked = kind
        some = ", ".join(names[kind][:3]) + (", ..." if count > 3 else "")
        why = WHY.get(reason, reason) + (f"; {BLOCKS[blocked]}" if blocked else "")
        yield f"  {count} x {action} {menu}{f' {fields}' if fields else ''}: {some}  ({why})"
    yield f"  every step: imsys plan --router {router} --all"


def _flat(step: dict[str, Any]) -> dict[str, Any]:
    def line(value: object) -> object:
        return ", ".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, dict) else value

    return {key: line(value) for key, value in step.items()}
