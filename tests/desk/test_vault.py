"""Kept tokens: encrypted, private, and never shown; which of two tokens counts."""

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from desk.redact import HIDDEN, scrub
from desk.tokens import Token
from desk.vault import FOLDER, KEY, Kept, Vault, VaultClosed, mark
from dhan.tokens import TokenMissing, TokenSource

ACCOUNT = "1000000002"


def jwt(ends: int, name: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzUxMiJ9.{claims}.{name}"


def token(folder: Path, written: str = "file:token") -> Token:
    return Token(TokenSource(written, folder), ACCOUNT, Vault(folder))


def test_what_is_kept_is_found_again_and_only_with_its_key(tmp_path: Path) -> None:
    assert Vault(tmp_path).kept(ACCOUNT) is None
    assert not (tmp_path / KEY).exists()
    Vault(tmp_path).keep(ACCOUNT, Kept("the-first-of-them", mark("before")))
    Vault(tmp_path).keep(ACCOUNT, Kept("the-second-of-them", mark("before")))
    assert Vault(tmp_path).kept(ACCOUNT) == Kept("the-second-of-them", mark("before"))
    for path in (Vault(tmp_path).path(ACCOUNT), tmp_path / KEY):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"of-them" not in path.read_bytes()
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [f"{ACCOUNT}.token"]
    (tmp_path / KEY).write_bytes(base64.urlsafe_b64encode(os.urandom(32)))
    with pytest.raises(VaultClosed, match=r"cannot be decrypted.*bring back"):
        Vault(tmp_path).kept(ACCOUNT)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    kept = token(tmp_path, "login")
    kept.keep("kept-for-nobody-else")
    (tmp_path / KEY).chmod(mode)
    with pytest.raises(VaultClosed, match=r"can be read by other users.*chmod 600"):
        Vault(tmp_path).look()
    with pytest.raises(TokenMissing, match="can be read by other users"):
        token(tmp_path, "login")()
    (tmp_path / KEY).chmod(0o600)
    Vault(tmp_path).look()
    assert token(tmp_path, "login")() == "kept-for-nobody-else"


def test_systemd_gives_the_key_where_it_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its credentials are readable by an access list, which the mode shows as the group's."""
    given = tmp_path / "credentials"
    given.mkdir()
    (given / KEY).write_bytes(base64.urlsafe_b64encode(os.urandom(32)) + b"\n")
    (given / KEY).chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    Vault(tmp_path).keep(ACCOUNT, Kept("kept-by-systemds-key", ""))
    assert not (tmp_path / KEY).exists()
    assert Vault(tmp_path).kept(ACCOUNT) == Kept("kept-by-systemds-key", "")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(VaultClosed, match="cannot be read"):
        Vault(tmp_path).kept(ACCOUNT)


@pytest.mark.parametrize("key", [b"", b"short", b"\xff" * 44])
def test_what_is_no_key_is_said(tmp_path: Path, key: bytes) -> None:
    (tmp_path / KEY).write_bytes(key)
    (tmp_path / KEY).chmod(0o600)
    with pytest.raises(VaultClosed, match="is no key"):
        Vault(tmp_path).keep(ACCOUNT, Kept("x" * 20, ""))


def test_a_kept_token_counts_until_the_configuration_says_another(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-the-operator")
    one = token(tmp_path)
    assert one() == "from-the-operator"
    one.keep("made-in-its-place")
    assert one() == token(tmp_path)() == "made-in-its-place"
    (tmp_path / "token").write_text("of-the-next-morning")
    assert one() == "of-the-next-morning"
    (tmp_path / "token").unlink()
    with pytest.raises(TokenMissing, match="file:token cannot be read"):
        one()
    for secret in ("made-in-its-place", "of-the-next-morning"):
        assert scrub(secret) == HIDDEN


def test_of_a_token_that_could_not_be_read_the_one_that_ends_later_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login in a shell without the engine's variables."""
    monkeypatch.delenv("ENGINES", raising=False)
    pasted = jwt(1_900_000_000, "pasted")
    token(tmp_path, "env:ENGINES").keep(pasted)
    assert token(tmp_path, "env:ENGINES")() == pasted
    monkeypatch.setenv("ENGINES", jwt(1_800_000_000, "older"))
    assert token(tmp_path, "env:ENGINES")() == pasted
    newer = jwt(1_950_000_000, "newer")
    monkeypatch.setenv("ENGINES", newer)
    assert token(tmp_path, "env:ENGINES")() == newer


def test_a_login_is_needed_where_nothing_else_is_configured(tmp_path: Path) -> None:
    with pytest.raises(TokenMissing, match=r"python run\.py login NAME"):
        token(tmp_path, "login")()
    token(tmp_path, "login").keep("given-by-a-login")
    assert token(tmp_path, "login")() == "given-by-a-login"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(VaultClosed, match="cannot be written"):
        token(tmp_path).keep("kept-for-a-while-only")


def test_a_token_that_cannot_be_written_counts_until_the_end_of_the_process(
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("from-the-operator")
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    one = token(tmp_path)
    with pytest.raises(VaultClosed, match=r"cannot be written.*lost at the next start"):
        one.keep("kept-for-a-while-only")
    assert one() == "kept-for-a-while-only"
    assert token(tmp_path)() == "from-the-operator"
