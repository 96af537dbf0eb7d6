"""What words mean: commands, replies, tags and the two logins, for both ends. Bytes in, values out; no sockets.

Text is UTF-8 with `surrogateescape`: bytes that are not UTF-8 survive the way in and out unchanged.
Nothing is guessed into a type: every value is text. Source: RouterOS manual, "API".
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from imsys.routeros.errors import ProtocolError
from imsys.routeros.wire import encode_sentence

Row = dict[str, str]

RE = "!re"
DONE = "!done"
TRAP = "!trap"
FATAL = "!fatal"
EMPTY = "!empty"
KINDS = frozenset((RE, DONE, TRAP, FATAL, EMPTY))

TAG_PREFIX = b".tag="


def to_text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """One request: a path such as "/ppp/secret/print", its attributes, its query words (each begins with "?").

    An attribute named "!name" with an empty value clears `name`. An empty tag means none.
    """

    path: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[str, ...] = ()
    tag: str = ""

    def __repr__(self) -> str:
        return f"<Command {self.path} {' '.join(self.attributes)} tag={self.tag!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """One sentence of an answer. `message` is the text of a !trap and the bare word of a !fatal."""

    kind: str
    tag: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    message: str = ""

    def __repr__(self) -> str:
        return f"<Reply {self.kind} {' '.join(self.attributes)} tag={self.tag!r}>"


def encode_command(command: Command) -> bytes:
    words = [to_bytes(command.path), *_attribute_words(command.attributes)]
    words += [to_bytes(query) for query in command.queries]
    if command.tag:
        words.append(TAG_PREFIX + to_bytes(command.tag))
    return encode_sentence(words)


def parse_command(words: list[bytes]) -> Command:
    """The command that a client sent; words of no known kind are left out, as a router ignores them."""
    attributes: dict[str, str] = {}
    queries: list[str] = []
    tag = ""
    for word in words[1:]:
        if word.startswith(b"="):
            name, value = split_attribute(word)
            attributes[name] = value
        elif word.startswith(b"?"):
            queries.append(to_text(word))
        elif word.startswith(TAG_PREFIX):
            tag = to_text(word[len(TAG_PREFIX) :])
    return Command(to_text(words[0]), attributes, tuple(queries), tag)


def encode_reply(reply: Reply) -> bytes:
    """The bytes of one reply sentence, the tag second, as RouterOS sends it."""
    words = [reply.kind.encode()]
    if reply.tag:
        words.append(TAG_PREFIX + to_bytes(reply.tag))
    words += _attribute_words(reply.attributes)
    if reply.message and "message" not in reply.attributes:
        words.append(to_bytes(reply.message if reply.kind == FATAL else f"=message={reply.message}"))
    return encode_sentence(words)


def parse_reply(words: list[bytes]) -> Reply:
    """The reply that a router sent; the tag may stand at any position."""
    kind = to_text(words[0])
    if kind not in KINDS:
        raise ProtocolError("The peer sent something that is no RouterOS reply.")
    attributes: dict[str, str] = {}
    tag = ""
    bare = ""
    for word in words[1:]:
        if word.startswith(b"="):
            name, value = split_attribute(word)
            attributes[name] = value
        elif word.startswith(TAG_PREFIX):
            tag = to_text(word[len(TAG_PREFIX) :])
        elif not word.startswith(b"."):
            bare = bare or to_text(word)
    return Reply(kind, tag, attributes, attributes.get("message", bare))


def split_attribute(word: bytes) -> tuple[str, str]:
    """Name and value of `=name=value`: only the first two "=" count, a value may hold more or be empty."""
    name, _, value = word[1:].partition(b"=")
    return to_text(name), to_text(value)


def login_command(username: str, password: str) -> Command:
    """The login of RouterOS 6.43 and later. A `=ret=` in its answer is the challenge of an older router."""
    return Command("/login", {"name": username, "password": password})


def challenge_login_command(username: str, password: str, challenge: str) -> Command:
    """The second step of the login before RouterOS 6.43."""
    return Command("/login", {"name": username, "response": challenge_response(password, challenge)})


def challenge_response(password: str, challenge: str) -> str:
    """The answer to an old router's challenge (hexadecimal): "00" and the MD5 of zero, password and challenge."""
    try:
        nonce = bytes.fromhex(challenge)
    except ValueError as exc:
        raise ProtocolError("The peer sent a login challenge that is not hexadecimal.") from exc
    digest = hashlib.md5(b"\x00" + to_bytes(password) + nonce, usedforsecurity=False)
    return "00" + digest.hexdigest()


def _attribute_words(attributes: Mapping[str, str]) -> list[bytes]:
    return [to_bytes(f"={name}={value}") for name, value in attributes.items()]
