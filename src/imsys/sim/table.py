"""A menu's table as tests and the control port use it: by property names, without a wire, yet under the same rules."""

from typing import Any

from imsys.sim import edit
from imsys.sim.accounts import OUTSIDER, Actor
from imsys.sim.fields import Value
from imsys.sim.menu import Row
from imsys.sim.projection import id_text
from imsys.sim.store import Rows


class Table(Rows):
    """Rows plus an outsider's hands. Names of properties may have underscores for dashes."""

    @property
    def rows(self) -> list[dict[str, str]]:
        """All rows as print shows them to someone who may see passwords."""
        return [self.printed(row_id, row) for row_id, row in self.items()]

    def find(self, **properties: str) -> dict[str, str] | None:
        """The first row whose printed properties are these."""
        wanted = {_dashed(name): value for name, value in properties.items()}
        key = self.shape.menu.key
        ids = self.ids_of(wanted[key]) if key in wanted else tuple(self)
        for row_id in ids:
            row = self.printed(row_id, self._rows[row_id])
            if all(row.get(name) == value for name, value in wanted.items()):
                return row
        return None

    def value(self, row_id: int | None, name: str) -> Value:
        """A kept value of a row; None also when there is no such row."""
        row = None if row_id is None else self.get(row_id)
        return None if row is None else self.shape.value(row, name)

    def add(self, *, by: Actor = OUTSIDER, **properties: str) -> str:
        """Add a row; its id. Raises: SimTrap, as the router would refuse it."""
        attributes = {_dashed(name): value for name, value in properties.items()}
        return self._write("add", attributes, by).ret

    def set(self, key: str, *, by: Actor = OUTSIDER, **properties: str | None) -> None:
        """Change the row of this id or name; None clears a property."""
        attributes = {
            f"!{_dashed(name)}" if value is None else _dashed(name): value or "" for name, value in properties.items()
        }
        self._write("set", {".id": self._reference(key)} | attributes, by)

    def remove(self, key: str, *, by: Actor = OUTSIDER) -> None:
        self._write("remove", {".id": self._reference(key)}, by)

    def put(self, row_id: int | None = None, **values: Any) -> int:
        """A row as the router itself makes one: kept values, read-only ones too, no checks, no log line."""
        return self.insert(self.shape.row({_dashed(name): value for name, value in values.items()}), row_id)

    def amend(self, row_id: int, *, is_quiet: bool = False, **values: Any) -> Row:
        """Change kept values of a row as the router itself does; the new row."""
        row = self.shape.changed(self._rows[row_id], **values)
        self.replace(row_id, row, is_quiet=is_quiet)
        return row

    def _reference(self, key: str) -> str:
        row_id = self.id_of(key)
        return key if row_id is None else id_text(row_id)

    def _write(self, verb: str, attributes: dict[str, str], by: Actor) -> edit.Outcome:
        outcome = self.router.write(self.shape.menu.path, verb, attributes, by, is_counted=False)
        if outcome.trap is not None:
            raise outcome.trap
        return outcome


def _dashed(name: str) -> str:
    return name.replace("_", "-")
