"""What a logged-in user's command gets back: the bytes of an answer, or a subscription to changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imsys.routeros.protocol import DONE, EMPTY, RE, TAG_PREFIX, TRAP, Command, Reply, encode_reply, to_bytes
from imsys.routeros.wire import encode_length
from imsys.sim import edit, traps
from imsys.sim.accounts import Actor
from imsys.sim.edit import WRITE_VERBS, Outcome
from imsys.sim.fault import Moment
from imsys.sim.menu import Row
from imsys.sim.menus import MENUS
from imsys.sim.projection import RE_WORD, Projection, id_text
from imsys.sim.query import compile_query
from imsys.sim.specials import SPECIALS
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter

PRINT_ARGUMENTS = frozenset(
    (
        ".proplist active all append as-value brief bytes chain comments count-only detail dynamic file"
        " follow follow-only from group-by interval oid on-event order-by packets proplist rate show-ids"
        " show-sensitive static stats stats-detail terse timestamp value-list where without-paging"
    ).split()
)


@dataclass(slots=True)
class Answer:
    """The bytes of an answer, how many rows it has, and what a write did."""

    chunks: list[bytes]
    rows: int = 0
    outcome: Outcome | None = None


class Listening:
    """A running listen: sends each changed row that its query lets through, until it is stopped."""

    def __init__(self, table: Table, command: Command, projection: Projection, send: Callable[[bytes], None]) -> None:
        self._table = table
        self._opening = RE_WORD + _tag_word(command.tag)
        self._projection = projection
        self._tests = [expression.test for expression in compile_query(command.queries, table)]
        self._send = send
        table.watchers.append(self._changed)

    def stop(self) -> None:
        self._table.watchers.remove(self._changed)

    def _changed(self, row_id: int, old: Row | None, new: Row | None) -> None:
        if new is not None:
            if self._matches(row_id, new):
                self._send(self._opening + self._projection.encode(row_id, new) + b"\0")
            return
        menu = self._table.shape.menu
        is_hidden = menu.has_silent_removals and old is not None and self._table.shape.value(old, "dynamic") == "true"
        if old is not None and not is_hidden and self._matches(row_id, old):
            word = "yes" if self._table.router.version.is_v6 else "true"
            self._send(self._opening + _words(f"=.id={id_text(row_id)}", f"=.dead={word}") + b"\0")

    def _matches(self, row_id: int, row: Row) -> bool:
        return all(test(row_id, row) for test in self._tests)


def split_path(path: str) -> tuple[str, str]:
    """Menu and verb of a command."""
    menu, _, verb = path.rpartition("/")
    return menu, verb


def is_listening_command(command: Command) -> bool:
    """Whether the command goes on sending changes: listen, or a print that follows."""
    _, verb = split_path(command.path)
    follows = "follow" in command.attributes or "follow-only" in command.attributes
    return verb == "listen" or (verb in ("print", "getall") and follows)


def answer(router: "SimRouter", command: Command, actor: Actor, max_rows: int | None) -> Answer:
    """Carry out a command. Raises: SimTrap; LinkGone when the command takes the connection with it."""
    if (special := SPECIALS.get(command.path)) is not None:
        if not actor.may(special.policy):
            raise SimTrap(traps.NOT_PERMITTED)
        rows = special.run(router, command.attributes)
        chunks = [encode_reply(Reply(RE, command.tag, row)) for row in rows]
        return Answer([*chunks, done(command.tag)], len(rows))
    table, verb = _find(router, command.path)
    if verb in WRITE_VERBS:
        return _write(table, verb, command, actor, max_rows)
    if not actor.may("read"):
        raise SimTrap(traps.NOT_PERMITTED)
    return _get(table, command, actor) if verb == "get" else _print(table, verb, command, actor)


def begin_listening(
    router: "SimRouter", command: Command, actor: Actor, send: Callable[[bytes], None]
) -> tuple[Listening, Answer]:
    """Start a listen; with `follow` the rows that are there come first. Raises: SimTrap."""
    table, _ = _find(router, command.path)
    if not actor.may("read"):
        raise SimTrap(traps.NOT_PERMITTED)
    if table.shape.menu.is_settings:
        raise traps.unknown_parameter("follow-only")
    _check_arguments(command.attributes)
    projection = _projection(table, command, actor)
    first = Answer([])
    if "follow" in command.attributes:
        ids = table.select(command.queries)
        parts = list(table.encode_some(projection, _tag_word(command.tag), list(table) if ids is None else ids))
        first = Answer([data for data, _ in parts], sum(count for _, count in parts))
    return Listening(table, command, projection, send), first


def _find(router: "SimRouter", path: str) -> tuple[Table, str]:
    """The table and verb of a command. Raises: SimTrap, in the words for an unknown path or verb."""
    menu, verb = split_path(path)
    if menu not in MENUS:
        raise traps.no_such_menu(_first_unknown(path))
    if verb not in MENUS[menu].verbs:
        raise SimTrap(traps.NO_SUCH_COMMAND, traps.CATEGORY_MISSING)
    return router.table(menu), verb


def _first_unknown(path: str) -> str:
    """The first word of a path that no menu has there."""
    words = path.strip("/").split("/")
    for end in range(1, len(words) + 1):
        prefix = "/" + "/".join(words[:end])
        if not any(menu == prefix or menu.startswith(f"{prefix}/") for menu in MENUS):
            return words[end - 1]
    return words[-1]


def _print(table: Table, verb: str, command: Command, actor: Actor) -> Answer:
    _check_arguments(command.attributes)
    only_active = table.shape.menu.active_queries if "active" in command.attributes else ()
    ids = table.select((*command.queries, *only_active))
    share = table.router.faults.table_share(Moment(table.shape.menu.path, verb)) if table.router.faults else 1.0
    if share < 1.0:
        shown = list(table) if ids is None else ids
        ids = shown[: int(len(shown) * share)]
    if "count-only" in command.attributes:
        return Answer([done(command.tag, ret=str(len(table) if ids is None else len(ids)))])
    projection, tag_word = _projection(table, command, actor), _tag_word(command.tag)
    parts = table.encode_all(projection, tag_word) if ids is None else table.encode_some(projection, tag_word, ids)
    chunks, rows = [], 0
    for data, count in parts:
        chunks.append(data)
        rows += count
    if not rows and table.router.version.says_empty:
        chunks.append(encode_reply(Reply(EMPTY, command.tag)))
    chunks.append(done(command.tag))
    return Answer(chunks, rows)


def _projection(table: Table, command: Command, actor: Actor) -> Projection:
    text = command.attributes.get(".proplist", command.attributes.get("proplist"))
    names = None if not text else text.split(",")
    hides = not actor.may("sensitive") or (
        table.router.behaviour.hides_without_show_sensitive
        and table.router.version.has_show_sensitive
        and "show-sensitive" not in command.attributes
    )
    return table.projection(names, hides)


def _get(table: Table, command: Command, actor: Actor) -> Answer:
    """`get` returns one property as `=ret=`."""
    attributes = command.attributes
    reference = attributes.get(".id", attributes.get("number", attributes.get("numbers")))
    if table.shape.menu.is_settings:
        row_id = next(iter(table))
    elif not reference:
        raise SimTrap(traps.MISSING_ID)
    else:
        row_id = edit.resolve(table, reference)
    row = table.get(row_id)
    assert row is not None
    shown = table.printed(row_id, row, masked=not actor.may("sensitive"))
    return Answer([done(command.tag, ret=shown.get(attributes.get("value-name", ""), ""))])


def _write(table: Table, verb: str, command: Command, actor: Actor, max_rows: int | None) -> Answer:
    if not actor.may(table.shape.menu.write_policy):
        raise SimTrap(traps.NOT_PERMITTED)
    router = table.router
    outcome = router.write(table.shape.menu.path, verb, command.attributes, actor, max_rows=max_rows)
    chunks = []
    if outcome.trap is not None:
        router.counters.traps[outcome.trap.traps[0][1]] += 1
        chunks = encode_traps(outcome.trap, command.tag)
    elif router.behaviour.empty_after_write and router.version.says_empty and not outcome.ret:
        chunks = [encode_reply(Reply(EMPTY, command.tag))]
    return Answer([*chunks, done(command.tag, ret=outcome.ret)], outcome=outcome)


def _check_arguments(attributes: Mapping[str, str]) -> None:
    for name in attributes:
        if name not in PRINT_ARGUMENTS:
            raise traps.unknown_parameter(name)


def encode_traps(trap: SimTrap, tag: str) -> list[bytes]:
    """A refusal, the category before the message; its `!done` is not among them."""
    return [
        encode_reply(Reply(TRAP, tag, {} if category is None else {"category": str(category)}, message))
        for category, message in trap.traps
    ]


def done(tag: str, *, ret: str = "") -> bytes:
    return encode_reply(Reply(DONE, tag, {"ret": ret} if ret else {}))


def _tag_word(tag: str) -> bytes:
    return _word(TAG_PREFIX + to_bytes(tag)) if tag else b""


def _words(*words: str) -> bytes:
    return b"".join(_word(to_bytes(word)) for word in words)


def _word(word: bytes) -> bytes:
    return encode_length(len(word)) + word
