"""Looking on: queries for people and scripts, beside a running engine or without one.

A reader cannot write, takes no lock that a writer waits for, and keeps nothing open between two
questions.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType

from domain.attempts import Change, Withdrawal
from domain.copies import CopyState
from domain.instruments import InstrumentKey, Segment
from domain.messages import Alert, CopyReport, Level
from domain.missed import Missed
from domain.orders import Side, Terms
from ledger.instants import instant, maybe_instant, maybe_micros
from ledger.knowledge import terms_of
from ledger.lock import running_pid
from ledger.missed import missed_of
from ledger.opening import LedgerUnusable, connect_read_only, ours, present, unreadable
from ledger.rows import CHANGES

_COPIES = """
    SELECT * FROM copies
    WHERE (?1 IS NULL OR follower = ?1) AND (?2 IS NULL OR leader_order_id = ?2)
        AND (?3 IS NULL OR updated_at >= ?3)
    ORDER BY born, leader_order_id, follower
"""
_INTENTS = """
    SELECT * FROM intents LEFT JOIN answers ON answers.intent_id = intents.id
    WHERE leader_order_id = ?1 AND (?2 IS NULL OR follower = ?2) ORDER BY id
"""
_MISSED = """
    SELECT order_states.*, copies.follower, copies.born, copies.symbol AS named,
        copies.side AS taken, missed_quantity, missed_age, missed_allowed, missed_price,
        missed_price_at
    FROM copies
    JOIN order_states ON order_id = leader_order_id AND role = 'leader'
    WHERE state = 'skipped' AND missed_quantity IS NOT NULL
        AND (?1 IS NULL OR follower = ?1) AND (?2 IS NULL OR leader_order_id = ?2)
    ORDER BY copies.born, leader_order_id, follower
"""
_INSTRUCTION = "SELECT * FROM instructions WHERE key = ?"
_ALERTS = "SELECT * FROM alerts ORDER BY id DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it was recorded, and what came of it.

    `terms` are None for a cancel, `why` is its reason. `outcome` is None while no answer is
    recorded; `message` is what the broker said, or what went wrong. `commit_us`, `wire_us` and
    `answer_us` tell how many microseconds after planning it was recorded, was written to the
    broker, and was answered.
    """

    follower: str
    correlation_id: str
    number: int
    change: Change | None
    order_id: str
    terms: Terms | None
    why: str
    intended_at: datetime
    outcome: str | None
    given_order_id: str
    message: str
    code: str
    http_status: int | None
    commit_us: int | None
    wire_us: int | None
    answer_us: int | None


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares that were learnt of at once: `value` is what they cost, in paise; `cumulative` is
    the filled quantity of the order with them, `at` the broker's time."""

    order_id: str
    client_id: str
    quantity: int
    value: int
    cumulative: int
    at: datetime


@dataclass(frozen=True, slots=True)
class MissedEntry:
    """An entry that a follower missed, with the leader's order as it is known now: its `terms`,
    the shares that traded of it and what they cost (paise). `side` is the follower's; `born` is
    when it was placed, for an inverse follower when it traded."""

    leader_order_id: str
    follower: str
    instrument: InstrumentKey
    symbol: str
    side: Side
    terms: Terms
    filled: int
    traded_value: int
    born: datetime | None
    missed: Missed


@dataclass(frozen=True, slots=True)
class Told:
    """An alert, and when it was recorded."""

    at: datetime
    alert: Alert


@dataclass(frozen=True, slots=True)
class Closed:
    """What came of the operator's instruction, and when it was recorded."""

    at: datetime
    outcome: str
    taken: bool


class Reader:
    """An onlooker of a ledger, for the one thread that opened it. Every question may raise
    `LedgerUnusable`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> "Reader":
        """A reader of the ledger at `path`.

        Raises `LedgerUnusable` for a file that is absent, empty, foreign, newer or damaged.
        """
        if not present(path):
            raise LedgerUnusable(path, "there is no such ledger", "start Lockstep, which makes it")
        if not ours(path, thoroughly=False):
            raise LedgerUnusable(path, "nothing was written in it yet", "start Lockstep first")
        try:
            return cls(path, connect_read_only(path))
        except sqlite3.Error as error:
            raise unreadable(path, error) from error

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self._connection.close()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def running_pid(self) -> int | None:
        """The process of the engine that writes this ledger, None when none runs, 0 when one
        runs whose pid cannot be read."""
        return running_pid(self.path)

    def copies(
        self,
        follower: str | None = None,
        order: str | None = None,
        since: datetime | None = None,
    ) -> list[CopyReport]:
        """The copies, oldest leader order first: of one follower, of one leader order (its
        id), of those that changed since then."""
        rows = self.rows(_COPIES, follower, order, maybe_micros(since))
        return [_report(row) for row in rows]

    def missed(self, follower: str | None = None, order: str | None = None) -> list[MissedEntry]:
        """The entries that came too late, oldest leader order first: for one follower, of one
        leader order (its id)."""
        return [
            _missed(row, missed)
            for row in self.rows(_MISSED, follower, order)
            if (missed := missed_of(row)) is not None
        ]

    def intents(self, order: str, follower: str | None = None) -> list[Asked]:
        """Every request for copies of a leader order, as they were recorded."""
        return [_asked(row) for row in self.rows(_INTENTS, order, follower)]

    def fills(self, order_ids: Sequence[str]) -> list[Fill]:
        """The fills of these orders, of the leader or of followers, as they grew."""
        marks = ", ".join("?" * len(order_ids))
        rows = self.rows(
            f"SELECT * FROM fills WHERE order_id IN ({marks}) ORDER BY order_id, cumulative",
            *order_ids,
        )
        return [_fill(row) for row in rows]

    def alerts(self, limit: int) -> list[Told]:
        """The newest alerts, newest first."""
        return [_told(row) for row in self.rows(_ALERTS, limit)]

    def instruction(self, key: str) -> Closed | None:
        """What came of an instruction, None while it waits."""
        row = next(iter(self.rows(_INSTRUCTION, key)), None)
        if row is None or row["closed_at"] is None:
            return None
        return Closed(instant(row["closed_at"]), row["outcome"], bool(row["taken"]))

    def setting(self, key: str) -> str | None:
        """A value that outlives the process, None when it was never set."""
        rows = self.rows("SELECT value FROM settings WHERE key = ?", key)
        return str(rows[0]["value"]) if rows else None

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """All that is asked within is of one instant, whatever is written meanwhile."""
        self.rows("BEGIN")
        try:
            yield
        finally:
            self.rows("ROLLBACK")

    def rows(self, sql: str, *values: str | int | None) -> list[sqlite3.Row]:
        """The rows that a query of this package finds."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from error


def _report(row: sqlite3.Row) -> CopyReport:
    return CopyReport(
        leader_order_id=row["leader_order_id"],
        follower=row["follower"],
        state=CopyState(row["state"]),
        reason=row["reason"],
        order_ids=tuple(json.loads(row["order_ids"])),
        correlation_ids=tuple(json.loads(row["correlation_ids"])),
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=row["quantity"],
        filled=row["filled"],
        traded_value=row["traded_value"],
        leader_filled=row["leader_filled"],
        leader_value=row["leader_value"],
        slippage_paise=row["slippage_paise"],
        slippage_bps=row["slippage_bps"],
        dispatch_us=row["dispatch_us"],
        in_step=bool(row["in_step"]),
        sizing=row["sizing"],
        at=maybe_instant(row["updated_at"]),
    )


def _asked(row: sqlite3.Row) -> Asked:
    change, planned = CHANGES[row["kind"]], row["planned_ns"]
    return Asked(
        follower=row["follower"],
        correlation_id=row["correlation_id"],
        number=row["attempt"],
        change=change,
        order_id=row["order_id"],
        terms=None if change is Change.CANCEL else terms_of(row),
        why=str(Withdrawal[row["why"]]) if row["why"] else "",
        intended_at=instant(row["intended_at"]),
        outcome=row["outcome"],
        given_order_id=row["given_order_id"] or "",
        message=row["message"] or "",
        code=row["code"] or "",
        http_status=row["http_status"],
        commit_us=_since(planned, row["committed_ns"]),
        wire_us=_since(planned, row["written_ns"]),
        answer_us=_since(planned, row["answered_ns"]),
    )


def _since(planned_ns: int, at_ns: int | None) -> int | None:
    return None if at_ns is None else (at_ns - planned_ns) // 1000


def _missed(row: sqlite3.Row, missed: Missed) -> MissedEntry:
    return MissedEntry(
        leader_order_id=row["order_id"],
        follower=row["follower"],
        instrument=InstrumentKey(Segment(row["segment"]), row["security_id"]),
        symbol=row["named"],
        side=Side(row["taken"]),
        terms=terms_of(row),
        filled=row["filled"],
        traded_value=row["traded_value"],
        born=maybe_instant(row["born"]),
        missed=missed,
    )


def _fill(row: sqlite3.Row) -> Fill:
    return Fill(
        order_id=row["order_id"],
        client_id=row["client_id"],
        quantity=row["quantity"],
        value=row["value"],
        cumulative=row["cumulative"],
        at=instant(row["at"]),
    )


def _told(row: sqlite3.Row) -> Told:
    alert = Alert(Level(row["level"]), row["what"], row["place"], row["fix"])
    return Told(instant(row["at"]), alert)
