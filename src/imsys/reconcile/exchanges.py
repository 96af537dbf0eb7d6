"""Rows that exchange what a router lets only one of them have, such as the MAC address of a lease.

A disabled row does not count for that rule. So whoever still has what another is to get, and is to get something else
itself, is disabled first; the next look finds that as the one thing that is still wrong with it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from imsys.reconcile.diff import Step
from imsys.reconcile.kinds import LEASE
from imsys.reconcile.observed import ObservedRow, Table

MAC = "mac-address"


def room_for(steps: Iterable[Step], observed: Mapping[str, Table]) -> list[Step]:
    """What must be done before these steps can be, in any order."""
    table = observed.get(LEASE.menu)
    if table is None:
        return []
    changing = [step for step in steps if step.menu == LEASE.menu and MAC in step.changes]
    leaving = {step.row_id: step for step in changing if step.action == "set"}
    return [_aside(leaving[row.row_id], row) for row in _holders(changing, table) if row.row_id in leaving]


def _holders(steps: Iterable[Step], table: Table) -> Iterator[ObservedRow]:
    """Rows that have the MAC address which another row is to get."""
    for step in steps:
        row = table.aliased.get(f"mac {step.changes[MAC]!s}")
        if row is not None and row.row_id != step.row_id and not (row.is_dynamic or row.values["disabled"]):
            yield row


def _aside(step: Step, row: ObservedRow) -> Step:
    return replace(step, key=row.key, old_key="", changes={"disabled": True}, before={"disabled": False}, is_aside=True)
