"""Tolerant readings of single values: Dhan sends numbers as text, floats and null, and words
for nothing ("NA", "NR", "0001-01-01")."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

from domain.instruments import Segment
from domain.orders import OrderType, Product, Side, Status, Validity
from domain.sessions import IST

_NOTHING = frozenset({"", "NA", "NR", "N/A", "NULL", "NONE"})
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")
_MOST = Decimal(10) ** 15

LONG_AGO = IST.localize(datetime(2000, 1, 1))


class Unreadable(ValueError):
    """A message, or a part of it, that does not say what it must."""


def text(value: object) -> str:
    """The text of a value, empty where Dhan means none."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    stripped = str(value).strip()
    return "" if stripped.upper() in _NOTHING else stripped


def number(value: object) -> Decimal:
    """The number of a value, 0 for none. Raises Unreadable for what is no number."""
    if value is None or isinstance(value, bool):
        return Decimal(0)
    try:
        read = Decimal(text(value) or "0")
    except InvalidOperation:
        raise Unreadable(f"not a number: {str(value)[:20]!r}") from None
    if not read.is_finite() or abs(read) > _MOST:
        raise Unreadable(f"not a sensible number: {str(value)[:20]!r}")
    return read


def paise(value: object) -> int:
    """An amount of rupees in whole paise; never negative."""
    return max(0, round(number(value) * 100))


def quantity(value: object) -> int:
    """A number of shares; never negative."""
    return max(0, int(number(value)))


def instant(value: object) -> datetime | None:
    """A time of Dhan's (IST, whole seconds, no zone), None for none."""
    written = text(value)
    if not written or written.startswith("0001-01-01"):
        return None
    for form in _FORMATS:
        try:
            local: datetime = IST.localize(datetime.strptime(written[:19], form))
        except ValueError:
            continue
        return local
    return None


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
    word = "".join(letter for letter in text(value).upper() if letter.isalnum())
    read = _STATUSES.get(word, Status.UNREADABLE)
    if filled is None:
        return read
    if read is Status.TRADED and filled < total:
        return Status.PART_TRADED
    if read is Status.PENDING and 0 < filled < total:
        return Status.PART_TRADED
    if read in (Status.PENDING, Status.PART_TRADED) and 0 < total <= filled:
        return Status.TRADED
    return read


def side(value: object) -> Side:
    """The side by word or letter. Raises Unreadable."""
    letter = text(value).upper()[:1]
    if letter == "B":
        return Side.BUY
    if letter == "S":
        return Side.SELL
    raise Unreadable(f"no side: {str(value)[:20]!r}")


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
    name = "".join(letter for letter in text(value).upper() if letter.isalpha())
    if name in _ORDER_TYPES:
        return _ORDER_TYPES[name]
    raise Unreadable(f"order type not known: {str(value)[:20]!r}")


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
    raise Unreadable("product not known: " + ", ".join(repr(str(v)[:20]) for v in values))


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
    key = (text(exchange).upper(), text(letter).upper()[:1])
    if key in _SEGMENTS:
        return _SEGMENTS[key]
    raise Unreadable(f"segment not known: {key[0][:10]!r} {key[1]!r}")
