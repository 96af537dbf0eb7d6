"""The demo's last chapter: what else an ISP sells, and what becomes of a subscriber over the years."""

from collections.abc import Callable
from typing import Protocol

from imsys.cli.demo_fleet import DemoFleet
from imsys.cli.demo_stage import ACTOR

HOME, OTHER = "rt-thika", "rt-kilimani"
SHOP, SHOP_ADDRESS, SHOP_MAC = "kiosk.moi-avenue", "10.70.0.9", "02:00:00:00:00:09"


class Claims(Protocol):
    def tell(self, text: str) -> None: ...

    def claim(self, text: str, held: bool, seen: str = "") -> None: ...


def life(story: Claims, fleet: DemoFleet, sync: Callable[[list[str]], bool], mover: str) -> None:
    """`sync` waits until these are seen to be right, and says whether they are."""
    _static_line(story, fleet, sync)
    _move(story, fleet, sync, mover)


def _static_line(story: Claims, fleet: DemoFleet, sync: Callable[[list[str]], bool]) -> None:
    from imsys.subscribers import services

    story.tell(f"\n5. {SHOP} has no login: a fixed address, a queue for its speed, a lease for its device.")
    services.add_subscriber(
        username=SHOP,
        service="static",
        router=HOME,
        package="home-5m",
        address=SHOP_ADDRESS,
        mac=SHOP_MAC,
        actor=ACTOR,
    )
    is_right = sync([SHOP])
    limit = fleet.queue_of(HOME, SHOP)
    story.claim("its queue and its lease are made", is_right and limit == "5000000/5000000", f"max-limit {limit}")
    fleet.open_connection(HOME, SHOP_ADDRESS)
    could = fleet.can_browse(HOME, SHOP_ADDRESS)
    services.suspend([SHOP], cause="non-payment", note="demo", actor=ACTOR)
    is_cut = sync([SHOP]) and not fleet.can_browse(HOME, SHOP_ADDRESS)
    story.claim("suspended, not even the connection that it had goes on", could and is_cut, "fasttracked before")


def _move(story: Claims, fleet: DemoFleet, sync: Callable[[list[str]], bool], mover: str) -> None:
    from imsys.subscribers import services

    story.tell(f"\n6. {mover} moves to the other side of town, from {HOME} to {OTHER}, and gets another name.")
    services.move_subscribers([mover], OTHER, actor=ACTOR)
    has_moved = sync([mover]) and mover in fleet.secrets(OTHER) and mover not in fleet.secrets(HOME)
    story.claim("its row is on the new router, and no more on the old", has_moved)
    services.rename_subscriber(mover, f"{mover}.2", actor=ACTOR)
    is_renamed = sync([f"{mover}.2"]) and mover not in fleet.secrets(OTHER) and f"{mover}.2" in fleet.secrets(OTHER)
    story.claim("its row has the new name, and there is no second one", is_renamed)
