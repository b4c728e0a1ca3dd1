"""The first half of the one decision: whether an order of a follower is placed at all, and which.

Where nothing of a slice may exist at the broker, it is placed, waits, or is let be.
"""

from datetime import datetime, timedelta

from domain import ages, correlation
from domain.copies import Copy, Skipped
from domain.exits import within
from domain.funds import Trade, affordable
from domain.halts import held_back
from domain.instruments import Instrument, Listing
from domain.limits import Entry, refused
from domain.missed import Missed
from domain.orders import AmoTime, Order, Product, Status
from domain.rules import Account, Market, Mood, Rules, WhenClosed
from domain.sizing import Exit, Unsized
from domain.slices import Slice
from domain.steps import Done, Hold, Place, Skip, Step, Why
from domain.tickets import Ticket
from domain.wanted import Wanted, share, wanted

_UNSUPPORTED_PRODUCTS = frozenset({Product.CO, Product.BO})
_TRIGGERED_BY_FOREVER = "FOVR"


def enter(
    order: Order,
    one: Slice,
    rules: Rules,
    market: Market,
    instrument: Instrument | None,
    account: Account,
    now: datetime,
) -> Step:
    """The step for a slice of which no order exists: place one, wait, or let it be."""
    copy, whole = one.copy, one.whole
    if whole.lone or (copy.skipped is not None and copy.skipped.lasting):
        return Done()
    if verdict := _never(order):
        return verdict if not whole.attempts else Done()
    if order.cut_short and not order.filled:
        return Done() if whole.lives else Skip(Skipped.LEADER_CLOSED, order.reason)
    if account.mood is Mood.FLATTENED and not order.flattening:
        return Skip(Skipped.HALTED)
    if order.status is Status.TRANSIT:
        return Hold(Why.LEADER_TRANSIT)
    if order.status is Status.UNREADABLE:
        return Hold(Why.LEADER_UNREADABLE)
    entry = not account.exits(order.side) and not _took_part(whole)
    if entry and market.listing is Listing.UNKNOWN:
        return Done() if whole.lives else _unknown(order)
    if entry and market.listing is Listing.AWAITED:
        instrument = None
    want = wanted(order, copy, rules, market, instrument, now) if instrument else None
    unsized = isinstance(whole.sizing, Unsized)
    if want is None and _awaits_fill(order, whole, instrument):
        return Hold(Why.LEADER_FILL)
    if want is None and instrument is not None and not unsized:
        if isinstance(whole.sizing, Exit) and whole.sizing.to_come:
            return Hold(Why.ENTRY)
        return _nothing_wanted(order, whole, instrument)
    if account.mood is Mood.HALTED or order.flattening:
        if entry or (want is not None and not account.exits(order.side)):
            return Skip(Skipped.HALTED)
        want = want and held_back(want, order.side, None, account, one.beside)
        if want is not None and not want.terms.quantity:
            return Done()
    if want is not None and instrument is not None:
        want = within(want, whole, None, account.most, instrument.lot)
        if want is None:
            return Hold(Why.ENTRY)
    takes = market.open if want is None else market.takes(want.terms)
    aged = ages.age(order, copy, market, takes, now)
    if entry and (verdict := _too_late(aged, rules, account, want)):
        return verdict
    if account.mood is Mood.PARKED:
        return Hold(Why.ACCOUNT)
    if want is None:
        return Hold(_unready(whole, market))
    asks = entry and not one.joins
    limited = _limited(order, one, rules, market, instrument, account, want, now) if asks else None
    if limited is not None:
        return limited
    last = copy.current
    if last and last.retry_at and now < last.retry_at:
        return Hold(Why.RETRY, last.retry_at)
    amo_time = None if takes else _amo_time(order, rules, market)
    if not takes and amo_time is None:
        if entry and rules.when_closed is WhenClosed.SKIP and not whole.attempts:
            return Skip(Skipped.MARKET_CLOSED)
        return Hold(Why.MARKET_CLOSED, ages.drops_at(order, copy, rules.max_age) if entry else None)
    place = _place(order, one, rules, want, amo_time)
    short = _short(order, one, place, instrument, account, now) if asks else None
    return place if short is None else short


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


def _awaits_fill(order: Order, copy: Copy, instrument: Instrument | None) -> bool:
    """Whether nothing is copied yet of a mirrored order, and something may be by its next fill."""
    if not order.mirrored or order.status.terminal or copy.attempts:
        return False
    if instrument is None or isinstance(copy.sizing, Unsized):
        return not order.filled
    return copy.sizing.size(order.terms.quantity, instrument.lot) >= instrument.lot


def _unknown(order: Order) -> Skip:
    """The verdict on an order in an instrument that the master does not have."""
    key = order.instrument
    words = f"{key.segment} {key.security_id} is not in the instrument master"
    return Skip(Skipped.UNKNOWN_INSTRUMENT, words)


def _unready(copy: Copy, market: Market) -> Why:
    """What keeps an order from being made at all."""
    if market.listing is Listing.AWAITED:
        return Why.MASTER
    return Why.SIZING if isinstance(copy.sizing, Unsized) else Why.INSTRUMENT


def _amo_time(order: Order, rules: Rules, market: Market) -> AmoTime | None:
    """When a copy goes to the exchange as an after-market order, None where it is to be none. The
    leader's own timing is kept; OPEN takes every kind of order, unlike PRE_OPEN."""
    if order.after_market:
        return order.amo_time or AmoTime.OPEN
    amo = rules.when_closed is WhenClosed.AMO and market.after_market and not order.flattening
    return AmoTime.OPEN if amo else None


def _too_late(age: timedelta, rules: Rules, account: Account, want: Wanted | None) -> Skip | None:
    """The verdict on an entry that the follower may not take any more."""
    paused = account.mood is Mood.PAUSED
    if not paused and age <= rules.max_age:
        return None
    if paused:
        return Skip(Skipped.PAUSED)
    missed = Missed(want.terms.quantity if want else 0, age, rules.max_age)
    return Skip(Skipped.STALE, missed.aged, missed)


def _limited(
    order: Order,
    one: Slice,
    rules: Rules,
    market: Market,
    instrument: Instrument | None,
    account: Account,
    want: Wanted,
    now: datetime,
) -> Skip | None:
    """The verdict of the follower's limits on an entry, which are about all of a copy."""
    if instrument is None:
        return None
    terms, last = want.terms, market.reference
    price = terms.price or terms.trigger or last
    quantity = _all_of(order, one, terms.quantity, instrument)
    product = rules.product(order.product)
    entry = Entry(order, instrument, quantity, price, last, product, now)
    return refused(entry, rules.filter, rules.limits, account.standing)


def _short(
    order: Order,
    one: Slice,
    place: Place,
    instrument: Instrument | None,
    account: Account,
    now: datetime,
) -> Hold | Skip | None:
    """The verdict of the follower's funds on an entry, which is about all of a copy."""
    if instrument is None or account.room is None:
        return None
    ticket, terms = place.ticket, place.ticket.terms
    trade = Trade(ticket.instrument, ticket.product, ticket.side)
    price = terms.price or terms.trigger
    quantity = _all_of(order, one, terms.quantity, instrument)
    return affordable(trade, instrument, quantity, price, account.room, now)


def _all_of(order: Order, one: Slice, quantity: int, instrument: Instrument) -> int:
    """The shares of a copy of which one slice takes this quantity."""
    return quantity if one.alone else share(order, one.whole, instrument.lot)


def _took_part(copy: Copy) -> bool:
    """Whether some of the copy traded, or stood in the market until Lockstep itself cancelled it
    (after the cap of modifications, to be placed anew)."""
    return any(attempt.filled or attempt.withdrawn for attempt in copy.attempts)


def _nothing_wanted(order: Order, copy: Copy, instrument: Instrument) -> Step:
    if copy.attempts:
        return Done()
    sized = f"{order.terms.quantity} by {copy.sizing.text}, lot {instrument.lot}"
    return Skip(Skipped.UNDER_ONE_LOT, sized)


def _place(order: Order, one: Slice, rules: Rules, want: Wanted, amo_time: AmoTime | None) -> Place:
    attempts = one.whole.attempts
    number = attempts[-1].number + 1 if attempts else 0
    ticket = Ticket(
        correlation_id=correlation.correlation_id(order.order_id, one.number, number),
        instrument=order.instrument,
        side=order.side,
        product=rules.product(order.product),
        terms=want.terms,
        amo_time=amo_time,
    )
    return Place(ticket, number, want.reference, one.number)
