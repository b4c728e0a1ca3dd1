"""What the ledger cannot take now waits, once and in order; requests do not wait for it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from actors.bookkeeping import Bookkeeping
from domain.messages import Alert, Level
from ledger.entries import Setting
from ledger.journal import unsent
from ledger.ledger import Ledger
from ledger.opening import LedgerUnusable
from ledger.reader import Reader
from tests.ledger.makers import NOW, answered, intent


@dataclass
class Desk:
    """The books of a ledger, who is told, and how often another try was asked for."""

    ledger: Ledger
    told: list[Alert] = field(default_factory=list)
    tries: int = 0

    def __post_init__(self) -> None:
        self.ledger.connection.execute("PRAGMA busy_timeout = 1")
        self.books = Bookkeeping(self.ledger, self.told.append, self._again)

    def _again(self) -> None:
        self.tries += 1

    def setting(self, key: str) -> str | None:
        with Reader.open(self.ledger.path) as reader:
            return reader.setting(key)

    def count(self, table: str) -> int:
        return int(self.ledger.rows(f"SELECT count(*) FROM {table}")[0][0])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Ledger.open(tmp_path / "copy_trading.db") as ledger:
        yield Desk(ledger)


@contextmanager
def _locked(desk: Desk) -> Iterator[None]:
    with closing(sqlite3.connect(desk.ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_what_can_be_written_is_and_nobody_is_told(desk: Desk) -> None:
    assert desk.books.keep([intent(), Setting("mark", "1")]) == {}
    assert desk.setting("mark") == "1"
    assert desk.told == []
    assert desk.tries == 0


def test_intents_are_refused_and_the_rest_waits_in_order(desk: Desk) -> None:
    sent = intent()
    desk.books.keep([sent])
    with _locked(desk):
        refused = desk.books.keep([intent(number=1), answered(sent), Setting("mark", "1")])
        assert refused == {intent(number=1): "database is locked"}
        assert desk.books.keep([Setting("mark", "2"), intent(number=2)]) == {
            intent(number=2): "database is locked"
        }
    assert desk.count("answers") == 0
    desk.books.retry()
    assert (desk.count("intents"), desk.count("answers")) == (1, 1)
    assert desk.setting("mark") == "2"
    assert list(unsent(desk.ledger, "asha", NOW, NOW + timedelta(seconds=1))) == [
        intent(number=1),
        intent(number=2),
    ]


def test_the_operator_is_told_once_how_it_began_and_ended(desk: Desk) -> None:
    with _locked(desk):
        for mark in "1234":
            desk.books.keep([Setting("mark", mark)])
        desk.books.retry()
        assert [alert.level for alert in desk.told] == [Level.ERROR]
        assert "nothing is sent meanwhile: database is locked" in desk.told[0].what
        assert desk.told[0].where == str(desk.ledger.path)
        assert "end the program" in desk.told[0].fix
    desk.books.retry()
    assert [alert.level for alert in desk.told] == [Level.ERROR, Level.NOTE]


def test_one_more_try_is_asked_for_at_a_time(desk: Desk) -> None:
    """Whatever comes in meanwhile, the file is not asked again before its time."""
    with _locked(desk):
        for mark in "1234":
            desk.books.keep([Setting("mark", mark)])
        assert desk.tries == 1
        for tries in (2, 3):
            desk.books.retry()
            assert desk.tries == tries
    assert desk.books.keep([intent()]) == {intent(): "database is locked"}
    desk.books.retry()
    assert desk.tries == 3
    assert desk.books.keep([intent()]) == {}


def test_an_entry_that_is_never_taken_holds_up_no_other(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    naive = intent(follower="bala", at=datetime(2026, 11, 25))
    stray = answered(intent(follower="chitra"))
    refused = desk.books.keep([intent(), stray, naive, Setting("mark", "1")])
    assert list(refused) == [naive]
    assert desk.count("intents") == 1
    assert desk.setting("mark") == "1"
    assert "will never take Answered" in caplog.text
    assert desk.told == []


def test_a_lock_amid_single_entries_lets_the_rest_wait(desk: Desk) -> None:
    with _locked(desk):
        desk.books.keep([Setting("first", "1"), answered(intent()), Setting("last", "1")])
        desk.books.retry()
    desk.books.retry()
    assert (desk.setting("first"), desk.setting("last")) == ("1", "1")
    assert desk.books.keep([intent()]) == {}


def test_what_waits_at_the_end_is_tried_once_more(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with _locked(desk):
        desk.books.keep([Setting("mark", "1"), Setting("other", "1")])
        desk.books.settle()
        assert "did not take 2 entries" in caplog.text
    desk.books.settle()
    assert desk.setting("mark") == "1"


def test_a_ledger_that_is_lost_is_not_tried_again(desk: Desk) -> None:
    desk.ledger.path.rename(desk.ledger.path.with_name("aside.db"))
    with pytest.raises(LedgerUnusable):
        desk.books.keep([intent()])
    assert desk.tries == 0
