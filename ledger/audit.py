"""The audit: every request to the broker, with what came of it, how long it waited and took."""

import sqlite3
from dataclasses import dataclass, fields
from datetime import datetime

from ledger.entries import ReadsMade
from ledger.history import Rows
from ledger.instants import instant, micros

_REQUESTS = """
    SELECT intents.*, waited_us, outcome, refusal, message, code, http_status, given_order_id,
        committed_ns, written_ns, answered_ns
    FROM intents LEFT JOIN answers ON answers.intent_id = intents.id
    WHERE intended_at >= ?1 AND intended_at < ?2 AND (?3 IS NULL OR follower = ?3) ORDER BY id
"""
_READS = """
    SELECT * FROM reads
    WHERE at >= ?1 AND at < ?2 AND (?3 IS NULL OR client_id = ?3) ORDER BY at, id
"""
_PRUNED_AT_ONCE = 1000

# Placements of what is carried overnight stay: they tell what was built.
_OLD = """
    SELECT id FROM intents INDEXED BY intents_since
    WHERE intended_at < ?1 AND (kind != 'place' OR product = 'INTRADAY')
    ORDER BY intended_at LIMIT ?2
"""
_PRUNE_ANSWERS = f"DELETE FROM answers WHERE intent_id IN ({_OLD})"
_PRUNE_INTENTS = f"DELETE FROM intents WHERE id IN ({_OLD})"
_PRUNE_READS = """
    DELETE FROM reads WHERE id IN (SELECT id FROM reads ORDER BY id LIMIT ?2) AND at < ?1
"""

INSERT_READS = """
    INSERT INTO reads
        (at, client_id, request, status, error, times, took_us, longest_us, waited_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class Audited:
    """A request, or `times` reads that were the same within a minute. `request` says what was
    asked; `outcome` is empty while no answer is recorded; times are microseconds: `waited_us` for
    a permit (a read: to be written), `record_us` to be recorded and written, `took_us` from the
    writing to the answer (None where it was not written), of several reads the mean."""

    at: datetime
    account: str
    follower: str
    request: str
    leader_order_id: str
    order_id: str
    attempt: int | None
    outcome: str
    http_status: int | None
    message: str
    waited_us: int
    record_us: int | None
    took_us: int | None
    times: int = 1


def reads_row(made: ReadsMade) -> tuple[str | int | None, ...]:
    """A row for `INSERT_READS`."""
    return (
        micros(made.at),
        made.client_id,
        made.request,
        made.status,
        made.error,
        made.times,
        made.took_us,
        made.longest_us,
        made.waited_us,
    )


def audited(made: ReadsMade) -> Audited:
    """Reads as the audit shows them."""
    return Audited(
        at=made.at,
        account=made.client_id,
        follower="",
        request=made.request,
        leader_order_id="",
        order_id="",
        attempt=None,
        outcome="not answered" if made.status is None else "answered",
        http_status=made.status,
        message=made.error,
        waited_us=made.waited_us // made.times,
        record_us=None,
        took_us=made.took_us // made.times,
        times=made.times,
    )


def requests_made(
    ledger: Rows, since: datetime, until: datetime, follower: str | None
) -> list[Audited]:
    """What changed or would have changed orders within that time. Raises what `rows` raises."""
    asked = (micros(since), micros(until), follower)
    return [_request(row) for row in ledger.rows(_REQUESTS, *asked)]


def reads_made(
    ledger: Rows, since: datetime, until: datetime, client_id: str | None
) -> list[Audited]:
    """What was read within that time. Raises what `rows` raises."""
    return [
        audited(_read(row)) for row in ledger.rows(_READS, micros(since), micros(until), client_id)
    ]


def prune_audit(connection: sqlite3.Connection, reads: datetime, requests: datetime | None) -> bool:
    """Delete some reads and requests of before then, within the transaction that is open; whether
    there may be more."""
    gone = connection.execute(_PRUNE_READS, (micros(reads), _PRUNED_AT_ONCE)).rowcount
    if requests is not None:
        asked = (micros(requests), _PRUNED_AT_ONCE)
        connection.execute(_PRUNE_ANSWERS, asked)
        gone = max(gone, connection.execute(_PRUNE_INTENTS, asked).rowcount)
    return gone >= _PRUNED_AT_ONCE


def _request(row: sqlite3.Row) -> Audited:
    return Audited(
        at=instant(row["intended_at"]),
        account=row["client_id"],
        follower=row["follower"],
        request=" ".join(_words(row)),
        leader_order_id=row["leader_order_id"],
        order_id=row["given_order_id"] or row["order_id"],
        attempt=row["attempt"],
        outcome=row["outcome"] or "",
        http_status=row["http_status"],
        message=" ".join(filter(None, (row["code"], row["message"]))),
        waited_us=row["waited_us"],
        record_us=_micros(row["planned_ns"], row["written_ns"]),
        took_us=_micros(row["written_ns"], row["answered_ns"]),
    )


def _words(row: sqlite3.Row) -> list[str]:
    words = [row["kind"]]
    if row["side"]:
        words += [row["side"], row["segment"], row["security_id"], row["product"]]
    if row["quantity"] is not None:
        words += [str(row["quantity"]), row["order_type"], row["validity"]]
    words += [
        f"{name} {row[column] / 100:.2f}"
        for name, column in (("at", "price"), ("trigger", "trigger_price"))
        if row[column]
    ]
    return words


def _micros(began_ns: int | None, ended_ns: int | None) -> int | None:
    return None if began_ns is None or ended_ns is None else (ended_ns - began_ns) // 1000


def _read(row: sqlite3.Row) -> ReadsMade:
    found = {one.name: row[one.name] for one in fields(ReadsMade)}
    return ReadsMade(**found | {"at": instant(row["at"])})
