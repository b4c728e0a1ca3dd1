"""The one decision of Lockstep: from what is known of an order and its copy to the next step.

`plan` is asked again after everything that happens, and always answers from the whole state.
So there is no code for late, doubled, lost or reordered events: they all lead here.
"""

from datetime import datetime, timedelta

from domain.attempts import Attempt, Change, Stage, Withdrawal
from domain.copies import Copy
from domain.entering import enter
from domain.exits import within
from domain.halts import held_back
from domain.instruments import Instrument, one_order
from domain.orders import Order, Status, Validity
from domain.rules import Account, Market, Mood, Rules
from domain.slices import Slice, first, may_follow, slices
from domain.steps import Cancel, Done, Hold, Modify, Step, Why
from domain.wanted import wanted

_TRANSIT_PATIENCE = timedelta(seconds=1)
_IOC_PATIENCE = timedelta(seconds=3)
_CANCEL_PATIENCE = timedelta(seconds=3)
_OVERTAKEN_PATIENCE = timedelta(seconds=1)
_NO_TIME = timedelta(0)


def plan(
    order: Order,
    copy: Copy,
    rules: Rules,
    market: Market,
    instrument: Instrument | None,
    account: Account,
    now: datetime,
) -> Step:
    """The next step for `copy`, the follower's side of the leader's `order`.

    `instrument` is None while its lot is not known. `now` is timezone-aware. Never asks for a
    second order while one may exist, never touches an order that has ended. Of a copy in slices
    it is the most urgent one, so that it is asked for again as soon as that is on its way.
    """
    lot, most = one_order(instrument)
    parts = slices(order, copy, lot, most)
    steps = [_step(order, one, rules, market, instrument, account, now) for one in parts]
    return steps[0] if len(steps) == 1 else first(steps)


def _step(
    order: Order,
    one: Slice,
    rules: Rules,
    market: Market,
    instrument: Instrument | None,
    account: Account,
    now: datetime,
) -> Step:
    """The next step for one slice."""
    copy = one.copy
    attempt = copy.current
    if attempt is None:
        return enter(order, one, rules, market, instrument, account, now)
    if account.mood is Mood.PARKED and not all(one.ended for one in copy.attempts):
        return Hold(Why.ACCOUNT)
    stray = _stray(copy, now) if len(copy.attempts) > 1 else None
    if isinstance(stray, Cancel):
        return stray
    if waiting := _waiting(attempt):
        return waiting
    if not attempt.ended:
        step = _steer(order, one, attempt, rules, market, instrument, account, now)
        return step if stray is None or isinstance(step, Cancel) else stray
    if stray is not None:
        return stray
    if may_follow(order, attempt):
        return enter(order, one, rules, market, instrument, account, now)
    return Done()


def _stray(copy: Copy, now: datetime) -> Cancel | Hold | None:
    """The step for an order that was believed never to exist and was found after a newer one
    had been placed: it is cancelled, and nothing is placed or raised meanwhile."""
    for attempt in copy.attempts[:-1]:
        if attempt.stage is Stage.LIVE and not attempt.ended:
            if attempt.in_flight:
                return Hold(Why.IN_FLIGHT)
            return _cancel(attempt, Withdrawal.REPLACED, now)
    return None


def _waiting(attempt: Attempt) -> Hold | None:
    """The hold of an attempt about which nothing can be decided yet."""
    if attempt.stage is Stage.UNKNOWN:
        return Hold(Why.UNKNOWN_OUTCOME)
    if attempt.stage is Stage.PARKED:
        return Hold(Why.PARKED)
    if attempt.in_flight and not attempt.ended:
        return Hold(Why.IN_FLIGHT)
    return None


def _steer(
    order: Order,
    one: Slice,
    attempt: Attempt,
    rules: Rules,
    market: Market,
    instrument: Instrument | None,
    account: Account,
    now: datetime,
) -> Step:
    """The step for a slice whose order is open at the broker."""
    if order.cut_short:
        return _cancel(attempt, Withdrawal.LEADER, now)
    if attempt.withdrawn:
        return _cancel(attempt, attempt.withdrawn, now)
    if one.whole.lone:
        return _cancel(attempt, Withdrawal.LONE_LEG, now)
    if account.mood is Mood.FLATTENED and not order.flattening:
        return _cancel(attempt, Withdrawal.HALTED, now)
    if account.overtaken:
        return _overtaken(attempt, now)
    if not market.open and attempt.ticket.amo_time is None:
        return Hold(Why.MARKET_CLOSED)
    if order.status is Status.UNREADABLE:
        return Hold(Why.LEADER_UNREADABLE)
    if instrument is None:
        return Hold(Why.INSTRUMENT)
    want = wanted(order, one.copy, rules, market, instrument, now)
    if want is None or want.terms.quantity <= attempt.filled:
        return _cancel(attempt, Withdrawal.REDUCED, now)
    if account.mood is Mood.HALTED:
        want = held_back(want, order.side, attempt, account, one.beside)
    want = within(want, one.whole, attempt, account.most, instrument.lot) or want
    if want.terms == attempt.terms:
        return Hold(Why.RESTING, want.until)
    if want.terms == attempt.declined:
        return Hold(Why.DECLINED, want.until)
    if attempt.retry_at and now < attempt.retry_at:
        return Hold(Why.RETRY, attempt.retry_at)
    if attempt.modifications < rules.modification_cap:
        return Modify(attempt.order_id, want.terms, want.reference)
    if attempt.terms is None:
        return Hold(Why.UNKNOWN_OUTCOME)
    return _cancel(attempt, Withdrawal.REPLACED, now)


def _overtaken(attempt: Attempt, now: datetime) -> Cancel | Hold:
    """The step for an entry that the leader has left again: one that was just sent may still make
    the round trip, one that rests would only stay behind."""
    if _NO_TIME <= now - attempt.sent_at < _OVERTAKEN_PATIENCE:
        return Hold(Why.OVERTAKEN, attempt.sent_at + _OVERTAKEN_PATIENCE)
    return _cancel(attempt, Withdrawal.OVERTAKEN, now)


def _cancel(attempt: Attempt, why: Withdrawal, now: datetime) -> Cancel | Hold:
    """The cancel of an open order, as soon as Dhan would take it (none in transit, where an IOC
    ends by itself), and again after a while if the broker took one and the order is still open.

    A modification that failed does not delay it.
    """
    if attempt.withdrawn_at and now - attempt.withdrawn_at < _CANCEL_PATIENCE:
        return Hold(Why.CANCELLING, attempt.withdrawn_at + _CANCEL_PATIENCE)
    if attempt.failed is Change.CANCEL and attempt.retry_at and now < attempt.retry_at:
        return Hold(Why.RETRY, attempt.retry_at)
    if attempt.status in (None, Status.TRANSIT):
        ioc = attempt.ticket.terms.validity is Validity.IOC
        until = attempt.sent_at + (_IOC_PATIENCE if ioc else _TRANSIT_PATIENCE)
        if now < until:
            return Hold(Why.TRANSIT, until)
    return Cancel(attempt.order_id, why)
