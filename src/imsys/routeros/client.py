"""A router's menus as methods: print, add, set, remove, listen, and the full read that compares bytes first.

Every method raises the typed errors of errors.py; a reply counts only when it is complete. Values are text both ways.
"""

import asyncio
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from imsys.kit.clock import Clock
from imsys.kit.errors import InputError
from imsys.routeros.connection import Connection, Stats
from imsys.routeros.dial import Dial, tcp_dial
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.routeros.errors import ConnectionLost, ProtocolError, RouterError
from imsys.routeros.known import KnownReply, Watch
from imsys.routeros.listening import Listening
from imsys.routeros.login import open_session
from imsys.routeros.protocol import Command, Row
from imsys.routeros.reading import Reading

_ROW_ID = re.compile(r"\*[0-9A-Fa-f]+")
_TAKE_QUERIES = frozenset(("print", "getall", "listen"))
_NO_EXTRA: Mapping[str, str] = {}
_MAX_COUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command returned: rows, and the `=ret=` of its `!done`."""

    rows: list[Row]
    ret: str | None = None


class Client:
    """One logged-in session with a router; any number of tasks may use it at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    async def connect(
        cls,
        endpoint: Endpoint,
        *,
        clock: Clock,
        dial: Dial | None = None,
        limits: Limits | None = None,
        fence: Callable[[], None] | None = None,
    ) -> Self:
        """A session with that router, logged in.

        `fence` is called right before the bytes of any writing command leave; what it raises, the caller of the
        command gets, and nothing is sent.
        """
        bounds = limits or Limits()
        connection = Connection(clock=clock, limits=bounds, address=endpoint.address, fence=fence)
        used_dial = dial or tcp_dial(endpoint, clock=clock, limits=bounds)
        await open_session(connection, endpoint, used_dial, clock=clock, limits=bounds)
        connection.keep_alive()
        return cls(connection)

    # --- reading

    async def print(
        self,
        menu: str,
        *,
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        extra: Mapping[str, str] = _NO_EXTRA,
        timeout_s: float | None = None,
    ) -> list[Row]:
        """All rows of a menu, or those that the query words (each as on the wire: "?name=ann", "?#|") select."""
        command = Command(f"{menu}/print", {**_columns(proplist), **extra}, _checked_queries(queries))
        return (await self._connection.run(command, timeout_s=timeout_s)).rows

    async def read(
        self,
        menu: str,
        *,
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        known: KnownReply | None = None,
        keep_rows: bool = False,
        timeout_s: float | None = None,
    ) -> Reading:
        """A read that costs only a digest when its reply equals the known one, byte for byte.

        `keep_rows` remembers the rows by their bytes too, so that the next read parses only those it has not seen.
        """
        path = f"{menu}/print"
        columns = _columns(proplist)
        words = _checked_queries(queries)
        command = Command(path, columns, words, tag=_read_tag(path, columns, words))
        watch = Watch(known, keep_rows=keep_rows)
        exchange = await self._connection.run(command, timeout_s=timeout_s, watch=watch)
        return Reading(watch, rows=exchange.rows, unchanged_chunks=exchange.unchanged_chunks)

    async def count(self, menu: str, queries: Sequence[str] = ()) -> int:
        """How many rows the menu has, or how many the queries select; no row is transferred."""
        command = Command(f"{menu}/print", {"count-only": ""}, _checked_queries(queries))
        ret = (await self._connection.run(command)).ret or ""
        if not ret.isdecimal() or len(ret) > _MAX_COUNT_DIGITS:
            raise ProtocolError(f"{self._connection.address} did not answer with a number of rows.")
        return int(ret)

    def listen(self, menu: str, *, proplist: Sequence[str] = (), queries: Sequence[str] = ()) -> Listening:
        """The menu's changes from when the listen begins; see `Listening`."""
        command = Command(f"{menu}/listen", _columns(proplist), _checked_queries(queries))
        return Listening(self._connection, command)

    # --- writing

    async def add(self, menu: str, fields: Mapping[str, str]) -> str:
        """Add a row; return its id, or "" where the menu tells none."""
        return (await self._connection.run(Command(f"{menu}/add", _checked_fields(fields)))).ret or ""

    async def set(self, menu: str, ids: Sequence[str], fields: Mapping[str, str | None]) -> None:
        """Change these fields of these rows; None clears a field (`=!name=`). Others are left alone."""
        await self._on_rows(menu, "set", ids, _checked_fields(fields))

    async def remove(self, menu: str, ids: Sequence[str]) -> None:
        await self._on_rows(menu, "remove", ids)

    async def enable(self, menu: str, ids: Sequence[str]) -> None:
        await self._on_rows(menu, "enable", ids)

    async def disable(self, menu: str, ids: Sequence[str]) -> None:
        await self._on_rows(menu, "disable", ids)

    async def unset(self, menu: str, ids: Sequence[str], name: str) -> None:
        await self._on_rows(menu, "unset", ids, {"value-name": name})

    async def call(
        self,
        path: str,
        attributes: Mapping[str, str] = _NO_EXTRA,
        queries: Sequence[str] = (),
        *,
        timeout_s: float | None = None,
    ) -> Answer:
        """Any other command, by its whole path. What is not known to only read counts as a write."""
        if queries and path.rpartition("/")[2] not in _TAKE_QUERIES:
            raise InputError(f"{path} takes no query words: a router would ignore them and change nothing.")
        command = Command(path, _checked_fields(attributes), _checked_queries(queries))
        exchange = await self._connection.run(command, timeout_s=timeout_s)
        return Answer(exchange.rows, exchange.ret)

    async def cancel(self, tag: str) -> None:
        """Stop the command with that tag on the router."""
        await self._connection.run(Command("/cancel", {"tag": tag}))

    # --- the session

    @property
    def is_open(self) -> bool:
        return self._connection.is_open

    @property
    def closed(self) -> asyncio.Event:
        """Set once the session has ended; `close_reason` then says why."""
        return self._connection.closed

    @property
    def close_reason(self) -> RouterError | None:
        return self._connection.close_reason

    @property
    def stats(self) -> Stats:
        return self._connection.stats

    async def wait_closed(self) -> None:
        await self._connection.closed.wait()

    async def close(self) -> None:
        """End the session; commands under way learn that it is over."""
        self._connection.lose(ConnectionLost(f"The session with {self._connection.address} was closed."))
        await self.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _on_rows(self, menu: str, verb: str, ids: Sequence[str], fields: Mapping[str, str] = _NO_EXTRA) -> None:
        """One command for all ids: rows are named by `*HEX` only, since a router takes other texts for guesses."""
        if isinstance(ids, str) or not ids:
            raise InputError(f"{menu} {verb} needs a list of row ids; a router would report success and do nothing.")
        for row_id in ids:
            if not _ROW_ID.fullmatch(row_id):
                raise InputError(f"{row_id!r} is no row id; one is '*' and hexadecimal digits.")
        await self._connection.run(Command(f"{menu}/{verb}", {".id": ",".join(ids), **fields}))


def _columns(proplist: Sequence[str]) -> dict[str, str]:
    return {".proplist": ",".join(proplist)} if proplist else {}


def _checked_fields(fields: Mapping[str, str | None]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for name, value in fields.items():
        if not name or "=" in name:
            raise InputError(f"{name!r} is no property name.")
        checked[name if value is not None else f"!{name}"] = value or ""
    return checked


def _checked_queries(queries: Sequence[str]) -> tuple[str, ...]:
    for query in queries:
        if not query.startswith("?"):
            raise InputError(f"{query!r} is no query word; it begins with '?'.")
    return tuple(queries)


def _read_tag(path: str, columns: Mapping[str, str], queries: Sequence[str]) -> str:
    """The same for the same read, always, so that equal tables come as equal bytes."""
    return f"r{zlib.crc32(repr((path, columns, queries)).encode()) & 0xFFFFF:05x}"
