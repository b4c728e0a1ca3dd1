"""Positions and holdings of an account; amounts in paise, quantities in shares."""

from dataclasses import dataclass

from simulator.instruments import Listing
from simulator.orders import Fill

_RATES = {"CNC": 1.0, "MTF": 0.25, "INTRADAY": 0.2, "MARGIN": 0.15}


def margin(listing: Listing, product: str, side: str, value: int) -> int:
    """What an order or position of that value blocks, by a simple rule: CNC in full (a sale
    nothing), MTF 25 %, INTRADAY 20 %, MARGIN 15 %, a bought option its premium."""
    if product == "CNC" and side == "SELL":
        return 0
    if listing.option != "XX" and side == "BUY":
        return value
    return int(value * _RATES[product])


@dataclass(slots=True)
class Holding:
    """Shares delivered on earlier days; `average` is their cost for one."""

    listing: Listing
    quantity: int
    average: int

    def row(self, last_price: int) -> dict[str, object]:
        """As the REST API shows it."""
        return {
            "exchange": "ALL",
            "tradingSymbol": self.listing.symbol,
            "securityId": self.listing.security_id,
            "isin": "NA",
            "totalQty": self.quantity,
            "dpQty": self.quantity,
            "t1Qty": 0,
            "availableQty": self.quantity,
            "collateralQty": 0,
            "avgCostPrice": self.average / 100,
            "lastTradedPrice": last_price / 100,
        }


@dataclass(slots=True)
class Position:
    """What is bought and sold of an instrument under one product. `net` is signed, `cost` what
    the open shares were bought (or sold short) for, `carried` what is left of earlier days."""

    listing: Listing
    product: str
    bought: int = 0
    bought_for: int = 0
    sold: int = 0
    sold_for: int = 0
    net: int = 0
    cost: int = 0
    realized: int = 0
    carried: int = 0
    carried_cost: int = 0

    @property
    def blocked(self) -> int:
        """The margin that it blocks."""
        side = "BUY" if self.net > 0 else "SELL"
        return margin(self.listing, self.product, side, self.cost)

    def take(self, side: str, fill: Fill) -> None:
        """Count a fill in, at average cost."""
        if side == "BUY":
            self.bought += fill.quantity
            self.bought_for += fill.quantity * fill.price
        else:
            self.sold += fill.quantity
            self.sold_for += fill.quantity * fill.price
        sign = 1 if side == "BUY" else -1
        closed = min(fill.quantity, max(0, -sign * self.net))
        if closed:
            released = self.cost * closed // abs(self.net)
            self.realized += sign * (released - closed * fill.price)
            self.cost -= released
        self.net += sign * fill.quantity
        self.cost += (fill.quantity - closed) * fill.price

    def begin_day(self, last_price: int) -> int:
        """Carry what is open into the next day; answers what the day earned. Intraday is squared
        off at the last price."""
        earned, self.realized = self.realized, 0
        if self.product == "INTRADAY":
            earned += self.unrealized(last_price)
            self.net = self.cost = 0
        self.bought = self.bought_for = self.sold = self.sold_for = 0
        self.carried, self.carried_cost = self.net, self.cost
        return earned

    def unrealized(self, last_price: int) -> int:
        """What closing it at the price would earn."""
        value = abs(self.net) * last_price
        return value - self.cost if self.net > 0 else self.cost - value

    def row(self, client_id: str, last_price: int) -> dict[str, object]:
        """As the REST API shows it."""
        long = max(0, self.carried), self.carried_cost if self.carried > 0 else 0
        short = max(0, -self.carried), self.carried_cost if self.carried < 0 else 0
        bought, bought_for = self.bought + long[0], self.bought_for + long[1]
        sold, sold_for = self.sold + short[0], self.sold_for + short[1]
        return {
            "dhanClientId": client_id,
            "tradingSymbol": self.listing.symbol,
            "securityId": self.listing.security_id,
            "positionType": "LONG" if self.net > 0 else "SHORT" if self.net < 0 else "CLOSED",
            "exchangeSegment": self.listing.segment,
            "productType": self.product,
            "buyAvg": _average(bought_for, bought),
            "buyQty": bought,
            "costPrice": _average(self.cost, abs(self.net)),
            "sellAvg": _average(sold_for, sold),
            "sellQty": sold,
            "netQty": self.net,
            "realizedProfit": self.realized / 100,
            "unrealizedProfit": self.unrealized(last_price) / 100,
            "rbiReferenceRate": 1.0,
            "multiplier": 1,
            "carryForwardBuyQty": long[0],
            "carryForwardSellQty": short[0],
            "carryForwardBuyValue": long[1] / 100,
            "carryForwardSellValue": short[1] / 100,
            "dayBuyQty": self.bought,
            "daySellQty": self.sold,
            "dayBuyValue": self.bought_for / 100,
            "daySellValue": self.sold_for / 100,
            "drvExpiryDate": self.listing.expiry,
            "drvOptionType": None,
            "drvStrikePrice": self.listing.strike / 100,
            "crossCurrency": False,
        }


def _average(value: int, quantity: int) -> float:
    return round(value / quantity / 100, 4) if quantity else 0.0
