"""The ledger's single writer.

Everything of a batch is committed in one transaction with one fsync, or nothing of it.
"""

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from domain.halts import HaltAsked, HaltNoted
from domain.instructions import Given, Settled
from domain.messages import Alert, Answered, CopyChanged, Intent
from domain.statements import FundsSeen, PositionsSeen
from ledger import rows, statements
from ledger.audit import INSERT_READS, prune_audit, reads_row
from ledger.bulk import write_all
from ledger.entries import Entry, Noted, OrderKnown, ReadsMade, Setting, Unsent
from ledger.journal import INSERT_BODY, INSERT_NOTED, Journal
from ledger.knowledge import UPSERT_FILL, UPSERT_ORDER, Knowledge
from ledger.lock import Held, Lock
from ledger.numbers import Numbers
from ledger.opening import (
    LedgerUnusable,
    create,
    damaged,
    is_damage,
    make_private,
    not_writable,
    ours,
    remedy,
    unreadable,
)
from ledger.rows import Row
from ledger.schema import migrate
from ledger.toolkit import Database
from ledger.version import say_version

logger = logging.getLogger(__name__)

_BUSY_MILLISECONDS = 500
_LONGEST_LOG_PAGES = 4000
_TIDY_ENTRIES = 2000
_PUT_BACK = "stop whatever moves it, put it back, and start again"
_NEVER = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    ValueError,
    OverflowError,
)


class LedgerFailure(Exception):
    """Nothing of the batch was kept. `passing` is False where the batch itself is what the
    ledger will never take, True where the disk or a lock may be better later; `fix` is what
    the operator can do about that."""

    def __init__(self, why: str, passing: bool = True, fix: str = "") -> None:
        super().__init__(why)
        self.why, self.passing, self.fix = why, passing, fix


class Ledger:
    """An open ledger, for the one thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: Lock) -> None:
        self.path = path
        self._file = _identity(path)
        self.connection = connection
        self._lock = lock
        self._knowledge = Knowledge(connection)
        self._numbers = Numbers(connection)
        self._journal = Journal(connection)
        self._untidy = 0

    @classmethod
    def open(cls, path: Path) -> "Ledger":
        """The ledger in the file at `path`, made or migrated where needed, with mode 0600.

        Raises `LedgerUnusable` for a file that this version must not or cannot write, and for
        one that another running instance holds.
        """
        create(path)
        lock = locked(path)
        try:
            ours(path)
            make_private(path)
            opened = cls(path, _connected(path), lock)
        except BaseException:
            lock.release()
            raise
        logger.info("The ledger is %s", path)
        say_version()
        return opened

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self.connection.close()
        self._lock.release()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def commit(self, batch: Sequence[Entry]) -> None:
        """Keep all entries, on disk when this returns.

        Raises `LedgerFailure`, with nothing of the batch kept; a later commit works again. Raises
        `LedgerUnusable` when the file is damaged, moved or replaced: nothing may follow.
        """
        if not batch:
            return
        self._see_that_it_is_there()
        try:
            self._write(batch)
        except (sqlite3.Error, ValueError, OverflowError) as error:
            self._undo()
            raise self._failure(error) from error
        except BaseException:
            self._undo()
            raise
        self._numbers.committed()
        self._knowledge.committed()
        self._journal.committed()
        self._untidy += len(batch)

    def tidy(self) -> None:
        """For a quiet moment: fold the write-ahead log into the file when it has grown, which
        takes some milliseconds that no placement should wait for. Raises `LedgerUnusable` for a
        damaged file."""
        if self._untidy < _TIDY_ENTRIES:
            return
        self._untidy = 0
        try:
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            self._only_warn("The ledger's log could not be folded", error)

    def prune(self, before: datetime, requests: datetime | None = None) -> bool:
        """For a quiet moment: let go of some of what the journal and the reads kept before then,
        and of the `requests` of before that instant; whether there may be more. Raises
        `LedgerUnusable` for a damaged file."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            more = self._journal.prune(before)
            more |= prune_audit(self.connection, before, requests)
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            self._only_warn("What is old could not be pruned", error)
            return False
        return more

    def rows(self, sql: str, *values: str | int | None) -> list[sqlite3.Row]:
        """The rows that a query finds. Raises `LedgerFailure`, and `LedgerUnusable` for a damaged
        file."""
        try:
            return self.connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _see_that_it_is_there(self) -> None:
        """SQLite would go on writing into a file that has lost its name, and the next start
        would find none of that."""
        if _identity(self.path) != self._file:
            raise LedgerUnusable(self.path, "another file has taken its place", _PUT_BACK)

    def _write(self, batch: Sequence[Entry]) -> None:
        knowledge, numbers, journal = self._knowledge, self._numbers, self._journal
        intents: list[Row] = []
        answers: list[Row] = []
        copies: list[Row] = []
        alerts: list[Row] = []
        settings: list[Row] = []
        given: list[Row] = []
        closed: list[Row] = []
        replaced: list[Row] = []
        settled: list[Row] = []
        halts: list[Row] = []
        progress: list[Row] = []
        reads: list[Row] = []
        funds: list[Row] = []
        held: dict[str, PositionsSeen] = {}
        for entry in batch:
            match entry:
                case Intent():
                    intents.append(rows.intent_row(numbers.give(entry), entry))
                case Answered():
                    number = numbers.find(entry.intent)
                    answers.append(rows.answer_row(number, numbers.last, entry))
                case OrderKnown():
                    knowledge.learn(entry)
                case CopyChanged():
                    copies.append(rows.copy_row(entry))
                case Alert():
                    alerts.append(rows.alert_row(entry))
                case Setting():
                    settings.append(rows.setting_row(entry))
                case Noted():
                    journal.add(entry)
                case Unsent():
                    journal.add_unsent(entry)
                case Given():
                    given.append(rows.given_row(entry))
                case Settled(copy=copy):
                    closed.append(rows.closed_row(entry, numbers.last))
                    replaced.append(rows.replaced_row(entry))
                    if copy is not None:
                        settled.append(rows.settled_row(copy))
                case HaltAsked():
                    halts.append(rows.halt_row(entry))
                case HaltNoted():
                    progress.append(rows.noted_row(entry))
                case ReadsMade():
                    reads.append(reads_row(entry))
                case FundsSeen():
                    funds.append(statements.funds_row(entry))
                case PositionsSeen():
                    held[entry.client_id] = entry
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        for sql, values in (
            (INSERT_BODY, journal.bodies),
            (INSERT_NOTED, journal.rows),
            (rows.INSERT_INTENT, intents),
            (rows.INSERT_ANSWER, answers),
            (UPSERT_ORDER, knowledge.orders()),
            (UPSERT_FILL, knowledge.fills()),
            (rows.SETTLE_COPY, settled),
            (rows.UPSERT_COPY, copies),
            (rows.INSERT_ALERT, alerts),
            (rows.UPSERT_SETTING, settings),
            (rows.INSERT_INSTRUCTION, given),
            (rows.CLOSE_INSTRUCTION, closed),
            (rows.CLOSE_REPLACED, replaced),
            (rows.INSERT_HALT, halts),
            (rows.NOTE_HALT, progress),
            (INSERT_READS, reads),
            (statements.UPSERT_FUNDS, funds),
            (statements.CLOSE_POSITIONS, [statements.closed_row(one) for one in held.values()]),
            (statements.UPSERT_POSITION, statements.position_rows(held.values())),
        ):
            if values:
                write_all(connection, sql, values)
        connection.execute("COMMIT")

    def _undo(self) -> None:
        self._numbers.forget()
        self._knowledge.forget()
        self._journal.forget()
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            logger.error("A failed transaction could not be rolled back: %s", error)

    def _only_warn(self, what: str, error: sqlite3.Error) -> None:
        if is_damage(error):
            raise damaged(self.path, str(error)) from error
        logger.warning("%s: %s", what, error)

    def _failure(self, error: Exception) -> LedgerFailure | LedgerUnusable:
        if is_damage(error):
            return damaged(self.path, str(error))
        passing = not isinstance(error, _NEVER)
        return LedgerFailure(str(error), passing, remedy(error) if passing else "")


def _identity(path: Path) -> tuple[int, int]:
    """Which file it is, whatever its name."""
    try:
        found = path.stat()
    except OSError as error:
        raise LedgerUnusable(path, f"it is gone ({error.strerror})", _PUT_BACK) from error
    return found.st_dev, found.st_ino


def locked(path: Path) -> Lock:
    """The right to write the ledger at `path`. Raises `LedgerUnusable`."""
    try:
        return Lock.take(path)
    except Held as held:
        raise LedgerUnusable(
            path,
            f"a running instance holds it (process {held.pid or 'unknown'})",
            "stop that one, or name another file under [ledger] path",
        ) from held
    except OSError as error:
        raise not_writable(path, error) from error


def _connected(path: Path) -> sqlite3.Connection:
    """A connection to the migrated ledger, durable at every commit."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        mode = str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        if mode != "wal":
            raise LedgerUnusable(
                path, "its file system cannot hold a write-ahead log", "put it on a local disk"
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG_PAGES}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cell_size_check = ON")
        migrate(Database(connection, execute_plugins=False))
    except sqlite3.Error as error:
        connection.close()
        raise unreadable(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection
