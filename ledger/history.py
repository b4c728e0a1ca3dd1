"""Copies rebuilt from what the ledger kept, for a process that starts again.

Right by construction: the recorded intents and answers are replayed, in the order in which they
were committed, through the same steps (`domain.progress`) that made the lost copies. Over that
come the few things that neither tells: verdicts, and what order books proved.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol

from domain import progress, proof
from domain.attempts import Change, Stage, Withdrawal
from domain.copies import Copy, Skipped
from domain.instruments import InstrumentKey, Segment
from domain.orders import AmoTime, Order, Product, Side
from domain.outcomes import (
    Accepted,
    NotSent,
    Outcome,
    Recalled,
    Refusal,
    Refused,
    Throttled,
    Unknown,
)
from domain.rules import Rules
from domain.sizing import parse
from domain.steps import Cancel, Modify, Place, Request
from domain.tickets import Ticket
from ledger.instants import instant, maybe_instant, micros
from ledger.knowledge import order_of, terms_of
from ledger.missed import missed_of
from ledger.rows import CHANGES, stages_of

TOUCHED = """
    SELECT leader_order_id FROM intents WHERE follower = ?1 AND intended_at >= ?2
    UNION SELECT leader_order_id FROM copies WHERE follower = ?1 AND updated_at >= ?2
"""
"""Of ?1 (a follower) the copies that something happened to since ?2. All of their intents count,
also older ones."""

_COPIES = f"SELECT * FROM copies WHERE follower = ?1 AND leader_order_id IN ({TOUCHED})"
_INTENTS = f"""
    SELECT * FROM intents LEFT JOIN answers ON answers.intent_id = intents.id
    WHERE follower = ?1 AND leader_order_id IN ({TOUCHED}) ORDER BY id
"""
_ORDERS = f"""
    WITH asked AS (
        SELECT id, client_id, leader_order_id AS copied, correlation_id, order_id
        FROM intents WHERE follower = ?1 AND leader_order_id IN ({TOUCHED})
    )
    SELECT copied, order_states.* FROM asked
    JOIN order_states INDEXED BY order_states_correlation USING (correlation_id, client_id)
    UNION
    SELECT copied, order_states.* FROM asked JOIN answers ON answers.intent_id = asked.id
    JOIN order_states ON order_states.order_id = answers.given_order_id
        AND order_states.client_id = asked.client_id
    UNION
    SELECT copied, order_states.* FROM asked JOIN order_states USING (order_id, client_id)
    UNION
    SELECT copied, order_states.* FROM asked
    JOIN instructions ON instructions.leader_order_id = copied AND instructions.follower = ?1
        AND after IS NOT NULL
    JOIN order_states ON order_states.order_id = instructions.order_id
        AND order_states.client_id = asked.client_id
"""
# What an older program asked for (`ledger.adopting`) was not planned here.
_REQUESTS = """
    SELECT * FROM intents
    WHERE follower = ? AND intended_at >= ? AND intended_at < ? AND planned_ns > 0 ORDER BY id
"""
_SETTLED = "SELECT * FROM instructions WHERE follower = ? AND after IS NOT NULL"
_LEADER_ORDERS = """
    SELECT * FROM order_states WHERE role = 'leader' AND updated_at >= ?
    ORDER BY updated_at, order_id
"""
_ACCOUNTS = f"""
    SELECT DISTINCT client_id FROM intents
    WHERE follower = ?1 AND leader_order_id IN ({TOUCHED})
"""
_UNCLEAR = (Stage.SENT, Stage.UNKNOWN)

MEMORY = timedelta(days=5)
"""How far back copies are taken over: nothing of an older one is open any more."""


class Rows(Protocol):
    """A ledger, for its writer or an onlooker."""

    def rows(self, sql: str, *values: str | int | None) -> list[sqlite3.Row]:
        """The rows that a query finds."""
        ...


def copies_of(ledger: Rows, follower: str, since: datetime) -> list[Copy]:
    """The copies of a follower that were touched since then, as its book last had them.

    What was in flight still looks so: `domain.progress.interrupted` says what a new process
    makes of it. Raises what `rows` raises, and ValueError for rows that this version cannot have
    written.
    """
    asked = (follower, micros(since))
    verdicts = {row["leader_order_id"]: row for row in ledger.rows(_COPIES, *asked)}
    intents: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in ledger.rows(_INTENTS, *asked):
        intents[row["leader_order_id"]].append(row)
    orders: dict[str, list[Order]] = defaultdict(list)
    for row in ledger.rows(_ORDERS, *asked):
        orders[row["copied"]].append(order_of(row))
    settled: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in ledger.rows(_SETTLED, follower):
        settled[row["leader_order_id"]].append(row)
    rules = Rules(follower)
    return [
        _rebuilt(
            verdicts.get(leader_id),
            intents[leader_id],
            settled[leader_id],
            orders[leader_id],
            rules,
        )
        for leader_id in sorted({*verdicts, *intents})
    ]


def accounts_of(ledger: Rows, follower: str, since: datetime) -> set[str]:
    """The client ids of the accounts that the copies of `copies_of` were placed in. Raises what
    `rows` raises."""
    return {row["client_id"] for row in ledger.rows(_ACCOUNTS, follower, micros(since))}


@dataclass(frozen=True, slots=True)
class Requested:
    """A request for the copy of a leader order, and when it was intended."""

    at: datetime
    leader_order_id: str
    request: Request


def requests_of(ledger: Rows, follower: str, since: datetime, until: datetime) -> list[Requested]:
    """What a follower asked for within that time, in order. Raises what `rows` raises."""
    return [
        Requested(instant(row["intended_at"]), row["leader_order_id"], _request(row))
        for row in ledger.rows(_REQUESTS, follower, micros(since), micros(until))
    ]


def leader_orders(ledger: Rows, since: datetime) -> list[Order]:
    """What was known of the leader's orders that changed since then by the broker's clock,
    oldest first. Raises what `rows` raises."""
    return [order_of(row) for row in ledger.rows(_LEADER_ORDERS, micros(since))]


def _rebuilt(
    verdict: sqlite3.Row | None,
    intents: Sequence[sqlite3.Row],
    settled: Iterable[sqlite3.Row],
    orders: Sequence[Order],
    rules: Rules,
) -> Copy:
    """One copy: what was asked, answered and settled by the operator, then what books proved,
    then what was heard.

    An intent knows the sizing better than the verdict's row, which is written after it.
    """
    oldest = intents[0] if intents else verdict
    if oldest is None:
        raise ValueError("a copy without a row")
    copy = Copy(
        oldest["leader_order_id"],
        oldest["follower"],
        parse(oldest["sizing"]),
        maybe_instant(oldest["born"]),
    )
    for kind, row in _as_committed(intents, settled):
        if kind is _Kind.INTENT:
            copy = _intended(copy, row, rules)
        elif kind is _Kind.ANSWER:
            copy = _answered(copy, row, rules)
        else:
            copy = _settled(copy, row)
    if verdict is not None:
        copy = _judged(copy, verdict)
    for order in orders:
        copy = progress.heard(copy, order)
    return copy


class _Kind(IntEnum):
    INTENT, INSTRUCTION, ANSWER = range(3)


def _as_committed(
    intents: Iterable[sqlite3.Row], settled: Iterable[sqlite3.Row]
) -> Iterable[tuple[_Kind, sqlite3.Row]]:
    """Each intent, answer and instruction in the order in which they happened.

    Answers after the same intent are of one process, so its monotonic clock sorts them. Between
    them an instruction comes first: the answers before it were unclear and say nothing against
    it, those after it count as they did.
    """
    events: list[tuple[int, _Kind, int, sqlite3.Row]] = []
    for row in intents:
        events.append((row["id"], _Kind.INTENT, 0, row))
        if row["outcome"] is not None:
            events.append((row["after"], _Kind.ANSWER, row["answered_ns"], row))
    for row in settled:
        events.append((row["after"], _Kind.INSTRUCTION, 0, row))
    for _, kind, _, row in sorted(events, key=lambda event: event[:3]):
        yield kind, row


def _settled(copy: Copy, row: sqlite3.Row) -> Copy:
    """The copy by the operator's word."""
    if all(attempt.number != row["attempt"] for attempt in copy.attempts):
        raise ValueError(f"instruction {row['key']} is about a request that is not recorded")
    terms = terms_of(row) if row["order_id"] else None
    return proof.settled(copy, row["attempt"], row["order_id"], terms)


def _intended(copy: Copy, row: sqlite3.Row, rules: Rules) -> Copy:
    step, at = _request(row), instant(row["intended_at"])
    if isinstance(step, Place):
        return progress.intended(_absent(copy, step.slice_number), step, at)
    attempt = next((a for a in copy.attempts if a.number == row["attempt"]), None)
    if attempt is None:
        raise ValueError(f"intent {row['id']} changes an order whose placement is not recorded")
    if attempt.pending is not None:
        copy = progress.overdue(copy, attempt.pending.asked_at + timedelta.resolution, rules)
    elif not attempt.order_id:
        copy = copy.with_attempt(replace(attempt, stage=Stage.LIVE, order_id=row["order_id"]))
    return progress.intended(copy, step, at)


def _absent(copy: Copy, slice_number: int) -> Copy:
    """The copy before another attempt of a slice: only the proven absence of an unclear one
    allowed it."""
    for attempt in copy.newest:
        if attempt.slice_number == slice_number and attempt.stage in _UNCLEAR:
            return copy.with_attempt(replace(attempt, stage=Stage.ABSENT))
    return copy


def _answered(copy: Copy, row: sqlite3.Row, rules: Rules) -> Copy:
    took = timedelta(microseconds=(row["answered_ns"] - row["planned_ns"]) // 1000)
    asked_at = instant(row["intended_at"])
    return progress.answered(
        copy,
        row["attempt"],
        CHANGES[row["kind"]],
        _outcome(row),
        rules,
        asked_at + took,
        asked_at,
    )


def _judged(copy: Copy, verdict: sqlite3.Row) -> Copy:
    """The copy with what its row of `copies` alone tells, unless a newer attempt outdates that:
    whether it is skipped, and what order books proved of the newest attempt of each slice."""
    stages = stages_of(verdict["stages"])
    if list(stages) != [attempt.number for attempt in copy.newest]:
        return copy
    skipped = Skipped[verdict["skipped"]] if verdict["skipped"] else None
    missed = missed_of(verdict)
    copy = replace(copy, skipped=skipped, detail=verdict["detail"], missed=missed)
    for attempt in copy.newest:
        stage = _proven(attempt.stage, stages[attempt.number])
        copy = copy.with_attempt(replace(attempt, stage=stage))
    return copy


def _proven(replayed: Stage, told: Stage) -> Stage:
    """The stage of an attempt by its answer and by the copy's row.

    An answer outdates what was thought before, except that a refusal which comes after the
    proof of absence says nothing new.
    """
    if told is Stage.ABSENT and replayed is not Stage.LIVE:
        return told
    if replayed in _UNCLEAR and told not in (Stage.SENT, Stage.LIVE):
        return told
    return replayed


def _request(row: sqlite3.Row) -> Request:
    change = CHANGES[row["kind"]]
    if change is Change.CANCEL:
        return Cancel(row["order_id"], Withdrawal[row["why"]])
    if change is Change.MODIFY:
        return Modify(row["order_id"], terms_of(row), row["reference"])
    ticket = Ticket(
        correlation_id=row["correlation_id"],
        instrument=InstrumentKey(Segment(row["segment"]), row["security_id"]),
        side=Side(row["side"]),
        product=Product(row["product"]),
        terms=terms_of(row),
        amo_time=AmoTime(row["amo_time"]) if row["amo_time"] else None,
    )
    return Place(ticket, row["attempt"], row["reference"], row["slice_number"])


def _outcome(row: sqlite3.Row) -> Outcome:
    match row["outcome"]:
        case "accepted":
            return Accepted(row["given_order_id"], row["given_status"])
        case "refused":
            kind = Refused[row["refusal"]]
            return Refusal(kind, row["message"], row["code"], row["http_status"])
        case "throttled":
            return Throttled(row["message"])
        case "not_sent":
            return NotSent(row["message"])
        case "recalled":
            return Recalled()
        case _:
            return Unknown(row["message"])
