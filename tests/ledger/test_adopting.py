"""The older program's database becomes the ledger, with every row of it as it was."""

import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.attempts import Stage
from domain.copies import CopyState
from domain.halts import Word
from domain.orders import Product, Status
from ledger import schema
from ledger.adopting import Heir, TakenOver, take_over
from ledger.halts import standing_halt
from ledger.history import copies_of
from ledger.leaders import watermark
from ledger.ledger import Ledger
from ledger.memory import Memory
from ledger.opening import LedgerUnusable
from ledger.reader import Reader
from tests.faults.disk import SmallDisk
from tests.ledger import legacy
from tests.ledger.adopter import HEIR
from tests.ledger.conftest import ROOT, Other
from tests.ledger.makers import answered, changed, intent

NOW = datetime(2025, 10, 2, 12, tzinfo=UTC)


def _adopted(path: Path, heir: Heir = HEIR) -> TakenOver:
    taken = take_over(path, heir, NOW)
    assert taken is not None
    return taken


@pytest.mark.parametrize(("version", "orders"), [(1, 0), (2, 0), (1, 40), (2, 40), (2, 2000)])
def test_no_row_is_lost_or_changed(path: Path, version: int, orders: int) -> None:
    legacy.make(path, version, orders)
    before = legacy.everything(path, version)
    taken = _adopted(path)
    assert legacy.everything(path, version) == before
    assert legacy.everything(taken.backup, version) == before
    assert taken.backup.name == f"copy_trading.db.v{version}-20251002-173000.bak"
    assert stat.S_IMODE(taken.backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_it_is_taken_over_once(path: Path) -> None:
    legacy.make(path)
    _adopted(path)
    with Ledger.open(path) as ledger:
        before = list(ledger.connection.iterdump())
    assert take_over(path, HEIR, NOW + timedelta(days=1)) is None
    with Ledger.open(path) as ledger:
        assert list(ledger.connection.iterdump()) == before
    assert len(list(path.parent.glob("*.bak"))) == 1


def test_what_users_made_of_it_goes_on(path: Path) -> None:
    """Their views read new rows too, their tables stay."""
    legacy.make(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE VIEW mine AS
                SELECT count(*) AS placed FROM copy_mappings WHERE status = 'placed';
            CREATE TABLE notes (text TEXT);
            INSERT INTO notes VALUES ('buy milk');
            CREATE INDEX by_security ON orders (security_id);
            """
        )
        (before,) = connection.execute("SELECT placed FROM mine").fetchone()
    _adopted(path)
    _new_rows(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT placed FROM mine").fetchone() == (before + 1,)
        assert connection.execute("SELECT text FROM notes").fetchone() == ("buy milk",)


def _new_rows(path: Path) -> None:
    """A new copy in the account of the first follower, and one in another's."""
    with Ledger.open(path) as ledger:
        for follower in ("asha", "bala"):
            asked = intent(follower=follower, leader_order_id="9001")
            ledger.commit([asked, answered(asked), changed(follower, leader_order_id="9001")])


def test_new_rows_stand_beside_the_old_ones(path: Path) -> None:
    legacy.make(path)
    _adopted(path)
    _new_rows(path)
    with closing(sqlite3.connect(path)) as connection:
        old = "SELECT count(*) FROM copy_mappings WHERE leader_order_id = '9001'"
        every = "SELECT follower FROM all_copy_mappings WHERE leader_order_id = '9001' ORDER BY 1"
        sent = "SELECT follower, action FROM all_audit_log WHERE ts > 1761000000 ORDER BY 1"
        assert connection.execute(old).fetchone() == (1,)
        assert connection.execute(every).fetchall() == [("asha",), ("bala",)]
        assert connection.execute(sent).fetchall() == [
            ("asha", "place_order"),
            ("bala", "place_order"),
        ]
        assert len(connection.execute(legacy.QUERIES[5]).fetchall()) == 41


def test_its_history_is_that_of_copies(path: Path) -> None:
    legacy.make(path)
    _adopted(path)
    with Reader.open(path) as reader:
        copies = {copy.leader_order_id: copy for copy in reader.copies("asha")}
        fills = reader.fills(["112510020000001", "212510020000001"])
        assert watermark(reader) == datetime.fromtimestamp(legacy.START + 39 * 60, UTC)
    states = Counter(copy.state for copy in copies.values())
    assert states == {
        CopyState.FILLED: 21,
        CopyState.CANCELLED: 7,
        CopyState.OPEN: 7,
        CopyState.REJECTED: 5,
    }
    bought = copies["112510020000001"]
    assert (bought.quantity, bought.filled, bought.leader_filled) == (75, 75, 150)
    assert bought.leader_value == 100 * 10_100 + 50 * 10_200
    assert (bought.traded_value, bought.symbol) == (75 * 10_300, "NIFTY25000CE")
    assert bought.slippage_paise == 75 * 10_300 - bought.leader_value // 2
    assert [(fill.order_id[0], fill.quantity, fill.cumulative) for fill in fills] == [
        ("1", 100, 100),
        ("1", 50, 150),
        ("2", 75, 75),
    ]
    refused = copies["112510020000006"]
    assert (refused.state, refused.reason) == (CopyState.REJECTED, "other: Insufficient margin")


def test_a_start_takes_over_what_is_open_and_what_was_built(path: Path) -> None:
    legacy.make(path)
    _adopted(path)
    with Ledger.open(path) as ledger:
        copies = {copy.leader_order_id: copy for copy in copies_of(ledger, "asha", NOW)}
        later = Memory(ledger).restored("asha", NOW + timedelta(days=30))
    assert len(copies) == 7
    for copy in copies.values():
        (attempt,) = copy.attempts
        assert attempt.stage is Stage.LIVE
        assert attempt.order_id == "2" + copy.leader_order_id[1:]
        assert attempt.status is Status.PENDING
        assert copy.sizing.size(300, 75) == 150
    assert not later.copies
    built = {(one.instrument.security_id, one.product): one.mine for one in later.built}
    assert all(product is not Product.INTRADAY for _, product in built)
    assert sum(abs(mine) for mine in built.values()) > 0


def test_what_was_open_on_an_earlier_day_has_expired(path: Path) -> None:
    legacy.make(path, orders=100, start=legacy.START + 14 * 3600)
    before = legacy.everything(path)
    _adopted(path)
    assert legacy.everything(path) == before
    with closing(sqlite3.connect(path)) as connection:
        opened = "SELECT min(placed_at) / 1000000 FROM order_states WHERE status = 'PENDING'"
        (oldest,) = connection.execute(opened).fetchone()
    assert datetime.fromtimestamp(oldest, UTC) > datetime(2025, 10, 2, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "stage"), [(0, Stage.UNKNOWN), (1, None)], ids=["today", "yesterday"]
)
def test_what_may_have_been_placed_is_looked_for(
    path: Path, days: int, stage: Stage | None
) -> None:
    """A mapping that is pending without an order: the older program may have died in between."""
    legacy.make(path, orders=0)
    at = int((NOW - timedelta(days=days)).timestamp())
    legacy.pair(path, "9001", None, mapped="pending", created_at=at, updated_at=at)
    _adopted(path)
    with Ledger.open(path) as ledger:
        (copy,) = copies_of(ledger, "asha", NOW - timedelta(days=3))
    stages = [attempt.stage for attempt in copy.attempts]
    assert stages == ([] if stage is None else [stage])
    assert copy.left_out == (stage is None)


def test_words_that_mean_nothing_stay_and_are_told(path: Path) -> None:
    legacy.make(path, orders=4)
    legacy.pair(path, "9001", "9002", exchange_segment="NCDEX")
    before = legacy.everything(path)
    taken = _adopted(path)
    assert (taken.orders_left_out, taken.copies_left_out) == (2, 1)
    assert legacy.everything(path) == before
    with Reader.open(path) as reader:
        told = [one.alert.what for one in reader.alerts(5)]
    assert any("2 orders and 1 copies" in what for what in told)


def test_who_was_told_not_to_copy_is_halted(path: Path) -> None:
    legacy.make(path)
    _sql(path, "UPDATE config SET value = 'false' WHERE key = 'copy_enabled'")
    _adopted(path)
    with Reader.open(path) as reader:
        halt = standing_halt(reader, "asha")
    assert halt is not None
    assert halt.asked.word is Word.HALT


def _sql(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


_UNLIKE = {
    "newer": ("UPDATE config SET value = '3' WHERE key = 'schema_version'", "version is 3"),
    "no version": ("DELETE FROM config", "version is none"),
    "no column": ("ALTER TABLE trades DROP COLUMN raw_data", "trades has no column raw_data"),
    "no table": ("DROP TABLE funds", "no table funds"),
    "half of version 2": (
        "UPDATE config SET value = '2' WHERE key = 'schema_version'",
        "orders has no column co_stop_loss_value",
    ),
    "a name that is needed": ("CREATE TABLE copies (id)", "has copies besides"),
    "of another program": ("PRAGMA application_id = 7", "another program"),
}


@pytest.mark.parametrize("kind", _UNLIKE)
def test_what_only_looks_like_it_is_refused_untouched(path: Path, kind: str) -> None:
    script, found = _UNLIKE[kind]
    _sql(legacy.make(path, orders=3), script)
    before = _content(path)
    with pytest.raises(LedgerUnusable, match=found) as refusal:
        take_over(path, HEIR, NOW)
    assert not refusal.value.passing
    assert _content(path) == before
    assert not list(path.parent.glob("*.bak*"))


def _content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        return list(connection.iterdump())


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 8192 * 4096)


def _rot(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(2, size // 4096 - 1):
            file.seek(page * 4096)
            file.write(b"\xee" * 4096)


@pytest.mark.parametrize("spoil", [_cut, _rot])
def test_a_damaged_one_is_refused(path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(legacy.make(path, orders=300))
    with pytest.raises(LedgerUnusable, match="damaged"):
        take_over(path, HEIR, NOW)
    assert not list(path.parent.glob("*.bak*"))


@pytest.mark.parametrize("how", ["lock", "write"])
def test_one_that_another_program_writes_is_refused_until_it_is_free(
    path: Path, other: Other, how: str
) -> None:
    legacy.make(path)
    locker = other("holder", path, how)
    with pytest.raises(LedgerUnusable, match="another program has locked it") as refusal:
        take_over(path, HEIR, NOW)
    assert refusal.value.passing
    locker.communicate()
    before = legacy.everything(path)
    _adopted(path)
    assert legacy.everything(path) == before


@pytest.mark.parametrize("thousands", [0, 10, 60])
def test_a_kill_in_the_middle_leaves_it_as_it_was(path: Path, thousands: int) -> None:
    legacy.make(path, orders=300)
    before = legacy.everything(path)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.ledger.adopter", str(path), str(thousands)],
        cwd=ROOT,
        check=False,
    )
    assert killed.returncode == -9
    assert legacy.everything(path) == before
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'legacy%'")
        assert names.fetchall() == []
    _adopted(path)
    assert legacy.everything(path) == before
    assert not list(path.parent.glob("*.part*"))


_IN_A_WRITE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 5")
connection.execute("BEGIN")
for table in sys.argv[2:]:
    connection.execute(f"DELETE FROM {table}")
os._exit(1)
"""


def _killed_in_a_write(path: Path, *tables: str) -> None:
    subprocess.run([sys.executable, "-c", _IN_A_WRITE, str(path), *tables], check=False)
    assert path.with_name(path.name + "-journal").stat().st_size > 0


def test_a_write_that_a_kill_ended_is_taken_back_first(path: Path) -> None:
    legacy.make(path, orders=300)
    before = legacy.everything(path)
    _killed_in_a_write(path, "audit_log", "order_events")
    _adopted(path)
    assert legacy.everything(path) == before


def test_such_a_write_of_another_program_is_left_to_it(path: Path) -> None:
    columns = ", ".join(f"'{'x' * 100}'" for _ in range(9))
    _sql(path, f"CREATE TABLE recipes AS SELECT {columns}")
    _sql(path, "INSERT INTO recipes SELECT * FROM recipes;" * 9)
    _killed_in_a_write(path, "recipes")
    before = path.read_bytes()
    with pytest.raises(LedgerUnusable):
        take_over(path, HEIR, NOW)
    assert path.read_bytes() == before


_ON_A_SMALL_DISK = """
import shutil, sys
from datetime import UTC, datetime
from pathlib import Path
from ledger.adopting import take_over
from ledger.opening import LedgerUnusable
from tests.ledger.adopter import HEIR
whole, path = Path(sys.argv[1]), Path(sys.argv[2])
shutil.copy(whole, path)
before = path.read_bytes()
ballast = path.with_name("ballast")
try:
    ballast.write_bytes(bytes(int(sys.argv[3])))
    take_over(path, HEIR, datetime.now(UTC))
except LedgerUnusable as refusal:
    print(refusal.why, "|", refusal.fix, "|", refusal.passing)
ballast.unlink()
left = sorted(one.name for one in path.parent.iterdir())
print([name for name in left if name.endswith((".part", "-wal"))])
shutil.copy(path, whole.with_name("left.db"))
"""


@pytest.mark.parametrize("free", [100_000, 700_000], ids=["backup", "transaction"])
def test_a_full_disk_leaves_it_as_it_was(tmp_path: Path, free: int) -> None:
    disk = SmallDisk(tmp_path / "disk")
    whole = legacy.make(tmp_path / "whole.db", orders=700)
    before = legacy.everything(whole)
    size = whole.stat().st_size
    ballast = 2 * 1024 * 1024 - size - free
    assert ballast > 0
    path = disk.folder / "copy_trading.db"
    words = [_ON_A_SMALL_DISK, str(whole), str(path), str(ballast)]
    ran = subprocess.run(
        [*disk.before, sys.executable, "-c", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "free disk space" in ran.stdout, ran.stdout + ran.stderr
    assert "True" in ran.stdout
    assert ran.stdout.endswith("[]\n")
    assert legacy.everything(tmp_path / "left.db") == before


def test_its_own_generator_makes_nothing_else(path: Path) -> None:
    maker = ROOT.parent / "shared" / "legacy" / "make_legacy_db.py"
    if not maker.exists():
        pytest.skip("no generator of legacy databases here")
    ask: list[Any] = [sys.executable, maker, path, "--version", "2", "--orders", "40"]
    subprocess.run(list(map(str, ask)), check=True)
    before = legacy.everything(path, version=2)
    taken = _adopted(path)
    assert (taken.copies, taken.orders_left_out, taken.copies_left_out) == (40, 0, 0)
    assert legacy.everything(path, version=2) == before
