"""The order that a follower should have, given the leader's."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.copies import Attempt, Copy
from domain.instruments import Instrument
from domain.orders import Order, OrderType, Status, Terms, Validity
from domain.rules import Market, Rules
from domain.sizing import disclose


@dataclass(frozen=True, slots=True)
class Wanted:
    """The terms that the newest attempt should have; their quantity is that attempt's total.

    `reference` is the price (paise) a protected limit was made from; `until` is when a
    protected order that has not filled by then is to be looked at again.
    """

    terms: Terms
    reference: int | None = None
    until: datetime | None = None


def wanted(
    order: Order,
    copy: Copy,
    rules: Rules,
    market: Market,
    instrument: Instrument,
    now: datetime,
) -> Wanted | None:
    """What the follower should have open, None when nothing (more) is to be traded.

    A leader order that ended after a part fill counts as that much and no more.
    """
    leaders = order.filled if _ended_early(order) else order.terms.quantity
    total = copy.sizing.size(leaders, instrument.lot)
    attempt = copy.current
    carried = copy.filled if attempt is None or attempt.ended else copy.filled_before
    quantity = total - carried
    if quantity < instrument.lot:
        return None
    priced = _priced(order, attempt, rules, market, instrument, now)
    disclosed = disclose(order.terms.disclosed, order.terms.quantity, quantity, instrument.lot)
    terms = replace(priced.terms, quantity=quantity, disclosed=disclosed)
    return replace(priced, terms=terms)


def _ended_early(order: Order) -> bool:
    return order.status.terminal and order.status is not Status.TRADED


def _priced(
    order: Order,
    attempt: Attempt | None,
    rules: Rules,
    market: Market,
    instrument: Instrument,
    now: datetime,
) -> Wanted:
    """The leader's terms in a form that Dhan executes safely by its API."""
    terms = order.terms
    if terms.order_type is OrderType.STOP_LOSS_MARKET:
        limit = rules.protection.limit(order.side, terms.trigger, instrument)
        stop = replace(terms, order_type=OrderType.STOP_LOSS, price=limit)
        return Wanted(stop, reference=terms.trigger)
    if terms.order_type is OrderType.MARKET:
        return _protected(order, attempt, rules, market, instrument, now)
    return Wanted(terms)


def _protected(
    order: Order,
    attempt: Attempt | None,
    rules: Rules,
    market: Market,
    instrument: Instrument,
    now: datetime,
) -> Wanted:
    """A leader's MARKET as a LIMIT, chased while it does not fill; without any price to go by
    it stays MARKET, which Dhan itself turns into a LIMIT within its own band."""
    standing = attempt if attempt is not None and not attempt.ended else None
    reference = standing.reference if standing else None
    if reference is None:
        reference = _reference(order, market)
    if reference is None:
        return Wanted(replace(order.terms, price=0, trigger=0))
    chases, until = _chase(standing, order, rules, now)
    price = rules.protection.limit(order.side, reference, instrument, chases)
    terms = replace(order.terms, order_type=OrderType.LIMIT, price=price, trigger=0)
    return Wanted(terms, reference, until)


def _reference(order: Order, market: Market) -> int | None:
    average = order.average_price
    if average is not None:
        return round(average)
    return market.reference or order.terms.price or None


def _chase(
    standing: Attempt | None, order: Order, rules: Rules, now: datetime
) -> tuple[int, datetime | None]:
    """How often the band is widened by now, and when it is next."""
    if standing is None or order.terms.validity is Validity.IOC:
        return 0, None
    protection = rules.protection
    if not protection.chase_times or protection.chase_seconds <= 0:
        return 0, None
    elapsed = max(0.0, (now - standing.sent_at).total_seconds())
    chases = int(elapsed // protection.chase_seconds)
    if chases >= protection.chase_times:
        return protection.chase_times, None
    return chases, standing.sent_at + timedelta(seconds=protection.chase_seconds * (chases + 1))
