"""Where a router is, how to log in there, and what a connection to it may cost."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from imsys.kit.errors import InputError
from imsys.routeros.wire import MAX_SENTENCE_BYTES, MAX_WORD_BYTES, Bounds

TlsMode = Literal["off", "verify", "pin", "anonymous"]
TLS_MODES: tuple[str, ...] = get_args(TlsMode)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A router's API and a login for it.

    `tls`: "off" sends everything in clear; "verify" wants a certificate of a known authority (`ca_file`, else the
    machine's own) for `host`; "pin" wants the certificate whose SHA-256 is `fingerprint`, whoever signed it;
    "anonymous" encrypts without knowing who answers, as api-ssl does without a certificate: no shield against an
    active attacker.
    """

    host: str
    port: int = 8728
    username: str = ""
    password: str = field(default="", repr=False)
    tls: TlsMode = "off"
    fingerprint: str = ""
    ca_file: Path | str | None = None

    def __post_init__(self) -> None:
        if self.tls not in TLS_MODES:
            raise InputError(f"TLS mode {self.tls!r} is unknown; use one of {', '.join(TLS_MODES)}.")
        if self.tls == "pin":
            object.__setattr__(self, "fingerprint", parse_fingerprint(self.fingerprint))

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_fingerprint(text: str) -> str:
    """A SHA-256 fingerprint as 64 lower-case hexadecimal digits; colons, spaces and capitals are accepted."""
    digits = text.replace(":", "").replace(" ", "").lower()
    if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise InputError("A fingerprint is the SHA-256 of the certificate: 64 hexadecimal digits, colons allowed.")
    return digits


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in time, size and pace of one connection.

    Time: `connect_s` bounds the TCP connect, and again the TLS handshake; `login_s` the login; `command_s` a command
    from when it is sent to its `!done`, unless the call says otherwise (a busy router was seen to take over 30 s);
    `idle_s` is the longest silence while an answer is owed; after `heartbeat_s` of quiet the router is asked its name.
    Pace: at most `window` commands under way, `burst` at once and then `pace_per_s`; a virtual router was measured to
    slow down eightfold beyond about 130 a second. 185,000 full /ppp/secret rows fit `max_reply_bytes`.
    """

    connect_s: float = 10.0
    login_s: float = 10.0
    command_s: float = 60.0
    idle_s: float = 45.0
    heartbeat_s: float = 30.0
    max_word_bytes: int = MAX_WORD_BYTES
    max_sentence_bytes: int = MAX_SENTENCE_BYTES
    max_reply_bytes: int = 96 * 1024 * 1024
    max_unread_rows: int = 10_000
    window: int = 16
    pace_per_s: float = 100.0
    burst: int = 200

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.max_word_bytes, self.max_sentence_bytes)
