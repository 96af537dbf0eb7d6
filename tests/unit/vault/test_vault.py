"""Secrets at rest: what opens, what does not, and where the key comes from."""

import base64
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imsys.vault.box import Vault, derive
from imsys.vault.errors import VaultError
from imsys.vault.keys import load_key

KEY = bytes(range(32))
ANY_TEXT = st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape"))


def encodable(text: str) -> bool:
    """Lone surrogates that no byte decodes to cannot come from a router."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


@given(ANY_TEXT.filter(encodable))
def test_what_is_sealed_opens(text: str) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(text, context="subscriber-password")
    assert vault.open(sealed, context="subscriber-password") == text
    assert vault.open(memoryview(sealed), context="subscriber-password") == text


def test_the_same_text_is_sealed_differently_each_time_and_fingerprinted_the_same() -> None:
    vault = Vault(KEY)
    assert vault.seal("x", context="c") != vault.seal("x", context="c")
    assert vault.fingerprint("x") == Vault(KEY).fingerprint("x")
    assert vault.fingerprint("x") != vault.fingerprint("y")
    assert vault.fingerprint("x") != Vault(bytes(32)).fingerprint("x")
    assert len(vault.fingerprint("x")) == 32


def test_another_context_key_or_byte_does_not_open() -> None:
    vault = Vault(KEY)
    sealed = vault.seal("s3cret", context="router-password")
    with pytest.raises(VaultError, match="altered"):
        vault.open(sealed, context="subscriber-password")
    with pytest.raises(VaultError, match="another key"):
        Vault(bytes(32)).open(sealed, context="router-password")
    with pytest.raises(VaultError, match="another key"):
        vault.open(b"", context="router-password")
    for position in range(len(sealed)):
        altered = sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]
        with pytest.raises(VaultError):
            vault.open(altered, context="router-password")
    with pytest.raises(VaultError):
        vault.open(sealed[:20], context="router-password")


def test_nothing_shows_a_secret() -> None:
    vault = Vault(KEY)
    assert KEY.hex() not in repr(vault)
    assert b"s3cret" not in vault.seal("s3cret", context="c")
    with pytest.raises(VaultError) as raised:
        Vault(b"short secret")
    assert "short secret" not in str(raised.value)


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert len({derive(KEY, purpose) for purpose in ("seal", "fingerprint", "django")} | {KEY}) == 4


def test_the_key_file_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    key = load_key(folder)
    assert load_key(folder) == key
    assert (folder / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret.key"]


def test_many_who_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    keys: list[bytes] = []
    start = threading.Barrier(8)

    def make() -> None:
        start.wait()
        keys.append(load_key(tmp_path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_given_key_makes_no_file(tmp_path: Path, encode: object) -> None:
    key = bytes(range(224, 256))
    assert load_key(tmp_path, encode(key).decode() + "\n") == key  # type: ignore[operator]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given_key", ["nonsense!", base64.b64encode(b"too short").decode()])
def test_a_key_that_is_none_is_told_so_and_not_shown(tmp_path: Path, given_key: str) -> None:
    with pytest.raises(VaultError, match="32 bytes in base64") as raised:
        load_key(tmp_path, given_key)
    assert given_key not in str(raised.value)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_key(tmp_path)
    (tmp_path / "secret.key").chmod(0o640)
    with pytest.raises(VaultError, match="chmod 600"):
        load_key(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_used_is_told_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(VaultError, match="cannot be used"):
        load_key(tmp_path / "in")


def test_a_file_in_the_place_of_the_folder_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(VaultError, match="cannot be used"):
        load_key(tmp_path / "file")
