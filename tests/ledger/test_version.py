"""The warning of a SQLite that can damage a ledger."""

import logging

import pytest

from ledger.version import has_reset_bug, say_version


@pytest.mark.parametrize("affected", [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 50, 6), (3, 51, 2)])
def test_versions_with_the_reset_bug(affected: tuple[int, int, int]) -> None:
    assert has_reset_bug(affected)


@pytest.mark.parametrize(
    "sound", [(3, 6, 23), (3, 44, 6), (3, 44, 7), (3, 50, 7), (3, 51, 3), (3, 52, 0), (4, 0, 0)]
)
def test_versions_without_it(sound: tuple[int, int, int]) -> None:
    assert not has_reset_bug(sound)


@pytest.mark.parametrize(
    ("number", "words", "level"),
    [
        ((3, 40, 1), "no other program write the ledger", logging.WARNING),
        ((3, 51, 3), "keeps the ledger", logging.INFO),
    ],
)
def test_it_is_said_once(
    number: tuple[int, int, int],
    words: str,
    level: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", number)
    say_version.cache_clear()
    with caplog.at_level(logging.INFO, "ledger.version"):
        say_version()
        say_version()
    (line,) = caplog.records
    assert line.levelno == level
    assert words in line.getMessage()
