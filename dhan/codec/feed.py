"""Frames of the order-update socket.

A frame may hold several JSON objects, back to back or on lines of their own, with junk before
them; the keys inside `Data` come in camelCase from production and in PascalCase in Dhan's
documentation. One bad object never costs the others (scenario 8.9).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dhan.codec.values import (
    LONG_AGO,
    Unreadable,
    instant,
    number,
    order_type,
    paise,
    product,
    quantity,
    segment,
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
_MOST_OBJECTS = 1000


@dataclass(frozen=True, slots=True)
class Alert:
    """One order event. `hint` is what it says of lot and tick; `ltp` the last price in paise."""

    order: Order
    hint: Instrument | None
    ltp: int | None


@dataclass(frozen=True, slots=True)
class Junk:
    """Something that is no order event, and why; the excerpt shows no token."""

    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """All that a frame held."""

    alerts: tuple[Alert, ...] = ()
    junk: tuple[Junk, ...] = ()


def alerts(frame: str | bytes, heard: int, client_id: str) -> Decoded:
    """The order events of a frame that came in at `heard` (monotonic ns); never raises."""
    if isinstance(frame, bytes):
        try:
            frame = frame.decode("utf-8")
        except UnicodeDecodeError:
            return Decoded(junk=(Junk("binary frame", f"{len(frame)} bytes"),))
    found: list[Alert] = []
    junk: list[Junk] = []
    for value in _objects(frame):
        if isinstance(value, Junk):
            junk.append(value)
            continue
        try:
            found.append(_alert(value, heard, client_id))
        except Unreadable as trouble:
            junk.append(Junk(str(trouble), _excerpt(json.dumps(value))))
    return Decoded(tuple(found), tuple(junk))


def _objects(frame: str) -> Iterator[object]:
    """The JSON objects of a frame, arrays opened; Junk for what stands between them."""
    position, count = 0, 0
    while count < _MOST_OBJECTS:
        start = _next_object(frame, position)
        if start < 0:
            rest = frame[position:].strip()
            if rest and not (count and rest in ("]", ",")):
                yield Junk("no order event", _excerpt(rest))
            return
        if lost := frame[position:start].strip(" \t\r\n,[]"):
            yield Junk("junk before an object", _excerpt(lost))
        try:
            value, position = _DECODER.raw_decode(frame, start)
        except (ValueError, RecursionError):
            yield Junk("truncated or malformed object", _excerpt(frame[start:]))
            position = start + 1
            continue
        count += 1
        yield value


def _next_object(frame: str, position: int) -> int:
    return frame.find("{", position)


def _alert(value: object, heard: int, client_id: str) -> Alert:
    if not isinstance(value, dict):
        raise Unreadable("not an object")
    envelope = _lowered(value)
    kind = text(envelope.get("type"))
    if kind and kind.lower() != _ORDER_ALERT:
        raise Unreadable(f"message of type {kind[:30]!r}")
    inner = envelope.get("data")
    if not isinstance(inner, dict):
        raise Unreadable("no Data in the message")
    fields = _lowered(inner)
    order = _order(fields, heard, client_id)
    return Alert(order, _hint(fields, order), paise(fields.get("refltp")) or None)


def _lowered(value: Mapping[object, object]) -> dict[str, object]:
    return {str(key).lower(): inner for key, inner in value.items()}


def _order(fields: Mapping[str, object], heard: int, client_id: str) -> Order:
    order_id = text(fields.get("orderno"))
    if not order_id:
        raise Unreadable("no order number")
    total = quantity(fields.get("quantity"))
    filled = _filled(fields, total)
    updated = instant(fields.get("lastupdatedtime"))
    placed = instant(fields.get("orderdatetime"))
    return Order(
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
        after_market=text(fields.get("offmktflag")) == "1",
        leg=quantity(fields.get("legno")) or 1,
        parent_id=_parent(fields.get("algoordno")),
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
    if fields.get("tradedqty") is not None:
        return quantity(fields.get("tradedqty"))
    if status(fields.get("status"), None, total) is Status.TRADED:
        return total
    return None


def _traded_value(fields: Mapping[str, object], filled: int) -> int:
    average = number(fields.get("avgtradedprice")) or number(fields.get("tradedprice"))
    return max(0, round(average * 100 * filled))


def _reason(fields: Mapping[str, object]) -> str:
    reason = text(fields.get("reasondescription"))
    return "" if reason.upper() == "CONFIRMED" else reason


def _parent(value: object) -> str | None:
    parent = text(value)
    return parent if parent and parent.strip("0") else None


def _hint(fields: Mapping[str, object], order: Order) -> Instrument | None:
    """The instrument by the event's own word, for when the master does not know it (yet).

    `tickSize` is in rupees here, unlike in the master.
    """
    lot = quantity(fields.get("lotsize"))
    if lot < 1:
        return None
    tick = paise(fields.get("ticksize")) or 5
    return Instrument(order.instrument, lot, tick, symbol=order.symbol)


def _excerpt(junk: str) -> str:
    return _TOKEN.sub("[redacted]", junk)[:_EXCERPT]
