"""How a copy changes by what happens to it: pure steps from one `Copy` to the next.

Each function takes the copy and one thing that happened (an intent was recorded, an answer came,
the broker told of the order, a whole order book was read) and gives the copy as it is then.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from domain.copies import Attempt, Change, Copy, Pending, Stage, Withdrawal
from domain.merge import merge
from domain.orders import Order
from domain.outcomes import Accepted, NotSent, Outcome, Refusal, Refused, Throttled, Unknown
from domain.rules import Rules
from domain.steps import Modify, Place, Request, Skip

BOOKS_TO_PROVE_ABSENCE = 2
_FIRST_PAUSE = timedelta(milliseconds=250)
_LONGEST_PAUSE = timedelta(seconds=15)
_CLOSED_PAUSE = timedelta(seconds=30)


def intended(copy: Copy, step: Request, now: datetime) -> Copy:
    """The copy once the intent of `step` is on its way to the ledger and the broker."""
    if isinstance(step, Place):
        attempt = Attempt(
            ticket=step.ticket,
            number=step.number,
            stage=Stage.SENT,
            sent_at=now,
            terms=step.ticket.terms,
            reference=step.reference,
        )
        return replace(copy, attempts=(*copy.attempts, attempt), detail="")
    attempt = _at(copy, step.order_id)
    if isinstance(step, Modify):
        pending = Pending(Change.MODIFY, now, terms=step.terms)
        reference = step.reference if step.reference is not None else attempt.reference
        return _with(copy, replace(attempt, pending=pending, reference=reference))
    return _with(copy, replace(attempt, pending=Pending(Change.CANCEL, now, why=step.why)))


def unrecorded(copy: Copy, step: Request) -> Copy:
    """The copy after all, when the ledger could not keep the intent and nothing was sent."""
    if isinstance(step, Place):
        return replace(copy, attempts=tuple(a for a in copy.attempts if a.number != step.number))
    return _with(copy, replace(_at(copy, step.order_id), pending=None))


def skipped(copy: Copy, step: Skip) -> Copy:
    """The copy with its verdict."""
    return replace(copy, skipped=step.reason, detail=step.detail)


def answered(
    copy: Copy, number: int, change: Change | None, outcome: Outcome, rules: Rules, now: datetime
) -> Copy:
    """The copy after the broker's answer to the request of attempt `number`.

    `change` is None for a placement.
    """
    attempt = next((a for a in copy.attempts if a.number == number), None)
    if attempt is None:
        return copy
    if change is None:
        return _with(copy, _placed(attempt, outcome, now))
    if attempt.pending is None or attempt.pending.change is not change:
        return copy
    pending, attempt = attempt.pending, replace(attempt, pending=None)
    if change is Change.CANCEL:
        return _with(copy, _cancel_answered(attempt, pending, outcome, now))
    return _with(copy, _modify_answered(attempt, pending, outcome, rules, now))


def _placed(attempt: Attempt, outcome: Outcome, now: datetime) -> Attempt:
    if attempt.stage not in (Stage.SENT, Stage.UNKNOWN):
        return attempt
    match outcome:
        case Accepted(order_id=order_id) if order_id:
            return replace(attempt, stage=Stage.LIVE, order_id=order_id)
        case Refusal(kind=kind):
            pause = _CLOSED_PAUSE if kind is Refused.MARKET_CLOSED else _pause(attempt.number)
            return replace(attempt, stage=Stage.REFUSED, refusal=outcome, retry_at=now + pause)
        case Throttled() | NotSent():
            return replace(attempt, stage=Stage.TURNED_BACK, retry_at=now + _pause(attempt.number))
        case _:
            return replace(attempt, stage=Stage.UNKNOWN)


def _cancel_answered(
    attempt: Attempt, pending: Pending, outcome: Outcome, now: datetime
) -> Attempt:
    why = pending.why or Withdrawal.LEADER
    match outcome:
        case Accepted():
            return replace(attempt, withdrawn=why, withdrawn_at=now, failures=0, retry_at=None)
        case Unknown():
            return replace(_failed(attempt, now), withdrawn=why)
        case _:
            return _failed(attempt, now)


def _modify_answered(
    attempt: Attempt, pending: Pending, outcome: Outcome, rules: Rules, now: datetime
) -> Attempt:
    match outcome:
        case Accepted():
            return replace(
                attempt,
                terms=pending.terms,
                modifications=attempt.modifications + 1,
                declined=None,
                failures=0,
                retry_at=None,
            )
        case Unknown():
            return replace(
                _failed(attempt, now),
                terms=None,
                modifications=attempt.modifications + 1,
                verify_at=now + rules.settle,
            )
        case Refusal(kind=Refused.MODIFICATIONS):
            return replace(attempt, modifications=rules.modification_cap)
        case Refusal(kind=kind) if kind in _PASSING:
            return _failed(attempt, now)
        case Refusal():
            return replace(_failed(attempt, now), declined=pending.terms)
        case _:
            return _failed(attempt, now)


_PASSING = frozenset(
    {Refused.IN_TRANSIT, Refused.GONE, Refused.TOKEN, Refused.ADDRESS, Refused.MARKET_CLOSED}
)


def heard(copy: Copy, order: Order) -> Copy:
    """The copy with what the broker told of one of its orders, by event or by row."""
    for attempt in copy.attempts:
        if belongs(attempt, order):
            return _with(copy, _joined(attempt, order))
    return copy


def belongs(attempt: Attempt, order: Order) -> bool:
    """Whether the order at the broker is the one that the attempt placed."""
    if attempt.order_id:
        return order.order_id == attempt.order_id
    return order.correlation_id == attempt.ticket.correlation_id


def _joined(attempt: Attempt, order: Order) -> Attempt:
    known = merge(attempt.order, order) if attempt.order else order
    return replace(attempt, order=known, order_id=order.order_id, stage=Stage.LIVE)


def book_read(copy: Copy, book: Iterable[Order], asked_at: datetime, rules: Rules) -> Copy:
    """The copy after a complete order book of its account, asked for at `asked_at`.

    The only proof that a request with an unknown outcome never arrived: after the settling
    time, books that were asked for later do not show it.
    """
    rows = tuple(book)
    for row in rows:
        copy = heard(copy, row)
    attempt = copy.current
    if attempt is None:
        return copy
    copy = _verified(copy, attempt, asked_at)
    if attempt.stage not in (Stage.UNKNOWN, Stage.PARKED):
        return copy
    if asked_at < attempt.sent_at + rules.settle:
        return copy
    attempt = replace(attempt, absences=attempt.absences + 1)
    if attempt.stage is Stage.UNKNOWN and attempt.absences >= BOOKS_TO_PROVE_ABSENCE:
        attempt = replace(attempt, stage=Stage.ABSENT)
    return _with(copy, attempt)


def doubtful(copy: Copy) -> bool:
    """Whether the outcome of a request is one that only an order book can tell."""
    attempt = copy.current
    return attempt is not None and (
        attempt.stage in (Stage.UNKNOWN, Stage.PARKED) or attempt.verify_at is not None
    )


def _verified(copy: Copy, attempt: Attempt, asked_at: datetime) -> Copy:
    """The copy with the book's word for terms that an unclear modification left in doubt."""
    if attempt.verify_at is None or asked_at < attempt.verify_at:
        return copy
    if attempt.pending is not None or attempt.order is None:
        return copy
    return _with(copy, replace(attempt, terms=attempt.order.terms, verify_at=None))


def given_up(copy: Copy, now: datetime, rules: Rules) -> Copy:
    """The copy parked, when its unknown outcome could not be resolved for too long."""
    attempt = copy.current
    if attempt is None or attempt.stage is not Stage.UNKNOWN:
        return copy
    if now - attempt.sent_at < rules.park_after:
        return copy
    return _with(copy, replace(attempt, stage=Stage.PARKED))


def interrupted(copy: Copy, now: datetime, rules: Rules) -> Copy:
    """The copy as a restarted process finds it: what was in flight is unknown."""
    attempts = tuple(_doubted(attempt, now, rules) for attempt in copy.attempts)
    return replace(copy, attempts=attempts)


def overdue(copy: Copy, since: datetime, rules: Rules) -> Copy:
    """The copy without trust in requests sent before `since` whose answer never came; the very
    same copy when there are none."""
    late = [attempt for attempt in copy.attempts if _late(attempt, since)]
    for attempt in late:
        copy = _with(copy, _doubted(attempt, since, rules))
    return copy


def _late(attempt: Attempt, since: datetime) -> bool:
    if attempt.stage is Stage.SENT:
        return attempt.sent_at < since
    return attempt.pending is not None and attempt.pending.asked_at < since


def _doubted(attempt: Attempt, now: datetime, rules: Rules) -> Attempt:
    if attempt.stage is Stage.SENT:
        return replace(attempt, stage=Stage.UNKNOWN)
    if attempt.pending is None:
        return attempt
    if attempt.pending.change is Change.CANCEL:
        return replace(attempt, pending=None)
    return replace(attempt, pending=None, terms=None, verify_at=now + rules.settle)


def _failed(attempt: Attempt, now: datetime) -> Attempt:
    return replace(attempt, failures=attempt.failures + 1, retry_at=now + _pause(attempt.failures))


def _pause(failures: int) -> timedelta:
    doublings: int = 1 << min(failures, 10)
    return min(_FIRST_PAUSE * doublings, _LONGEST_PAUSE)


def _with(copy: Copy, changed: Attempt) -> Copy:
    attempts = tuple(changed if a.number == changed.number else a for a in copy.attempts)
    return replace(copy, attempts=attempts)


def _at(copy: Copy, order_id: str) -> Attempt:
    for attempt in copy.attempts:
        if attempt.order_id == order_id:
            return attempt
    raise ValueError(f"the copy of {copy.leader_order_id} has no order {order_id}")
