"""Rows of the REST API: the order book, trades, funds and the profile.

Also reads the postback, which has the same shape but for one key (`filled_qty`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from dhan.codec.feed import Junk
from dhan.codec.values import (
    LONG_AGO,
    Unreadable,
    instant,
    number,
    order_type,
    paise,
    product,
    quantity,
    side,
    status,
    text,
    validity,
)
from domain.instruments import InstrumentKey, Segment
from domain.orders import AmoTime, Order, Side, Source, Stamp, Status, Terms

_EXCERPT = 120
_LEGS = {"STOP_LOSS_LEG": 2, "TARGET_LEG": 3}
_Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill, by the exchange's own number; price in paise."""

    order_id: str
    trade_id: str
    instrument: InstrumentKey
    side: Side
    quantity: int
    price: int
    traded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Funds:
    """An account's funds in paise. `available` includes pledged collateral (measured live)."""

    available: int
    collateral: int

    @property
    def cash(self) -> int:
        """What is there without the collateral."""
        return self.available - self.collateral


@dataclass(frozen=True, slots=True)
class Profile:
    """Whose token it is, and until when (IST) it is valid."""

    client_id: str
    valid_until: datetime | None
    segments: str


def book(body: bytes, asked_at: int) -> tuple[tuple[Order, ...], tuple[Junk, ...]]:
    """The order book asked for at `asked_at` (monotonic ns), and the rows that say nothing.

    Raises Unreadable when the body is no order book at all: an error is not an empty book.
    """
    orders: list[Order] = []
    junk: list[Junk] = []
    for row in _rows(body):
        try:
            orders.append(order(row, asked_at))
        except Unreadable as trouble:
            junk.append(Junk(str(trouble), str(row)[:_EXCERPT]))
    return tuple(orders), tuple(junk)


def order(row: object, asked_at: int, source: Source = Source.BOOK) -> Order:
    """One order by a row of the book, an answer by id, or a postback. Raises Unreadable."""
    fields = _fields(row)
    order_id = text(fields.get("orderId"))
    if not order_id:
        raise Unreadable("no orderId in the row")
    total = quantity(fields.get("quantity"))
    filled = _filled(fields, total)
    placed = instant(fields.get("createTime"))
    updated = instant(fields.get("updateTime")) or instant(fields.get("exchangeTime")) or placed
    return Order(
        order_id=order_id,
        client_id=text(fields.get("dhanClientId")),
        instrument=_instrument(fields),
        side=side(fields.get("transactionType")),
        product=product(fields.get("productType")),
        terms=_terms(fields, total),
        status=status(fields.get("orderStatus"), filled, total),
        stamp=Stamp(updated or LONG_AGO, source, asked_at),
        filled=filled or 0,
        traded_value=max(0, round(number(fields.get("averageTradedPrice")) * 100 * (filled or 0))),
        correlation_id=text(fields.get("correlationId")) or None,
        symbol=text(fields.get("tradingSymbol")),
        reason=_reason(fields),
        placed_at=placed,
        platform=text(fields.get("orderPlatform")),
        after_market=fields.get("afterMarketOrder") is True,
        amo_time=_amo_time(fields.get("amoTime")),
        leg=_LEGS.get(text(fields.get("legName")).upper(), 1),
    )


def trades(body: bytes) -> tuple[Trade, ...]:
    """The day's fills. Raises Unreadable."""
    return tuple(_trade(_fields(row)) for row in _rows(body))


def funds(body: bytes) -> Funds:
    """The account's funds; Dhan's own key is misspelt (`availabelBalance`). Raises Unreadable."""
    fields = _fields(_parsed(body))
    for key in ("availabelBalance", "availableBalance"):
        if key in fields:
            available = round(number(fields[key]) * 100)
            return Funds(available, round(number(fields.get("collateralAmount")) * 100))
    raise Unreadable("no balance in the funds")


def profile(body: bytes) -> Profile:
    """The owner of the token. Raises Unreadable."""
    fields = _fields(_parsed(body))
    client_id = text(fields.get("dhanClientId"))
    if not client_id:
        raise Unreadable("no dhanClientId in the profile")
    return Profile(
        client_id, instant(fields.get("tokenValidity")), text(fields.get("activeSegment"))
    )


def _parsed(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        raise Unreadable("not JSON") from None
    return parsed


def _rows(body: bytes) -> list[object]:
    parsed = _parsed(body)
    if isinstance(parsed, list):
        return parsed
    if isinstance(parsed, dict) and "orderId" in parsed:
        return [parsed]
    raise Unreadable("not a list of orders")


def _fields(row: object) -> _Row:
    if not isinstance(row, dict):
        raise Unreadable("not an object")
    return row


def _instrument(fields: _Row) -> InstrumentKey:
    security = text(fields.get("securityId"))
    if not security:
        raise Unreadable("no securityId in the row")
    return InstrumentKey(_named(Segment, fields.get("exchangeSegment"), "segment"), security)


_Name = TypeVar("_Name", Segment, AmoTime)


def _named(kind: type[_Name], value: object, what: str) -> _Name:
    try:
        return kind(text(value))
    except ValueError:
        raise Unreadable(f"{what} not known: {str(value)[:20]!r}") from None


def _terms(fields: _Row, total: int) -> Terms:
    kind = order_type(fields.get("orderType"))
    return Terms(
        quantity=total,
        order_type=kind,
        price=paise(fields.get("price")) if kind.has_price else 0,
        trigger=paise(fields.get("triggerPrice")) if kind.has_trigger else 0,
        validity=validity(fields.get("validity")),
        disclosed=quantity(fields.get("disclosedQuantity")),
    )


def _filled(fields: _Row, total: int) -> int | None:
    for key in ("filledQty", "filled_qty"):
        if fields.get(key) is not None:
            return quantity(fields[key])
    if status(fields.get("orderStatus"), None, total) is Status.TRADED:
        return total
    return None


def _reason(fields: _Row) -> str:
    """The broker's words; on healthy orders the description says CONFIRMED."""
    reason = text(fields.get("omsErrorDescription"))
    return "" if reason.upper() == "CONFIRMED" else reason


def _amo_time(value: object) -> AmoTime | None:
    written = text(value)
    return AmoTime(written) if written in AmoTime.__members__ else None


def _trade(fields: _Row) -> Trade:
    return Trade(
        order_id=text(fields.get("orderId")),
        trade_id=text(fields.get("exchangeTradeId")),
        instrument=_instrument(fields),
        side=side(fields.get("transactionType")),
        quantity=quantity(fields.get("tradedQuantity")),
        price=paise(fields.get("tradedPrice")),
        traded_at=instant(fields.get("exchangeTime")) or instant(fields.get("createTime")),
    )
