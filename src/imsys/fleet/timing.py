"""How long and how often: every number of a keeper's loop in one value, so that a test can pass smaller ones."""

from dataclasses import dataclass, field

from imsys.reconcile.batch import IDS_AT_ONCE
from imsys.reconcile.fights import Rules


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, unless the name says otherwise."""

    lease_s: float = 5.0
    lease_margin_s: float = 1.0
    """No write starts unless the lease outlasts now by this much."""
    tick_s: float = 1.0
    """How often a worker renews its leases and evens out its share."""
    sweep_s: float = 10.0
    """How often a worker looks for due rows that no notification spoke of."""
    resync_s: float = 900.0
    resync_spread: float = 0.4
    """The next resync comes up to this share of resync_s sooner, so that routers spread out; never later.

    So what a run changed is looked at again within resync_s: an admin's safe mode or a crash may take it back.
    """
    glance_s: float = 20.0
    """How often the facts behind the enforcement gap are read."""
    settle_uptime_s: float = 60.0
    settle_gap_s: float = 2.0
    look_again_s: tuple[float, ...] = (5.0, 15.0)
    """When the sessions of newly suspended subscribers are looked up again."""
    down_first_s: float = 1.0
    down_soon_s: float = 1.6
    down_late_s: float = 15.0
    down_long_s: float = 600.0
    """A router that is down is tried each down_first_s to down_soon_s; each down_late_s once down for down_long_s.

    With its jitter down_soon_s stays under 2 s, so that a router is right within 3 s of its return.
    """
    refused_s: float = 300.0
    """A router that refuses us is tried again this late, or when its credentials change."""
    old_router_s: float = 10.0
    """So long a subscriber who moves is held back for the router that they left, while that can be worked on."""
    retry_first_s: float = 1.0
    error_first_s: float = 30.0
    error_cap_s: float = 900.0
    jitter: float = 0.2
    rounds: int = 3
    """Observe, plan, apply: so often in one run before what still differs waits for the next."""
    ids_at_once: int = IDS_AT_ONCE
    """Rows that one command may name."""
    commands_per_run: int = 400
    """So many writing commands before a run records what it has and looks for newer intent."""
    heavy_at_once: int = 16
    """So many keepers of a process read whole tables at the same time; see gate.py."""
    heavy_holds_s: float = 2.0
    fights: Rules = field(default_factory=Rules)
    """When a repair rests since somebody else's automation undoes it each time."""
