"""An order at the simulated broker, and how Dhan shows it by REST and on the socket."""

from dataclasses import dataclass, field
from datetime import datetime

from simulator.instruments import Listing

TERMINAL = frozenset({"TRADED", "CANCELLED", "REJECTED", "EXPIRED"})
_TITLES = {"PART_TRADED": "Part_Traded"}
_TYPES = {"LIMIT": "LMT", "MARKET": "MKT", "STOP_LOSS": "SL", "STOP_LOSS_MARKET": "SLM"}
_PRODUCTS = {"CNC": "C", "INTRADAY": "I", "MARGIN": "M", "MTF": "F"}
UNSET = "0001-01-01 00:00:00"


@dataclass(slots=True)
class Fill:
    """One trade; price in paise."""

    trade_id: str
    quantity: int
    price: int
    at: datetime


@dataclass(slots=True)
class BrokerOrder:
    """One order; prices in paise, quantities in shares. `mpp` marks an API MARKET that became a
    LIMIT; `parted` is the number of the quote that last filled a part of it."""

    order_id: str
    client_id: str
    listing: Listing
    side: str
    product: str
    order_type: str
    validity: str
    quantity: int
    price: int
    trigger: int
    disclosed: int
    correlation_id: str
    platform: str
    created: datetime
    updated: datetime
    amo: str = ""
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
    def open(self) -> bool:
        """Whether it rests in the market."""
        return self.status in ("PENDING", "PART_TRADED")

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it."""
        return self.status in TERMINAL

    @property
    def remaining(self) -> int:
        """Shares not traded yet."""
        return self.quantity - self.filled

    @property
    def average(self) -> float:
        """Average traded price in rupees."""
        return round(self.value / self.filled / 100, 4) if self.filled else 0.0

    def row(self) -> dict[str, object]:
        """As the REST API shows it."""
        listing = self.listing
        return {
            "dhanClientId": self.client_id,
            "orderId": self.order_id,
            "exchangeOrderId": self.exchange_id,
            "correlationId": self.correlation_id,
            "orderStatus": self.status,
            "transactionType": self.side,
            "exchangeSegment": listing.segment,
            "productType": self.product,
            "orderType": self.order_type,
            "validity": self.validity,
            "tradingSymbol": listing.symbol,
            "securityId": listing.security_id,
            "quantity": self.quantity,
            "disclosedQuantity": self.disclosed,
            "price": self.price / 100,
            "triggerPrice": self.trigger / 100,
            "afterMarketOrder": bool(self.amo),
            "boProfitValue": 0.0,
            "boStopLossValue": 0.0,
            "legName": "NA",
            "createTime": wire_time(self.created),
            "updateTime": wire_time(self.updated),
            "exchangeTime": UNSET if self.exchange_id == "0" else wire_time(self.updated),
            "drvExpiryDate": "0001-01-01",
            "drvOptionType": "NA" if listing.option == "XX" else listing.option,
            "drvStrikePrice": listing.strike / 100,
            "omsErrorCode": "0",
            "omsErrorDescription": self.reason or ("CONFIRMED" if self.status != "TRANSIT" else ""),
            "algoId": "99999" if self.platform == "API" else "0",
            "remainingQuantity": 0 if self.status == "CANCELLED" else self.remaining,
            "averageTradedPrice": self.average,
            "filledQty": self.filled,
        }

    def event(self, ltp: int) -> dict[str, object]:
        """As the socket tells it, in the camelCase of production."""
        listing = self.listing
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
            "orderType": _TYPES[self.order_type],
            "validity": self.validity,
            "discQuantity": self.disclosed,
            "discQtyRem": self.disclosed,
            "remainingQuantity": self.remaining,
            "quantity": self.quantity,
            "tradedQty": self.filled,
            "price": self.price / 100,
            "triggerPrice": self.trigger / 100,
            "tradedPrice": self.fills[-1].price / 100 if self.fills else 0,
            "avgTradedPrice": self.average,
            "algoOrdNo": None,
            "offMktFlag": "1" if self.amo else "0",
            "orderDateTime": wire_time(self.created),
            "exchOrderTime": wire_time(self.updated),
            "lastUpdatedTime": wire_time(self.updated),
            "remarks": "NR",
            "mktType": "AU" if self.amo else "NL",
            "reasonDescription": self.reason or "CONFIRMED",
            "legNo": 1,
            "instrument": listing.kind,
            "symbol": listing.symbol[:10],
            "productName": self.product,
            "status": _TITLES.get(self.status, self.status.title()),
            "lotSize": listing.lot,
            "strikePrice": listing.strike / 100 or None,
            "expiryDate": UNSET,
            "optType": listing.option,
            "displayName": listing.display,
            "isin": "NA",
            "series": "EQ",
            "goodTillDaysDate": f"{self.created:%Y-%m-%d}",
            "refLtp": ltp / 100,
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
                "orderType": self.order_type,
                "tradingSymbol": listing.symbol,
                "customSymbol": None,
                "securityId": listing.security_id,
                "tradedQuantity": fill.quantity,
                "tradedPrice": fill.price / 100,
                "createTime": wire_time(fill.at),
                "updateTime": wire_time(fill.at),
                "exchangeTime": wire_time(fill.at),
                "drvExpiryDate": "0001-01-01",
                "drvOptionType": "NA",
                "drvStrikePrice": 0.0,
            }
            for fill in self.fills
        ]


def wire_time(at: datetime) -> str:
    """A time as Dhan writes it: Indian time, whole seconds, no zone."""
    return at.strftime("%Y-%m-%d %H:%M:%S")
