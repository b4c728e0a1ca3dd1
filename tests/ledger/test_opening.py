"""A ledger is made, migrated or refused; what is refused stays as it was, byte for byte."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ledger import schema
from ledger.ledger import Ledger
from ledger.opening import LedgerUnusable
from ledger.reader import Reader
from tests.ledger.conftest import Other
from tests.ledger.makers import intent

SHARED = Path(__file__).parents[3] / "shared"
_NOBODY = 65534


def test_a_ledger_that_others_can_read_is_theirs_no_more(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.commit([intent()])
    path.chmod(0o664)
    with Ledger.open(path) as ledger:
        ledger.commit([intent(number=1)])
        for suffix in ("", "-wal", "-shm"):
            mode = stat.S_IMODE(path.with_name(path.name + suffix).stat().st_mode)
            assert mode == 0o600, suffix


def test_a_new_ledger_is_durable_private_and_recognisable(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.commit([intent()])
        for suffix in ("", "-wal", "-shm", ".lock"):
            mode = stat.S_IMODE(path.with_name(path.name + suffix).stat().st_mode)
            assert mode == 0o600, suffix
        asked = {
            name: ledger.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "application_id",
                "user_version",
            )
        }
    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "application_id": schema.APPLICATION_ID,
        "user_version": schema.VERSION,
    }


def test_opening_again_changes_nothing(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.commit([intent()])
        before = list(ledger.connection.iterdump())
    with Ledger.open(path) as ledger:
        assert list(ledger.connection.iterdump()) == before


def test_a_migration_that_fails_half_way_leaves_no_trace(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(schema, "_FIRST", (*schema._FIRST, "CREATE TABLE nonsense ("))
        with pytest.raises(LedgerUnusable, match="incomplete input"):
            Ledger.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    with Ledger.open(path) as ledger:
        ledger.commit([intent()])
        assert len(ledger.rows("SELECT id FROM intents")) == 1


def _run_sql(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def _legacy(path: Path) -> None:
    tables = ("orders", "trades", "copy_mappings", "audit_log", "config")
    _run_sql(path, "".join(f"CREATE TABLE {name} (id INTEGER);" for name in tables))


def _foreign(path: Path) -> None:
    _run_sql(path, "CREATE TABLE recipes (id INTEGER); INSERT INTO recipes VALUES (1);")


def _foreign_with_log(path: Path) -> None:
    _run_sql(path, "PRAGMA journal_mode = WAL;")
    _foreign(path)


def _foreign_and_empty(path: Path) -> None:
    _run_sql(path, "PRAGMA application_id = 7;")


def _newer(path: Path) -> None:
    Ledger.open(path).close()
    _run_sql(path, f"PRAGMA user_version = {schema.VERSION + 1};")


def _text(path: Path) -> None:
    path.write_text("[ledger]\n" + "path = 'here'\n" * 200)


def _short_text(path: Path) -> None:
    path.write_text("token\n")


def _damaged_page(path: Path) -> None:
    with Ledger.open(path) as ledger:
        for number in range(200):
            ledger.commit([intent(leader_order_id=str(number))])
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 8192 * 4096)
        file.write(b"\xee" * 4096)


def _damaged_header(path: Path) -> None:
    Ledger.open(path).close()
    with path.open("r+b") as file:
        file.write(b"\0" * 100)


def _cut_short(path: Path) -> None:
    Ledger.open(path).close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4096 * 4096)


_UNUSABLE = {
    "legacy": (_legacy, "older single-follower version", "name another file"),
    "foreign": (_foreign, "another program", "name another file"),
    "foreign with a log": (_foreign_with_log, "another program", "name another file"),
    "foreign and empty": (_foreign_and_empty, "another program", "name another file"),
    "newer": (_newer, "newer Lockstep wrote it", "start that newer version"),
    "text": (_text, "not a database", "name another file"),
    "short text": (_short_text, "not a database", "name another file"),
    "damaged header": (_damaged_header, "not a database", "name another file"),
    "damaged page": (_damaged_page, "damaged", "restore a backup"),
    "cut short": (_cut_short, "damaged", "restore a backup"),
}


@pytest.mark.parametrize("kind", _UNUSABLE)
def test_a_file_that_is_no_usable_ledger_is_refused_untouched(kind: str, path: Path) -> None:
    make, why, fix = _UNUSABLE[kind]
    make(path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(LedgerUnusable) as refusal:
        Ledger.open(path)
    assert why in refusal.value.why
    assert fix in refusal.value.fix
    assert str(path) in str(refusal.value)
    assert not refusal.value.passing
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert not path.with_name(path.name + "-journal").exists()


@pytest.mark.parametrize("kind", ["legacy", "foreign", "newer", "text", "damaged header"])
def test_a_reader_refuses_it_in_the_same_words(kind: str, path: Path) -> None:
    make, why, _ = _UNUSABLE[kind]
    make(path)
    before = path.read_bytes()
    with pytest.raises(LedgerUnusable) as refusal:
        Reader.open(path)
    assert why in refusal.value.why
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", ["1", "2"])
def test_the_database_of_an_existing_user_is_refused_untouched(version: str, path: Path) -> None:
    maker = SHARED / "legacy" / "make_legacy_db.py"
    if not maker.exists():
        pytest.skip("no generator of legacy databases here")
    subprocess.run(
        [sys.executable, str(maker), str(path), "--version", version, "--orders", "40"], check=True
    )
    before = path.read_bytes()
    with pytest.raises(LedgerUnusable, match="older single-follower version"):
        Ledger.open(path)
    assert path.read_bytes() == before


def test_a_refused_ledger_can_be_opened_once_it_is_usable(path: Path) -> None:
    _foreign(path)
    with pytest.raises(LedgerUnusable):
        Ledger.open(path)
    path.unlink()
    Ledger.open(path).close()
    assert path.stat().st_size > 0


def test_a_directory_is_refused(path: Path) -> None:
    path.mkdir()
    for opener in (Ledger.open, Reader.open):
        with pytest.raises(LedgerUnusable, match="not a file"):
            opener(path)
    assert list(path.iterdir()) == []


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnusable, match=f"no directory {tmp_path / 'gone'}"):
        Ledger.open(tmp_path / "gone" / "copy_trading.db")


def test_a_locked_database_is_refused_until_it_is_free(path: Path, other: Other) -> None:
    _run_sql(path, "PRAGMA user_version = 0; VACUUM;")
    locker = other("holder", path, "lock")
    with pytest.raises(LedgerUnusable, match="another program has locked it") as refusal:
        Ledger.open(path)
    assert refusal.value.passing
    locker.communicate()
    Ledger.open(path).close()
    assert locker.returncode == 0


@contextmanager
def _unprivileged() -> Iterator[Path]:
    """A directory of its own for this process, which has no more rights than any other user."""
    place = Path(tempfile.mkdtemp(prefix="lockstep-"))
    if os.geteuid() == 0:
        os.chown(place, _NOBODY, -1)
    try:
        with _as_nobody():
            yield place
    finally:
        place.chmod(0o700)
        shutil.rmtree(place)


@contextmanager
def _as_nobody() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_written_is_refused_untouched() -> None:
    with _unprivileged() as place:
        path = place / "copy_trading.db"
        Ledger.open(path).close()
        path.chmod(0o400)
        before = path.read_bytes()
        with pytest.raises(LedgerUnusable) as refusal:
            Ledger.open(path)
        assert "cannot be written" in refusal.value.why
        assert "permissions" in refusal.value.fix
        assert path.read_bytes() == before


def test_a_directory_that_may_not_be_written_is_named() -> None:
    with _unprivileged() as place:
        place.chmod(0o555)
        with pytest.raises(LedgerUnusable, match=r"cannot be written \(.*Permission denied\)"):
            Ledger.open(place / "copy_trading.db")
        assert list(place.iterdir()) == []


def test_a_reader_says_when_it_may_not_read() -> None:
    with _unprivileged() as place:
        path = place / "copy_trading.db"
        Ledger.open(path).close()
        path.chmod(0)
        with pytest.raises(LedgerUnusable) as refusal:
            Reader.open(path)
        assert "cannot be opened" in refusal.value.why
        assert "permissions" in refusal.value.fix
