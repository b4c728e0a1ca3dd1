"""Frames of the order-update socket.

A frame may hold several JSON objects, back to back or on lines of their own, with junk before
them; the keys inside `Data` come in camelCase from production and in PascalCase in Dhan's
documentation. One bad object never costs the others (scenario 8.9).
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
    segment,
    sensible,
    shown,
    side,
    status,
    text,
    validity,
)
from domain.instruments import Instrument, InstrumentKey
from domain.orders import Order, Source, Stamp, Status, Terms

_EXCERPT = 120
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_.-]{8,}")
_DECODER = json.JSONDecoder()
_ORDER_ALERT = "order_alert"
_BETWEEN = " \t\r\n,[]"
_MOST_OBJECTS = 1000
_MOST_SPOILT = 16
_USUAL_TICK = 5


@dataclass(frozen=True, slots=True)
class Alert:
    """One order event. `hint` is what it says of lot and tick; `ltp` the last price in paise."""

    order: Order
    hint: Instrument | None
    ltp: int | None


@dataclass(frozen=True, slots=True)
class Junk:
    """Something that is no order event, and why; the excerpt is one line and shows no token."""

    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """All that a frame held."""

    alerts: tuple[Alert, ...] = ()
    junk: tuple[Junk, ...] = ()


@dataclass(frozen=True, slots=True)
class _Piece:
    """An object of a frame, and what stands there."""

    value: object
    written: str


def alerts(frame: str | bytes, heard: int, client_id: str) -> Decoded:
    """The order events of a frame that came in at `heard` (monotonic ns); never raises."""
    if isinstance(frame, bytes):
        if b"{" not in frame:
            return Decoded(junk=(Junk("binary frame", f"{len(frame)} bytes, {frame[:32].hex()}"),))
        frame = frame.decode("utf-8", "replace")
    found: list[Alert] = []
    junk: list[Junk] = []
    for piece in _pieces(frame):
        if isinstance(piece, Junk):
            junk.append(piece)
            continue
        try:
            found.append(_alert(piece.value, heard, client_id))
        except Unreadable as trouble:
            junk.append(Junk(str(trouble), _excerpt(piece.written)))
    return Decoded(tuple(found), tuple(junk))


def _pieces(frame: str) -> Iterator[_Piece | Junk]:
    """The JSON objects of a frame, arrays opened; Junk for what stands between them.

    After an object that cannot be read the next brace is tried, since a whole object may follow
    a truncated one; only so often, for each try may read the frame to its end.
    """
    position = objects = spoilt = 0
    resuming = False
    while True:
        start = frame.find("{", position)
        between = frame[position : len(frame) if start < 0 else start].strip(_BETWEEN)
        if between and not resuming:
            yield Junk("no order event", _excerpt(between))
        if start < 0:
            return
        if objects == _MOST_OBJECTS or spoilt == _MOST_SPOILT:
            yield Junk("too much for one frame", _excerpt(frame[start : start + _EXCERPT]))
            return
        try:
            value, end = _DECODER.raw_decode(frame, start)
        except (ValueError, RecursionError):
            spoilt, resuming, position = spoilt + 1, True, start + 1
            yield Junk("truncated or malformed object", _excerpt(frame[start : start + _EXCERPT]))
            continue
        yield _Piece(value, frame[start : min(end, start + 4 * _EXCERPT)])
        objects, resuming, position = objects + 1, False, end


def _alert(value: object, heard: int, client_id: str) -> Alert:
    if not isinstance(value, dict):
        raise Unreadable("not an object")
    envelope = _lowered(value)
    kind = text(envelope.get("type"))
    if kind and kind.lower() != _ORDER_ALERT:
        raise Unreadable(f"message of type {shown(kind)}")
    inner = envelope.get("data")
    if not isinstance(inner, dict):
        raise Unreadable("no Data in the message")
    fields = _lowered(inner)
    order = _order(fields, heard, client_id)
    return Alert(order, _hint(fields, order), _last_price(fields))


def _lowered(value: Mapping[str, object]) -> dict[str, object]:
    """The fields by lower-case name; where both casings are there, a null says nothing."""
    lowered = {key.lower(): inner for key, inner in value.items()}
    if len(lowered) < len(value):
        lowered |= {key.lower(): inner for key, inner in value.items() if inner is not None}
    return lowered


def _order(fields: Mapping[str, object], heard: int, client_id: str) -> Order:
    order_id = text(fields.get("orderno"))
    if not order_id:
        raise Unreadable("no order number")
    total = quantity(fields.get("quantity"))
    filled = _filled(fields, total)
    updated = instant(fields.get("lastupdatedtime"))
    placed = instant(fields.get("orderdatetime"))
    return sensible(
        Order(
            order_id=order_id,
            client_id=text(fields.get("clientid")) or client_id,
            instrument=InstrumentKey(
                segment(fields.get("exchange"), fields.get("segment")), _security(fields)
            ),
            side=side(fields.get("txntype")),
            product=product(fields.get("productname"), fields.get("product")),
            terms=_terms(fields, total),
            status=status(fields.get("status"), filled, total),
            stamp=Stamp(updated or placed or LONG_AGO, Source.FEED, heard),
            filled=filled or 0,
            traded_value=_traded_value(fields, filled or 0),
            correlation_id=text(fields.get("correlationid")) or None,
            symbol=text(fields.get("displayname")) or text(fields.get("symbol")),
            reason=_reason(fields),
            placed_at=placed,
            platform=text(fields.get("orderplatform")),
            after_market=flag(fields.get("offmktflag")),
            leg=quantity(fields.get("legno")) or 1,
            parent_id=_parent(fields.get("algoordno")),
        )
    )


def _security(fields: Mapping[str, object]) -> str:
    security = text(fields.get("securityid"))
    if not security:
        raise Unreadable("no security id")
    return security


def _terms(fields: Mapping[str, object], total: int) -> Terms:
    kind = order_type(fields.get("ordertype"))
    return Terms(
        quantity=total,
        order_type=kind,
        price=paise(fields.get("price")) if kind.has_price else 0,
        trigger=paise(fields.get("triggerprice")) if kind.has_trigger else 0,
        validity=validity(fields.get("validity")),
        disclosed=quantity(fields.get("discquantity")),
    )


def _filled(fields: Mapping[str, object], total: int) -> int | None:
    """The cumulative filled quantity; None when an event does not speak of it at all."""
    traded = fields.get("tradedqty")
    if isinstance(traded, int) or text(traded):
        return quantity(traded)
    if status(fields.get("status"), None, total) is Status.TRADED:
        return total
    return None


def _traded_value(fields: Mapping[str, object], filled: int) -> int:
    """What the fills cost. `tradedPrice` is the last fill's alone, so the average comes first."""
    if not filled:
        return 0
    average = number(fields.get("avgtradedprice")) or number(fields.get("tradedprice"))
    return max(0, round(average * 100 * filled))


def _reason(fields: Mapping[str, object]) -> str:
    reason = text(fields.get("reasondescription"))
    return "" if reason.upper() == "CONFIRMED" else reason


def _parent(value: object) -> str | None:
    """The order that this one belongs to; Dhan's documentation types the number as a float."""
    parent = text(value).removesuffix(".0")
    return parent if parent.strip("0") else None


def _hint(fields: Mapping[str, object], order: Order) -> Instrument | None:
    """The instrument by the event's own word, for when the master does not know it (yet).

    `tickSize` is in rupees here, unlike in the master. What cannot be read is no hint, and costs
    no order.
    """
    try:
        lot = quantity(fields.get("lotsize"))
        tick = math.ceil(number(fields.get("ticksize")) * 100) or _USUAL_TICK
        return Instrument(order.instrument, lot, tick, symbol=order.symbol)
    except ValueError:
        return None


def _last_price(fields: Mapping[str, object]) -> int | None:
    try:
        return paise(fields.get("refltp")) or None
    except Unreadable:
        return None


def _excerpt(junk: str) -> str:
    return text(_TOKEN.sub("[redacted]", junk[: 4 * _EXCERPT]))[:_EXCERPT]
