"""The operator's instructions: written beside a running engine, read by it.

The one thing that another process than the engine writes into the ledger, by a connection that
lives for one small transaction and never folds the write-ahead log, which stays the engine's.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from domain.copies import CopyState
from domain.instructions import Instruction, Verdict
from ledger.instants import instant, micros
from ledger.ledger import Ledger
from ledger.lock import Held, Lock
from ledger.opening import LedgerUnusable, not_writable, ours, present, unreadable
from ledger.schema import VERSION

_BUSY_MILLISECONDS = 5000
_COPY = "SELECT state, attempt FROM copies WHERE leader_order_id = ? AND follower = ?"
_WAITING = """
SELECT * FROM instructions WHERE leader_order_id = ? AND follower = ? AND closed_at IS NULL
"""
_REPLACE = "UPDATE instructions SET closed_at = ?, outcome = ? WHERE id = ?"
_INSERT = """
INSERT INTO instructions (at, leader_order_id, follower, attempt, verdict, order_id)
VALUES (?, ?, ?, ?, ?, ?) RETURNING *
"""
_OPEN = "SELECT * FROM instructions WHERE closed_at IS NULL ORDER BY id"


class Impossible(Exception):
    """The copy cannot be settled now; says why."""


def instruct(
    path: Path,
    leader_order_id: str,
    follower: str,
    verdict: Verdict,
    order_id: str,
    at: datetime,
) -> Instruction:
    """Write the operator's word on a parked copy into the ledger, on disk when this returns.

    While no engine runs, it replaces one that waits for the next start. Raises `Impossible` for
    a copy that is not parked and for one that an earlier instruction waits for, and
    `LedgerUnusable`.
    """
    with _alone(path) as alone, _connected(path) as connection:
        copy = connection.execute(_COPY, (leader_order_id, follower)).fetchone()
        if copy is None:
            raise Impossible(f"{follower} has no copy of order {leader_order_id}")
        if copy["state"] != CopyState.PARKED:
            raise Impossible(f"the copy of order {leader_order_id} is {copy['state']}")
        waiting = connection.execute(_WAITING, (leader_order_id, follower)).fetchone()
        if waiting is not None:
            if not alone:
                since = instant(waiting["at"]).isoformat(timespec="seconds")
                raise Impossible(f"an instruction of {since} ({waiting['verdict']}) waits for it")
            connection.execute(_REPLACE, (micros(at), "replaced by a later one", waiting["id"]))
        values = (micros(at), leader_order_id, follower, copy["attempt"], str(verdict), order_id)
        return _instruction(connection.execute(_INSERT, values).fetchone())


def waiting(ledger: Ledger) -> list[Instruction]:
    """The instructions that nobody has taken or refused yet. Raises `LedgerFailure`."""
    return [_instruction(row) for row in ledger.rows(_OPEN)]


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether no engine runs; none can start within the block then."""
    if not present(path):
        raise LedgerUnusable(path, "there is no such ledger", "start Lockstep, which makes it")
    try:
        lock = Lock.take(path)
    except Held:
        yield False
        return
    except OSError as error:
        raise not_writable(path, error) from error
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection within one transaction, committed at the end of the block."""
    if not ours(path, thoroughly=False):
        raise LedgerUnusable(path, "nothing was written in it yet", "start Lockstep first")
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("PRAGMA synchronous = FULL")
            if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                raise LedgerUnusable(
                    path, "an older Lockstep wrote it", "start this one, which brings it up to date"
                )
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise unreadable(path, error) from error


def _instruction(row: sqlite3.Row) -> Instruction:
    return Instruction(
        number=row["id"],
        leader_order_id=row["leader_order_id"],
        follower=row["follower"],
        attempt=row["attempt"],
        verdict=Verdict(row["verdict"]),
        order_id=row["order_id"],
    )
