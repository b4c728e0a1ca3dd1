"""How a copy changes by what happens to it: pure steps from one `Copy` to the next.

Each function takes the copy and one thing that happened (an intent was recorded, an answer came
or never will, the broker told of the order) and gives the copy as it is then. What a whole order
book proves stands in `domain.proof`.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.attempts import Attempt, Change, Pending, Stage
from domain.copies import Copy
from domain.instruments import Price
from domain.merge import merge
from domain.orders import Order, Status
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
from domain.pauses import doubled
from domain.rules import Rules
from domain.steps import Cancel, Place, Request, Skip

_FIRST_PAUSE = timedelta(milliseconds=250)
_LONGEST_PAUSE = timedelta(seconds=15)
_FIRST_SHUT_PAUSE = timedelta(seconds=1)  # the host's clock may be a little ahead at the open
_LONGEST_SHUT_PAUSE = timedelta(seconds=60)
_ANSWERABLE = (Stage.SENT, Stage.UNKNOWN, Stage.PARKED, Stage.ABSENT)
_NEVER_ANSWERED = Unknown("never answered")


def intended(copy: Copy, step: Request, now: datetime) -> Copy:
    """The copy once the intent of `step` is on its way to the ledger and the broker."""
    if isinstance(step, Place):
        attempt = Attempt(
            ticket=step.ticket,
            number=step.number,
            stage=Stage.SENT,
            sent_at=now,
            terms=step.ticket.terms,
            slice_number=step.slice_number,
            reference=step.reference,
            chased_from=None if step.reference is None else now,
        )
        attempts = (*copy.attempts, attempt)
        return Copy(copy.leader_order_id, copy.follower, copy.sizing, copy.born, attempts)
    attempt = _at(copy, step.order_id)
    if isinstance(step, Cancel):
        return copy.with_attempt(
            replace(attempt, pending=Pending(Change.CANCEL, now, why=step.why))
        )
    chased_from = attempt.chased_from if attempt.reference is not None else now
    return copy.with_attempt(
        replace(
            attempt,
            pending=Pending(Change.MODIFY, now, terms=step.terms),
            reference=step.reference,
            chased_from=None if step.reference is None else chased_from,
        ),
    )


def unrecorded(copy: Copy, step: Request) -> Copy:
    """The copy after all, when the ledger could not keep the intent and nothing was sent."""
    if isinstance(step, Place):
        return replace(copy, attempts=tuple(a for a in copy.attempts if a.number != step.number))
    return copy.with_attempt(replace(_at(copy, step.order_id), pending=None))


def skipped(copy: Copy, step: Skip, price: Price | None = None) -> Copy:
    """The copy with its verdict; the very same copy when it has it already. `price` is the last
    one that was told of the instrument."""
    if copy.skipped is step.reason and copy.detail == step.detail:
        return copy
    missed = step.missed and replace(step.missed, price=price)
    return replace(copy, skipped=step.reason, detail=step.detail, missed=missed)


def answered(
    copy: Copy,
    number: int,
    change: Change | None,
    outcome: Outcome,
    rules: Rules,
    now: datetime,
    asked_at: datetime | None = None,
) -> Copy:
    """The copy after the broker's answer to the request of attempt `number`.

    `change` is None for a placement. An answer to another change than the one that is awaited
    since `asked_at` (None: whichever is) comes too late and says nothing any more.
    """
    attempt = next((a for a in copy.attempts if a.number == number), None)
    if attempt is None:
        return copy
    if change is None:
        if _of_another(copy, attempt, outcome):
            return copy
        return copy.with_attempt(_placed(attempt, outcome, _before(copy, attempt), now))
    pending = attempt.pending
    if pending is None or pending.change is not change or asked_at not in (None, pending.asked_at):
        return copy
    return copy.with_attempt(_changed(replace(attempt, pending=None), pending, outcome, rules, now))


def _before(copy: Copy, attempt: Attempt) -> int:
    """How many attempts the slice had before its newest, but for what was called back."""
    of_slice = (one for one in copy.attempts if one.slice_number == attempt.slice_number)
    return sum(one is attempt or not one.recalled for one in of_slice) - 1


def _of_another(copy: Copy, attempt: Attempt, outcome: Outcome) -> bool:
    """Whether the answer names an order that the copy has by a later attempt: the operator found
    it before the answer came."""
    if not isinstance(outcome, Accepted) or not outcome.order_id:
        return False
    return any(one.order_id == outcome.order_id for one in copy.attempts if one is not attempt)


def _placed(attempt: Attempt, outcome: Outcome, before: int, now: datetime) -> Attempt:
    """The attempt, with as many `before` it, by what came of it.

    An answer that comes after its request was given up for lost still says what it says, and a
    refusal the same before and after the rejected order that it leaves behind.
    """
    rejected = attempt.status is Status.REJECTED and isinstance(outcome, Refusal)
    if attempt.stage not in _ANSWERABLE and not (attempt.stage is Stage.LIVE and rejected):
        return attempt
    match outcome:
        case Accepted(order_id=order_id) if order_id:
            return replace(attempt, stage=Stage.LIVE, order_id=order_id)
        case _ if attempt.stage is Stage.ABSENT:
            return attempt
        case Refusal(kind=kind):
            pause = _pause(before, kind is Refused.MARKET_CLOSED)
            return replace(attempt, stage=Stage.REFUSED, refusal=outcome, retry_at=now + pause)
        case Recalled():
            return replace(attempt, stage=Stage.TURNED_BACK)
        case Throttled() | NotSent():
            return replace(attempt, stage=Stage.TURNED_BACK, retry_at=now + _pause(before))
        case _ if attempt.stage is Stage.PARKED:
            return attempt
        case _:
            return replace(attempt, stage=Stage.UNKNOWN, doubted_at=now)


def _changed(
    attempt: Attempt, pending: Pending, outcome: Outcome, rules: Rules, now: datetime
) -> Attempt:
    """The attempt after what came of a change of its order."""
    if isinstance(outcome, Recalled):
        return attempt
    if pending.change is Change.CANCEL:
        return _cancel_answered(attempt, pending, outcome, now)
    return _modify_answered(attempt, pending, outcome, rules, now)


def _cancel_answered(
    attempt: Attempt, pending: Pending, outcome: Outcome, now: datetime
) -> Attempt:
    match outcome:
        case Accepted():
            return replace(
                attempt,
                withdrawn=pending.why,
                withdrawn_at=now,
                failed=None,
                failures=0,
                retry_at=None,
            )
        case Unknown():
            return replace(_failed(attempt, Change.CANCEL, now), withdrawn=pending.why)
        case Refusal(kind=Refused.MARKET_CLOSED):
            return _failed(attempt, Change.CANCEL, now, shut=True)
        case _:
            return _failed(attempt, Change.CANCEL, now)


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
                refusal=None,
                failed=None,
                failures=0,
                retry_at=None,
                verify_at=now + rules.settle,
            )
        case Unknown():
            return replace(
                _failed(attempt, Change.MODIFY, now),
                terms=None,
                modifications=attempt.modifications + 1,
                verify_at=now + rules.settle,
            )
        case Refusal(kind=Refused.MODIFICATIONS):
            return replace(attempt, modifications=rules.modification_cap)
        case Refusal(kind=kind) if kind not in _PASSING:
            return replace(attempt, declined=pending.terms, refusal=outcome)
        case Refusal(kind=Refused.MARKET_CLOSED):
            return _failed(attempt, Change.MODIFY, now, shut=True)
        case _:
            return _failed(attempt, Change.MODIFY, now)


_PASSING = frozenset(
    {Refused.IN_TRANSIT, Refused.GONE, Refused.TOKEN, Refused.ADDRESS, Refused.MARKET_CLOSED}
)


def heard(copy: Copy, order: Order) -> Copy:
    """The copy with what the broker told of one of its orders, by event or by row."""
    by_id = (attempt for attempt in copy.attempts if attempt.order_id == order.order_id)
    by_name = (attempt for attempt in copy.attempts if belongs(attempt, order))
    attempt = next(by_id, None) or next(by_name, None)
    if attempt is None:
        return copy
    joined = _joined(attempt, order)
    if joined.shut_out and not attempt.ended:
        pause = _pause(_before(copy, attempt), shut=True)
        joined = replace(joined, retry_at=attempt.sent_at + pause)
    return copy.with_attempt(joined)


def reopened(copy: Copy) -> Copy:
    """The copy once its market takes orders again: what failed while it took none may be tried at
    once. The very same copy where nothing did."""
    for attempt in copy.newest:
        if attempt.retry_at and (attempt.shut_out or attempt.failed):
            copy = copy.with_attempt(replace(attempt, retry_at=None, failed=None, failures=0))
    return copy


def belongs(attempt: Attempt, order: Order) -> bool:
    """Whether the order at the broker is the one that the attempt placed."""
    if attempt.order_id:
        return order.order_id == attempt.order_id
    return order.correlation_id == attempt.ticket.correlation_id


def _joined(attempt: Attempt, order: Order) -> Attempt:
    """A refused request may leave a rejected order behind, which makes it no less refused."""
    known = merge(attempt.order, order) if attempt.order else order
    refused = attempt.stage is Stage.REFUSED and known.status is Status.REJECTED
    stage = Stage.REFUSED if refused else Stage.LIVE
    if known is attempt.order and stage is attempt.stage:
        return attempt
    return replace(attempt, order=known, order_id=order.order_id, stage=stage)


def interrupted(copy: Copy, now: datetime, rules: Rules) -> Copy:
    """The copy as a restarted process finds it: what was in flight is unknown, what was unknown
    is looked for anew, however long ago it was sent. Pauses go on, so that what crashes again and
    again does not ask the broker again and again.

    An instant later than `now` was noted by a clock that was set back since: it counts as now, and
    a pause as the longest that it can have been.
    """
    attempts = tuple(_by_now(_doubted(one, now, rules), now, rules) for one in copy.attempts)
    born = copy.born and min(copy.born, now)
    return replace(copy, attempts=attempts, born=born)


def _by_now(attempt: Attempt, now: datetime, rules: Rules) -> Attempt:
    return replace(
        attempt,
        sent_at=min(attempt.sent_at, now),
        chased_from=attempt.chased_from and min(attempt.chased_from, now),
        withdrawn_at=attempt.withdrawn_at and min(attempt.withdrawn_at, now),
        verify_at=attempt.verify_at and min(attempt.verify_at, now + rules.settle),
        retry_at=attempt.retry_at and min(attempt.retry_at, now + _longest_pause(attempt)),
    )


def _longest_pause(attempt: Attempt) -> timedelta:
    if attempt.failed is not None:
        return _pause(attempt.failures - 1, shut=True)
    return _pause(attempt.number, attempt.shut_out)


def overdue(copy: Copy, since: datetime, rules: Rules) -> Copy:
    """The copy without trust in requests sent before `since` whose answer never came; the very
    same copy when there are none."""
    late = [attempt for attempt in copy.attempts if _late(attempt, since)]
    for attempt in late:
        copy = copy.with_attempt(_doubted(attempt, since, rules))
    return copy


def _late(attempt: Attempt, since: datetime) -> bool:
    if attempt.stage is Stage.SENT:
        return attempt.sent_at < since
    return attempt.pending is not None and attempt.pending.asked_at < since


def _doubted(attempt: Attempt, now: datetime, rules: Rules) -> Attempt:
    """The attempt once its answer is not waited for any more: as after an unclear one."""
    if attempt.stage in (Stage.SENT, Stage.UNKNOWN):
        return replace(attempt, stage=Stage.UNKNOWN, doubted_at=now, absences=0)
    pending = attempt.pending
    if pending is None:
        return attempt
    return _changed(replace(attempt, pending=None), pending, _NEVER_ANSWERED, rules, now)


def _failed(attempt: Attempt, change: Change, now: datetime, shut: bool = False) -> Attempt:
    before = attempt.failures if attempt.failed is change else 0
    until = now + _pause(before, shut)
    return replace(attempt, failed=change, failures=before + 1, retry_at=until)


def _pause(failures: int, shut: bool = False) -> timedelta:
    """How long to wait after so many failures before this one; longer where the market is shut,
    which may be for hours."""
    if shut:
        return doubled(_FIRST_SHUT_PAUSE, failures, _LONGEST_SHUT_PAUSE)
    return doubled(_FIRST_PAUSE, failures, _LONGEST_PAUSE)


def _at(copy: Copy, order_id: str) -> Attempt:
    for attempt in copy.attempts:
        if attempt.order_id == order_id:
            return attempt
    raise ValueError(f"the copy of {copy.leader_order_id} has no order {order_id}")
