"""Entries as rows. Built by hand, because every placement waits for it."""

import json
from collections.abc import Callable

from domain.attempts import Change, Stage
from domain.copies import Copy
from domain.halts import HaltAsked, HaltNoted
from domain.instructions import Given, Settled
from domain.messages import Alert, Answered, CopyChanged, Intent
from domain.orders import Terms
from domain.outcomes import Accepted, NotSent, Outcome, Recalled, Refusal, Throttled, Unknown
from domain.steps import Modify, Place
from ledger.entries import Setting
from ledger.instants import maybe_micros, micros, microseconds
from ledger.missed import missed_row

Row = tuple[str | int | float | None, ...]

# sqlite3 binds exact strings on a fast path that members of a StrEnum do not take.
_plain: Callable[[str], str] = str.__str__

PLACE = "place"
KINDS = {None: PLACE, Change.MODIFY: "modify", Change.CANCEL: "cancel"}
CHANGES = {kind: change for change, kind in KINDS.items()}
_NO_TERMS: Row = (None,) * 6
_NO_TICKET: Row = (None,) * 5


def _insert(table: str, columns: str) -> str:
    marks = ", ".join("?" * len(columns.split(",")))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})"


INSERT_INTENT = _insert(
    "intents",
    "id, follower, client_id, leader_order_id, correlation_id, slice_number, attempt, kind, "
    "order_id, quantity, order_type, price, trigger_price, validity, disclosed, side, product, "
    "segment, security_id, amo_time, reference, why, sizing, born, intended_at, heard_ns, "
    "planned_ns, waited_us",
)


def intent_row(number: int, intent: Intent) -> Row:
    """A row of `intents` with the id `number`, not answered."""
    request = intent.request
    terms, ticket, reference, why = _NO_TERMS, _NO_TICKET, None, None
    if isinstance(request, Place):
        placed = request.ticket
        terms, reference = _terms(placed.terms), request.reference
        ticket = (
            _plain(placed.side),
            _plain(placed.product),
            _plain(placed.instrument.segment),
            placed.instrument.security_id,
            None if placed.amo_time is None else _plain(placed.amo_time),
        )
    elif isinstance(request, Modify):
        terms, reference = _terms(request.terms), request.reference
    else:
        why = request.why.name
    return (
        number,
        intent.follower,
        intent.client_id,
        intent.leader_order_id,
        intent.correlation_id,
        intent.slice_number,
        intent.number,
        KINDS[intent.change],
        intent.order_id,
        *terms,
        *ticket,
        reference,
        why,
        intent.sizing,
        maybe_micros(intent.born),
        micros(intent.intended_at),
        intent.heard_ns,
        intent.planned_ns,
        microseconds(intent.waited),
    )


def _terms(terms: Terms) -> Row:
    return (
        terms.quantity,
        _plain(terms.order_type),
        terms.price,
        terms.trigger,
        _plain(terms.validity),
        terms.disclosed,
    )


INSERT_ANSWER = _insert(
    "answers",
    "intent_id, after, outcome, given_order_id, given_status, refusal, message, code, "
    "http_status, committed_ns, written_ns, answered_ns",
)


def answer_row(number: int, after: int, answer: Answered) -> Row:
    """A row of `answers` to the intent `number`; `after` is the id of the last intent recorded
    before it."""
    outcome = answer.outcome
    return (
        number,
        after,
        *_outcome(outcome),
        outcome.http_status if isinstance(outcome, Refusal) else answer.http_status,
        answer.committed_ns,
        answer.written_ns,
        answer.answered_ns,
    )


def _outcome(outcome: Outcome) -> Row:
    match outcome:
        case Accepted(order_id, status):
            return "accepted", order_id, status, None, "", ""
        case Refusal(kind, message, code):
            return "refused", None, None, kind.name, message, code
        case Throttled(message):
            return "throttled", None, None, None, message, ""
        case Unknown(why):
            return "unknown", None, None, None, why, ""
        case NotSent(why):
            return "not_sent", None, None, None, why, ""
        case Recalled():
            return "recalled", None, None, None, "", ""


# The time of a dispatch is known to the process that sent it only; a later one keeps it.
UPSERT_COPY = (
    _insert(
        "copies",
        "follower, leader_order_id, state, reason, order_ids, correlation_ids, symbol, side, "
        "quantity, filled, traded_value, leader_filled, leader_value, slippage_paise, "
        "slippage_bps, dispatch_us, in_step, sizing, updated_at, born, skipped, detail, attempt, "
        "stages, missed_quantity, missed_age, missed_allowed, missed_price, missed_price_at",
    )
    + """
ON CONFLICT (leader_order_id, follower) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, order_ids = excluded.order_ids,
    correlation_ids = excluded.correlation_ids, symbol = excluded.symbol, side = excluded.side,
    quantity = excluded.quantity, filled = excluded.filled, traded_value = excluded.traded_value,
    leader_filled = excluded.leader_filled, leader_value = excluded.leader_value,
    slippage_paise = excluded.slippage_paise, slippage_bps = excluded.slippage_bps,
    dispatch_us = coalesce(excluded.dispatch_us, dispatch_us), in_step = excluded.in_step,
    sizing = excluded.sizing, updated_at = excluded.updated_at, born = excluded.born,
    skipped = excluded.skipped, detail = excluded.detail, attempt = excluded.attempt,
    stages = excluded.stages, missed_quantity = excluded.missed_quantity,
    missed_age = excluded.missed_age, missed_allowed = excluded.missed_allowed,
    missed_price = excluded.missed_price, missed_price_at = excluded.missed_price_at
"""
)


def copy_row(changed: CopyChanged) -> Row:
    """What `UPSERT_COPY` wants: the report, and of the copy what neither intents nor answers
    tell."""
    report, copy = changed.report, changed.copy
    attempt = copy.current
    return (
        report.follower,
        report.leader_order_id,
        _plain(report.state),
        report.reason,
        json.dumps(report.order_ids),
        json.dumps(report.correlation_ids),
        report.symbol,
        _plain(report.side),
        report.quantity,
        report.filled,
        report.traded_value,
        report.leader_filled,
        report.leader_value,
        report.slippage_paise,
        report.slippage_bps,
        report.dispatch_us,
        int(report.in_step),
        report.sizing,
        maybe_micros(report.at),
        maybe_micros(copy.born),
        copy.skipped.name if copy.skipped else None,
        copy.detail,
        attempt.number if attempt else None,
        stages_text(copy),
        *missed_row(copy.missed),
    )


def stages_text(copy: Copy) -> str:
    """The stage of the newest attempt of each slice, as `stages_of` reads it."""
    return " ".join(f"{one.number}:{one.stage.name}" for one in copy.newest)


def stages_of(text: str) -> dict[int, Stage]:
    """The stages by attempt."""
    pairs = (one.split(":") for one in text.split())
    return {int(number): Stage[name] for number, name in pairs}


INSERT_ALERT = _insert("alerts", "level, what, place, fix")


def alert_row(alert: Alert) -> Row:
    """A row of `alerts`."""
    return (_plain(alert.level), alert.what, alert.where, alert.fix)


UPSERT_SETTING = (
    _insert("settings", "key, value") + " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


def setting_row(setting: Setting) -> Row:
    """A row of `settings`."""
    return (setting.key, setting.value)


INSERT_INSTRUCTION = (
    _insert("instructions", "key, at, leader_order_id, follower, attempt, verdict, order_id")
    + " ON CONFLICT (key) DO NOTHING"
)


def given_row(given: Given) -> Row:
    """A row of `instructions`, not closed."""
    told = given.instruction
    return (
        told.key,
        micros(given.at),
        told.leader_order_id,
        told.follower,
        told.attempt,
        _plain(told.verdict),
        told.order_id,
    )


CLOSE_INSTRUCTION = """
UPDATE instructions SET closed_at = ?, outcome = ?, taken = ?, after = ?, quantity = ?,
    order_type = ?, price = ?, trigger_price = ?, validity = ?, disclosed = ?
WHERE key = ? AND closed_at IS NULL
"""


def closed_row(settled: Settled, after: int) -> Row:
    """What `CLOSE_INSTRUCTION` wants; `after` is the id of the last intent recorded before."""
    copy, told = settled.copy, settled.instruction
    attempts = copy.attempts if copy and told.order_id else ()
    attempt = next((one for one in attempts if one.order_id == told.order_id), None)
    return (
        micros(settled.at),
        settled.outcome,
        int(settled.taken),
        None if copy is None else after,
        *(_terms(attempt.terms) if attempt and attempt.terms else _NO_TERMS),
        told.key,
    )


# Older ones on the same copy that wait still, once a newer one is closed.
CLOSE_REPLACED = """
UPDATE instructions SET closed_at = ?1, outcome = 'replaced by a later one'
WHERE leader_order_id = ?2 AND follower = ?3 AND closed_at IS NULL
    AND id < (SELECT id FROM instructions WHERE key = ?4)
"""


def replaced_row(settled: Settled) -> Row:
    """What `CLOSE_REPLACED` wants."""
    told = settled.instruction
    return (micros(settled.at), told.leader_order_id, told.follower, told.key)


INSERT_HALT = (
    _insert("halts", "key, at, follower, word, asked_by") + " ON CONFLICT (key) DO NOTHING"
)


def halt_row(asked: HaltAsked) -> Row:
    """A row of `halts`, not taken."""
    return (asked.key, micros(asked.at), asked.follower, _plain(asked.word), asked.by)


NOTE_HALT = """
UPDATE halts SET taken_at = coalesce(taken_at, ?1), outcome = ?2, done_at = coalesce(done_at, ?3)
WHERE key = ?4
"""


def noted_row(noted: HaltNoted) -> Row:
    """What `NOTE_HALT` wants."""
    at = micros(noted.at)
    return (at, noted.outcome, at if noted.done else None, noted.asked.key)


# The report that follows says it again, if the leader's order is still known.
SETTLE_COPY = """
UPDATE copies SET state = ?, reason = ?, attempt = ?, stages = ?, order_ids = ?,
    correlation_ids = ?, filled = ?, traded_value = ?
WHERE leader_order_id = ? AND follower = ?
"""


def settled_row(copy: Copy) -> Row:
    """What `SETTLE_COPY` wants of a copy by the operator's word."""
    attempt = copy.current
    return (
        _plain(copy.state),
        copy.reason,
        attempt.number if attempt else None,
        stages_text(copy),
        json.dumps([attempt.order_id for attempt in copy.attempts if attempt.order_id]),
        json.dumps([attempt.ticket.correlation_id for attempt in copy.attempts]),
        copy.filled,
        copy.traded_value,
        copy.leader_order_id,
        copy.follower,
    )
