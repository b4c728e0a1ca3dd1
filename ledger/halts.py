"""The words on followers that halt or release them, as the ledger keeps them."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from domain.halts import HaltAsked, Word, in_force
from ledger.history import Rows
from ledger.instants import instant, maybe_instant
from ledger.instructions import asked_halts
from ledger.reader import Reader

_THERE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'halts'"
_WAITING = "SELECT * FROM halts WHERE taken_at IS NULL ORDER BY id"
_TAKEN = "SELECT * FROM halts WHERE follower = ? AND taken_at IS NOT NULL ORDER BY id"
_BY_KEY = "SELECT * FROM halts WHERE key = ?"


@dataclass(frozen=True, slots=True)
class Kept:
    """A word as the ledger has it: when it was taken (None: not yet), what came of it, and whether
    nothing is left to do."""

    asked: HaltAsked
    taken_at: datetime | None
    outcome: str
    done: bool


def waiting_halts(ledger: Rows) -> list[HaltAsked]:
    """The words that no follower has taken yet, the oldest first. Raises what `rows` raises."""
    return [_asked(row) for row in _rows(ledger, _WAITING)]


def standing_halt(ledger: Rows, follower: str, at: datetime | None = None) -> Kept | None:
    """The word that is in force for a follower, or was `at` an instant; None for none. Raises what
    `rows` raises."""
    kept = {row["key"]: _kept(row) for row in _rows(ledger, _TAKEN, follower)}
    standing: HaltAsked | None = None
    for one in kept.values():
        if at is None or (one.taken_at is not None and one.taken_at <= at):
            standing = in_force(standing, one.asked)
    return kept[standing.key] if standing else None


def in_force_next(reader: Reader, follower: str) -> HaltAsked | None:
    """The word that is in force once all that waits is taken, None for none. Raises
    `LedgerUnusable`."""
    kept = standing_halt(reader, follower)
    standing = kept.asked if kept else None
    for asked in (*waiting_halts(reader), *asked_halts(reader.path)):
        if asked.follower == follower:
            standing = in_force(standing, asked)
    return standing


def halt(ledger: Rows, key: str) -> Kept | None:
    """A word, None where the ledger does not have it (yet). Raises what `rows` raises."""
    return next((_kept(row) for row in ledger.rows(_BY_KEY, key)), None)


def _rows(ledger: Rows, sql: str, *values: str) -> list[sqlite3.Row]:
    """The rows that a query finds; none in a ledger that an older version wrote last."""
    return ledger.rows(sql, *values) if ledger.rows(_THERE) else []


def _kept(row: sqlite3.Row) -> Kept:
    taken_at = maybe_instant(row["taken_at"])
    return Kept(_asked(row), taken_at, row["outcome"], row["done_at"] is not None)


def _asked(row: sqlite3.Row) -> HaltAsked:
    return HaltAsked(
        key=row["key"],
        follower=row["follower"],
        word=Word(row["word"]),
        by=row["asked_by"],
        at=instant(row["at"]),
    )
