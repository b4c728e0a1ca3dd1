"""Requests to Dhan's API, built by the official SDK and sent by our own wire.

Under the SDK's endpoint classes goes a recorder in place of its HTTP client, so the SDK knows
the endpoints and payloads, and nothing of it touches a socket: its own client turns every
exception into a refusal and loses the HTTP status.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import quote

from dhanhq import Funds, Order, Portfolio

from domain.funds import Trade
from domain.instruments import InstrumentKey
from domain.orders import AmoTime, OrderType, Terms
from domain.tickets import Ticket


class Kind(StrEnum):
    """What a request would do; orders count against the order limits, reads do not."""

    PLACE = "place"
    MODIFY = "modify"
    CANCEL = "cancel"
    READ = "read"

    @property
    def order(self) -> bool:
        """Whether it places, changes or cancels."""
        return self is not Kind.READ


@dataclass(frozen=True, slots=True)
class Request:
    """A request ready to be written: `path` is relative to the API's address. `query` follows it
    and may be secret, as may `headers`, which are sent besides those of every request."""

    kind: Kind
    method: str
    path: str
    body: bytes = b""
    query: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


_Payload = dict[str, object]

_written = json.JSONEncoder(separators=(",", ":")).encode


class _Recorder:
    """Stands in for the SDK's HTTP client and answers with the request it was given.

    Names in a path are quoted: an order id is the broker's word, and must stay one word here.
    """

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id

    def get_dhan_http(self) -> "_Recorder":
        return self

    def get(self, endpoint: str) -> Request:
        return Request(Kind.READ, "GET", quote(endpoint))

    def post(self, endpoint: str, payload: _Payload) -> Request:
        return Request(Kind.PLACE, "POST", endpoint, self._body(payload))

    def look_up(self, endpoint: str, payload: _Payload) -> Request:
        """A read whose question is a body."""
        return Request(Kind.READ, "POST", endpoint, self._body(payload))

    def put(self, endpoint: str, payload: _Payload) -> Request:
        return Request(Kind.MODIFY, "PUT", quote(endpoint), self._body(payload))

    def delete(self, endpoint: str) -> Request:
        return Request(Kind.CANCEL, "DELETE", quote(endpoint))

    def _body(self, payload: _Payload) -> bytes:
        """The payload without unused fields: Dhan refuses "" (measured: 400 DH-905)."""
        used = {key: value for key, value in payload.items() if value is not None and value != ""}
        used["dhanClientId"] = self._client_id
        return _written(used).encode()


class Requests:
    """Builds the requests of one account."""

    def __init__(self, client_id: str) -> None:
        recorder = _Recorder(client_id)
        self._recorder = recorder
        self._orders = Order(recorder)
        self._portfolio = Portfolio(recorder)
        self._funds = Funds(recorder)

    def place(self, ticket: Ticket) -> Request:
        """Place an order. Prices leave as rupees."""
        terms = ticket.terms
        request: Request = self._orders.place_order(
            security_id=ticket.instrument.security_id,
            exchange_segment=ticket.instrument.segment.value,
            transaction_type=ticket.side.value,
            quantity=terms.quantity,
            order_type=terms.order_type.value,
            product_type=ticket.product.value,
            price=_rupees(terms.price),
            trigger_price=_rupees(terms.trigger),
            disclosed_quantity=terms.disclosed,
            after_market_order=ticket.amo_time is not None,
            validity=terms.validity.value,
            amo_time=_sdk_amo_time(ticket.amo_time),
            tag=ticket.correlation_id,
        )
        if ticket.amo_time is AmoTime.PRE_OPEN:
            body = json.loads(request.body) | {"amoTime": AmoTime.PRE_OPEN.value}
            return replace(request, body=_written(body).encode())
        return request

    def modify(self, order_id: str, terms: Terms) -> Request:
        """Change an open order; Dhan's `quantity` is the total placed, not the open part."""
        request: Request = self._orders.modify_order(
            order_id=order_id,
            order_type=terms.order_type.value,
            leg_name=None,
            quantity=terms.quantity,
            price=_rupees(terms.price) if terms.order_type is not OrderType.MARKET else 0.0,
            trigger_price=_rupees(terms.trigger),
            disclosed_quantity=terms.disclosed,
            validity=terms.validity.value,
        )
        return request

    def cancel(self, order_id: str) -> Request:
        """Cancel what is open of an order."""
        request: Request = self._orders.cancel_order(order_id)
        return request

    def orders(self) -> Request:
        """The day's order book."""
        request: Request = self._orders.get_order_list()
        return request

    def trades(self) -> Request:
        """The day's trades, by the documented path: the SDK's ends in a slash."""
        return self._recorder.get("/trades")

    def by_correlation(self, correlation_id: str) -> Request:
        """One order by the name that it was placed under."""
        request: Request = self._orders.get_order_by_correlationID(correlation_id)
        return request

    def positions(self) -> Request:
        """The day's positions."""
        request: Request = self._portfolio.get_positions()
        return request

    def funds(self) -> Request:
        """The account's funds."""
        request: Request = self._funds.get_fund_limits()
        return request

    def margin(self, trade: Trade, quantity: int, price: int) -> Request:
        """What so many shares at a price (paise) would block of the funds: a read, though the SDK
        would send it as an order."""
        asked: _Payload = {
            "securityId": trade.instrument.security_id,
            "exchangeSegment": trade.instrument.segment.value,
            "transactionType": trade.side.value,
            "quantity": quantity,
            "productType": trade.product.value,
            "price": _rupees(price),
        }
        return self._recorder.look_up("/margincalculator", asked)

    def profile(self) -> Request:
        """Who the token belongs to and until when it is valid: the cheapest probe."""
        return self._recorder.get("/profile")

    def last_prices(self, instruments: Iterable[InstrumentKey]) -> Request:
        """The last prices of instruments, by Dhan's market quotes: an account needs its paid data
        API for that, and may ask once a second, for up to 1,000 at a time."""
        asked: _Payload = {}
        for key in instruments:
            listed = asked.setdefault(key.segment.value, [])
            if isinstance(listed, list) and key.security_id.isdecimal():
                listed.append(int(key.security_id))
        return self._recorder.look_up("/marketfeed/ltp", asked)

    def kill_switch(self) -> Request:
        """Have the broker take no more orders of the account today. It needs all positions closed
        and no pending orders."""
        return Request(Kind.READ, "POST", "/killswitch?killSwitchStatus=ACTIVATE")

    def addresses(self) -> Request:
        """The addresses that the account may send orders from."""
        return self._recorder.get("/ip/getIP")


def _rupees(paise: int) -> float:
    return paise / 100


def _sdk_amo_time(amo_time: AmoTime | None) -> str:
    """The SDK itself refuses PRE_OPEN, which Dhan's documentation allows."""
    if amo_time is None or amo_time is AmoTime.PRE_OPEN:
        return AmoTime.OPEN.value
    return amo_time.value
