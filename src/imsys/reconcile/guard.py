"""Splits a plan after a suspicious read: what a person asked for goes on, what only a machine concluded is held.

Empty is suspicious: a blanked or swapped router looks like one where everything must be made again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from imsys.reconcile.diff import Step
from imsys.reconcile.plan import Plan

OTHER_ROUTER = "OtherRouter"
ROWS_VANISHED = "RowsVanished"
HELD = (OTHER_ROUTER, ROWS_VANISHED)
REMEDY = "Look at the router; when it is right to make its rows again, run: imsys reconcile --router NAME --accept"
SHRUNK_ROWS = 10
SHRUNK_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Suspicion:
    code: str
    text: str
    remedy: str


def suspicion(
    plan: Plan, *, placed_rows: Mapping[str, int], known_serial: str = "", serial: str = ""
) -> Suspicion | None:
    """Why this read should not be believed, or None. `placed_rows`: by menu, rows that we put or saw there."""
    if known_serial and serial and known_serial != serial:
        return Suspicion(OTHER_ROUTER, f"The hardware answers as {serial}, it was {known_serial} before.", REMEDY)
    for menu, placed in placed_rows.items():
        gone = sum(1 for step in plan.steps if step.menu == menu and is_reappearance(step))
        if gone >= SHRUNK_ROWS and gone >= placed * SHRUNK_SHARE:
            text = f"{gone} of {placed} rows of {menu} are gone, and nobody here removed them."
            return Suspicion(ROWS_VANISHED, text, REMEDY)
    return None


def standing(code: str) -> Suspicion:
    """A doubt that an earlier resync raised and nobody has settled yet."""
    return Suspicion(code, "What the last resync found on this router is still to be looked at by a person.", REMEDY)


def unseen() -> Suspicion:
    """Many rows are missing where only some were looked for: a whole read has to tell how it stands."""
    return Suspicion(ROWS_VANISHED, "Many rows are missing; the whole router is read before they are made again.", "")


def is_reappearance(step: Step) -> bool:
    """Would it make a row again that was seen before?"""
    return step.action == "add" and step.reason == "drift"


def split(plan: Plan, doubt: Suspicion | None) -> Plan:
    """The plan with its machine-caused steps moved to `held` when there is doubt."""
    if doubt is None:
        return plan
    go = tuple(step for step in plan.steps if step.reason != "drift")
    held = tuple(step for step in plan.steps if step.reason == "drift")
    return replace(plan, steps=go, held=held, forgotten=())
