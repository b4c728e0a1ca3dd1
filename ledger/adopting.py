"""Taking over the database of the older program: in place, in one transaction, after a backup.

Its tables stay with every row, under `legacy_...` where a view takes their name
(`ledger.legacy_views`). What they hold is put into the ledger's own tables beside them
(`ledger.legacy_rows`), so that nobody else needs to know of it. Until the commit the file is what
it was, and after it the ledger: a kill in between leaves no trace but the backup.
"""

import logging
import sqlite3
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domain.halts import HaltAsked, HaltNoted, Word
from domain.messages import Alert, Level
from domain.sessions import IST
from ledger import legacy_rows as rows
from ledger.backups import PART, copy, stamped
from ledger.entries import Setting
from ledger.instants import micros
from ledger.interrupted import interrupted, roll_back
from ledger.leaders import WATERMARK
from ledger.ledger import locked
from ledger.legacy import RENAMED, Unlike, version_of
from ledger.legacy_views import views
from ledger.opening import LedgerUnusable, LegacyFound, not_writable, ours, unreadable
from ledger.rows import (
    INSERT_ALERT,
    INSERT_HALT,
    NOTE_HALT,
    UPSERT_SETTING,
    alert_row,
    halt_row,
    noted_row,
    setting_row,
)
from ledger.schema import migrate
from ledger.toolkit import Database

logger = logging.getLogger(__name__)

_BUSY_MILLISECONDS = 500
_MOST_SECONDS = 10**11
_THOUSANDTHS = 1000


@dataclass(frozen=True, slots=True)
class Heir:
    """Who goes on: the leader's client id, and the follower that stands for the older program's
    one, by name and client id."""

    leader: str
    follower: str
    account: str


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What was taken over: how many orders and copies, how many orders of both accounts are open,
    and how many orders and copies have words that mean nothing here and stand in the older tables
    only. `copied` is whether the older program was told to copy."""

    backup: Path
    orders: int
    copies: int
    open: int
    orders_left_out: int
    copies_left_out: int
    copied: bool


def take_over(path: Path, heir: Heir, now: datetime) -> TakenOver | None:
    """Make the older program's database at `path` a ledger; None where it is one already.

    Raises `LedgerUnusable` for anything else, where another program uses it, and where the disk
    does not take it: the file is then as it was.
    """
    with ExitStack() as done:
        done.callback(locked(path).release)
        _tidy(path)
        try:
            if ours(path, thoroughly=False):
                return None
            raise LedgerUnusable(path, "nothing was written in it yet", "start Lockstep")
        except LegacyFound:
            taken = _taken_over(path, heir, now)
    for alert in _alerts(taken, heir):
        logger.warning("%s; %s", alert.what, alert.fix)
    return taken


def _tidy(path: Path) -> None:
    """See to what those left who were killed: the older program in a write, or this one in a
    backup."""
    try:
        if interrupted(path):
            roll_back(path)
        for left in path.parent.iterdir():
            if left.name.startswith(f"{path.name}.v") and left.name.endswith(f".bak{PART}"):
                left.unlink()
    except OSError as error:
        raise not_writable(path, error) from error
    except sqlite3.Error as error:
        raise unreadable(path, error) from error


def _taken_over(path: Path, heir: Heir, now: datetime) -> TakenOver:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
            before = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            try:
                return _in_one_transaction(path, connection, heir, now)
            except BaseException:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    connection.execute(f"PRAGMA journal_mode = {before}")
                raise
    except Unlike as unlike:
        raise LedgerUnusable(path, f"it has changed meanwhile: {unlike}", "try again") from None
    except sqlite3.Error as error:
        raise unreadable(path, error) from error


def _in_one_transaction(
    path: Path, connection: sqlite3.Connection, heir: Heir, now: datetime
) -> TakenOver:
    """Nobody else can write from before the backup to the commit."""
    connection.execute("BEGIN IMMEDIATE")
    version = version_of(connection)
    _refuse_own_names(path, connection)
    backup = stamped(path, f"v{version}", now)
    copy(path, backup)
    # Views and triggers of the file go on meaning what now stands under the old names.
    connection.execute("PRAGMA legacy_alter_table = ON")
    for table in RENAMED:
        connection.execute(f"ALTER TABLE {table} RENAME TO legacy_{table}")
    connection.execute("PRAGMA legacy_alter_table = OFF")
    migrate(Database(connection, execute_plugins=False))
    for statement in rows.TABLES:
        connection.execute(statement)
    taken = _filled(connection, heir, version, backup, now)
    for statement in views(connection, version == 2):
        connection.execute(statement)
    connection.execute("COMMIT")
    return taken


def _refuse_own_names(path: Path, connection: sqlite3.Connection) -> None:
    """Raise LedgerUnusable for a file with a table of its own under a name that is needed."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        migrate(Database(empty, execute_plugins=False))
        needed = {str(row[0]) for row in empty.execute("SELECT name FROM sqlite_master")}
    has = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
    own = {one for one in has if one.startswith(("legacy_", "all_"))} | (has & needed)
    own -= {"sqlite_sequence"}
    if own:
        raise LedgerUnusable(
            path,
            f"it is the database of the older single-follower version, and has {min(own)} besides, "
            "a name that Lockstep needs",
            f"rename {min(own)}",
        )


def _filled(
    connection: sqlite3.Connection, heir: Heir, version: int, backup: Path, now: datetime
) -> TakenOver:
    """Fill the ledger's tables from the older ones."""
    said = dict(connection.execute("SELECT key, value FROM legacy_config").fetchall())
    asked = {
        "leader": heir.leader,
        "follower": heir.follower,
        "account": heir.account,
        "at": micros(now),
        "today": _day_of(int(now.timestamp())),
        "day": _day_of(_number(connection, _NEWEST)),
    }
    for statement in (
        rows.orders(version == 2),
        rows.FILLS,
        rows.OPEN,
        rows.INTENTS,
        rows.ANSWERS,
        rows.COPIES,
    ):
        connection.execute(statement, asked)
    connection.execute(
        "INSERT INTO legacy_adoption (at, version, backup, leader, follower, account, last_intent) "
        "SELECT :at, :version, :backup, :leader, :follower, :account, coalesce(max(id), 0) "
        "FROM intents",
        asked | {"version": version, "backup": backup.name},
    )
    left_out = connection.execute(rows.LEFT_OUT).fetchone()
    taken = TakenOver(
        backup,
        _number(connection, "SELECT count(*) FROM order_states"),
        _number(connection, "SELECT count(*) FROM copies"),
        _number(connection, "SELECT count(*) FROM legacy_open"),
        int(left_out["orders"]),
        int(left_out["mappings"]),
        said.get("copy_enabled", "true").strip().lower() not in ("false", "0", "no"),
    )
    mark = _seconds(said.get(WATERMARK, "0"))
    if mark:
        connection.execute(UPSERT_SETTING, setting_row(Setting(WATERMARK, str(mark))))
    if not taken.copied:
        word = HaltAsked("older-program", heir.follower, Word.HALT, "the older program", now)
        connection.execute(INSERT_HALT, halt_row(word))
        taken_up = HaltNoted(word, "no entries until it is released", now, done=True)
        connection.execute(NOTE_HALT, noted_row(taken_up))
    for alert in _alerts(taken, heir):
        connection.execute(INSERT_ALERT, alert_row(alert))
    return taken


_NEWEST = "SELECT coalesce(max(created_at), 0) FROM legacy_orders WHERE account_type = 'leader'"


def _alerts(taken: TakenOver, heir: Heir) -> list[Alert]:
    where = "ledger.path"
    told = [
        Alert(
            Level.NOTE,
            f"the older program's database is taken over: {taken.orders} orders, {taken.copies} "
            f"copies, {taken.open} orders open",
            where,
            f"as it was, it is in {taken.backup.name}",
        )
    ]
    if taken.orders_left_out or taken.copies_left_out:
        what = (
            f"{taken.orders_left_out} orders and {taken.copies_left_out} copies of the older "
            "program have words that mean nothing here, and stand in its tables only"
        )
        told.append(Alert(Level.WARNING, what, where, "see the views orders and copy_mappings"))
    if not taken.copied:
        what = (
            "the older program was told not to copy (copy_enabled in its table config), so "
            f"{heir.follower} is halted"
        )
        fix = f"python run.py followers release {heir.follower}"
        told.append(Alert(Level.WARNING, what, where, fix))
    return told


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _seconds(written: str) -> int:
    """An instant in seconds, 0 for none; thousandths are known by their size."""
    number = int(float(written)) if written.replace(".", "", 1).isdigit() else 0
    return number if number < _MOST_SECONDS else number // _THOUSANDTHS


def _day_of(seconds: int) -> int:
    """When the day in India of that instant began."""
    at = datetime.fromtimestamp(seconds, IST).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(at.timestamp())
