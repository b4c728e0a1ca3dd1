"""The ledger's single writer.

Everything of a batch is committed in one transaction with one fsync, or nothing of it.
"""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from sqlite_utils import Database

from domain.messages import Alert, Answered, CopyChanged, Intent
from ledger import rows
from ledger.entries import Entry, OrderKnown, Setting
from ledger.knowledge import UPSERT_FILL, UPSERT_ORDER, Knowledge
from ledger.lock import Held, Lock
from ledger.opening import LedgerUnusable, create, not_writable, ours, unreadable
from ledger.rows import Row
from ledger.schema import migrate

logger = logging.getLogger(__name__)

_BUSY_MILLISECONDS = 500
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
    ledger will never take, True where the disk or a lock may be better later."""

    def __init__(self, why: str, passing: bool = True) -> None:
        super().__init__(why)
        self.why, self.passing = why, passing


class Ledger:
    """An open ledger, for the one thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: Lock) -> None:
        self.path = path
        self.connection = connection
        self._lock = lock
        self._knowledge = Knowledge(connection)
        newest = connection.execute("SELECT max(id) FROM intents").fetchone()[0]
        self._last_intent = int(newest or 0)

    @classmethod
    def open(cls, path: Path) -> "Ledger":
        """The ledger in the file at `path`, made (mode 0600) or migrated where needed.

        Raises `LedgerUnusable` for a file that this version must not or cannot write, and for
        one that another running instance holds.
        """
        create(path)
        lock = _locked(path)
        try:
            ours(path)
            connection = _connected(path)
        except BaseException:
            lock.release()
            raise
        logger.info("The ledger is %s (SQLite %s)", path, sqlite3.sqlite_version)
        return cls(path, connection, lock)

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

        Raises `LedgerFailure`, with nothing of the batch kept; a later commit works again.
        """
        if not batch:
            return
        try:
            last = self._write(batch)
        except (sqlite3.Error, ValueError, OverflowError) as error:
            self._undo()
            raise LedgerFailure(str(error), passing=not isinstance(error, _NEVER)) from error
        except BaseException:
            self._undo()
            raise
        self._last_intent = last
        self._knowledge.committed()

    def rows(self, sql: str, *values: str | int | None) -> list[sqlite3.Row]:
        """The rows that a query finds. Raises `LedgerFailure`."""
        try:
            return self.connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise LedgerFailure(str(error)) from error

    def _write(self, batch: Sequence[Entry]) -> int:
        """Write the batch; the id of the last intent then."""
        intents: list[Row] = []
        answers: list[Row] = []
        copies: list[Row] = []
        alerts: list[Row] = []
        settings: list[Row] = []
        last = self._last_intent
        for entry in batch:
            match entry:
                case Intent():
                    last += 1
                    intents.append(rows.intent_row(last, entry))
                case Answered():
                    answers.append(rows.answer_row(last, entry))
                case OrderKnown():
                    self._knowledge.learn(entry)
                case CopyChanged():
                    copies.append(rows.copy_row(entry))
                case Alert():
                    alerts.append(rows.alert_row(entry))
                case Setting():
                    settings.append(rows.setting_row(entry))
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        for sql, values in (
            (rows.INSERT_INTENT, intents),
            (UPSERT_ORDER, self._knowledge.orders()),
            (UPSERT_FILL, self._knowledge.fills()),
            (rows.UPSERT_COPY, copies),
            (rows.INSERT_ALERT, alerts),
            (rows.UPSERT_SETTING, settings),
        ):
            if values:
                connection.executemany(sql, values)
        if answers:
            self._answer(answers)
        connection.execute("COMMIT")
        return last

    def _answer(self, answers: Sequence[Row]) -> None:
        kept = self.connection.executemany(rows.UPDATE_ANSWER, answers).rowcount
        if kept != len(answers):
            raise ValueError("an answer without a recorded intent, or a second answer to one")

    def _undo(self) -> None:
        self._knowledge.forget()
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            logger.error("A failed transaction could not be rolled back: %s", error)


def _locked(path: Path) -> Lock:
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
