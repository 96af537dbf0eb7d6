"""The story that `imsys demo` tells: a router dies while a hundred are suspended on it, and nobody has to clean up.

Each claim is checked on the routers' tables. The words are for people; `--json` gives the claims alone.
"""

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import typer

from imsys.cli.demo_life import life
from imsys.cli.demo_stage import ACTOR, ROUTERS, Stage, open_stage, set_up
from imsys.cli.exits import Code
from imsys.cli.output import console, print_json, print_table, progress, say

ROUTER = "rt-ngong"
TECHNICIAN = "juma"
DOWN_S = 5.0
PATIENCE_S = 40.0
LOOK_S = 0.05


@dataclass(slots=True)
class Claim:
    text: str
    held: bool
    seen: str


@dataclass(slots=True)
class Story:
    """What was claimed so far, and how it is told."""

    stage: Stage
    is_told: bool
    claims: list[Claim] = field(default_factory=list)

    def tell(self, text: str) -> None:
        if self.is_told:
            print(text, flush=True)

    def claim(self, text: str, held: bool, seen: str = "") -> None:
        self.claims.append(Claim(text, held, seen))
        self.tell(f"  {'ok ' if held else 'NOT'}  {text}{': ' if seen else ''}{seen}")

    def watch(self, title: str, count: Callable[[], int], total: int) -> tuple[bool, float]:
        """Wait until `count` says `total`, with a bar; whether it did, and after how many seconds."""
        begun = time.monotonic()
        with progress(title) as bar:
            while True:
                done, seconds = count(), time.monotonic() - begun
                bar(done, total)
                if done >= total or seconds > PATIENCE_S:
                    return done >= total, seconds
                time.sleep(LOOK_S)


def tell(*, once: bool, port: int, as_json: bool) -> None:
    signal.signal(signal.SIGTERM, _interrupt)
    begun = time.monotonic()
    say("Starting PostgreSQL, three simulated routers, the pages and a worker ...")
    with open_stage(port) as stage:
        story = Story(stage, is_told=not as_json)
        set_up(stage)
        username, password = stage.login
        story.tell(f"The pages: {stage.url}  log in as {username} with {password}")
        for chapter in (beginning, outage, tampering, payment, years):
            chapter(story)
        ok = all(claim.held for claim in story.claims)
        _print_end(story, as_json=as_json, seconds=time.monotonic() - begun)
        if not once:
            _stay(stage, story)
    raise typer.Exit(Code.OK if ok else Code.FAILED)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def beginning(story: Story) -> None:
    fleet, stage = story.stage.fleet, story.stage
    story.tell("\n1. 300 subscribers were imported. Their secrets are put on three routers.")
    there, seconds = story.watch("on the routers", lambda: sum(len(fleet.secrets(name)) for name in ROUTERS), 300)
    right = all(set(fleet.secrets(name)) == set(stage.subscribers(name)) for name in ROUTERS)
    story.claim("each router has exactly its 100 secrets", there and right, f"after {seconds:.1f} s")
    fleet.dial_everybody()
    online, _ = story.watch("online", lambda: sum(len(fleet.online(name)) for name in ROUTERS), 300)
    story.claim("everybody can dial in", online, "300 online")
    outcome = _sync()
    story.claim("all were seen to be right", _all_synced(outcome), _words(outcome))


def outage(story: Story) -> None:
    fleet, names = story.stage.fleet, story.stage.subscribers(ROUTER)
    story.tell(f"\n2. All 100 on {ROUTER} are suspended. After the 50th the router dies, for {DOWN_S:.0f} s.")
    before = fleet.counters(ROUTER)
    _suspend_into_a_crash(story, names)
    _look_around_meanwhile(story)
    story.watch(f"{ROUTER} is down", lambda: int(fleet.is_up(ROUTER)), 1)
    story.tell(f"  {ROUTER} is back.")
    aligned, seconds = story.watch("suspended on the router", lambda: _cut_off(story, names), 100)
    story.claim("all 100 are disabled and offline", aligned, f"{seconds:.1f} s after its return")
    outcome = _sync()
    story.claim("all were seen to be right, none in error", _all_synced(outcome), _words(outcome))
    _claim_economy(story, before, fleet.counters(ROUTER))


def _suspend_into_a_crash(story: Story, names: list[str]) -> None:
    from imsys.subscribers import services

    fault = story.stage.fleet.let_die_half_way(ROUTER, after_rows=50, down_s=DOWN_S)
    begun = time.monotonic()
    services.suspend(names, cause="non-payment", note="demo", actor=ACTOR)
    story.tell(f"  one transaction: {(time.monotonic() - begun) * 1000:.0f} ms")
    died, _ = story.watch("waiting for the crash", lambda: fault.fired, 1)
    half = _disabled(story)
    story.claim("the router died half-way", died and half == 50, f"{half} of 100 are disabled on it")


def _look_around_meanwhile(story: Story) -> None:
    from imsys.subscribers import services

    known, _ = story.watch("noticing", lambda: int(not _router_state()["is_reachable"]), 1)
    counts = _counts()
    waiting = counts == {"pending": 100, "synced": 200, "error": 0}
    story.claim("all 100 wait, nobody is in error", known and waiting, _line(counts))
    neighbour = story.stage.subscribers("rt-thika")[0]
    services.set_subscriber(neighbour, package="home-20m", actor=ACTOR)
    served = _sync([neighbour]).exit_code == Code.OK
    story.claim("the other routers are served meanwhile", served, f"{neighbour} is on home-20m")


def _claim_economy(story: Story, before: Any, after: Any) -> None:
    most = max(story.stage.fleet.writes_per_row(ROUTER, by=story.stage.api_user).values())
    writes = after["writes"] - before["writes"]
    useless = after["noop_writes"] - before["noop_writes"]
    # twice: added at the start, disabled now
    story.claim("no row was written twice for it", most == 2 and useless == 0, f"{writes} write commands for 100 rows")


def tampering(story: Story) -> None:
    from imsys.timeline.selectors import events

    fleet, names = story.stage.fleet, story.stage.subscribers(ROUTER)
    freed = names[10:15]
    story.tell(f"\n3. {TECHNICIAN}, a technician, enables five of them again in Winbox.")
    fleet.enable_in_winbox(ROUTER, freed, by=TECHNICIAN)
    repaired, seconds = story.watch("suspended on the router", lambda: _cut_off(story, names), 100)
    story.claim("they are disabled and offline again", repaired, f"after {seconds:.1f} s")

    def named() -> int:
        recent = events(router=ROUTER, limit=50)
        return len({event["username"] for event in recent if TECHNICIAN in event["actor"]} & set(freed))

    told, _ = story.watch("the timeline", named, 5)
    story.claim("the timeline says who did it", told, f"{named()} events by {TECHNICIAN}")


def payment(story: Story) -> None:
    from imsys.subscribers import services

    fleet, names = story.stage.fleet, story.stage.subscribers(ROUTER)
    story.tell("\n4. They pay, and are resumed.")
    services.resume(names, actor=ACTOR)
    back, seconds = story.watch("online again", lambda: len(fleet.online(ROUTER)), 100)
    story.claim(
        "all 100 are enabled and online", back and _disabled(story) == 0, f"after {seconds:.1f} s, redialling included"
    )
    outcome = _sync()
    story.claim("everything is as it should be", _all_synced(outcome), _words(outcome))
    logins = {name: fleet.counters(name)["logins"] for name in ROUTERS}
    calm = [logins[name] for name in ROUTERS if name != ROUTER]
    story.claim("one login per router, and one more after the crash", calm == [1, 1], _line(logins))


def _disabled(story: Story) -> int:
    return sum(story.stage.fleet.secrets(ROUTER).values())


def _cut_off(story: Story, names: list[str]) -> int:
    """How many of them are disabled on the router and have no session there."""
    secrets, online = story.stage.fleet.secrets(ROUTER), story.stage.fleet.online(ROUTER)
    return sum(secrets.get(name, False) and name not in online for name in names)


def _counts() -> dict[str, int]:
    from imsys.subscribers.selectors import sync_counts

    return dict(sync_counts())


def years(story: Story) -> None:
    def sync(usernames: list[str]) -> bool:
        return bool(_sync(usernames).exit_code == Code.OK)

    life(story, story.stage.fleet, sync, story.stage.subscribers("rt-thika")[7])


def _router_state() -> dict[str, Any]:
    from imsys.network.selectors import router_detail

    return router_detail(ROUTER)


def _sync(usernames: list[str] | None = None) -> Any:
    from imsys.fleet import commands

    return commands.sync(usernames, timeout_s=PATIENCE_S)


def _all_synced(outcome: Any) -> bool:
    return (outcome.synced, outcome.error, outcome.exit_code) == (300, 0, Code.OK)


def _line(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _words(outcome: Any) -> str:
    return f"{outcome.synced} synced, {outcome.error} in error"


def _print_end(story: Story, *, as_json: bool, seconds: float) -> None:
    ok = all(claim.held for claim in story.claims)
    rows = [{"claim": claim.text, "held": claim.held, "seen": claim.seen} for claim in story.claims]
    if as_json:
        print_json({"ok": ok, "seconds": round(seconds, 1), "url": story.stage.url, "claims": rows})
        return
    print()
    if sys.stdout.isatty():
        shown = [{**row, "held": "ok" if row["held"] else "failed"} for row in rows]
        print_table(shown, {"claim": "Claim", "held": "Held", "seen": "Seen on the routers"})
    held = sum(claim.held for claim in story.claims)
    print(f"{held} of {len(story.claims)} claims held, in {seconds:.0f} s.", flush=True)


def _stay(stage: Stage, story: Story) -> None:
    username, password = stage.login
    story.tell(f"\nIt runs on at {stage.url} (log in as {username} with {password}).")
    story.tell("Commands work on it from another terminal:")
    story.tell(f"  export IMSYS_DATA_DIR={stage.folder}")
    story.tell("  imsys status; imsys subscriber list --router rt-thika; imsys watch")
    if sys.stdout.isatty():
        console().print("Ctrl-C ends it and leaves nothing behind.")
    assert stage.served is not None
    try:
        stage.served.wait()
    except KeyboardInterrupt:
        say("Stopping ...")
