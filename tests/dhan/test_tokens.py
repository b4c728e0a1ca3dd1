"""Where tokens come from, and that none of them shows."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dhan.tokens import TokenMissing, TokenSource, expiry
from tests.dhan.broker import TOKEN


def test_a_token_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    source = TokenSource("env:LEADER_ACCESS_TOKEN")
    monkeypatch.setenv("LEADER_ACCESS_TOKEN", f" {TOKEN}\n")
    assert source.read() == TOKEN
    monkeypatch.setenv("LEADER_ACCESS_TOKEN", "another")
    assert source.read() == "another"
    monkeypatch.delenv("LEADER_ACCESS_TOKEN")
    with pytest.raises(TokenMissing, match="env:LEADER_ACCESS_TOKEN is empty or not set"):
        source.read()


def test_a_token_in_a_file_is_read_as_the_file_is_now(tmp_path: Path) -> None:
    source = TokenSource("file:token", tmp_path)
    assert source.path == tmp_path / "token"
    with pytest.raises(TokenMissing, match="file:token cannot be read: FileNotFoundError"):
        source.read()
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert source.read() == TOKEN
    (tmp_path / "new").write_text("another")
    (tmp_path / "new").replace(tmp_path / "token")
    assert source.read() == "another"
    (tmp_path / "token").write_text("")
    with pytest.raises(TokenMissing, match="empty"):
        source.read()
    assert TokenSource("file:/run/credentials/asha", tmp_path).path == Path("/run/credentials/asha")


def test_a_token_in_the_configuration() -> None:
    assert TokenSource(TOKEN).read() == TOKEN
    assert TokenSource(TOKEN).literal
    assert TokenSource(TOKEN).path is None
    assert not TokenSource("env:A").literal
    assert not TokenSource("file:a").literal


@pytest.mark.parametrize(
    "content", [b"two words", b"two\nlines", b"a\r\nX-Header: b", b"\xc3\xa9", b"a\x00b", b"\xff"]
)
def test_what_is_not_one_token_on_one_line_is_none_and_is_not_shown(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(TokenMissing) as trouble:
        TokenSource("file:token", tmp_path).read()
    assert str(trouble.value).startswith("file:token ")
    assert trouble.value.__cause__ is None
    shown = str(trouble.value).removeprefix("file:token ")
    assert content.decode("latin-1") not in shown


def test_a_source_shows_where_and_never_what() -> None:
    for source in (TokenSource(TOKEN), TokenSource("env:A"), TokenSource("file:a")):
        for shown in (str(source), repr(source), f"{source}", source.name):
            assert TOKEN not in shown
    assert str(TokenSource("env:A")) == "env:A"
    assert str(TokenSource(TOKEN)) == "the token in the configuration"


def _jwt(claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzUxMiJ9.{middle}.signature"


def test_the_end_of_a_token_by_its_own_word() -> None:
    assert expiry(_jwt({"exp": 1_795_600_000})) == datetime.fromtimestamp(1_795_600_000, UTC)
    assert expiry(_jwt({"exp": "1795600000"})) == datetime.fromtimestamp(1_795_600_000, UTC)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "plain",
        "a.b",
        "a.b.c",
        "a.é.c",
        "a.!!!.c",
        _jwt({}),
        _jwt([]),
        _jwt({"exp": None}),
        _jwt({"exp": 1e300}),
        _jwt({"exp": "soon"}),
        _jwt({"exp": 10**30}),
    ],
)
def test_a_token_that_does_not_say_when_it_ends(token: str) -> None:
    assert expiry(token) is None
