"""A ledger is copied while it is written, looked through, and put back whole."""

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.adopting import take_over
from ledger.backups import back_up, restore
from ledger.ledger import Ledger
from ledger.opening import LedgerUnusable
from tests.ledger import legacy
from tests.ledger.adopter import HEIR
from tests.ledger.conftest import Other
from tests.ledger.makers import intent

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEPT = "copy_trading.db.replaced-20261130-173000.bak"


def _orders(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT leader_order_id FROM intents")]


def test_a_backup_has_what_was_committed_and_holds_nobody_up(path: Path, tmp_path: Path) -> None:
    to = tmp_path / "saved.db"
    with Ledger.open(path) as ledger:
        ledger.commit([intent(leader_order_id="1")])
        ledger.connection.execute("BEGIN IMMEDIATE")
        back_up(path, to)
        ledger.connection.execute("ROLLBACK")
        ledger.commit([intent(leader_order_id="2")])
    assert _orders(to) == ["1"]
    assert _orders(path) == ["1", "2"]
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.glob("saved*")) == ["saved.db"]


def test_nothing_is_overwritten_by_a_backup(path: Path, tmp_path: Path) -> None:
    Ledger.open(path).close()
    to = tmp_path / "saved.db"
    to.write_text("mine")
    with pytest.raises(LedgerUnusable, match="there is a file already"):
        back_up(path, to)
    assert to.read_text() == "mine"


def test_a_damaged_ledger_makes_no_backup(path: Path, tmp_path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.commit([intent(leader_order_id=str(number)) for number in range(400)])
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 8192 * 4096)
        file.write(b"\xee" * 4096)
    with pytest.raises(LedgerUnusable, match="damaged"):
        back_up(path, tmp_path / "saved.db")
    assert not list(tmp_path.glob("saved*"))


def test_a_backup_is_put_back_and_what_was_there_is_kept(path: Path, tmp_path: Path) -> None:
    to = tmp_path / "saved.db"
    with Ledger.open(path) as ledger:
        ledger.commit([intent(leader_order_id="1")])
        back_up(path, to)
        ledger.commit([intent(leader_order_id="2")])
    assert restore(path, to, NOW) == path.with_name(KEPT)
    assert _orders(path) == ["1"]
    assert _orders(path.with_name(KEPT)) == ["1", "2"]
    with Ledger.open(path) as ledger:
        ledger.commit([intent(leader_order_id="3")])
    assert _orders(path) == ["1", "3"]


@pytest.mark.parametrize("log", [True, False], ids=["with its log", "without"])
def test_a_damaged_ledger_is_replaced_and_kept(path: Path, tmp_path: Path, log: bool) -> None:
    to = tmp_path / "saved.db"
    with Ledger.open(path) as ledger:
        ledger.commit([intent(leader_order_id="1")])
        back_up(path, to)
    path.write_bytes(b"\0" * 8192)
    if log:
        path.with_name(path.name + "-wal").write_bytes(b"rubbish")
    assert restore(path, to, NOW) == path.with_name(KEPT)
    assert _orders(path) == ["1"]
    assert path.with_name(KEPT).read_bytes() == b"\0" * 8192


def test_nothing_is_replaced_under_a_running_engine(
    path: Path, tmp_path: Path, other: Other
) -> None:
    to = tmp_path / "saved.db"
    Ledger.open(path).close()
    back_up(path, to)
    other("holder", path, "engine")
    with pytest.raises(LedgerUnusable, match="a running instance holds it"):
        restore(path, to, NOW)
    assert not list(path.parent.glob("*.bak"))


@pytest.mark.parametrize("content", [None, b"", b"text that is no database\n" * 100])
def test_only_a_backup_is_put_back(path: Path, tmp_path: Path, content: bytes | None) -> None:
    with Ledger.open(path) as ledger:
        ledger.commit([intent(leader_order_id="1")])
    backup = tmp_path / "saved.db"
    if content is not None:
        backup.write_bytes(content)
    for wrong in (backup, path):
        with pytest.raises(LedgerUnusable):
            restore(path, wrong, NOW)
    assert _orders(path) == ["1"]


def test_the_way_back_to_the_older_program(path: Path) -> None:
    before = legacy.everything(legacy.make(path))
    taken = take_over(path, HEIR, NOW)
    assert taken is not None
    restore(path, taken.backup, NOW)
    assert legacy.everything(path) == before
    with closing(sqlite3.connect(path)) as connection, connection:
        legacy.insert(connection, "config", key="mine", value="1", updated_at=0)
    assert take_over(path, HEIR, NOW.replace(hour=13)) is not None
