"""What commands asked by themselves is left beside the ledger, and taken in once."""

import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.asked import leave_asked, take_in_asked, waiting_asked
from ledger.audit import Audited, audited, reads_made
from ledger.entries import ReadsMade
from ledger.ledger import Ledger, LedgerFailure
from ledger.opening import LedgerUnusable
from tests.ledger import legacy
from tests.ledger.makers import NOW

PROFILE = ReadsMade(NOW, "1000000002", "GET /profile", 200, "", 1, 4000, 4000, 30)
LOST = replace(PROFILE, request="POST /app/generate-consent", status=None, error="no answer")
BOTH = [PROFILE, LOST]


def kept(ledger: Ledger) -> list[Audited]:
    return reads_made(ledger, NOW - timedelta(days=1), NOW + timedelta(days=1), None)


def files(path: Path) -> list[Path]:
    return sorted(path.with_name(f"{path.name}.asked").iterdir())


def test_it_waits_for_the_engine_and_is_taken_in_once(ledger: Ledger, path: Path) -> None:
    leave_asked(path, BOTH, NOW)
    assert kept(ledger) == [], "nobody but the engine writes the ledger"
    assert waiting_asked(path) == BOTH
    take_in_asked(ledger)
    take_in_asked(ledger)
    assert kept(ledger) == [audited(one) for one in BOTH]
    assert waiting_asked(path) == []
    assert files(path) == []


def test_a_process_that_dies_before_it_removes_the_file_does_not_keep_it_twice(
    ledger: Ledger, path: Path
) -> None:
    leave_asked(path, BOTH, NOW)
    (file,) = files(path)
    text = file.read_text()
    take_in_asked(ledger)
    file.write_text(text)
    take_in_asked(ledger)
    assert len(kept(ledger)) == 2


def test_it_is_for_its_owner_only(ledger: Ledger, path: Path) -> None:
    leave_asked(path, BOTH, NOW)
    (file,) = files(path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_cannot_be_kept_now_is_not_lost(ledger: Ledger, path: Path) -> None:
    leave_asked(path, BOTH, NOW)
    ledger.connection.execute("PRAGMA query_only = 1")
    with pytest.raises(LedgerFailure):
        take_in_asked(ledger)
    ledger.connection.execute("PRAGMA query_only = 0")
    take_in_asked(ledger)
    assert len(kept(ledger)) == 2


@pytest.mark.parametrize("junk", ["", "7", "[1]", '[{"at": 1}]', "\x00", '[{"at": "never"}]'])
def test_junk_is_set_aside(ledger: Ledger, path: Path, junk: str) -> None:
    leave_asked(path, BOTH, NOW)
    files(path)[0].with_name("0.json").write_text(junk)
    assert waiting_asked(path) == BOTH
    take_in_asked(ledger)
    assert len(kept(ledger)) == 2
    assert [one.name for one in files(path)] == ["0.unreadable"]


def test_nothing_is_left_beside_what_is_no_ledger(path: Path) -> None:
    for make in (lambda: None, path.touch, lambda: legacy.make(path)):
        make()
        leave_asked(path, BOTH, NOW)
        assert not path.with_name(f"{path.name}.asked").exists()
        assert waiting_asked(path) == []


def test_where_nothing_can_be_left_that_is_said(ledger: Ledger, path: Path) -> None:
    path.with_name(f"{path.name}.asked").write_text("in the way")
    with pytest.raises(LedgerUnusable, match=r"copy_trading\.db\.asked"):
        leave_asked(path, BOTH, NOW)
