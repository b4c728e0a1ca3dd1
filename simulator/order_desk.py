"""The REST API's endpoints about orders and trades."""

from dataclasses import replace

from aiohttp import web

from simulator.answers import nothing, told
from simulator.ask import (
    AMO_TIMES,
    MISSING,
    ORDER_TYPES,
    PRODUCTS,
    SIDES,
    VALIDITIES,
    Ask,
    Refused,
    Terms,
)
from simulator.calls import Body, Call, one_of, paise, whole
from simulator.orders import BrokerOrder

_CORRELATION = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-")
_MOST_CORRELATION = 25
_UNNAMED = "NA"
_UNKNOWN = "Incorrect request for order and cannot be processed"


def place(call: Call) -> web.Response:
    """POST /orders: accepted is not in the market; what the exchange says comes later."""
    order = call.box.exchange.place(call.account, _asked(call))
    return told(_acknowledged(order))


def place_sliced(call: Call) -> web.Response:
    """POST /orders/slicing: one order for each part under the freeze quantity, all of one
    correlation id."""
    ask = _asked(call)
    lot, freeze, left = ask.listing.lot, ask.listing.freeze, ask.terms.quantity
    most = (freeze - 1) // lot * lot if freeze else left
    acknowledged = []
    while left > 0:
        terms = replace(ask.terms, quantity=min(left, most))
        left -= terms.quantity
        order = call.box.exchange.place(call.account, replace(ask, terms=terms))
        acknowledged.append(_acknowledged(order))
    return told(acknowledged)


def modify(call: Call) -> web.Response:
    """PUT /orders/{id}: `quantity` is the total, and all terms are to be given."""
    _complete(call)
    order = _order(call)
    call.box.exchange.modify(call.account, order, _terms(call.body), by_api=True)
    return told({"orderId": order.order_id, "orderStatus": order.status})


def cancel(call: Call) -> web.Response:
    """DELETE /orders/{id}"""
    call.box.exchange.cancel(call.account, _order(call))
    return nothing()


def orders(call: Call) -> web.Response:
    """GET /orders"""
    rows = [order.row() for order in call.account.orders.values()]
    if call.account.unpriced:
        rows = [row | {"averageTradedPrice": 0.0} for row in rows]
    return told(rows[::-1] if call.account.newest_first else rows)


def order_by_id(call: Call) -> web.Response:
    """GET /orders/{id}: an array of one, or of none for an unknown id."""
    order = call.account.orders.get(call.about)
    return told([order.row()] if order else [])


def by_correlation(call: Call) -> web.Response:
    """GET /orders/external/{id}: nothing is found while an order is in transit."""
    for order in call.account.orders.values():
        if order.correlation_id == call.about != _UNNAMED and order.status != "TRANSIT":
            return told(order.row())
    raise Refused(_UNKNOWN, "DH-906", 404, kind="")


def trades(call: Call) -> web.Response:
    """GET /trades and /trades/{id}"""
    return told(
        [
            trade
            for order in call.account.orders.values()
            if call.about in ("", order.order_id)
            for trade in order.trades()
        ]
    )


def _asked(call: Call) -> Ask:
    """The order that a call asks for. Raises Refused, as vaguely as Dhan does."""
    _complete(call)
    body = call.body
    correlation = body.get("correlationId", _UNNAMED)
    if not isinstance(correlation, str) or len(correlation) > _MOST_CORRELATION:
        raise Refused(MISSING, "DH-905")
    if not set(correlation) <= _CORRELATION:
        raise Refused(MISSING, "DH-905")
    return Ask(
        listing=call.box.exchange.listing(
            str(body.get("exchangeSegment")), str(body.get("securityId"))
        ),
        side=one_of(body, "transactionType", SIDES),
        product=one_of(body, "productType", PRODUCTS),
        terms=_terms(body),
        correlation_id=correlation,
        amo=one_of(body, "amoTime", AMO_TIMES) if body.get("afterMarketOrder") else "",
    )


def _terms(body: Body) -> Terms:
    return Terms(
        order_type=one_of(body, "orderType", ORDER_TYPES),
        quantity=whole(body, "quantity"),
        price=paise(body, "price"),
        trigger=paise(body, "triggerPrice"),
        validity=one_of(body, "validity", VALIDITIES),
        disclosed=whole(body, "disclosedQuantity"),
    )


def _complete(call: Call) -> None:
    """The body names its account, and no field is "" (measured: refused). Raises Refused."""
    if str(call.body.get("dhanClientId")) != call.account.client_id:
        raise Refused(MISSING, "DH-905")
    if any(value == "" for value in call.body.values()):
        raise Refused(MISSING, "DH-905")


def _order(call: Call) -> BrokerOrder:
    order = call.account.orders.get(call.about)
    if order is None:
        raise Refused(_UNKNOWN)
    return order


def _acknowledged(order: BrokerOrder) -> dict[str, str]:
    return {"orderId": order.order_id, "orderStatus": "TRANSIT"}
