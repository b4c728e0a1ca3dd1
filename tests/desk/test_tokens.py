"""A token is read anew when its file was written anew, and is a secret from then on."""

from pathlib import Path

import pytest

from desk.redact import HIDDEN, scrub
from desk.tokens import Token, read_by_others
from dhan.tokens import TokenMissing, TokenSource


def test_a_file_that_is_written_or_replaced_gives_the_new_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first-token-of-day\n")
    token = Token(TokenSource("file:token", tmp_path))
    assert token() == token() == "first-token-of-day"
    path.write_text("other-token-of-day\n")
    assert token() == "other-token-of-day"
    fresh = tmp_path / "fresh"
    fresh.write_text("third-token-of-day\n")
    fresh.replace(path)
    assert token() == "third-token-of-day"
    for old in ("first", "other", "third"):
        assert scrub(f"{old}-token-of-day") == HIDDEN


def test_a_file_that_is_gone_gives_no_stale_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("once-upon-a-time")
    token = Token(TokenSource("file:token", tmp_path))
    assert token() == "once-upon-a-time"
    path.unlink()
    with pytest.raises(TokenMissing, match="file:token cannot be read"):
        token()
    path.write_text("back-again-today")
    assert token() == "back-again-today"


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    with pytest.raises(TokenMissing, match="env:NO_SUCH_TOKEN is empty or not set"):
        Token(TokenSource("env:NO_SUCH_TOKEN"))()
    monkeypatch.setenv("A_TOKEN", "from-the-environment")
    assert Token(TokenSource("env:A_TOKEN"))() == "from-the-environment"


def test_equal_sources_make_equal_tokens_and_neither_shows(tmp_path: Path) -> None:
    one, other = (
        Token(TokenSource("written-here", tmp_path)),
        Token(TokenSource("written-here", tmp_path)),
    )
    assert one() == "written-here"
    assert one == other
    assert hash(one) == hash(other)
    assert one != Token(TokenSource("written-there", tmp_path))
    assert "written-here" not in f"{one!r}{one}"


def test_who_can_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.touch()
    path.chmod(0o640)
    assert read_by_others(path, group=True)
    assert not read_by_others(path, group=False)
    path.chmod(0o604)
    assert read_by_others(path, group=False)
    assert not read_by_others(tmp_path / "none", group=True)
