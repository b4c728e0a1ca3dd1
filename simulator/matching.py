"""The matching rules: price-driven, pure, one order against one quote."""

from dataclasses import dataclass
from fractions import Fraction

from simulator.orders import BrokerOrder


@dataclass(slots=True)
class Quote:
    """The market of one instrument.

    `price` is the last price in paise, at which everything marketable trades. `volume` is how
    many shares can still trade at it, None for any number. `part` fills only that share of each
    order's quantity, once for each quote (`number`). Only whole lots trade.
    """

    price: int
    volume: int | None = None
    part: Fraction | None = None
    number: int = 0


def triggers(order: BrokerOrder, price: int) -> bool:
    """Whether a stop order becomes active at the price."""
    if order.triggered or not order.terms.stop:
        return False
    return price >= order.terms.trigger if order.side == "BUY" else price <= order.terms.trigger


def marketable(order: BrokerOrder, price: int) -> bool:
    """Whether an active order trades at the price."""
    if order.terms.stop and not order.triggered:
        return False
    if not order.terms.limited:
        return True
    return price <= order.terms.price if order.side == "BUY" else price >= order.terms.price


def fillable(order: BrokerOrder, quote: Quote) -> int:
    """How many shares of a resting order trade against the quote now."""
    if not marketable(order, quote.price):
        return 0
    shares = order.remaining
    if quote.part is not None:
        if order.parted == quote.number:
            return 0
        shares = min(shares, int(order.terms.quantity * quote.part))
    if quote.volume is not None:
        shares = min(shares, quote.volume)
    return max(0, shares) // order.listing.lot * order.listing.lot


def protected_price(side: str, price: int, tick: int, band: Fraction) -> int:
    """The limit that Dhan's market price protection gives an API MARKET order, in paise."""
    width = max(tick, int(price * band))
    if side == "BUY":
        return (price + width) // tick * tick
    return max(tick, -(-(price - width) // tick) * tick)
