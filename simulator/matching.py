"""The matching rules: price-driven, pure, one order against one quote."""

from dataclasses import dataclass
from fractions import Fraction

from simulator.orders import BrokerOrder


@dataclass(slots=True)
class Quote:
    """The market of one instrument.

    `price` is the last price in paise, at which everything marketable trades. `volume` is how
    many shares can still trade at it, None for any number. `part` fills only that share of each
    order's quantity, once for each quote (`number`), in whole lots.
    """

    price: int
    volume: int | None = None
    part: Fraction | None = None
    number: int = 0


def triggers(order: BrokerOrder, price: int) -> bool:
    """Whether a stop order becomes active at the price."""
    if order.triggered or order.order_type not in ("STOP_LOSS", "STOP_LOSS_MARKET"):
        return False
    return price >= order.trigger if order.side == "BUY" else price <= order.trigger


def marketable(order: BrokerOrder, price: int) -> bool:
    """Whether an active order trades at the price."""
    if order.order_type in ("STOP_LOSS", "STOP_LOSS_MARKET") and not order.triggered:
        return False
    if order.order_type in ("MARKET", "STOP_LOSS_MARKET"):
        return True
    return price <= order.price if order.side == "BUY" else price >= order.price


def fillable(order: BrokerOrder, quote: Quote) -> int:
    """How many shares of an open order trade against the quote now."""
    if not order.open or not marketable(order, quote.price):
        return 0
    shares = order.remaining
    if quote.part is not None:
        if order.parted == quote.number:
            return 0
        lot = order.listing.lot
        shares = min(shares, int(order.quantity * quote.part) // lot * lot)
    if quote.volume is not None:
        shares = min(shares, quote.volume)
    return max(0, shares)


def protected_price(side: str, price: int, tick: int, band: Fraction) -> int:
    """The limit that Dhan's market price protection gives an API MARKET order, in paise."""
    width = max(tick, int(price * band))
    if side == "BUY":
        return (price + width) // tick * tick
    return max(tick, -(-(price - width) // tick) * tick)
