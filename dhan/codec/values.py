"""Tolerant readings of single values: Dhan sends numbers as text, floats and null, and words
for nothing ("NA", "NR", "0001-01-01").

Nothing here trusts a value's size or shape: a reading is bounded, printable, and either sensible
or Unreadable.
"""

import math
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from domain.instruments import Segment
from domain.orders import Order, OrderType, Product, Side, Status, Validity
from domain.sessions import IST

_NOTHING = frozenset({"", "NA", "NR", "N/A", "NULL", "NONE"})
_LONGEST_TEXT = 500
_LONGEST_NUMBER = 40
_MOST = 10**15
_YEARS = range(2000, 2100)

LONG_AGO = IST.localize(datetime(2000, 1, 1))
_INDIA = LONG_AGO.tzinfo  # one offset since 1945, so that pytz need not look it up each time


class Unreadable(ValueError):
    """A message, or a part of it, that does not say what it must."""


def text(value: object) -> str:
    """The text of a value on one line, cut at 500 characters; empty where Dhan means none."""
    stripped = (value if isinstance(value, str) else _spelt(value)).strip()[:_LONGEST_TEXT]
    if not stripped.isprintable():
        stripped = "".join(c if c.isprintable() else " " for c in stripped).strip()
    return "" if stripped.upper() in _NOTHING else stripped


def _spelt(value: object) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() else str(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def shown(value: object) -> str:
    """A value as an error may quote it."""
    return repr(text(value)[:20])


def flag(value: object) -> bool:
    """Whether a value says yes: true, 1 or their spellings."""
    return value is True or text(value).lower() in ("1", "true")


def number(value: object) -> Decimal:
    """The number of a value, 0 for none. Raises Unreadable for what is no number."""
    if value is None or isinstance(value, bool):
        return Decimal(0)
    try:
        read = Decimal(_digits(value))
    except ArithmeticError:
        raise Unreadable(f"not a number: {shown(value)}") from None
    if not read.is_finite() or not -_MOST <= read <= _MOST:
        raise Unreadable(f"not a sensible number: {shown(value)}")
    return read


def _digits(value: object) -> int | str:
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return str(value)
    if not isinstance(value, str):
        raise Unreadable("not a number but a structure")
    if len(value) > _LONGEST_NUMBER:
        raise Unreadable(f"not a sensible number: {shown(value)}")
    return text(value) or "0"


def paise(value: object) -> int:
    """An amount of rupees in whole paise; never negative. Raises Unreadable."""
    if isinstance(value, float) and -_MOST < value < _MOST:
        return max(0, round(value * 100))
    return max(0, round(number(value) * 100))


def quantity(value: object) -> int:
    """A number of shares; never negative. Raises Unreadable, for parts of a share too."""
    if type(value) is int and value <= _MOST:
        return max(0, value)
    read = number(value)
    whole = int(read)
    if whole != read:
        raise Unreadable(f"not a whole number: {shown(value)}")
    return max(0, whole)


def instant(value: object) -> datetime | None:
    """A time of Dhan's (IST, whole seconds, no zone), None for none.

    A time outside this century counts as none: as the newest one it would outrank all that is
    heard later.
    """
    written = text(value)[:19]
    try:
        local = _local(written)
    except ValueError:
        return None
    if local.year not in _YEARS or local.tzinfo is not None:
        return None
    return local.replace(tzinfo=_INDIA)


def _local(written: str) -> datetime:
    if "/" in written:
        form = "%d/%m/%Y %H:%M:%S" if written.count(":") == 2 else "%d/%m/%Y %H:%M"
        return datetime.strptime(written, form)
    return datetime.fromisoformat(written)


_STATUSES = {
    "TRANSIT": Status.TRANSIT,
    "PENDING": Status.PENDING,
    "OPEN": Status.PENDING,
    "CONFIRM": Status.PENDING,
    "MODIFIED": Status.PENDING,
    "TRIGGERED": Status.PENDING,
    "TRIGGERPENDING": Status.PENDING,
    "ACTIVE": Status.PENDING,
    "DUMMY": Status.PENDING,
    "PARTTRADED": Status.PART_TRADED,
    "PARTIALLYTRADED": Status.PART_TRADED,
    "TRADED": Status.TRADED,
    "CANCELLED": Status.CANCELLED,
    "CANCELED": Status.CANCELLED,
    "REJECTED": Status.REJECTED,
    "EXPIRED": Status.EXPIRED,
}


def status(value: object, filled: int | None, total: int) -> Status:
    """Where the order stands: by quantities where they speak, else by the word, in any spelling.

    How Dhan spells a part fill was never captured, so a "Traded" with less than all traded is one.
    """
    read = _STATUSES.get(_word(text(value)), Status.UNREADABLE)
    if filled is None:
        return read
    if read is Status.TRADED and filled < total:
        return Status.PART_TRADED
    if read is Status.PENDING and 0 < filled < total:
        return Status.PART_TRADED
    if read in (Status.PENDING, Status.PART_TRADED) and 0 < total <= filled:
        return Status.TRADED
    return read


@lru_cache(maxsize=256)
def _word(written: str) -> str:
    """A word without its spelling: Part_Traded, Part Traded and PART-TRADED are one."""
    return "".join(letter for letter in written.upper() if letter.isalnum())


_SIDES = {"B": Side.BUY, "BUY": Side.BUY, "S": Side.SELL, "SELL": Side.SELL}


def side(value: object) -> Side:
    """The side by word or letter. Raises Unreadable."""
    known = _SIDES.get(text(value).upper())
    if known is None:
        raise Unreadable(f"no side: {shown(value)}")
    return known


_ORDER_TYPES = {
    "LMT": OrderType.LIMIT,
    "LIMIT": OrderType.LIMIT,
    "MKT": OrderType.MARKET,
    "MARKET": OrderType.MARKET,
    "SL": OrderType.STOP_LOSS,
    "STOPLOSS": OrderType.STOP_LOSS,
    "SLM": OrderType.STOP_LOSS_MARKET,
    "STOPLOSSMARKET": OrderType.STOP_LOSS_MARKET,
}


def order_type(value: object) -> OrderType:
    """The order type by any of Dhan's names. Raises Unreadable."""
    known = _ORDER_TYPES.get(_word(text(value)))
    if known is None:
        raise Unreadable(f"order type not known: {shown(value)}")
    return known


_PRODUCTS = {
    "C": Product.CNC,
    "CNC": Product.CNC,
    "I": Product.INTRADAY,
    "INTRADAY": Product.INTRADAY,
    "INTRA": Product.INTRADAY,
    "MIS": Product.INTRADAY,
    "M": Product.MARGIN,
    "MARGIN": Product.MARGIN,
    "NRML": Product.MARGIN,
    "F": Product.MTF,
    "MTF": Product.MTF,
    "V": Product.CO,
    "CO": Product.CO,
    "B": Product.BO,
    "BO": Product.BO,
}


def product(*values: object) -> Product:
    """The product by the first value that names one. Raises Unreadable: a wrong product is
    squared off by the broker, so it is never guessed."""
    for value in values:
        known = _PRODUCTS.get(text(value).upper())
        if known is not None:
            return known
    raise Unreadable("product not known: " + ", ".join(map(shown, values)))


def validity(value: object) -> Validity:
    """DAY unless IOC is said."""
    return Validity.IOC if text(value).upper() == "IOC" else Validity.DAY


_SEGMENTS = {
    ("NSE", "E"): Segment.NSE_EQ,
    ("NSE", "D"): Segment.NSE_FNO,
    ("NSE", "C"): Segment.NSE_CURRENCY,
    ("NSE", "M"): Segment.NSE_COMM,
    ("BSE", "E"): Segment.BSE_EQ,
    ("BSE", "D"): Segment.BSE_FNO,
    ("BSE", "C"): Segment.BSE_CURRENCY,
    ("MCX", "M"): Segment.MCX_COMM,
    ("NSE", "I"): Segment.IDX_I,
    ("BSE", "I"): Segment.IDX_I,
    ("INX", "E"): Segment.INX_EQ,
}


def segment(exchange: object, letter: object) -> Segment:
    """The segment of an exchange and its letter. Raises Unreadable."""
    key = (text(exchange).upper(), text(letter).upper())
    if key in _SEGMENTS:
        return _SEGMENTS[key]
    raise Unreadable(f"segment not known: {shown(exchange)} {shown(letter)}")


def sensible(order: Order) -> Order:
    """The same order, if it can be one: something is ordered, and what is open has the price that
    its type asks for. Raises Unreadable: taken for the newest terms, an order without a quantity
    would have every copy cancelled.
    """
    terms = order.terms
    if terms.quantity < 1:
        raise Unreadable(f"no quantity in order {order.order_id}")
    if terms.order_type.has_price and not terms.price and not order.status.terminal:
        raise Unreadable(f"no price in the {terms.order_type} order {order.order_id}")
    return order
