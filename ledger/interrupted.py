"""A database that the older program left in the middle of a write: its journal says what it was
before, and only who may write the file can put that back."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.legacy import Unlike, version_of


def interrupted(path: Path) -> bool:
    """Whether it is so. Looks at a copy, for what is another program's is not touched."""
    journal = _journal(path)
    if not journal.exists() or not journal.stat().st_size:
        return False
    try:
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            copied = Path(folder, path.name)
            shutil.copy(path, copied)
            shutil.copy(journal, _journal(copied))
            with closing(sqlite3.connect(copied)) as connection:
                (owner,) = connection.execute("PRAGMA application_id").fetchone()
                version_of(connection)
    except (Unlike, sqlite3.Error, OSError):
        return False
    return not owner


def roll_back(path: Path) -> None:
    """Have SQLite put back what was there before the write, as it does for whoever opens the file
    next. Raises sqlite3.Error."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-journal")
