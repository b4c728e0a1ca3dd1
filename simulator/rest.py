"""The REST API, version 2: endpoints, refusals and faults as Dhan answers them."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from aiohttp import web

from simulator import accounts
from simulator.accounts import Account
from simulator.exchange import Ask, Refused
from simulator.faults import Fault
from simulator.orders import BrokerOrder, wire_time

if TYPE_CHECKING:
    from simulator.box import Box

_TYPES = {
    400: "Input_Exception",
    401: "Invalid_Authentication",
    404: "Order_Error",
    429: "Rate_Limit",
}
_CORRELATION = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-")
_MOST_CORRELATION = 25
_MISSING = "Missing required fields, bad values for parameters etc."
_BUSY = (
    "Too many requests on server from single user breaching rate limits. Try throttling API calls."
)
_SIDES, _VALIDITIES = ("BUY", "SELL"), ("DAY", "IOC")
_ORDER_TYPES = ("LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET")
_PRODUCTS = ("CNC", "INTRADAY", "MARGIN", "MTF")
_AMO_TIMES = ("PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60")

_Body = dict[str, object]
_Act = Callable[["Box", Account, web.Request, _Body], web.Response]
_Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


def endpoint(operation: str, act: _Act) -> _Endpoint:
    """A handler that sees to token, address, limits and faults before and after `act`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        box: Box = request.app["box"]
        body = await _body(request)
        client_id = request.headers.get("client-id") or str(body.get("dhanClientId", ""))
        account = box.exchange.accounts.get(client_id) or box.account_of(
            request.headers.get("access-token", "")
        )
        sighting = box.sight(client_id, request, str(body.get("correlationId", "")))
        fault = box.faults.strike(client_id, operation)
        if account is not None and account.slow_ms:
            await asyncio.sleep(account.slow_ms / 1000)
        if fault is not None and not (fault.after and fault.kind not in ("throttle", "token")):
            spoilt = await _spoil(box, request, fault)
            if spoilt is not None:
                sighting.status = spoilt.status if isinstance(spoilt, web.Response) else 0
                return spoilt
        answer = _answer(box, account, operation, act, request, body)
        if box.rtt_ms:
            await asyncio.sleep(box.rtt_ms / 1000)
        if fault is not None and fault.after:
            spoilt = await _spoil(box, request, fault)
            if spoilt is not None:
                return spoilt
        sighting.status = answer.status
        return answer

    return handle


def _answer(
    box: "Box",
    account: Account | None,
    operation: str,
    act: _Act,
    request: web.Request,
    body: _Body,
) -> web.Response:
    try:
        trusted = _trusted(box, account, operation, request)
        return act(box, trusted, request, body)
    except Refused as refused:
        return error(refused)


def _trusted(box: "Box", account: Account | None, operation: str, request: web.Request) -> Account:
    """The account of a request that may act. Raises Refused."""
    if account is None or not box.believes(account, request.headers.get("access-token", "")):
        words = "Client ID or user generated access token is invalid or expired."
        raise Refused(words, "DH-901", 401)
    orders = operation in ("place", "modify", "cancel")
    if orders and account.allowed_ips and request.remote not in account.allowed_ips:
        raise Refused("Invalid IP", "DH-911", 400)
    window = account.order_window if orders else account.read_window
    if not window.admit(box.loop.time()):
        box.throttled[account.client_id] = box.throttled.get(account.client_id, 0) + 1
        raise Refused(_BUSY, "DH-904", 429)
    return account


async def _spoil(box: "Box", request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """What goes out instead of the answer; None when only time was lost."""
    if fault.kind == "delay":
        await asyncio.sleep(fault.ms / 1000)
        return None
    if fault.kind == "hang":
        await box.stopping.wait()
        return web.Response(status=503)
    if fault.kind == "reset":
        reset(request)
        return web.Response(status=500)
    if fault.kind == "throttle":
        return error(Refused(_BUSY, "DH-904", 429))
    if fault.kind == "token":
        return error(Refused("Client ID or user generated access token is invalid", "DH-901", 401))
    return _spoilt_body(fault)


def _spoilt_body(fault: Fault) -> web.Response:
    if fault.kind == "status":
        html = f"<html><body><h1>{fault.status}</h1></body></html>"
        return web.Response(status=fault.status, text=html, content_type="text/html")
    bodies = {"garbage": "\x00\x01not json", "truncated": '{"orderId":"11', "empty": ""}
    return web.Response(text=bodies[fault.kind], content_type="application/json")


def reset(request: web.Request) -> None:
    """End the connection with a TCP reset."""
    transport = request.transport
    if transport is not None:
        plain = transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def error(refused: Refused) -> web.Response:
    """An error in Dhan's most usual shape; the codes say little, as at Dhan."""
    return web.json_response(
        {
            "errorType": _TYPES.get(refused.status, "Order_Error"),
            "errorCode": refused.code,
            "errorMessage": str(refused),
        },
        status=refused.status,
    )


async def _body(request: web.Request) -> _Body:
    try:
        parsed = json.loads(await request.text() or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


# Orders


def place(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """POST /orders"""
    order = box.exchange.place(account, asked(box, body))
    return web.json_response({"orderId": order.order_id, "orderStatus": "TRANSIT"})


def place_sliced(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """POST /orders/slicing: one order for each part under the freeze quantity."""
    ask = asked(box, body)
    lot, freeze = ask.listing.lot, ask.listing.freeze
    most = (freeze - 1) // lot * lot if freeze else ask.quantity
    acks, left = [], ask.quantity
    while left > 0:
        ask.quantity = min(left, most)
        left -= ask.quantity
        order = box.exchange.place(account, ask)
        acks.append({"orderId": order.order_id, "orderStatus": "TRANSIT"})
    return web.json_response(acks)


def asked(box: "Box", body: _Body) -> Ask:
    """The order that a request's body asks for. Raises Refused, as vaguely as Dhan does."""
    if any(value == "" for value in body.values()):
        raise Refused(_MISSING, "DH-905")
    correlation = str(body.get("correlationId") or "NA")
    if len(correlation) > _MOST_CORRELATION or not set(correlation) <= _CORRELATION:
        raise Refused(_MISSING, "DH-905")
    order_type = _one_of(body, "orderType", _ORDER_TYPES)
    ask = Ask(
        listing=box.exchange.listing(str(body.get("exchangeSegment")), str(body.get("securityId"))),
        side=_one_of(body, "transactionType", _SIDES),
        product=_one_of(body, "productType", _PRODUCTS),
        order_type=order_type,
        quantity=_whole(body, "quantity"),
        price=_paise(body, "price") if order_type in ("LIMIT", "STOP_LOSS") else 0,
        trigger=_paise(body, "triggerPrice") if order_type.startswith("STOP") else 0,
        validity=_one_of(body, "validity", _VALIDITIES),
        disclosed=_whole(body, "disclosedQuantity") if body.get("disclosedQuantity") else 0,
        correlation_id=correlation,
        amo=_one_of(body, "amoTime", _AMO_TIMES) if body.get("afterMarketOrder") else "",
    )
    _sensible(ask)
    return ask


def _sensible(ask: Ask) -> None:
    if ask.quantity <= 0 or (ask.order_type in ("LIMIT", "STOP_LOSS") and ask.price <= 0):
        raise Refused(_MISSING, "DH-905")
    if ask.order_type == "STOP_LOSS_MARKET":
        raise Refused("Trigger Price should be greater than Price")
    if ask.disclosed and (ask.disclosed * 10 < ask.quantity * 3 or ask.disclosed > ask.quantity):
        raise Refused(_MISSING, "DH-905")
    if ask.order_type == "STOP_LOSS":
        wrong = ask.price < ask.trigger if ask.side == "BUY" else ask.price > ask.trigger
        if wrong or ask.trigger <= 0:
            raise Refused("Trigger Price should be less than Price")


def modify(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """PUT /orders/{id}; `quantity` is the total."""
    order = _order(account, request)
    if any(value == "" for value in body.values()):
        raise Refused(_MISSING, "DH-905")
    order_type = _one_of(body, "orderType", _ORDER_TYPES)
    box.exchange.modify(
        account,
        order,
        {
            "order_type": order_type,
            "validity": _one_of(body, "validity", _VALIDITIES),
            "quantity": _whole(body, "quantity"),
            "price": _paise(body, "price"),
            "trigger": _paise(body, "triggerPrice"),
            "disclosed": _whole(body, "disclosedQuantity") if body.get("disclosedQuantity") else 0,
        },
    )
    return web.json_response({"orderId": order.order_id, "orderStatus": order.status})


def cancel(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """DELETE /orders/{id}: 202 without a body."""
    box.exchange.cancel(account, _order(account, request))
    return web.Response(status=202)


def orders(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /orders"""
    return web.json_response([order.row() for order in account.orders.values()])


def order_by_id(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /orders/{id}: an array of one, or of none for an unknown id."""
    order = account.orders.get(request.match_info["order_id"])
    return web.json_response([order.row()] if order else [])


def by_correlation(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /orders/external/{id}: nothing is found while an order is in transit."""
    wanted = request.match_info["correlation_id"]
    for order in account.orders.values():
        if order.correlation_id == wanted and order.status != "TRANSIT":
            return web.json_response(order.row())
    raise Refused("Incorrect request for order and cannot be processed", "DH-906", 404)


def trades(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /trades and /trades/{id}"""
    wanted = request.match_info.get("order_id")
    rows = [
        trade
        for order in account.orders.values()
        if wanted in (None, order.order_id)
        for trade in order.trades()
    ]
    return web.json_response(rows)


def _order(account: Account, request: web.Request) -> BrokerOrder:
    order = account.orders.get(request.match_info["order_id"])
    if order is None:
        raise Refused("Incorrect request for order and cannot be processed")
    return order


def _one_of(body: _Body, key: str, allowed: tuple[str, ...]) -> str:
    value = str(body.get(key, ""))
    if value not in allowed:
        raise Refused(_MISSING, "DH-905")
    return value


def _whole(body: _Body, key: str) -> int:
    try:
        return int(str(body.get(key, "")))
    except ValueError:
        raise Refused(_MISSING, "DH-905") from None


def _paise(body: _Body, key: str) -> int:
    try:
        return round(Fraction(str(body.get(key) or 0)) * 100)
    except ValueError:
        raise Refused(_MISSING, "DH-905") from None


# Account


def positions(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /positions"""
    return web.json_response(account.positions())


def exit_positions(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """DELETE /positions: exits at the market, leaves pending orders alone."""
    for position in account.positions():
        net = position["netQty"]
        if isinstance(net, int) and net:
            listing = box.exchange.listing(
                str(position["exchangeSegment"]), str(position["securityId"])
            )
            side = "SELL" if net > 0 else "BUY"
            product = str(position["productType"])
            box.exchange.place(account, Ask(listing, side, product, "MARKET", abs(net)))
    return web.json_response({"status": "SUCCESS", "message": "All positions exited"})


def holdings(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /holdings: an empty portfolio is an error 500 at Dhan."""
    raise Refused("No holdings available", "DH-1111", 500)


def funds(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /fundlimit, with Dhan's spelling; collateral is in the balance."""
    available = (account.available() + account.collateral) / 100
    return web.json_response(
        {
            "dhanClientId": account.client_id,
            "availabelBalance": available,
            "sodLimit": account.funds / 100,
            "collateralAmount": account.collateral / 100,
            "receiveableAmount": 0.0,
            "utilizedAmount": account.used() / 100,
            "blockedPayoutAmount": 0.0,
            "withdrawableBalance": account.available() / 100,
        }
    )


def profile(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /profile"""
    ends = account.expires or accounts.day_later(box.exchange.now())
    return web.json_response(
        {
            "dhanClientId": account.client_id,
            "tokenValidity": f"{ends:%d/%m/%Y %H:%M}",
            "activeSegment": "E, D, C, M, ",
            "ddpi": "Active",
            "mtf": "Active",
            "dataPlan": "Active",
            "dataValidity": wire_time(ends),
        }
    )


def margin(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """POST /margincalculator"""
    ask = asked(box, {"orderType": "LIMIT", "validity": "DAY", **body})
    value = ask.quantity * ask.price
    order = BrokerOrder(
        "", "", ask.listing, ask.side, ask.product, ask.order_type, "DAY", ask.quantity, ask.price,
        0, 0, "", "", box.exchange.now(), box.exchange.now(),
    )  # fmt: skip
    total = accounts.margin(order, value) / 100
    short = max(0.0, total - account.available() / 100)
    return web.json_response(
        {
            "totalMargin": total,
            "spanMargin": 0.0,
            "exposureMargin": 0.0,
            "availableBalance": account.available() / 100,
            "variableMargin": 0.0,
            "insufficientBalance": short,
            "brokerage": 0.0,
            "leverage": f"{value / 100 / total:.2f}" if total else "1X",
        }
    )


def kill_switch(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET and POST /killswitch; takes effect only without positions and pending orders."""
    wanted = request.query.get("killSwitchStatus")
    if request.method == "POST":
        busy = any(order.open for order in account.orders.values())
        if wanted == "ACTIVATE" and (busy or any(p["netQty"] for p in account.positions())):
            raise Refused("Kill switch needs all positions closed and no pending orders")
        account.killed = wanted == "ACTIVATE"
    state = "ACTIVATE" if account.killed else "DEACTIVATE"
    return web.json_response(
        {"dhanClientId": account.client_id, "killSwitchStatus": f"Kill switch is {state}"}
    )


def addresses(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET /ip/getIP"""
    slots = (*account.allowed_ips, "", "")
    return web.json_response(
        {
            "modifyDateSecondary": "2026-09-30",
            "secondaryIP": slots[1],
            "modifyDatePrimary": "2026-09-28",
            "primaryIP": slots[0],
            "detectedIP": request.remote,
            "ipMatchStatus": not account.allowed_ips or request.remote in account.allowed_ips,
            "ordersAllowed": not account.allowed_ips or request.remote in account.allowed_ips,
        }
    )


def set_address(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """POST /ip/setIP and PUT /ip/modifyIP"""
    slots = [*account.allowed_ips, "", ""][:2]
    slots[0 if str(body.get("ipFlag", "PRIMARY")).upper() == "PRIMARY" else 1] = str(body.get("ip"))
    account.allowed_ips = tuple(slot for slot in slots if slot)
    return web.json_response({"message": "IP saved", "status": "SUCCESS"})


def renew(box: "Box", account: Account, request: web.Request, body: _Body) -> web.Response:
    """GET or POST /RenewToken: a new token; the old one dies at once."""
    box.rotate(account)
    return web.json_response(_granted(account))


async def generate(request: web.Request) -> web.StreamResponse:
    """POST /app/generateAccessToken?dhanClientId&pin&totp"""
    box: Box = request.app["box"]
    account = box.exchange.accounts.get(request.query.get("dhanClientId", ""))
    now = box.exchange.now().timestamp()
    good = (
        account is not None
        and request.query.get("pin") == account.pin
        and bool(account.totp_secret)
        and request.query.get("totp")
        in (accounts.totp(account.totp_secret, now), accounts.totp(account.totp_secret, now - 30))
    )
    if account is None or not good:
        return error(Refused("Invalid client, PIN or TOTP", "DH-901", 401))
    box.rotate(account)
    return web.json_response(_granted(account))


def _granted(account: Account) -> dict[str, object]:
    ends = account.expires
    return {
        "dhanClientId": account.client_id,
        "accessToken": account.token,
        "expiryTime": f"{ends:%Y-%m-%dT%H:%M:%S}" if ends else "",
    }


def routes() -> list[web.RouteDef]:
    """All endpoints under /v2."""
    table: tuple[tuple[str, str, str, _Act], ...] = (
        ("POST", "/orders", "place", place),
        ("POST", "/orders/slicing", "place", place_sliced),
        ("PUT", "/orders/{order_id}", "modify", modify),
        ("DELETE", "/orders/{order_id}", "cancel", cancel),
        ("GET", "/orders", "read", orders),
        ("GET", "/orders/external/{correlation_id}", "read", by_correlation),
        ("GET", "/orders/{order_id}", "read", order_by_id),
        ("GET", "/trades", "read", trades),
        ("GET", "/trades/{order_id}", "read", trades),
        ("GET", "/positions", "read", positions),
        ("DELETE", "/positions", "place", exit_positions),
        ("GET", "/holdings", "read", holdings),
        ("GET", "/fundlimit", "read", funds),
        ("GET", "/profile", "read", profile),
        ("POST", "/margincalculator", "read", margin),
        ("GET", "/killswitch", "read", kill_switch),
        ("POST", "/killswitch", "read", kill_switch),
        ("GET", "/ip/getIP", "read", addresses),
        ("POST", "/ip/setIP", "read", set_address),
        ("PUT", "/ip/modifyIP", "read", set_address),
        ("GET", "/RenewToken", "auth", renew),
        ("POST", "/RenewToken", "auth", renew),
    )
    return [
        web.route(method, f"/v2{path}", endpoint(operation, act))
        for method, path, operation, act in table
    ]
