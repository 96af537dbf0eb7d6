"""Secrets at rest: sealed so that they can be opened again, and fingerprinted so that they can be compared unopened.

A sealed value is one version byte, four bytes that name the key, a random nonce, and AES-256-GCM's ciphertext with its
tag. The context (what kind of secret this is) is authenticated too: a value moved to another column does not open.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from imsys.vault.errors import VaultError

KEY_BYTES = 32
SUBSCRIBER_PASSWORD = "subscriber-password"  # noqa: S105 - the name of a context, not a secret
ROUTER_PASSWORD = "router-password"  # noqa: S105 - as above

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES


class Vault:
    """Seals, opens and fingerprints text under keys derived from one master key.

    Text may hold surrogate escapes, that is, any bytes that a router showed.
    """

    __slots__ = ("_aead", "_fingerprint_key", "_header")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise VaultError(f"The secret key has {len(key)} bytes, not {KEY_BYTES}.", remedy="Restore the right key.")
        self._aead = AESGCM(derive(key, "seal"))
        self._fingerprint_key = derive(key, "fingerprint")
        self._header = _VERSION + derive(key, "name")[:_KEY_ID_BYTES]

    def __repr__(self) -> str:
        return f"<Vault {self._header.hex()}>"

    def seal(self, text: str, *, context: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return self._header + nonce + self._aead.encrypt(nonce, _encode(text), self._bound(context))

    def open(self, sealed: bytes | memoryview, *, context: str) -> str:
        """The text. Raises: VaultError when another key or context sealed it, or when it was altered."""
        data = bytes(sealed)
        if data[:_HEADER_BYTES] != self._header:
            raise VaultError(
                "A stored secret was sealed with another key.",
                remedy="Bring back the secret.key (or IMSYS_SECRET_KEY) that this database was used with.",
            )
        nonce = data[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        try:
            text = self._aead.decrypt(nonce, data[_HEADER_BYTES + _NONCE_BYTES :], self._bound(context))
        except (InvalidTag, ValueError) as exc:
            raise VaultError(
                f"A stored {context} cannot be opened: it was altered, or it belongs elsewhere.",
                remedy="Set it again.",
                code="VaultAltered",
            ) from exc
        return text.decode("utf-8", "surrogateescape")

    def fingerprint(self, text: str) -> bytes:
        """32 bytes, equal exactly when the text is. What a router shows is compared with it; nothing is opened."""
        return hmac.digest(self._fingerprint_key, _encode(text), hashlib.sha256)

    def _bound(self, context: str) -> bytes:
        return self._header + context.encode()


def derive(key: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose; nobody gets from one purpose's key to another's, nor back to the master key."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"imsys {purpose}".encode()).derive(key)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
