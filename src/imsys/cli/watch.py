"""`imsys watch`: the timeline as it grows."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from imsys.cli.app import Json, RouterFilter, command

EVERY_S = 1.0
# Transactions commit out of the order of their event ids: each look goes back this far and leaves out what was shown.
LOOK_BACK_IDS = 2_000
MOST_AT_ONCE = 20_000


def add_to(app: typer.Typer) -> None:
    @command(app, "watch", examples=["imsys watch", "imsys watch --router rt-ngong", "imsys watch --json | jq .what"])
    def watch(
        router: RouterFilter = None,
        seconds: Annotated[float | None, typer.Option(min=0, help="End after so many seconds.")] = None,
        as_json: Json = False,
    ) -> None:
        """Print what happens as it happens, until Ctrl-C. With --json, one object a line."""
        from imsys.cli.database import database
        from imsys.cli.output import print_json_line, say

        with database():
            say("Watching; Ctrl-C ends.")
            for event in feed(router or "", seconds):
                print_json_line(event) if as_json else print(event_line(event), flush=True)


def feed(router: str, seconds: float | None) -> Iterator[dict[str, Any]]:
    from imsys.timeline.selectors import events

    end = None if seconds is None else time.monotonic() + seconds
    newest = next((event["id"] for event in events(limit=1)), 0)
    start, shown = newest, deque([newest], maxlen=4 * LOOK_BACK_IDS)
    while end is None or time.monotonic() < end:
        after = max(start, newest - LOOK_BACK_IDS)
        for event in reversed(events(router=router, after_id=after, limit=MOST_AT_ONCE)):
            if event["id"] not in shown:
                shown.append(event["id"])
                newest = max(newest, event["id"])
                yield event
        time.sleep(EVERY_S if end is None else max(0.0, min(EVERY_S, end - time.monotonic())))


def event_line(event: dict[str, Any]) -> str:
    from imsys.cli.output import cell

    words = [cell(event["at"]), event["username"] or event["router"], event["what"], f"by {event['actor']}"]
    words += [f"({event['cause']})"] if event["cause"] else []
    words += [event["note"]] if event["note"] else []
    return " ".join(word for word in words if word)
