"""An order at the simulated broker, and how Dhan shows it by REST and on the socket."""

from dataclasses import dataclass, field
from datetime import datetime

from simulator.ask import Terms
from simulator.instruments import Listing

_TERMINAL = frozenset({"TRADED", "CANCELLED", "REJECTED", "EXPIRED"})
_TITLES = {"PART_TRADED": "Part_Traded"}
_TYPES = {"LIMIT": "LMT", "MARKET": "MKT", "STOP_LOSS": "SL", "STOP_LOSS_MARKET": "SLM"}
_PRODUCTS = {"CNC": "C", "INTRADAY": "I", "MARGIN": "M", "MTF": "F"}
_OPTIONS = {"CE": "CALL", "PE": "PUT"}
_UNSET = "0001-01-01 00:00:00"


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade; price in paise."""

    trade_id: str
    quantity: int
    price: int
    at: datetime


@dataclass(slots=True)
class BrokerOrder:
    """One order; prices in paise, quantities in shares.

    `number` gives the order of arrival, `reference` the last price when it was placed, `parted`
    the number of the quote that last filled a part of it; `released` tells that an after-market
    order went to the exchange; `told` holds every frame that told of it.
    """

    number: int
    order_id: str
    client_id: str
    listing: Listing
    side: str
    product: str
    terms: Terms
    correlation_id: str
    platform: str
    created: datetime
    updated: datetime
    reference: int
    amo: str = ""
    released: bool = False
    status: str = "TRANSIT"
    filled: int = 0
    value: int = 0
    fills: list[Fill] = field(default_factory=list)
    reason: str = ""
    triggered: bool = False
    modifications: int = 0
    parted: int = -1
    exchange_id: str = "0"
    told: list[str] = field(default_factory=list)

    @property
    def waiting(self) -> bool:
        """Whether it is an after-market order that waits for the market to open."""
        return bool(self.amo) and not self.released

    @property
    def resting(self) -> bool:
        """Whether it rests in the market."""
        return self.status in ("PENDING", "PART_TRADED") and not self.waiting

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it."""
        return self.status in _TERMINAL

    @property
    def remaining(self) -> int:
        """Shares not traded yet."""
        return self.terms.quantity - self.filled

    @property
    def average(self) -> float:
        """Average traded price in rupees."""
        return round(self.value / self.filled / 100, 4) if self.filled else 0.0

    def row(self) -> dict[str, object]:
        """As the REST API shows it."""
        listing, terms = self.listing, self.terms
        return {
            "dhanClientId": self.client_id,
            "orderId": self.order_id,
            "exchangeOrderId": self.exchange_id,
            "correlationId": self.correlation_id,
            "orderStatus": self.status,
            "transactionType": self.side,
            "exchangeSegment": listing.segment,
            "productType": self.product,
            "orderType": terms.order_type,
            "validity": terms.validity,
            "tradingSymbol": listing.symbol,
            "securityId": listing.security_id,
            "quantity": terms.quantity,
            "disclosedQuantity": terms.disclosed,
            "price": terms.price / 100,
            "triggerPrice": terms.trigger / 100,
            "afterMarketOrder": bool(self.amo),
            "boProfitValue": 0.0,
            "boStopLossValue": 0.0,
            "legName": "NA",
            "createTime": wire_time(self.created),
            "updateTime": wire_time(self.updated),
            "exchangeTime": _UNSET if self.exchange_id == "0" else wire_time(self.updated),
            "drvExpiryDate": listing.expiry,
            "drvOptionType": _OPTIONS.get(listing.option, "NA"),
            "drvStrikePrice": listing.strike / 100,
            "omsErrorCode": "0",
            "omsErrorDescription": self.reason or ("" if self.exchange_id == "0" else "CONFIRMED"),
            "algoId": "99999" if self.platform == "API" else "0",
            "remainingQuantity": 0 if self.status == "CANCELLED" else self.remaining,
            "averageTradedPrice": self.average,
            "filledQty": self.filled,
        }

    def event(self, last_price: int) -> dict[str, object]:
        """As the socket tells it, in the camelCase of production."""
        listing, terms = self.listing, self.terms
        updated = wire_time(self.updated)
        api = self.platform == "API"
        return {
            "exchange": listing.exchange,
            "segment": listing.letter,
            "source": "P" if api else "N",
            "securityId": listing.security_id,
            "clientId": self.client_id,
            "exchOrderNo": self.exchange_id,
            "orderNo": self.order_id,
            "product": _PRODUCTS[self.product],
            "txnType": self.side[0],
            "orderType": _TYPES[terms.order_type],
            "validity": terms.validity,
            "discQuantity": terms.disclosed,
            "discQtyRem": min(terms.disclosed, self.remaining),
            "remainingQuantity": self.remaining,
            "quantity": terms.quantity,
            "tradedQty": self.filled,
            "price": terms.price / 100,
            "triggerPrice": terms.trigger / 100,
            "tradedPrice": self.fills[-1].price / 100 if self.fills else 0,
            "avgTradedPrice": self.average,
            "algoOrdNo": None,
            "offMktFlag": "1" if self.amo else "0",
            "orderDateTime": wire_time(self.created),
            "exchOrderTime": updated,
            "lastUpdatedTime": updated,
            "remarks": "NR",
            "mktType": "AU" if self.waiting else "NL",
            "reasonDescription": self.reason or "CONFIRMED",
            "legNo": 1,
            "instrument": listing.kind,
            "symbol": listing.symbol[:10],
            "productName": self.product,
            "status": _TITLES.get(self.status, self.status.title()),
            "lotSize": listing.lot,
            "strikePrice": listing.strike / 100 or None,
            "expiryDate": f"{listing.expiry} 00:00:00",
            "optType": listing.option,
            "displayName": listing.display,
            "isin": "NA",
            "series": listing.series,
            "goodTillDaysDate": updated[:10],
            "refLtp": last_price / 100,
            "tickSize": listing.tick / 100,
            "algoId": "99999" if api else "0",
            "multiplier": 1,
            "correlationId": self.correlation_id,
            "orderPlatform": self.platform,
        }

    def trades(self) -> list[dict[str, object]]:
        """Its trades as the REST API shows them."""
        listing = self.listing
        return [
            {
                "dhanClientId": self.client_id,
                "orderId": self.order_id,
                "exchangeOrderId": self.exchange_id,
                "exchangeTradeId": fill.trade_id,
                "transactionType": self.side,
                "exchangeSegment": listing.segment,
                "productType": self.product,
                "orderType": self.terms.order_type,
                "tradingSymbol": listing.symbol,
                "customSymbol": None,
                "securityId": listing.security_id,
                "tradedQuantity": fill.quantity,
                "tradedPrice": fill.price / 100,
                "createTime": wire_time(fill.at),
                "updateTime": wire_time(fill.at),
                "exchangeTime": wire_time(fill.at),
                "drvExpiryDate": listing.expiry,
                "drvOptionType": _OPTIONS.get(listing.option, "NA"),
                "drvStrikePrice": listing.strike / 100,
            }
            for fill in self.fills
        ]


def wire_time(at: datetime) -> str:
    """A time as Dhan writes it: Indian time, whole seconds, no zone."""
    return at.isoformat(" ", "seconds")[:19]
