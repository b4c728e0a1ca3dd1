"""The order that a follower should have, given the leader's."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.attempts import Attempt
from domain.copies import Copy
from domain.instruments import Instrument
from domain.orders import Order, OrderType, Terms, Validity
from domain.protection import Protection
from domain.rules import Market, Rules
from domain.sizing import disclose

_NEVER = timedelta(0)
_TRIGGERED = {
    OrderType.STOP_LOSS: OrderType.LIMIT,
    OrderType.STOP_LOSS_MARKET: OrderType.MARKET,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The terms that the newest attempt should have; their quantity is that attempt's total.

    `reference` is the price (paise) that the limit of a leader's MARKET was made from; `until`
    is when such an order is to be looked at again, if it has not filled by then.
    """

    terms: Terms
    reference: int | None = None
    until: datetime | None = None

    def at_most(self, quantity: int) -> "Wanted":
        """The same for no more than so many shares."""
        terms = self.terms
        if terms.quantity <= quantity:
            return self
        disclosed = terms.disclosed if terms.disclosed < quantity else 0
        return replace(self, terms=replace(terms, quantity=quantity, disclosed=disclosed))


def wanted(
    order: Order,
    copy: Copy,
    rules: Rules,
    market: Market,
    instrument: Instrument,
    now: datetime,
) -> Wanted | None:
    """What the follower should have open, in a form that Dhan executes safely by its API; None
    when nothing (more) is to be traded.

    A leader order that ended after a part fill counts as that much and no more.
    """
    standing = copy.standing
    carried = copy.filled if standing is None else copy.filled_before
    quantity = share(order, copy, instrument.lot) - carried
    if quantity < instrument.lot:
        return None
    kind, asked = _kind(order, standing), order.terms
    if kind is OrderType.MARKET:
        return _protected(order, standing, quantity, rules, market, instrument, now)
    price, trigger = asked.price, asked.trigger
    if kind is OrderType.STOP_LOSS_MARKET:
        kind, price = OrderType.STOP_LOSS, rules.protection.limit(order.side, trigger, instrument)
    return Wanted(_terms(order, quantity, instrument.lot, kind, price, trigger))


def share(order: Order, copy: Copy, lot: int) -> int:
    """The copy's part (shares) of what the leader's order asks for, or of what it got, where it
    was cut short or only its fills are copied."""
    if order.cut_short or order.mirrored:
        return part(order, copy, lot)
    return copy.sizing.size(order.terms.quantity, lot)


def part(order: Order, copy: Copy, lot: int) -> int:
    """The copy's part (shares) of what the leader's order got; whatever it got of one that the
    leader has no part in."""
    if order.flattening:
        return copy.filled
    return copy.sizing.part(order.filled, order.terms.quantity, lot)


def _kind(order: Order, standing: Attempt | None) -> OrderType:
    """The leader's order type, but that of a triggered stop once a stop has done its work: the
    exchange takes no stop whose trigger has been passed."""
    kind = order.terms.order_type
    if kind.has_trigger and order.status.terminal and not _waits(standing):
        return _TRIGGERED[kind]
    return kind


def _waits(standing: Attempt | None) -> bool:
    """Whether a stop order stands that may still wait for its trigger."""
    if standing is None:
        return False
    return standing.asked.order_type.has_trigger


def _terms(
    order: Order, quantity: int, lot: int, kind: OrderType, price: int, trigger: int
) -> Terms:
    """The leader's terms but for these. What is left of an order that was cut short is taken at
    once or not at all: nobody would cancel the copy later."""
    asked = order.terms
    return Terms(
        quantity,
        kind,
        price,
        trigger if kind.has_trigger else 0,
        Validity.IOC if order.cut_short else asked.validity,
        disclose(asked.disclosed, asked.quantity, quantity, lot) if asked.disclosed else 0,
    )


def _protected(
    order: Order,
    standing: Attempt | None,
    quantity: int,
    rules: Rules,
    market: Market,
    instrument: Instrument,
    now: datetime,
) -> Wanted:
    """A leader's MARKET as a LIMIT, chased while it does not fill; without any price to go by
    it stays MARKET, which Dhan itself turns into a LIMIT within its own band."""
    chases, until = 0, None
    if standing is not None and standing.reference is not None:
        reference: int | None = standing.reference
        if order.terms.validity is not Validity.IOC:
            chases, until = _chase(standing, rules.protection, now)
    else:
        reference = _reference(order, market)
    kind, price = OrderType.MARKET, 0
    if reference is not None:
        kind = OrderType.LIMIT
        price = rules.protection.limit(order.side, reference, instrument, chases)
    return Wanted(_terms(order, quantity, instrument.lot, kind, price, 0), reference, until)


def _reference(order: Order, market: Market) -> int | None:
    """The leader's own average price (an event may tell fills without one), else the last price
    known, else what the leader's order says."""
    average = round(order.average_price or 0)
    return average or market.reference or order.terms.price or None


def _chase(standing: Attempt, protection: Protection, now: datetime) -> tuple[int, datetime | None]:
    """How often the band is widened by now, and when it is next."""
    begun, every = standing.chased_from or standing.sent_at, protection.chase_every
    if protection.chase_times < 1 or every <= _NEVER:
        return 0, None
    chases = max(0, (now - begun) // every)
    if chases >= protection.chase_times:
        return protection.chase_times, None
    return chases, begun + every * (chases + 1)
