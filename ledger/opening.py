"""Opening a database file, and saying clearly why one cannot be the ledger."""

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from ledger.legacy import MARKS, Unlike, version_of
from ledger.schema import APPLICATION_ID, VERSION

_BOOKKEEPING = frozenset({"_sqlite_migrations", "sqlite_sequence"})
_MOST_CHECKED_BYTES = 64 * 1024 * 1024
_MOVE_AWAY = "name another file under [ledger] path, or move this one away"
_PERMISSIONS = "run as its owner, or correct its permissions or [ledger] path"
_RESTORE = "restore a backup, or move it away and compare every account's order book by hand"
_SPACE = "free disk space"
_UNLOCK = "end the program that has locked it"
_DISK = "see to the disk"
_REMEDIES = {
    sqlite3.SQLITE_FULL: _SPACE,
    sqlite3.SQLITE_BUSY: _UNLOCK,
    sqlite3.SQLITE_LOCKED: _UNLOCK,
    sqlite3.SQLITE_READONLY: "make it writable",
}
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LedgerUnusable(Exception):
    """The ledger cannot be opened, or not be used any longer: which file, why, and what the
    operator can do. `passing` is whether it may be better a little later, by itself."""

    def __init__(self, path: Path, why: str, fix: str, passing: bool = False) -> None:
        super().__init__(f"{path}: {why}; {fix}")
        self.path, self.why, self.fix, self.passing = path, why, fix, passing


class LegacyFound(LedgerUnusable):
    """It is the database of the older single-follower program, which can be taken over
    (`ledger.adopting`): its schema `version` is 1 or 2."""

    def __init__(self, path: Path, version: int) -> None:
        why = f"it is the database of the older single-follower version (schema {version})"
        fix = "start Lockstep with a follower in lockstep.toml, which takes it over"
        super().__init__(path, why, fix)
        self.version = version


def create(path: Path) -> None:
    """Make sure that there is a file at `path` that can be written, readable for its owner only
    when it is new. Raises `LedgerUnusable`."""
    if not present(path) and not path.parent.is_dir():
        raise LedgerUnusable(
            path, f"there is no directory {path.parent}", "make it or correct [ledger] path"
        )
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise not_writable(path, error) from error


def make_private(path: Path) -> None:
    """Let nobody but its owner read the file, and what SQLite keeps beside it, also where an
    earlier program left it open; of another owner's it stays as that one has it."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + suffix).chmod(0o600)


def present(path: Path) -> bool:
    """Whether there is a file at `path`. Raises `LedgerUnusable` for a directory and the like,
    and where this process may not look."""
    try:
        if path.is_file():
            return True
        if not path.exists():
            return False
    except OSError as error:
        raise LedgerUnusable(
            path, f"it cannot be reached ({error.strerror})", _PERMISSIONS
        ) from error
    raise LedgerUnusable(path, "it is not a file", "correct [ledger] path")


def not_writable(path: Path, error: OSError) -> LedgerUnusable:
    """The refusal of a file that the operating system does not let this process write."""
    full = error.errno in _FULL
    return LedgerUnusable(
        path,
        f"it cannot be written ({error.filename or path}: {error.strerror})",
        _SPACE if full else _PERMISSIONS,
        passing=full,
    )


def ours(path: Path, thoroughly: bool = True) -> bool:
    """Whether the file holds a ledger that this version can use; False for an empty one.

    Looks without writing; `thoroughly` looks at every page of a file that is not too large for
    that. Raises `LedgerUnusable` for everything else, `LegacyFound` for what can become one.
    """
    try:
        with closing(connect_read_only(path)) as connection:
            tables = _tables(connection)
            owner = _number(connection, "application_id")
            if owner != APPLICATION_ID:
                _refuse_others(path, connection, tables, owner)
                return False
            version = _number(connection, "user_version")
            if version > VERSION:
                raise LedgerUnusable(
                    path,
                    f"a newer Lockstep wrote it (schema {version}, this one knows {VERSION})",
                    "start that newer version",
                )
            if thoroughly:
                _check_pages(path, connection)
            return True
    except sqlite3.Error as error:
        raise unreadable(path, error) from error


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = sqlite3.connect(
        path.resolve().as_uri() + "?mode=ro", uri=True, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA busy_timeout = 500")
    return connection


def unreadable(path: Path, error: sqlite3.Error) -> LedgerUnusable:
    """The refusal that belongs to an error of SQLite."""
    code = _code(error)
    if code in _LOCKED:
        return LedgerUnusable(path, "another program has locked it", "end that program", True)
    if code == sqlite3.SQLITE_NOTADB:
        return LedgerUnusable(path, "it is not a database", _MOVE_AWAY)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return LedgerUnusable(path, f"it cannot be opened ({error})", _PERMISSIONS)
    if is_damage(error):
        return damaged(path, str(error))
    if str(error).startswith(("no such table", "no such column")):
        what = "an older Lockstep wrote it, and it is not brought up to date yet"
        return LedgerUnusable(path, what, "start this Lockstep once, which does that")
    fix = _REMEDIES.get(code, _DISK)
    return LedgerUnusable(path, f"it cannot be used ({error})", f"{fix}, then try again", True)


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file itself is spoilt, for good. A text that cannot be
    decoded is one that SQLite has no code for."""
    undecodable = isinstance(error, sqlite3.OperationalError) and not _code(error)
    return undecodable or _code(error) in _DAMAGED


def damaged(path: Path, found: str) -> LedgerUnusable:
    """The refusal of a ledger whose file is spoilt."""
    return LedgerUnusable(path, f"it is damaged ({' '.join(found.split())})", _RESTORE)


def remedy(error: Exception) -> str:
    """What the operator can do about a write that failed."""
    return f"{_REMEDIES.get(_code(error), _DISK)}; copying resumes by itself"


def _code(error: Exception) -> int:
    """SQLite's code for an error without its details; 0 for an error of another kind."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {str(row[0]) for row in rows}


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _refuse_others(
    path: Path, connection: sqlite3.Connection, tables: set[str], owner: int
) -> None:
    if tables >= MARKS and not owner:
        try:
            version = version_of(connection)
        except Unlike as unlike:
            why = f"it is no database of the older single-follower version that is known: {unlike}"
            raise LedgerUnusable(path, why, _MOVE_AWAY) from None
        raise LegacyFound(path, version)
    if owner or tables - _BOOKKEEPING:
        raise LedgerUnusable(path, "it is a database of another program", _MOVE_AWAY)


def _check_pages(path: Path, connection: sqlite3.Connection) -> None:
    """Look through every page of a ledger that is small enough not to delay the start."""
    if path.stat().st_size > _MOST_CHECKED_BYTES:
        return
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise damaged(path, found)
