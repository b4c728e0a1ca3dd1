"""Rows of the REST API: the order book, trades, funds and the profile.

Also reads the postback, which has the same shape but for one key (`filled_qty`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from dhan.codec.feed import Junk
from dhan.codec.values import (
    LONG_AGO,
    Unreadable,
    flag,
    instant,
    number,
    order_type,
    paise,
    product,
    quantity,
    sensible,
    shown,
    side,
    status,
    text,
    validity,
)
from domain import correlation
from domain.instruments import InstrumentKey, Segment
from domain.orders import AmoTime, Order, Side, Source, Stamp, Status, Terms

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


def book(body: bytes, asked_at: int, client_id: str) -> tuple[tuple[Order, ...], tuple[Junk, ...]]:
    """The order book of an account asked for at `asked_at` (monotonic ns), and the rows that say
    nothing. A row that does not name its account is of the one that was asked for.

    Raises Unreadable when the body is no complete order book: an error is not an empty book, and
    a book with an unreadable order of ours proves the absence of none.
    """
    said = [row(one, asked_at, client_id) for one in _rows(body)]
    orders = tuple(one for one in said if isinstance(one, Order))
    return orders, tuple(one for one in said if isinstance(one, Junk))


def row(value: object, asked_at: int, client_id: str) -> Order | Junk:
    """What one row of the order book says. Raises Unreadable for what is no row, and for one of
    ours that says nothing."""
    fields = _fields(value)
    try:
        return order(fields, asked_at, client_id)
    except Unreadable as trouble:
        name = f"order {text(fields.get('orderId'))}"
        if correlation.ours(text(fields.get("correlationId"))):
            raise Unreadable(f"{name} of ours: {trouble}") from None
        return Junk(str(trouble), name)


def order(row: object, asked_at: int, client_id: str = "", source: Source = Source.BOOK) -> Order:
    """One order by a row of the book, an answer by id, or a postback; `client_id` is whose it is
    if it does not say so. Raises Unreadable."""
    fields = _fields(row)
    total = quantity(fields.get("quantity"))
    filled = _filled(fields, total)
    placed = instant(fields.get("createTime"))
    updated = instant(fields.get("updateTime")) or instant(fields.get("exchangeTime")) or placed
    return sensible(
        Order(
            order_id=_needed(fields, "orderId"),
            client_id=text(fields.get("dhanClientId"))
            or client_id
            or _needed(fields, "dhanClientId"),
            instrument=_instrument(fields),
            side=side(fields.get("transactionType")),
            product=product(fields.get("productType")),
            terms=_terms(fields, total),
            status=status(fields.get("orderStatus"), filled, total),
            stamp=Stamp(updated or LONG_AGO, source, asked_at),
            filled=filled or 0,
            traded_value=_traded_value(fields, filled or 0),
            correlation_id=text(fields.get("correlationId")) or None,
            symbol=text(fields.get("tradingSymbol")),
            reason=_reason(fields),
            placed_at=placed,
            platform=text(fields.get("orderPlatform")),
            after_market=flag(fields.get("afterMarketOrder")),
            amo_time=_amo_time(fields.get("amoTime")),
            leg=_LEGS.get(text(fields.get("legName")).upper(), 1),
        )
    )


def trades(body: bytes) -> tuple[tuple[Trade, ...], tuple[Junk, ...]]:
    """The day's fills, and the rows that say nothing. Raises Unreadable when the body is none."""
    found: list[Trade] = []
    junk: list[Junk] = []
    for row in _rows(body):
        fields = _fields(row)
        try:
            found.append(_trade(fields))
        except Unreadable as trouble:
            junk.append(Junk(str(trouble), f"a trade of order {text(fields.get('orderId'))}"))
    return tuple(found), tuple(junk)


def totals(trades: Iterable[Trade]) -> dict[str, tuple[int, int]]:
    """What traded of each order, by its id: the shares, and what they cost in paise. A trade that
    is told twice counts once."""
    found: dict[str, tuple[int, int]] = {}
    for trade in {(trade.order_id, trade.trade_id): trade for trade in trades}.values():
        shares, cost = found.get(trade.order_id, (0, 0))
        cost += trade.quantity * trade.price
        found[trade.order_id] = shares + trade.quantity, cost
    return found


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
    return Profile(
        _needed(fields, "dhanClientId"),
        instant(fields.get("tokenValidity")),
        text(fields.get("activeSegment")),
    )


def _parsed(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    return parsed


def _rows(body: bytes) -> list[object]:
    """The rows of a list, or of an answer by name, which is one order without a list."""
    parsed = _parsed(body)
    rows = [parsed] if isinstance(parsed, dict) else parsed
    if not isinstance(rows, list):
        raise Unreadable("not a list of orders")
    if rows and not any(isinstance(row, dict) and text(row.get("orderId")) for row in rows):
        raise Unreadable("a list without orders")
    return rows


def _fields(row: object) -> _Row:
    if not isinstance(row, dict):
        raise Unreadable("not an object")
    return row


def _needed(fields: _Row, key: str) -> str:
    value = text(fields.get(key))
    if not value:
        raise Unreadable(f"no {key} in the row")
    return value


def _instrument(fields: _Row) -> InstrumentKey:
    segment = _named(Segment, fields.get("exchangeSegment"), "segment")
    return InstrumentKey(segment, _needed(fields, "securityId"))


_Name = TypeVar("_Name", Segment, AmoTime)


def _named(kind: type[_Name], value: object, what: str) -> _Name:
    try:
        return kind(text(value))
    except ValueError:
        raise Unreadable(f"{what} not known: {shown(value)}") from None


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
    """The filled quantity (a postback spells it differently); None when the row says nothing of
    it. `remainingQuantity` does not: it was seen 0 on a cancelled order without a fill."""
    for key in ("filledQty", "filled_qty"):
        if fields.get(key) is not None:
            return quantity(fields[key])
    if status(fields.get("orderStatus"), None, total) is Status.TRADED:
        return total
    return None


def _traded_value(fields: _Row, filled: int) -> int:
    return max(0, round(number(fields.get("averageTradedPrice")) * 100 * filled)) if filled else 0


def _reason(fields: _Row) -> str:
    """The broker's words; on healthy orders the description says CONFIRMED."""
    reason = text(fields.get("omsErrorDescription"))
    return "" if reason.upper() == "CONFIRMED" else reason


def _amo_time(value: object) -> AmoTime | None:
    written = text(value)
    return AmoTime(written) if written in AmoTime.__members__ else None


def _trade(fields: _Row) -> Trade:
    shares, price = quantity(fields.get("tradedQuantity")), paise(fields.get("tradedPrice"))
    if not shares or not price:
        raise Unreadable("a trade without quantity or price")
    return Trade(
        order_id=_needed(fields, "orderId"),
        trade_id=_needed(fields, "exchangeTradeId"),
        instrument=_instrument(fields),
        side=side(fields.get("transactionType")),
        quantity=shares,
        price=price,
        traded_at=instant(fields.get("exchangeTime")) or instant(fields.get("createTime")),
    )
