"""Control verbs about the market and about orders made by hand, as in the Dhan app."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal, Unpack

from pydantic import with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from simulator.ask import Ask, Terms
from simulator.instruments import many
from simulator.verbs import Json, OrderType, Paise, Share, Validity, Verbs, rupees


class MarketVerbs(Verbs):
    """Prices, phases and the clock."""

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
        if price <= 0:
            raise ValueError("a price is more than nothing")
        self._exchange.price(self._instrument(segment, security_id), price, volume, part)

    def quote(self, segment: str, security_id: str) -> Json:
        """The last price, and what is left of its volume."""
        quote = self._exchange.quotes[self._instrument(segment, security_id)]
        return {"price": rupees(quote.price), "volume": quote.volume}

    def market(self, phase: str) -> None:
        """Enter a phase: open, closed, end_day or next_day."""
        self._exchange.enter(phase)

    def clock(self, offset_seconds: float) -> None:
        """Let the simulator's clock, and so the Date of its answers, be so far ahead of the real
        one."""
        self._exchange.offset = timedelta(seconds=offset_seconds)

    def tune(self, transit_ms: int | None = None, rtt_ms: int | None = None) -> None:
        """Change an order's way to the exchange and the time that an answer takes."""
        if transit_ms is not None:
            self._exchange.transit_ms = transit_ms
        if rtt_ms is not None:
            self._box.rtt_ms = rtt_ms

    def listings(self) -> Json:
        """What is listed."""
        return [
            {
                "segment": listing.segment,
                "security_id": listing.security_id,
                "symbol": listing.symbol,
                "kind": listing.kind,
                "lot": listing.lot,
                "tick": rupees(listing.tick),
                "price": rupees(self._exchange.last_price(listing)),
            }
            for listing in self._exchange.listings.values()
        ]

    def list_many(self, count: int) -> None:
        """List so many options more."""
        self._exchange.list_more(many(count))


@with_config(extra="forbid")
class Changes(TypedDict, total=False):
    """What can be changed of an order."""

    order_type: OrderType
    quantity: int
    price: Paise
    trigger: Paise
    validity: Validity
    disclosed: int


class OrderVerbs(Verbs):
    """Orders made by hand, and what becomes of any order."""

    def place(
        self,
        client_id: str,
        segment: str,
        security_id: str,
        side: Literal["BUY", "SELL"],
        quantity: int,
        order_type: OrderType = "LIMIT",
        product: Literal["CNC", "INTRADAY", "MARGIN", "MTF"] = "INTRADAY",
        price: Paise = 0,
        trigger: Paise = 0,
        validity: Validity = "DAY",
        disclosed: int = 0,
        amo: Literal["", "PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60"] = "",
    ) -> Json:
        """Place an order in the Dhan app; answers its id."""
        listing = self._exchange.listing(*self._instrument(segment, security_id))
        terms = Terms(order_type, quantity, price, trigger, validity, disclosed)
        ask = Ask(listing, side, product, terms, amo=amo, platform="FAST")
        return self._exchange.place(self._account(client_id), ask).order_id

    def modify(self, client_id: str, order_id: str, **changes: Unpack[Changes]) -> None:
        """Change what is given of an order; `quantity` is the total."""
        account, order = self._order(client_id, order_id)
        terms = replace(order.terms, **changes)
        self._exchange.modify(account, order, terms, by_api=False)

    def cancel(self, client_id: str, order_id: str) -> None:
        """Cancel what is open of an order."""
        self._exchange.cancel(*self._order(client_id, order_id))

    def reject(self, client_id: str, order_id: str, reason: str) -> None:
        """Let the exchange reject an order late."""
        self._exchange.reject(*self._order(client_id, order_id), reason)

    def expire(self, client_id: str, order_id: str) -> None:
        """Let an order expire."""
        self._exchange.expire(*self._order(client_id, order_id))

    def book(self, client_id: str) -> Json:
        """The order book: REST rows, each with its `modifications`, its `fills` and its
        `amoTime`, which no row of Dhan's tells."""
        return [
            {
                **order.row(),
                "modifications": order.modifications,
                "amoTime": order.amo,
                "fills": [
                    {
                        "trade_id": fill.trade_id,
                        "quantity": fill.quantity,
                        "price": rupees(fill.price),
                    }
                    for fill in order.fills
                ],
            }
            for order in self._account(client_id).orders.values()
        ]
