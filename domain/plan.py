"""The one decision of Lockstep: from what is known of an order and its copy to the next step.

`plan` is asked again after everything that happens, and always answers from the whole state.
So there is no code for late, doubled, lost or reordered events: they all lead here.
"""

from datetime import datetime, timedelta

from domain import correlation
from domain.copies import Attempt, Copy, Skipped, Stage, Withdrawal
from domain.instruments import Instrument
from domain.orders import AmoTime, Order, Product, Side, Status
from domain.outcomes import Refused
from domain.rules import Account, Market, Mood, Rules, WhenClosed
from domain.steps import Cancel, Done, Hold, Modify, Place, Skip, Step, Why
from domain.tickets import Ticket
from domain.wanted import Wanted, wanted

_TRANSIT_PATIENCE = timedelta(seconds=1)
_CANCEL_PATIENCE = timedelta(seconds=3)
_WORTH_RETRYING = frozenset({Refused.TOKEN, Refused.ADDRESS, Refused.MARKET_CLOSED})
_UNSUPPORTED_PRODUCTS = frozenset({Product.CO, Product.BO})
_TRIGGERED_BY_FOREVER = "FOVR"


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
    second order while one may exist, never touches an order that has ended.
    """
    attempt = copy.current
    if copy.skipped and not copy.lives:
        return Done()
    if attempt is not None:
        if account.mood is Mood.PARKED and not attempt.ended:
            return Hold(Why.ACCOUNT)
        if stray := _stray(copy, now):
            return stray
        if waiting := _waiting(attempt):
            return waiting
        if not attempt.ended:
            return _steer(order, copy, attempt, rules, market, instrument, now)
        if copy.skipped or not _another(order, attempt):
            return Done()
    return _enter(order, copy, rules, market, instrument, account, now)


def _stray(copy: Copy, now: datetime) -> Step | None:
    """The step for an order that was believed never to exist and was found after a newer one
    had been placed: nothing may stay open beside the newest."""
    for attempt in copy.attempts[:-1]:
        if attempt.stage is Stage.LIVE and not attempt.ended:
            if attempt.in_flight:
                return Hold(Why.IN_FLIGHT)
            return _pausing(attempt, now) or _cancel(attempt, Withdrawal.REPLACED, now)
    return None


def _pausing(attempt: Attempt, now: datetime) -> Hold | None:
    """The hold of an order that was just asked about and is not to be hammered."""
    if attempt.withdrawn_at and now - attempt.withdrawn_at < _CANCEL_PATIENCE:
        return Hold(Why.CANCELLING, attempt.withdrawn_at + _CANCEL_PATIENCE)
    if attempt.retry_at and now < attempt.retry_at:
        return Hold(Why.RETRY, attempt.retry_at)
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


def _another(order: Order, ended: Attempt) -> bool:
    """Whether an attempt that ended may be followed by a new one."""
    if ended.stage in (Stage.TURNED_BACK, Stage.ABSENT):
        return True
    if ended.stage is Stage.REFUSED:
        return ended.refusal is not None and ended.refusal.kind in _WORTH_RETRYING
    if _dead(order):
        return False
    if ended.status is Status.TRADED or ended.filled >= ended.ticket.terms.quantity:
        return True
    return ended.status is Status.CANCELLED and ended.withdrawn is not None


def _dead(order: Order) -> bool:
    """Whether the leader's order ended without trading in full."""
    return order.status.terminal and order.status is not Status.TRADED


def _enter(
    order: Order,
    copy: Copy,
    rules: Rules,
    market: Market,
    instrument: Instrument | None,
    account: Account,
    now: datetime,
) -> Step:
    """The step for a copy of which no order exists: place one, wait, or let it be."""
    if verdict := _never(order):
        return verdict if not copy.attempts else Done()
    if _dead(order) and not order.filled:
        return Done() if copy.lives else Skip(Skipped.LEADER_CLOSED, order.reason)
    if order.status is Status.TRANSIT:
        return Hold(Why.LEADER_TRANSIT)
    if order.status is Status.UNREADABLE:
        return Hold(Why.LEADER_UNREADABLE)
    exits = account.position * (1 if order.side is Side.SELL else -1) > 0
    if not copy.filled and not exits and (verdict := _too_late(copy, rules, account, now)):
        return verdict
    if account.mood is Mood.PARKED:
        return Hold(Why.ACCOUNT)
    if instrument is None:
        return Hold(Why.INSTRUMENT)
    want = wanted(order, copy, rules, market, instrument, now)
    if want is None:
        return _nothing_wanted(order, copy, instrument)
    last = copy.current
    if last and last.retry_at and now < last.retry_at:
        return Hold(Why.RETRY, last.retry_at)
    amo_time = order.amo_time or AmoTime.OPEN if order.after_market else None
    if not market.open and amo_time is None:
        if rules.when_closed is WhenClosed.SKIP and not copy.attempts:
            return Skip(Skipped.MARKET_CLOSED)
        if rules.when_closed is not WhenClosed.AMO:
            return Hold(Why.MARKET_CLOSED)
        amo_time = AmoTime.OPEN
    if market.open:
        amo_time = None
    return _place(order, copy, rules, want, amo_time)


def _never(order: Order) -> Skip | None:
    """The verdict on an order that no follower copies."""
    if correlation.ours(order.correlation_id):
        return Skip(Skipped.OWN)
    if not order.instrument.segment.copied:
        return Skip(Skipped.UNSUPPORTED, f"segment {order.instrument.segment}")
    if order.product in _UNSUPPORTED_PRODUCTS:
        return Skip(Skipped.UNSUPPORTED, f"product {order.product}")
    if order.leg != 1 or (order.parent_id and order.platform == _TRIGGERED_BY_FOREVER):
        return Skip(Skipped.UNSUPPORTED, f"leg {order.leg} of order {order.parent_id}")
    return None


def _too_late(copy: Copy, rules: Rules, account: Account, now: datetime) -> Skip | None:
    """The verdict on an entry that the follower may not take any more."""
    if account.mood is Mood.PAUSED:
        return Skip(Skipped.PAUSED)
    if copy.born is None or now - copy.born <= rules.max_age:
        return None
    age = int((now - copy.born).total_seconds())
    return Skip(Skipped.STALE, f"{age} s old, {int(rules.max_age.total_seconds())} s allowed")


def _nothing_wanted(order: Order, copy: Copy, instrument: Instrument) -> Step:
    if copy.attempts:
        return Done()
    sized = f"{order.terms.quantity} by {copy.sizing.text}, lot {instrument.lot}"
    return Skip(Skipped.UNDER_ONE_LOT, sized)


def _place(order: Order, copy: Copy, rules: Rules, want: Wanted, amo_time: AmoTime | None) -> Place:
    number = len(copy.attempts)
    ticket = Ticket(
        correlation_id=correlation.correlation_id(order.order_id, 0, number),
        instrument=order.instrument,
        side=order.side,
        product=rules.product(order.product),
        terms=want.terms,
        amo_time=amo_time,
    )
    return Place(ticket, number, want.reference)


def _steer(
    order: Order,
    copy: Copy,
    attempt: Attempt,
    rules: Rules,
    market: Market,
    instrument: Instrument | None,
    now: datetime,
) -> Step:
    """The step for a copy whose order is open at the broker."""
    if pausing := _pausing(attempt, now):
        return pausing
    if _dead(order):
        return _cancel(attempt, Withdrawal.LEADER, now)
    if attempt.withdrawn:
        return _cancel(attempt, attempt.withdrawn, now)
    if not market.open and attempt.ticket.amo_time is None:
        return Hold(Why.MARKET_CLOSED)
    if order.status is Status.UNREADABLE:
        return Hold(Why.LEADER_UNREADABLE)
    if instrument is None:
        return Hold(Why.INSTRUMENT)
    want = wanted(order, copy, rules, market, instrument, now)
    if want is None or want.terms.quantity <= attempt.filled:
        return _cancel(attempt, Withdrawal.REDUCED, now)
    if want.terms == attempt.terms:
        return Hold(Why.RESTING, want.until)
    if want.terms == attempt.declined:
        return Hold(Why.DECLINED)
    if attempt.modifications >= rules.modification_cap:
        return _cancel(attempt, Withdrawal.REPLACED, now)
    return Modify(attempt.order_id, want.terms, want.reference)


def _cancel(attempt: Attempt, why: Withdrawal, now: datetime) -> Step:
    """The cancel of an open order, as soon as Dhan would take it (none in transit)."""
    patience = attempt.sent_at + _TRANSIT_PATIENCE
    if attempt.status in (None, Status.TRANSIT) and now < patience:
        return Hold(Why.TRANSIT, patience)
    return Cancel(attempt.order_id, why)
