"""The instrument master in a file of its own beside the ledger, found by segment and security id.

Each edition is written whole under another name and put in place by a rename. So whoever reads
finds all of one edition or all of the next, without any lock, and whatever becomes of the writer,
the edition before stays.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from domain.instruments import Instrument, InstrumentKey, OptionType, Segment
from domain.sessions import IST
from ledger.disk import to_disk
from ledger.instants import instant, micros
from ledger.lock import Lock

PUBLISHED = time(8, 30)  # an assumption: before any market opens, and late for the publisher

_APPLICATION_ID = 0x4C4B494D  # "LKIM"
_VERSION = 2
_SCHEMA = f"""
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {_VERSION};
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -32768;
    CREATE TABLE edition (
        source TEXT NOT NULL,
        loaded_at INTEGER NOT NULL,
        instruments INTEGER NOT NULL,
        left_out INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE instruments (
        segment TEXT NOT NULL,
        security_id TEXT NOT NULL,
        lot INTEGER NOT NULL,
        tick INTEGER NOT NULL,
        symbol TEXT NOT NULL,
        underlying TEXT NOT NULL,
        kind TEXT NOT NULL,
        freeze INTEGER,
        upper INTEGER,
        lower INTEGER,
        expiry TEXT,
        strike INTEGER,
        option_type TEXT,
        derivatives INTEGER NOT NULL,
        PRIMARY KEY (segment, security_id)
    ) STRICT, WITHOUT ROWID;
"""
_INSERT = f"INSERT OR REPLACE INTO instruments VALUES ({', '.join('?' * 14)})"
_WITHOUT_DERIVATIVES = """
    UPDATE instruments SET derivatives = 0
    WHERE segment = ?1 AND underlying <> '' AND underlying NOT IN futures
        AND EXISTS (SELECT 1 FROM instruments WHERE segment = ?1 AND underlying IN futures)
"""
_FUTURES = """
    CREATE TEMPORARY TABLE futures AS
    SELECT DISTINCT underlying FROM instruments
    WHERE segment IN ('NSE_FNO', 'BSE_FNO') AND kind = 'FUTSTK'
"""
_EDITION = "SELECT source, loaded_at, instruments, left_out FROM edition"
_FIND = "SELECT * FROM instruments WHERE segment = ?1 AND security_id = ?2"
_SEARCH = """
    SELECT * FROM instruments
    WHERE security_id = ?1 OR upper(underlying) = ?1 OR instr(upper(symbol), ?1)
    ORDER BY segment, underlying, expiry, strike, symbol, security_id LIMIT ?2
"""

_Row = tuple[str | int | None, ...]


class NoMaster(Exception):
    """There is no edition that can be read, or none can be made of what was told: why."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of the master: where it is from, when it was loaded, how many instruments it
    has, and how many rows were left out because they said nothing sensible."""

    source: str
    loaded_at: datetime
    instruments: int
    left_out: int

    def fresh(self, now: datetime) -> bool:
        """Whether it was loaded since Dhan last published one."""
        local = now.astimezone(IST)
        published = IST.localize(datetime.combine(local.date(), PUBLISHED))
        return self.loaded_at >= (published if published <= now else published - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class MasterFile:
    """The file at `path`, for editions from one `source` (an address or a path): what was loaded
    from another one is none."""

    path: Path
    source: str

    @classmethod
    def beside(cls, ledger: Path, source: str) -> "MasterFile":
        """The master of whoever keeps that ledger."""
        return cls(ledger.with_name(f"{ledger.name}.instruments"), source)

    def edition(self) -> Edition:
        """The edition in place. Raises `NoMaster`."""
        with self._reading() as (edition, _):
            return edition

    def find(
        self, keys: Iterable[InstrumentKey]
    ) -> tuple[Edition, dict[InstrumentKey, Instrument | None]]:
        """What the edition in place says of these keys, None where it has no such instrument.
        Raises `NoMaster`."""
        with self._reading() as (edition, connection):
            rows = {
                key: connection.execute(_FIND, (key.segment, key.security_id)).fetchone()
                for key in keys
            }
            return edition, {key: row and _instrument(row) for key, row in rows.items()}

    def search(self, word: str, limit: int) -> list[Instrument]:
        """Up to so many instruments that have this security id or underlying, or the word in
        their symbol. Raises `NoMaster`."""
        with self._reading() as (_, connection):
            return [_instrument(row) for row in connection.execute(_SEARCH, (word.upper(), limit))]

    def write(self, rows: Iterable[Instrument | None], now: datetime) -> Edition:
        """Put a new edition in place, loaded at `now`; None is a row that was left out.

        Whatever is raised, the edition before stays: `NoMaster` for what can be none,
        `ledger.lock.Held` while another process writes one, OSError, sqlite3.Error, and what
        `rows` raises.
        """
        lock = Lock.take(self.path)
        draft = self.path.with_name(f"{self.path.name}.new")
        try:
            draft.unlink(missing_ok=True)
            os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            edition = self._draw_up(draft, rows, now)
            to_disk(draft)
            draft.replace(self.path)
            to_disk(self.path.parent)
        finally:
            draft.unlink(missing_ok=True)
            lock.release()
        return edition

    def _draw_up(self, draft: Path, rows: Iterable[Instrument | None], now: datetime) -> Edition:
        """Write an edition into an empty file."""
        told = 0

        def good() -> Iterator[_Row]:
            nonlocal told
            for row in rows:
                told += 1
                if row is not None:
                    yield _row(row)

        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.executescript(_SCHEMA)
            connection.execute("BEGIN")
            kept = connection.executemany(_INSERT, good()).rowcount
            _mark_shares(connection)
            edition = Edition(self.source, now, _count(connection), told - kept)
            self._refuse_part(edition)
            connection.execute(
                "INSERT INTO edition VALUES (?, ?, ?, ?)",
                (self.source, micros(now), edition.instruments, edition.left_out),
            )
            connection.execute("COMMIT")
        return edition

    def _refuse_part(self, edition: Edition) -> None:
        """Raise `NoMaster` for what can hardly be a whole master: what it lacks would look
        unknown, and would not be copied."""
        found = edition.instruments
        if not found:
            raise NoMaster("no instrument in it")
        if edition.left_out > found:
            raise NoMaster(f"{edition.left_out} of its rows cannot be read, only {found} can")
        before = self._instruments_before()
        if found < before / 2:
            raise NoMaster(
                f"it has only {found} instruments, the one before {before}; if that is right, "
                f"remove {self.path}"
            )

    def _instruments_before(self) -> int:
        try:
            return self.edition().instruments
        except NoMaster:
            return 0

    @contextmanager
    def _reading(self) -> Iterator[tuple[Edition, sqlite3.Connection]]:
        """The edition in place and a connection to it, which never changes under it."""
        if not self.path.exists():
            raise NoMaster("none was loaded yet")
        address = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
                if connection.execute("PRAGMA user_version").fetchone() != (_VERSION,):
                    raise NoMaster("another version of Lockstep wrote it")
                source, loaded_at, instruments, left_out = connection.execute(_EDITION).fetchone()
                if source != self.source:
                    raise NoMaster("it was loaded from another source")
                yield Edition(source, instant(loaded_at), instruments, left_out), connection
        except (sqlite3.Error, TypeError, ValueError) as trouble:
            raise NoMaster(f"it cannot be read ({type(trouble).__name__})") from trouble


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM instruments").fetchone()[0])


def _mark_shares(connection: sqlite3.Connection) -> None:
    """Note which shares have no derivatives: those that no single stock future is of. Where no
    share of a segment has a future, the master does not tell, and all count as having some."""
    connection.execute(_FUTURES)
    for segment in Segment:
        if segment.cash:
            connection.execute(_WITHOUT_DERIVATIVES, (segment,))


def _row(one: Instrument) -> _Row:
    key, expiry = one.key, one.expiry
    return (
        key.segment, key.security_id, one.lot, one.tick, one.symbol, one.underlying, one.kind,
        one.freeze, one.upper, one.lower, expiry.isoformat() if expiry else None, one.strike,
        one.option_type, one.derivatives,
    )  # fmt: skip


def _instrument(row: Sequence[Any]) -> Instrument:
    (
        segment, security_id, lot, tick, symbol, underlying, kind,
        freeze, upper, lower, expiry, strike, option_type, derivatives,
    ) = row  # fmt: skip
    return Instrument(
        key=InstrumentKey(Segment(segment), security_id),
        lot=lot,
        tick=tick,
        symbol=symbol,
        underlying=underlying,
        kind=kind,
        freeze=freeze,
        upper=upper,
        lower=lower,
        expiry=date.fromisoformat(expiry) if expiry else None,
        strike=strike,
        option_type=OptionType(option_type) if option_type else None,
        derivatives=bool(derivatives),
    )
