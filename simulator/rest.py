"""The REST API, version 2: every call's way from its arrival to its answer.

A call is seen, may be spoilt by a fault, has to have a good token, an allowed address and room
in its rate limit, and is then acted on.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime

from aiohttp import web

from simulator import account_desk, consent, order_desk
from simulator.accounts import Account
from simulator.answers import busy, dead, no_such_path, refusal, reset, spoilt
from simulator.ask import Refused
from simulator.box import Box, Sighting
from simulator.calls import Body, Call
from simulator.faults import Fault

_ORDERS = ("place", "modify", "cancel")


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """What is done under a path, which operation of the faults it is, and whether it needs a
    token."""

    operation: str
    act: Callable[[Call], web.Response]
    guarded: bool = True


_ENDPOINTS = {
    "POST /v2/orders": _Endpoint("place", order_desk.place),
    "POST /v2/orders/slicing": _Endpoint("place", order_desk.place_sliced),
    "PUT /v2/orders/*": _Endpoint("modify", order_desk.modify),
    "DELETE /v2/orders/*": _Endpoint("cancel", order_desk.cancel),
    "GET /v2/orders": _Endpoint("read", order_desk.orders),
    "GET /v2/orders/*": _Endpoint("read", order_desk.order_by_id),
    "GET /v2/orders/external/*": _Endpoint("read", order_desk.by_correlation),
    "GET /v2/trades": _Endpoint("trades", order_desk.trades),
    "GET /v2/trades/*": _Endpoint("trades", order_desk.trades),
    "GET /v2/positions": _Endpoint("read", account_desk.positions),
    "DELETE /v2/positions": _Endpoint("place", account_desk.exit_positions),
    "GET /v2/holdings": _Endpoint("read", account_desk.holdings),
    "GET /v2/fundlimit": _Endpoint("read", account_desk.funds),
    "GET /v2/profile": _Endpoint("read", account_desk.profile),
    "POST /v2/marketfeed/ltp": _Endpoint("read", account_desk.last_prices),
    "POST /v2/margincalculator": _Endpoint("read", account_desk.margin_of),
    "GET /v2/killswitch": _Endpoint("read", account_desk.kill_switch),
    "POST /v2/killswitch": _Endpoint("read", account_desk.kill_switch),
    "GET /v2/ip/getIP": _Endpoint("read", account_desk.addresses),
    "GET /v2/RenewToken": _Endpoint("auth", account_desk.renew),
    "POST /v2/RenewToken": _Endpoint("auth", account_desk.renew),
    "POST /app/generateAccessToken": _Endpoint("auth", account_desk.generate, guarded=False),
    "POST /app/generate-consent": _Endpoint("auth", consent.ask, guarded=False),
    "GET /login/consentApp-login": _Endpoint("auth", consent.page, guarded=False),
    "GET /app/consumeApp-consent": _Endpoint("auth", consent.consume, guarded=False),
}


async def serve(box: Box, request: web.BaseRequest, heard: int) -> web.StreamResponse:
    """Answer a call that came in at `heard` (monotonic ns)."""
    path = request.path.rstrip("/")
    endpoint, about = _endpoint(request.method, path)
    body = await _body(request)
    client_id = _client_id(request, body)
    account = box.exchange.accounts.get(client_id) or _by_what_it_shows(box, request)
    sighting = Sighting(
        client_id=account.client_id if account else client_id,
        method=request.method,
        path=request.path,
        at=heard,
        peer=request.remote or "",
        correlation_id=str(body.get("correlationId", "")),
    )
    box.sightings.append(sighting)
    if endpoint is None:
        answer: web.Response | None = no_such_path(request.path)
    else:
        call = Call(box, account, request, body, about) if account else None
        answer = await _answered(box, request, endpoint, sighting.client_id, call)
    if answer is None:
        return web.Response(status=503)
    sighting.status = answer.status
    answer.headers["Date"] = format_datetime(box.exchange.now().astimezone(UTC), usegmt=True)
    return answer


async def _answered(
    box: Box, request: web.BaseRequest, endpoint: _Endpoint, client_id: str, call: Call | None
) -> web.Response | None:
    """The answer with the delays and the fault that are due, None when there is to be none."""
    fault = box.faults.strike(client_id, endpoint.operation)
    if call is not None and call.account.slow_ms:
        await asyncio.sleep(call.account.slow_ms / 1000)
    if fault is not None and not fault.after:
        if fault.kind != "delay":
            return await _spoilt(box, request, fault)
        await asyncio.sleep(fault.ms / 1000)
    answer = _act(request, endpoint, call)
    if box.rtt_ms:
        await asyncio.sleep(box.rtt_ms / 1000)
    if fault is not None and fault.after:
        if fault.kind != "delay":
            return await _spoilt(box, request, fault)
        await asyncio.sleep(fault.ms / 1000)
    return answer


def _act(request: web.BaseRequest, endpoint: _Endpoint, call: Call | None) -> web.Response:
    try:
        if call is None:
            raise dead()
        if endpoint.guarded:
            _trust(call, endpoint.operation, _token(request))
        return endpoint.act(call)
    except Refused as refused:
        return refusal(refused)


def _trust(call: Call, operation: str, token: str) -> None:
    """Raises Refused unless the token is good, the address allowed and the pace kept."""
    account = call.account
    if token in account.dead_tokens:
        raise Refused("Invalid Token", kind="")
    if not call.box.believes(account, token):
        raise dead()
    orders = operation in _ORDERS
    if orders and not account.admits(call.peer):
        raise Refused("Invalid IP", "DH-911")
    window = account.order_window if orders else account.read_window
    if not window.admit(call.box.loop.time()):
        account.throttled += 1
        raise busy()


async def _spoilt(box: Box, request: web.BaseRequest, fault: Fault) -> web.Response | None:
    """What goes out instead of the answer, None when nothing does."""
    if fault.kind == "hang":
        await box.stopping.wait()
        return None
    if fault.kind == "reset":
        reset(request)
        return None
    if fault.kind == "echo":
        shown = _token(request), request.headers.get("app_secret", ""), request.query_string
        return refusal(Refused(" ".join(("no luck with", *filter(None, shown))), "DH-906"))
    return spoilt(fault)


def _endpoint(method: str, path: str) -> tuple[_Endpoint | None, str]:
    """The endpoint of a path, and the id that ends the path if one does."""
    exact = _ENDPOINTS.get(f"{method} {path}")
    if exact is not None:
        return exact, ""
    above, _, last = path.rpartition("/")
    return _ENDPOINTS.get(f"{method} {above}/*"), last


def _client_id(request: web.BaseRequest, body: Body) -> str:
    """Who calls: clients say it in the one or the other header, in the body or in the query."""
    headers = request.headers
    named = headers.get("client-id") or headers.get("dhanClientId") or body.get("dhanClientId")
    query = request.query
    return str(named or query.get("dhanClientId") or query.get("client_id", ""))


def _by_what_it_shows(box: Box, request: web.BaseRequest) -> Account | None:
    """Who calls without saying so: by the token, or by the consent that it is about."""
    query = request.query
    about = query.get("consentAppId") or query.get("tokenId", "")
    return box.account_of(_token(request)) or box.consenting(about)


def _token(request: web.BaseRequest) -> str:
    return request.headers.get("access-token", "")


async def _body(request: web.BaseRequest) -> Body:
    if not request.can_read_body:
        return {}
    try:
        parsed = json.loads(await request.read())
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
