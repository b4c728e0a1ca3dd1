"""The journal: what every follower decided by, kept so that a day can be followed again.

An input is kept as its kind and the JSON of its fields. What is told to all followers alike is
kept once.
"""

import json
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol, get_args

from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn
from cattrs.strategies import configure_tagged_union

from domain.inputs import Input, Mandate, MarketFound, Opened
from domain.messages import Intent
from domain.outcomes import Outcome
from domain.protection import Protection
from domain.rules import Rules
from domain.schedules import Schedule
from domain.sessions import Phase
from domain.sizing import Sizing, parse
from domain.steps import Request
from ledger.entries import Noted, Unsent
from ledger.instants import instant, micros

INSERT_NOTED = "INSERT INTO journal (id, follower, at, kind, body) VALUES (?, ?, ?, ?, ?)"
INSERT_BODY = "INSERT INTO journal_bodies (id, body) VALUES (?, ?)"

_NOTED = """
    SELECT journal.at, journal.kind, journal_bodies.body FROM journal
    JOIN journal_bodies ON journal_bodies.id = journal.body
    WHERE follower = ?1 AND journal.id >= ?2 AND at < ?3 ORDER BY journal.id
"""
_UNSENT = """
    SELECT journal_bodies.body FROM journal JOIN journal_bodies ON journal_bodies.id = journal.body
    WHERE follower = ?1 AND kind = 'Unsent' AND at >= ?2 AND at < ?3
"""
_BEGINNING = """
    SELECT max(id) FROM journal WHERE follower = ?1 AND kind = 'Opened' AND at <= ?2
"""
_FIRST = "SELECT min(id) FROM journal WHERE follower = ?1 AND kind = 'Opened' AND at < ?2"
_FOLLOWERS = "SELECT DISTINCT follower FROM journal WHERE at >= ?1 AND at < ?2 ORDER BY follower"
_LIVES = """
    SELECT follower, max(id) AS began FROM journal INDEXED BY journal_lives
    WHERE kind = 'Opened' AND at < ?1 GROUP BY follower
"""
_PRUNE = """
    DELETE FROM journal WHERE id IN (
        SELECT id FROM journal INDEXED BY journal_of
        WHERE follower = ?1 AND at < ?2 AND id < ?3 ORDER BY at LIMIT ?4
    )
"""
_PRUNE_BODIES = """
    DELETE FROM journal_bodies WHERE id IN (
        SELECT id FROM journal_bodies
        WHERE id < (SELECT body FROM journal ORDER BY id LIMIT 1) - ?1 ORDER BY id LIMIT ?2
    )
"""
_PRUNED_AT_ONCE = 2000
_MOST_SHARED = 256
_MOST_KEPT = 4096
_compact = json.JSONEncoder(separators=(",", ":")).encode
_MARGIN = 10_000  # of bodies, more than can be shared with later inputs

_Row = tuple[str | int, ...]

_Told = Input | Unsent

_KINDS: dict[str, type[_Told]] = {kind.__name__: kind for kind in get_args(_Told)}


class Journal:
    """Rows for the next commit, numbered ahead."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for kind in _KINDS.values():
            _words.get_unstructure_hook(kind)  # made now, so that no first order waits for it
        self._committed = self._last = _newest(connection, "journal")
        self._bodies_committed = self._last_body = _newest(connection, "journal_bodies")
        self._shared: dict[int, tuple[_Told, int]] = {}
        self.rows: list[_Row] = []
        self.bodies: list[_Row] = []

    def add(self, noted: Noted) -> None:
        """Have the input in the next commit."""
        self._add(noted.follower, noted.at, noted.told)

    def add_unsent(self, unsent: Unsent) -> None:
        """Have it in the next commit that a request did not leave."""
        intent = unsent.intent
        self._add(intent.follower, intent.intended_at, unsent)

    def _add(self, follower: str, at: datetime, told: _Told) -> None:
        shared = self._shared.get(id(told))
        if shared is None:
            self._last_body += 1
            self.bodies.append((self._last_body, encode(told)))
            shared = self._shared[id(told)] = (told, self._last_body)
        self._last += 1
        kind = type(told).__name__
        self.rows.append((self._last, follower, micros(at), kind, shared[1]))

    def committed(self) -> None:
        """What was added is in the ledger now."""
        self._committed, self._bodies_committed = self._last, self._last_body
        self.rows, self.bodies = [], []
        while len(self._shared) > _MOST_SHARED:
            del self._shared[next(iter(self._shared))]

    def forget(self) -> None:
        """What was added will not be committed."""
        if self.rows:
            self._last, self._last_body = self._committed, self._bodies_committed
            self.rows, self.bodies = [], []
            self._shared.clear()

    def prune(self, before: datetime) -> bool:
        """Delete some of what was noted before then, but whole lives of actors only, so that
        what is kept can be followed from a beginning; whether there may be more."""
        deleted, until = 0, micros(before)
        for follower, began in self._connection.execute(_LIVES, (until,)).fetchall():
            room = _PRUNED_AT_ONCE - deleted
            done = self._connection.execute(_PRUNE, (follower, until, began, room))
            deleted += done.rowcount
        bodies = self._connection.execute(_PRUNE_BODIES, (_MARGIN, _PRUNED_AT_ONCE))
        return max(deleted, bodies.rowcount) >= _PRUNED_AT_ONCE


class Rows(Protocol):
    """A ledger, for its writer or an onlooker."""

    def rows(self, sql: str, *values: str | int | None) -> list[sqlite3.Row]:
        """The rows that a query finds."""
        ...


def followers_noted(ledger: Rows, since: datetime, until: datetime) -> list[str]:
    """Who took anything within that time. Raises what `rows` raises."""
    return [row["follower"] for row in ledger.rows(_FOLLOWERS, micros(since), micros(until))]


def noted(ledger: Rows, follower: str, since: datetime, until: datetime) -> Iterator[Noted]:
    """What a follower took until then, in order, from where its actor began that ran at `since`
    (or began first after it). Raises what `rows` raises, and ValueError for an input that
    another version wrote and this one cannot read."""
    asked = (follower, micros(since))
    first = ledger.rows(_BEGINNING, *asked)[0][0]
    if first is None:
        first = ledger.rows(_FIRST, follower, micros(until))[0][0]
    if first is None:
        return
    for row in ledger.rows(_NOTED, follower, first, micros(until)):
        told = decode(row["kind"], row["body"])
        if not isinstance(told, Unsent):
            yield Noted(follower, instant(row["at"]), told)


def unsent(ledger: Rows, follower: str, since: datetime, until: datetime) -> Iterator[Intent]:
    """What a follower was to ask for within that time when the ledger could not be written.
    Raises what `noted` raises."""
    for row in ledger.rows(_UNSENT, follower, micros(since), micros(until)):
        told = decode(Unsent.__name__, row["body"])
        if isinstance(told, Unsent):
            yield told.intent


def encode(told: _Told) -> str:
    """The fields of an input as JSON."""
    return _compact(_words.unstructure(told))


@lru_cache(_MOST_KEPT)
def decode(kind: str, body: str) -> _Told:
    """The input of that kind; what several followers took is read once. Raises ValueError for one
    that this version cannot read."""
    try:
        told: _Told = _words.structure(json.loads(body), _KINDS[kind])
    except Exception as trouble:
        raise ValueError(f"an input {kind} that this version cannot read") from trouble
    return told


def _newest(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0)


def _market(told: dict[str, Any], _: object) -> MarketFound:
    """Earlier versions told a segment, which bears the name of what most of it keeps, and no
    phase."""
    phase, ago = told.get("phase"), told.get("ago")
    return MarketFound(
        Schedule(told.get("schedule") or told["segment"]),
        told["takes"],
        None if phase is None else Phase(phase),
        None if ago is None else ago * timedelta.resolution,
    )


def _converter() -> Converter:
    """Amounts and instants as whole numbers. Fields that have
    their default are left out, but for those of a mandate: other defaults must not rewrite it."""
    made = Converter(omit_if_default=True)
    made.register_unstructure_hook(datetime, micros)
    made.register_structure_hook(datetime, lambda number, _: instant(number))
    made.register_unstructure_hook(date, date.isoformat)
    made.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    made.register_unstructure_hook(timedelta, lambda one: one // timedelta.resolution)
    made.register_structure_hook(timedelta, lambda number, _: number * timedelta.resolution)
    made.register_unstructure_hook(Fraction, str)
    made.register_structure_hook(Fraction, lambda text, _: Fraction(text))
    made.register_unstructure_hook(Sizing, lambda rule: rule.text)
    made.register_structure_hook(Sizing, lambda text, _: parse(text))
    made.register_structure_hook(MarketFound, _market)
    for union in (Outcome, Request):
        configure_tagged_union(union, made, tag_name="is")
    for whole in (Protection, Rules, Mandate, Opened):
        hook = make_dict_unstructure_fn(whole, made, _cattrs_omit_if_default=False)
        made.register_unstructure_hook(whole, hook)
    return made


_words = _converter()
