"""Applies the steps of a plan: the only code that writes to a router. Decides nothing."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from imsys.kit.errors import ImsysError, UnknownOutcome
from imsys.reconcile.batch import IDS_AT_ONCE, Batch, phases
from imsys.reconcile.diff import Step
from imsys.reconcile.kinds import KINDS, Value
from imsys.reconcile.sessions import Session
from imsys.routeros.client import Client
from imsys.routeros.errors import AlreadyExists, ConnectionLost, NotPermitted, TrapError
from imsys.vault.errors import VaultError

Key = tuple[str, str]


@dataclass(slots=True)
class Applied:
    """What the router answered, by (menu, key). None of it is proof: that is the read that follows."""

    said_yes: set[Key] = field(default_factory=set)
    refused: dict[Key, ImsysError] = field(default_factory=dict)
    taken: dict[Key, ImsysError] = field(default_factory=dict)
    together: set[Key] = field(default_factory=set)
    """Keys of a group that trapped: to be tried alone."""


@dataclass(slots=True)
class Executor:
    """`passwords` are sealed, by subscriber; they are opened for the one sentence that carries them."""

    client: Client
    unseal: Callable[[bytes], str] = field(repr=False)
    ids_at_once: int = IDS_AT_ONCE

    async def apply(
        self, steps: Sequence[Step], *, passwords: Mapping[int, bytes], alone: Collection[Key] = frozenset()
    ) -> Applied:
        """Phase after phase; within a phase all commands are in flight together. Raises when the link is lost."""
        applied = Applied()
        for batches in phases(steps, alone, ids=self.ids_at_once):
            answers = await asyncio.gather(*(self._send(batch, passwords) for batch in batches), return_exceptions=True)
            for batch, answer in zip(batches, answers, strict=True):
                _note(applied, batch, answer)
        return applied

    async def _send(self, batch: Batch, passwords: Mapping[int, bytes]) -> None:
        first, menu = batch.steps[0], batch.menu
        if batch.action == "remove":
            await self.client.remove(menu, batch.row_ids)
        elif batch.action == "make-static":
            await self.client.call(f"{menu}/make-static", {".id": ",".join(batch.row_ids)})
        elif batch.action == "move":
            where = {"numbers": ",".join(batch.row_ids), "destination": first.before_id}
            await self.client.call(f"{menu}/move", where)
        elif batch.action == "set":
            name = KINDS[menu].key_fields(first.key) if first.old_key else {}
            await self.client.set(menu, batch.row_ids, {**name, **self._rendered(first, passwords)})
        else:
            await self.client.add(menu, self._new_row(first, passwords))

    def _new_row(self, step: Step, passwords: Mapping[int, bytes]) -> dict[str, str]:
        given = {name: text for name, text in self._rendered(step, passwords).items() if text is not None}
        above = {"place-before": step.before_id} if step.before_id else {}
        return {**KINDS[step.menu].key_fields(step.key), **given, **above}

    def _rendered(self, step: Step, passwords: Mapping[int, bytes]) -> dict[str, str | None]:
        return {name: self._text(step, name, value, passwords) for name, value in step.changes.items()}

    def _text(self, step: Step, name: str, value: Value, passwords: Mapping[int, bytes]) -> str | None:
        field = KINDS[step.menu].field(name)
        if field.is_secret:
            return self.unseal(passwords[step.subscriber_id or 0])
        return field.render(value)

    async def end(self, sessions: Sequence[Session], *, alone: bool) -> set[tuple[str, str]]:
        """End sessions by row id; those of which the router said yes, as (menu, row id).

        One that has just gone by itself traps; the read that follows tells.
        """
        size = 1 if alone else self.ids_at_once
        by_menu: dict[str, list[str]] = {}
        for session in sessions:
            by_menu.setdefault(session.menu, []).append(session.row_id)
        parts = [
            (menu, ids[start : start + size]) for menu, ids in by_menu.items() for start in range(0, len(ids), size)
        ]
        answers = await asyncio.gather(
            *(self.client.remove(menu, part) for menu, part in parts), return_exceptions=True
        )
        said_yes: set[tuple[str, str]] = set()
        for (menu, part), answer in zip(parts, answers, strict=True):
            if not isinstance(answer, BaseException):
                said_yes |= {(menu, row_id) for row_id in part}
            elif not _is_answered(answer):
                raise answer
        return said_yes


def _note(applied: Applied, batch: Batch, answer: object) -> None:
    keys = {step.place for step in batch.steps}
    if not isinstance(answer, BaseException):
        applied.said_yes |= keys
    elif not _is_answered(answer):
        raise answer
    elif len(keys) > 1:
        applied.together |= keys
    elif isinstance(answer, AlreadyExists):
        applied.taken.update(dict.fromkeys(keys, answer))  # perhaps by a row that the read before did not show
    elif isinstance(answer, VaultError) or (isinstance(answer, TrapError) and answer.outcome == "permanent"):
        applied.refused.update(dict.fromkeys(keys, answer))


def _is_answered(answer: BaseException) -> bool:
    """Is this one command's own failure, after which the connection serves on? A missing right concerns the router."""
    if isinstance(answer, ConnectionLost | NotPermitted):
        return False
    return isinstance(answer, TrapError | UnknownOutcome | VaultError)
