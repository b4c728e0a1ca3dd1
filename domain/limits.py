"""The limits of a follower: which entries it takes, and how much of them.

Every verdict names the rule, its limit and the value (scenarios 5.7, 8.5). Only entries are asked
about: an exit is never held up by a limit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction

from domain.copies import Skipped
from domain.exchanges import exchanges, schedule_of
from domain.instruments import Instrument, Segment
from domain.orders import Order, Product, Side
from domain.sessions import IST
from domain.steps import Skip

_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """What a follower copies at all. Empty means anything. Symbols are patterns with * and ? for
    the trading symbol or the underlying; what is denied is denied whatever is allowed."""

    segments: tuple[Segment, ...] = ()
    products: tuple[Product, ...] = ()
    symbols: tuple[str, ...] = ()
    denied_symbols: tuple[str, ...] = ()
    side: Side | None = None
    options_only: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of everything, None for no limit. Values are in paise, quantities in shares.

    `order_value` and `quantity` are of one order, `open_positions` of instruments in which the
    copies hold something, `orders_a_day` of copies placed. `moved_percent` and `moved_ticks` are
    how far the price may have gone from the leader's, against the follower. `day_loss` is how far
    the account may be down on a day, on all that it trades, realised and open; `square_off` is
    whether the follower is flattened then (`domain.halts.squared_off`). `margin_check` is whether
    the account must be seen to have the funds (`domain.funds`). `intraday_cutoff_minutes` before
    Dhan squares off intraday positions, and until the close, none is opened any more.
    """

    order_value: int | None = None
    quantity: int | None = None
    open_positions: int | None = None
    orders_a_day: int | None = None
    moved_percent: Fraction | None = None
    moved_ticks: int | None = None
    day_loss: int | None = None
    square_off: bool = False
    margin_check: bool = False
    intraday_cutoff_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class DayLoss:
    """The furthest (paise) that an account was down on a day in India."""

    day: date
    loss: int

    def on(self, now: datetime) -> int:
        """What counts of it at that instant."""
        return self.loss if now.astimezone(IST).date() == self.day else 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands: instruments in which its copies hold a position, whether the one that
    is asked about is among them, copies placed today, and the furthest that it was down today."""

    open_positions: int = 0
    holds: bool = False
    orders_today: int = 0
    day_loss: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A copy that would open a position in the follower's `product`, at the instant `now`: of so
    many shares at about `price`. `last` is the last price known; both are in paise, None where
    nobody told any."""

    order: Order
    instrument: Instrument
    quantity: int
    price: int | None
    last: int | None
    product: Product
    now: datetime


def refused(entry: Entry, wanted: Filter, limits: Limits, standing: Standing) -> Skip | None:
    """The verdict on an entry, or None where it may be placed."""
    for words in _filtered(entry.order, entry.instrument, wanted):
        return Skip(Skipped.FILTERED, words)
    for words in _limited(entry, limits, standing):
        return Skip(Skipped.LIMITED, words)
    for words in _moved(entry, limits):
        return Skip(Skipped.MOVED, words)
    return None


def _filtered(order: Order, instrument: Instrument, wanted: Filter) -> Iterator[str]:
    segment, names = order.instrument.segment, _names(order, instrument)
    called = names[0] if names else order.instrument.security_id
    if wanted.segments and segment not in wanted.segments:
        yield f"segment {segment}, allowed: {', '.join(wanted.segments)}"
    if wanted.products and order.product not in wanted.products:
        yield f"product {order.product}, allowed: {', '.join(wanted.products)}"
    if wanted.side is not None and order.side is not wanted.side:
        yield f"side {order.side}, allowed: {wanted.side}"
    if wanted.options_only and not instrument.option:
        yield f"{called} is no option"
    if denied := _match(names, wanted.denied_symbols):
        yield f"symbol {called}, denied: {denied}"
    if wanted.symbols and not _match(names, wanted.symbols):
        yield f"symbol {called}, allowed: {', '.join(wanted.symbols)}"


def _limited(entry: Entry, limits: Limits, standing: Standing) -> Iterator[str]:
    quantity, value = entry.quantity, entry.quantity * (entry.price or 0)
    if limits.order_value is not None and value > limits.order_value:
        yield f"order value {_rupees(value)}, limit {_rupees(limits.order_value)}"
    if limits.quantity is not None and quantity > limits.quantity:
        yield f"quantity {quantity}, limit {limits.quantity}"
    most, held = limits.open_positions, standing.open_positions
    if most is not None and not standing.holds and held >= most:
        yield f"open positions {held}, limit {most}"
    if limits.orders_a_day is not None and standing.orders_today >= limits.orders_a_day:
        yield f"orders today {standing.orders_today}, limit {limits.orders_a_day}"
    if limits.day_loss is not None and standing.day_loss >= limits.day_loss:
        yield f"day's loss {_rupees(standing.day_loss)}, limit {_rupees(limits.day_loss)}"
    if limits.intraday_cutoff_minutes is not None and entry.product is Product.INTRADAY:
        yield from _cut_off(entry, limits.intraday_cutoff_minutes)


def _cut_off(entry: Entry, minutes: int) -> Iterator[str]:
    """Where the position would be squared off too soon. It goes by the exchanges' regular hours,
    whatever `calendar.toml` says, so that it follows from what is recorded."""
    schedule = schedule_of(entry.order.instrument, entry.instrument)
    off = schedule and exchanges().square_off(schedule, entry.now)
    if not off:
        return
    begins = off.at - timedelta(minutes=minutes)
    if begins <= entry.now < off.close:
        now, limit, at = (f"{one.astimezone(IST):%H:%M:%S}" for one in (entry.now, begins, off.at))
        why = f"{minutes} min before the square-off at {at}"
        yield f"intraday entry at {now}, limit {limit} ({why})"


def _moved(entry: Entry, limits: Limits) -> Iterator[str]:
    """How far the price has gone from what the leader paid or got, to the follower's loss."""
    order, last = entry.order, entry.last
    paid = round(order.average_price or 0)
    if not paid or not last:
        return
    worse = last - paid if order.side is Side.BUY else paid - last
    percent, ticks = limits.moved_percent, limits.moved_ticks
    if percent is not None and worse * _HUNDRED > percent * paid:
        gone = float(Fraction(worse * _HUNDRED, paid))
        yield f"price moved {gone:.2f} % from {_rupees(paid)}, limit {float(percent):g} %"
    if ticks is not None and worse > ticks * entry.instrument.tick:
        gone_ticks = worse // entry.instrument.tick
        yield f"price moved {gone_ticks} ticks from {_rupees(paid)}, limit {ticks}"


def _names(order: Order, instrument: Instrument) -> Sequence[str]:
    """As the instrument master calls it; feeds have names of their own."""
    return [name for name in (instrument.symbol, instrument.underlying, order.symbol) if name]


def _match(names: Sequence[str], patterns: Sequence[str]) -> str:
    """The first pattern that one of the names fits, empty for none."""
    return next((p for p in patterns if any(fnmatchcase(name, p) for name in names)), "")


def _rupees(paise: int) -> str:
    return f"{paise / 100:.2f}"
