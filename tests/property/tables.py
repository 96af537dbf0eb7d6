"""A router's tables and nothing more: what a step does to their rows, and what RouterOS refuses.

No wire and no clock; the simulator has those. Ids are never used twice.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from imsys.kit.addresses import canonical_address, canonical_range
from imsys.kit.units import Rate, format_duration
from imsys.reconcile.diff import Step
from imsys.reconcile.kinds import (
    ADDRESS_LIST,
    HOTSPOT_PROFILE,
    HOTSPOT_USER,
    KINDS,
    LEASE,
    PROFILE,
    QUEUE,
    SECRET,
    Value,
)
from tests.unit.reconcile.rows import Row, fingerprint

PASSWORDS = {fingerprint(text): text for text in ("pw", "true", "p\udce9")}
BY_NAME = (SECRET.menu, PROFILE.menu, HOTSPOT_PROFILE.menu, QUEUE.menu)
PROFILES_OF = {SECRET.menu: PROFILE.menu, HOTSPOT_USER.menu: HOTSPOT_PROFILE.menu}


class Refused(Exception):
    """`row`: what is in the way."""

    def __init__(self, row: Row) -> None:
        super().__init__(f"already have {row}")
        self.row = row


class Gone(Exception):
    """What was to be changed is not there any more."""


@dataclass
class Tables:
    rows: dict[str, list[Row]] = field(default_factory=lambda: {menu: [] for menu in KINDS})
    made: int = 0

    def copy(self) -> "Tables":
        return deepcopy(self)

    def by_id(self, menu: str) -> Mapping[str, Row]:
        return {row[".id"]: row for row in self.rows[menu]}

    def insert(self, menu: str, fields: Mapping[str, str], place: int | None = None) -> Row:
        """As a person would add it, dynamic rows as the router does."""
        self.made += 1
        row = {".id": f"*{self.made:X}", **fields}
        self._check(menu, row)
        rows = self.rows[menu]
        rows.insert(len(rows) if place is None else place % (len(rows) + 1), row)
        return row

    def insert_if_free(self, menu: str, fields: Mapping[str, str], place: int | None = None) -> None:
        try:
            self.insert(menu, fields, place)
        except Refused:
            pass

    def carry_out(self, step: Step) -> None:
        rows = self.rows[step.menu]
        if step.action == "add":
            fields = printed_fields(step.menu, {**KINDS[step.menu].key_fields(step.key), **sent(step)})
            self.insert(step.menu, fields, self._place_of(step))
            return
        row = next((row for row in rows if row[".id"] == step.row_id), None)
        if row is None:  # `no such item`
            raise Gone
        if step.action == "remove":
            rows.remove(row)
        elif step.action == "move":
            rows.remove(row)
            rows.insert(self._place_of(step), row)
        elif step.action == "make-static":
            self._replace(step.menu, row, {**row, "dynamic": "false"})
        else:
            assert row.get("dynamic") not in ("true", "yes"), "a dynamic row can't be set"
            name = KINDS[step.menu].key_fields(step.key) if step.old_key else {}
            changed = {key: text for key, text in row.items() if key not in sent(step)}
            self._replace(step.menu, row, {**changed, **printed_fields(step.menu, {**name, **sent(step)})})

    def _place_of(self, step: Step) -> int:
        rows = self.rows[step.menu]
        return next((i for i, row in enumerate(rows) if row[".id"] == step.before_id), len(rows))

    def _replace(self, menu: str, row: Row, new: Row) -> None:
        self._check(menu, new)
        row.clear()
        row.update(new)

    def _check(self, menu: str, row: Row) -> None:
        if menu in PROFILES_OF and (name := row.get("profile")) and "dynamic" not in row:
            self._check_profile(PROFILES_OF[menu], name)
        for other in self.rows[menu]:
            if other[".id"] != row[".id"] and clash(menu, row, other):
                raise Refused(other)

    def _check_profile(self, menu: str, name: str) -> None:
        """It may be left dangling, as by a person who removed it; a plan must not name one that never was."""
        if name != "default" and not name.startswith("*"):
            assert any(row["name"] == name for row in self.rows[menu]), f"no profile {name!r}"


def clash(menu: str, row: Row, other: Row) -> bool:
    """RouterOS facts, "Uniqueness rules"."""
    if menu in BY_NAME:
        return row["name"] == other["name"]
    if menu == HOTSPOT_USER.menu:
        return row["name"] == other["name"] and row.get("server", "all") == other.get("server", "all")
    if menu == ADDRESS_LIST.menu:
        same = row["list"] == other["list"] and canonical_range(row["address"]) == canonical_range(other["address"])
        return same and is_on(row) and is_on(other)
    return menu == LEASE.menu and _leases_clash(row, other)


def _leases_clash(row: Row, other: Row) -> bool:
    if "true" in (row.get("dynamic"), other.get("dynamic")):
        return False
    if canonical_address(row["address"]) == canonical_address(other["address"]):
        return True
    device = row.get("mac-address", "").upper()
    same_device = device != "" and device == other.get("mac-address", "").upper() and is_on(row) and is_on(other)
    servers = {row.get("server", "all"), other.get("server", "all")}
    return same_device and (len(servers) == 1 or "all" in servers)


def is_on(row: Row) -> bool:
    return row.get("disabled") not in ("true", "yes")


def sent(step: Step) -> dict[str, str | None]:
    return rendered(step.menu, step.changes)


def rendered(menu: str, values: Mapping[str, Value]) -> dict[str, str | None]:
    kind = KINDS[menu]
    return {
        name: PASSWORDS[value] if isinstance(value, bytes) else kind.field(name).render(value)
        for name, value in values.items()
    }


def printed_fields(menu: str, fields: Mapping[str, str | None]) -> Row:
    """What a router prints after it was sent these."""
    return {name: printed_form(menu, name, text) for name, text in fields.items() if text is not None}


def printed_form(menu: str, name: str, text: str) -> str:
    if name == "disabled":
        return {"yes": "true", "no": "false"}.get(text, text)
    if menu == QUEUE.menu and name in ("max-limit", "limit-at", "burst-limit", "burst-threshold"):
        up, down = Rate.parse(text)
        return f"{up}/{down}"
    if menu == QUEUE.menu and name == "burst-time":
        return "/".join(format_duration(float(half)) for half in text.split("/"))
    return text


def static(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.get("dynamic") not in ("true", "yes")]
