"""The control API: steers a running simulator over HTTP, `POST /control/{verb}` with a JSON object
of the verb's arguments, answered by `{"result": ...}` or `{"error": "..."}`.

The verbs are the public methods of `Verbs`; `GET /control` lists them with their arguments.
`simulator.client.Control` is the same from Python.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BeforeValidator, ValidationError, validate_call

from simulator import feed
from simulator.accounts import Account
from simulator.box import Box, Opening, Rupees, paise
from simulator.exchange import Ask, Refused
from simulator.faults import Fault
from simulator.instruments import many
from simulator.limits import ORDER_LIMITS, READ_LIMITS, Windows
from simulator.orders import BrokerOrder

_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}

Json = object
Paise = Annotated[int, BeforeValidator(lambda rupees: paise(rupees))]
Share = Annotated[Fraction, BeforeValidator(lambda share: Fraction(str(share)))]


class Unknown(Exception):
    """There is no such account, order or instrument."""


class Verbs:
    """What the simulator can be told and asked. Prices and amounts come in rupees."""

    def __init__(self, box: Box) -> None:
        self._box, self._exchange = box, box.exchange

    # Accounts

    def add_account(
        self,
        client_id: str,
        funds: Rupees = 1_000_000,
        token: str | None = None,
        allowed_ips: tuple[str, ...] = (),
        pin: str = "123456",
        totp_secret: str = "",
        slow_ms: int = 0,
        collateral: Rupees = 0,
    ) -> Json:
        """Open an account; answers its token."""
        opening = Opening(
            client_id, funds, token, allowed_ips, pin, totp_secret, slow_ms, collateral
        )
        return self._box.open(opening).token

    def accounts(self) -> Json:
        """All accounts."""
        return [
            {
                "client_id": account.client_id,
                "token": account.token,
                "funds": str(Fraction(account.funds, 100)),
                "sockets": len(account.sockets),
            }
            for account in self._exchange.accounts.values()
        ]

    def set_account(
        self,
        client_id: str,
        funds: Paise | None = None,
        collateral: Paise | None = None,
        allowed_ips: tuple[str, ...] | None = None,
        slow_ms: int | None = None,
        pascal: bool | None = None,
        frames: Literal["single", "joined", "lines"] | None = None,
        pin: str | None = None,
        totp_secret: str | None = None,
        killed: bool | None = None,
    ) -> None:
        """Change what is given of an account."""
        account = self._account(client_id)
        given = dict(locals())
        for name in _CHANGEABLE:
            if given[name] is not None:
                setattr(account, name, given[name])

    def limits(
        self,
        client_id: str,
        orders: dict[str, int] | None = None,
        reads: dict[str, int] | None = None,
    ) -> None:
        """Set rate limits, as in {"second": 10, "minute": 250}; what is not given goes back to
        Dhan's. The counts start anew."""
        account = self._account(client_id)
        account.order_window = Windows(_limits(orders, ORDER_LIMITS))
        account.read_window = Windows(_limits(reads, READ_LIMITS))

    def expire_token(self, client_id: str) -> None:
        """End an account's token."""
        self._box.expire(self._account(client_id))

    def rotate_token(self, client_id: str) -> Json:
        """Give an account a new token; the old one dies at once."""
        account = self._account(client_id)
        self._box.rotate(account)
        return account.token

    # The market

    def price(
        self,
        segment: str,
        security_id: str,
        price: Paise,
        volume: int | None = None,
        part: Share | None = None,
    ) -> None:
        """Set the last price and trade what it makes marketable: at most `volume` shares in all,
        and of each order at most the `part` of its quantity."""
        self._exchange.price(self._instrument(segment, security_id), price, volume, part)

    def quote(self, segment: str, security_id: str) -> Json:
        """The last price, and what is left of its volume."""
        quote = self._exchange.quotes[self._instrument(segment, security_id)]
        return {"price": _rupees(quote.price), "volume": quote.volume}

    def market(self, phase: str) -> None:
        """Enter a phase: open, closed, end_day or next_day."""
        self._exchange.enter(phase)

    def clock(self, offset_seconds: float) -> None:
        """Let the simulator's clock be so far ahead of the real one."""
        self._exchange.offset = timedelta(seconds=offset_seconds)

    def listings(self) -> Json:
        """What is listed."""
        return [
            {
                "segment": listing.segment,
                "security_id": listing.security_id,
                "symbol": listing.symbol,
                "kind": listing.kind,
                "lot": listing.lot,
                "tick": _rupees(listing.tick),
                "price": _rupees(self._exchange.quotes[listing.key].price),
            }
            for listing in self._exchange.listings.values()
        ]

    def list_many(self, count: int) -> None:
        """List so many options more."""
        self._exchange.list_more(many(count))

    def tune(self, transit_ms: int | None = None, rtt_ms: int | None = None) -> None:
        """Change an order's way to the exchange and the time that an answer takes."""
        if transit_ms is not None:
            self._exchange.transit_ms = transit_ms
        if rtt_ms is not None:
            self._box.rtt_ms = rtt_ms

    # Orders by hand, as in the Dhan app

    def place(
        self,
        client_id: str,
        segment: str,
        security_id: str,
        side: Literal["BUY", "SELL"],
        quantity: int,
        order_type: Literal["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET"] = "LIMIT",
        product: Literal["CNC", "INTRADAY", "MARGIN", "MTF"] = "INTRADAY",
        price: Paise = 0,
        trigger: Paise = 0,
        validity: Literal["DAY", "IOC"] = "DAY",
        disclosed: int = 0,
        amo: Literal["", "PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60"] = "",
    ) -> Json:
        """Place an order in the Dhan app; answers its id."""
        ask = Ask(
            listing=self._exchange.listing(*self._instrument(segment, security_id)),
            side=side,
            product=product,
            order_type=order_type,
            quantity=quantity,
            price=price,
            trigger=trigger,
            validity=validity,
            disclosed=disclosed,
            amo=amo,
            platform="FAST",
        )
        return self._exchange.place(self._account(client_id), ask).order_id

    def modify(
        self,
        client_id: str,
        order_id: str,
        quantity: int | None = None,
        price: Paise | None = None,
        trigger: Paise | None = None,
        order_type: Literal["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET"] | None = None,
        validity: Literal["DAY", "IOC"] | None = None,
        disclosed: int | None = None,
    ) -> None:
        """Change what is given of an order."""
        given = dict(locals())
        names = ("quantity", "price", "trigger", "order_type", "validity", "disclosed")
        changes = {name: given[name] for name in names if given[name] is not None}
        self._exchange.modify(*self._order(client_id, order_id), changes)

    def cancel(self, client_id: str, order_id: str) -> None:
        """Cancel what is open of an order."""
        self._exchange.cancel(*self._order(client_id, order_id))

    def reject(self, client_id: str, order_id: str, reason: str) -> None:
        """Let the exchange reject an order late."""
        self._exchange.reject(*self._order(client_id, order_id), reason)

    def expire(self, client_id: str, order_id: str) -> None:
        """Let an order expire."""
        self._exchange.expire(*self._order(client_id, order_id))

    # What there is to see

    def book(self, client_id: str) -> Json:
        """The order book: REST rows, each with its `modifications` and `fills`."""
        return [
            {
                **order.row(),
                "modifications": order.modifications,
                "fills": [
                    {
                        "trade_id": fill.trade_id,
                        "quantity": fill.quantity,
                        "price": _rupees(fill.price),
                    }
                    for fill in order.fills
                ],
            }
            for order in self._account(client_id).orders.values()
        ]

    def positions(self, client_id: str) -> Json:
        """The net positions, as by REST."""
        return self._account(client_id).positions()

    def requests(self, client_id: str | None = None) -> Json:
        """Every request seen so far; `at` is monotonic nanoseconds, `status` 0 while unanswered."""
        return [
            asdict(sighting)
            for sighting in self._box.sightings
            if client_id in (None, sighting.client_id)
        ]

    def throttled(self, client_id: str) -> Json:
        """How many requests of the account were over its rate limits."""
        return self._box.throttled.get(self._account(client_id).client_id, 0)

    # Faults

    def fault(
        self,
        client_id: str,
        operation: str,
        kind: str,
        times: int = 1,
        rate: float = 1.0,
        ms: int = 0,
        status: int = 500,
        after: bool = True,
    ) -> None:
        """Switch a fault on, for an account or "*"."""
        if client_id != "*":
            self._account(client_id)
        self._box.faults.add(Fault(client_id, operation, kind, times, rate, ms, status, after))

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._box.faults.clear()

    def struck(self) -> Json:
        """How often each fault struck."""
        return self._box.faults.struck

    # The order-update socket

    def cut(self, client_id: str, with_close: bool = False) -> None:
        """End the account's sockets, without a close frame unless asked."""
        feed.cut(self._account(client_id), with_close)

    def silence(self, client_id: str, on: bool = True) -> None:
        """Let the account's sockets stay open and say nothing, not even to a ping."""
        self._account(client_id).silent = on

    def send(self, client_id: str, frame: str) -> None:
        """Send any text frame to the account's sockets."""
        feed.raw(self._box, self._account(client_id), frame)

    def send_bytes(self, client_id: str, frame: str) -> None:
        """Send a binary frame, given in hexadecimal."""
        feed.raw(self._box, self._account(client_id), bytes.fromhex(frame))

    def events(self, client_id: str, order_id: str) -> Json:
        """All frames that told of an order so far, oldest first, also those nobody heard."""
        return self._order(client_id, order_id)[1].told

    def resend(
        self, client_id: str, order_id: str, times: int = 1, stale: int | None = None
    ) -> None:
        """Tell the order's present state again, or with `stale` the event of so many before."""
        account, order = self._order(client_id, order_id)
        back = stale or 0
        if back >= len(order.told):
            raise ValueError(f"only {len(order.told)} events of order {order_id} were told")
        for _ in range(times):
            feed.raw(self._box, account, order.told[-1 - back])

    def sockets(self, client_id: str) -> Json:
        """How many sockets of the account are open and logged in."""
        return len(self._account(client_id).sockets)

    def _account(self, client_id: str) -> Account:
        account = self._exchange.accounts.get(client_id)
        if account is None:
            raise Unknown(f"there is no account {client_id}")
        return account

    def _order(self, client_id: str, order_id: str) -> tuple[Account, BrokerOrder]:
        account = self._account(client_id)
        order = account.orders.get(order_id)
        if order is None:
            raise Unknown(f"account {client_id} has no order {order_id}")
        return account, order

    def _instrument(self, segment: str, security_id: str) -> tuple[str, str]:
        if (segment, security_id) not in self._exchange.listings:
            raise Unknown(f"nothing is listed as {segment} {security_id}")
        return (segment, security_id)


_CHANGEABLE = (
    "funds", "collateral", "allowed_ips", "slow_ms", "pascal", "frames", "pin", "totp_secret",
    "killed",
)  # fmt: skip


def routes(box: Box) -> list[web.RouteDef]:
    """The control API's endpoints."""
    verbs = Verbs(box)
    methods = {
        name: validate_call(method)
        for name, method in inspect.getmembers(verbs, inspect.ismethod)
        if not name.startswith("_")
    }
    return [
        web.get("/control", _listed(methods)),
        web.post("/control/{verb}", _steered(methods)),
    ]


_Methods = Mapping[str, Callable[..., Json]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _listed(methods: _Methods) -> _Handler:
    shown = {name: str(inspect.signature(method)) for name, method in methods.items()}

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response({"result": shown})

    return handle


def _steered(methods: _Methods) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        verb = request.match_info["verb"]
        method = methods.get(verb)
        if method is None:
            return _error(f"there is no verb {verb}; GET /control lists them", 404)
        try:
            arguments = json.loads(await request.text() or "{}")
            return web.json_response({"result": method(**arguments)})
        except ValidationError as wrong:
            return _error(f"{verb}: {_in_words(wrong)}", 400)
        except Unknown as unknown:
            return _error(str(unknown), 404)
        except (Refused, ValueError, TypeError) as refused:
            return _error(str(refused), 400)

    return handle


def _error(words: str, status: int) -> web.Response:
    return web.json_response({"error": words}, status=status)


def _in_words(wrong: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
        for error in wrong.errors(include_url=False, include_input=False)
    )


def _limits(
    given: dict[str, int] | None, usual: tuple[tuple[float, int], ...]
) -> tuple[tuple[float, int], ...]:
    if given is None:
        return usual
    unknown = set(given) - set(_SECONDS)
    if unknown:
        raise ValueError(f"a limit is for a second, minute, hour or day, not for {min(unknown)}")
    return tuple((_SECONDS[name], limit) for name, limit in given.items())


def _rupees(amount: int) -> str:
    return f"{amount / 100:.2f}"
