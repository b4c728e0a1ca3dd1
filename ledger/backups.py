"""Copies of a database: made while it is written, looked through before they count, put back."""

import errno
import os
import shutil
import sqlite3
from contextlib import ExitStack, closing, suppress
from datetime import datetime, timedelta
from pathlib import Path

from domain.sessions import IST
from ledger.disk import to_disk
from ledger.ledger import locked
from ledger.opening import (
    LedgerUnusable,
    LegacyFound,
    connect_read_only,
    damaged,
    not_writable,
    ours,
    present,
    unreadable,
)

PART = ".part"
_LOGS = ("-wal", "-shm", "-journal")
_TAKEN = "name another file: none is overwritten"


def back_up(path: Path, to: Path) -> None:
    """Copy the ledger at `path` as it is at this instant, also while an engine writes it, to a new
    file, which is there once it was looked through. Raises `LedgerUnusable`."""
    _usable(path)
    copy(path, to)


def copy(path: Path, to: Path) -> None:
    """Copy a database as it is at this instant to a new file (mode 0600), on disk and looked
    through. Raises `LedgerUnusable`, with no file left."""
    if to.exists():
        raise LedgerUnusable(to, "there is a file already", _TAKEN)
    part = to.with_name(to.name + PART)
    try:
        _copy(path, part)
        part.rename(to)
        to_disk(to.parent)
    except OSError as error:
        raise not_writable(to, error) from error
    finally:
        _forget(part)


def restore(path: Path, backup: Path, now: datetime) -> Path | None:
    """Put the backup in the place of the ledger at `path`, which no engine may hold; where the one
    that was there is kept now, None if there was none. Raises `LedgerUnusable`, with the ledger as
    it was."""
    _usable(backup)
    if path.exists() and path.samefile(backup):
        raise LedgerUnusable(backup, "it is the ledger itself", "name a backup of it")
    part = path.with_name(path.name + PART)
    with ExitStack() as done:
        done.callback(locked(path).release)
        done.callback(_forget, part)
        try:
            _forget(part)
            _copy(backup, part)
            kept = _keep(path, now) if present(path) else None
            part.replace(path)
            to_disk(path.parent)
        except OSError as error:
            raise not_writable(path, error) from error
    return kept


def stamped(path: Path, what: str, now: datetime) -> Path:
    """The name of a backup beside a database, with the time in India: the first second from now
    that has none yet."""
    at = now.astimezone(IST)
    while (place := path.with_name(f"{path.name}.{what}-{at:%Y%m%d-%H%M%S}.bak")).exists():
        at += timedelta(seconds=1)
    return place


def _usable(path: Path) -> None:
    """Raise LedgerUnusable for what neither this version nor the older program could use."""
    if not present(path):
        raise LedgerUnusable(path, "there is no such file", "name a file that is there")
    with suppress(LegacyFound):
        if not ours(path):
            raise LedgerUnusable(path, "nothing was written in it yet", "name another file")


def _copy(path: Path, part: Path) -> None:
    """Copy a database, and look through the copy. Raises LedgerUnusable and OSError."""
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(connect_read_only(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
            found = str(target.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise not_writable(part, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) from error
        raise unreadable(path, error) from error
    if found != "ok":
        raise damaged(path, found)
    to_disk(part)


def _keep(path: Path, now: datetime) -> Path:
    """Copy the ledger that is replaced, however damaged, and leave no log of it that would be
    taken for one of the next."""
    kept = stamped(path, "replaced", now)
    try:
        _copy(path, kept)
    except LedgerUnusable:
        _forget(kept)
        for log in ("", *_LOGS):
            with suppress(FileNotFoundError):
                shutil.copy(path.with_name(path.name + log), kept.with_name(kept.name + log))
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    for log in _LOGS:
        path.with_name(path.name + log).unlink(missing_ok=True)
    return kept


def _forget(part: Path) -> None:
    for log in ("", *_LOGS):
        part.with_name(part.name + log).unlink(missing_ok=True)
