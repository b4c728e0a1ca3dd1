"""The accounts of the simulated broker: tokens, addresses, limits, books and money."""

import base64
import hashlib
import hmac
import json
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from simulator.limits import ORDER_LIMITS, READ_LIMITS, Windows
from simulator.orders import BrokerOrder

_TOTP_STEP = 30
_RATES = {"CNC": 1.0, "MTF": 0.25, "INTRADAY": 0.2, "MARGIN": 0.15}


@dataclass(slots=True)
class Sighting:
    """A request as it arrived: `at` is monotonic nanoseconds, `status` what was answered (0 for
    nothing)."""

    client_id: str
    method: str
    path: str
    at: int
    peer: str
    correlation_id: str = ""
    status: int = 0


@dataclass(slots=True)
class Account:
    """One account. Amounts in paise."""

    client_id: str
    token: str
    funds: int = 100_000_000
    collateral: int = 0
    pin: str = "123456"
    totp_secret: str = ""
    expires: datetime | None = None
    allowed_ips: tuple[str, ...] = ()
    slow_ms: int = 0
    pascal: bool = False
    frames: str = "single"
    orders: dict[str, BrokerOrder] = field(default_factory=dict)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    silent: bool = False
    killed: bool = False
    order_window: Windows = field(default_factory=lambda: Windows(ORDER_LIMITS))
    read_window: Windows = field(default_factory=lambda: Windows(READ_LIMITS))

    def positions(self) -> list[dict[str, object]]:
        """Net positions as the REST API shows them."""
        return [_position(self.client_id, group) for group in self._groups().values()]

    def net(self, segment: str, security_id: str, product: str) -> int:
        """The net position in shares."""
        return sum(
            order.filled if order.side == "BUY" else -order.filled
            for order in self.orders.values()
            if order.listing.key == (segment, security_id) and order.product == product
        )

    def used(self) -> int:
        """Paise blocked by open orders and by positions."""
        resting = sum(
            margin(order, order.remaining * order.price)
            for order in self.orders.values()
            if order.open and order.price
        )
        return resting + sum(_held(group) for group in self._groups().values())

    def _groups(self) -> dict[tuple[str, str, str], list[BrokerOrder]]:
        groups: dict[tuple[str, str, str], list[BrokerOrder]] = {}
        for order in self.orders.values():
            if order.filled:
                groups.setdefault((*order.listing.key, order.product), []).append(order)
        return groups

    def begin_day(self) -> None:
        """Clear the book of the day before, but for what still waits."""
        self.orders = {key: order for key, order in self.orders.items() if not order.ended}

    def available(self) -> int:
        """Paise that new orders may use."""
        return self.funds - self.used()


def margin(order: BrokerOrder, value: int) -> int:
    """What an order or position of that value (paise) blocks, by a simple rule: CNC in full, MTF
    25 %, INTRADAY 20 %, MARGIN 15 %, a bought option its premium."""
    if order.listing.option != "XX" and order.side == "BUY":
        return value
    return int(value * _RATES.get(order.product, 1.0))


def _held(group: list[BrokerOrder]) -> int:
    """What the net position of one instrument blocks."""
    net = sum(order.filled if order.side == "BUY" else -order.filled for order in group)
    side = "BUY" if net > 0 else "SELL"
    same = [order for order in group if order.side == side]
    shares = sum(order.filled for order in same)
    if not net or not shares:
        return 0
    return margin(same[0], sum(order.value for order in same) * abs(net) // shares)


def new_token(client_id: str, expires: datetime) -> str:
    """A token in the shape of a JWT, signed by nobody; no two are alike."""

    def part(content: Mapping[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    claims = {"iss": "dhan", "dhanClientId": client_id, "exp": int(expires.timestamp())}
    header = {"typ": "JWT", "alg": "HS512"}
    return f"{part(header)}.{part(claims)}.{secrets.token_urlsafe(32)}"


def totp(secret: str, at: float) -> str:
    """The six digits of RFC 6238 at a unix time."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at) // _TOTP_STEP), hashlib.sha1).digest()
    offset = digest[-1] & 15
    code: int = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{code % 1_000_000:06d}"


def day_later(now: datetime) -> datetime:
    """When a token made now ends."""
    return now + timedelta(hours=24)


def _position(client_id: str, orders: list[BrokerOrder]) -> dict[str, object]:
    first = orders[0]
    bought = [order for order in orders if order.side == "BUY"]
    sold = [order for order in orders if order.side == "SELL"]
    buy_quantity, sell_quantity = sum(o.filled for o in bought), sum(o.filled for o in sold)
    buy_value, sell_value = sum(o.value for o in bought), sum(o.value for o in sold)
    net = buy_quantity - sell_quantity
    return {
        "dhanClientId": client_id,
        "tradingSymbol": first.listing.symbol,
        "securityId": first.listing.security_id,
        "positionType": "LONG" if net > 0 else "SHORT" if net < 0 else "CLOSED",
        "exchangeSegment": first.listing.segment,
        "productType": first.product,
        "buyAvg": _average(buy_value, buy_quantity),
        "buyQty": buy_quantity,
        "costPrice": _average(buy_value, buy_quantity),
        "sellAvg": _average(sell_value, sell_quantity),
        "sellQty": sell_quantity,
        "netQty": net,
        "realizedProfit": 0.0,
        "unrealizedProfit": 0.0,
        "rbiReferenceRate": 1.0,
        "multiplier": 1,
        "carryForwardBuyQty": 0,
        "carryForwardSellQty": 0,
        "carryForwardBuyValue": 0.0,
        "carryForwardSellValue": 0.0,
        "dayBuyQty": buy_quantity,
        "daySellQty": sell_quantity,
        "dayBuyValue": buy_value / 100,
        "daySellValue": sell_value / 100,
        "drvExpiryDate": "0001-01-01",
        "drvOptionType": None,
        "drvStrikePrice": 0.0,
        "crossCurrency": False,
    }


def _average(value: int, quantity: int) -> float:
    return round(value / quantity / 100, 4) if quantity else 0.0
