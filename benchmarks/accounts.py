"""An account at the benchmark's broker: its orders, and how Dhan's REST API shows them."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from benchmarks.contest import LISTING, PRICE, QUANTITY
from simulator.orders import BrokerOrder, Fill
from simulator.positions import Position

RTT = 0.020
NEVER = float("inf")


@dataclass(slots=True)
class Account:
    """`seconds` is how long its answers take; while it is `away`, nobody reaches it."""

    client_id: str
    seconds: float = RTT
    away: bool = False
    orders: list[BrokerOrder] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    held: Position = field(default_factory=lambda: Position(LISTING, "INTRADAY"))
    _shown: dict[str, bytes] = field(default_factory=dict)

    def book(self) -> bytes:
        """The order book as JSON; ended orders are written once."""
        rows = []
        for order in self.orders:
            row = self._shown.get(order.order_id)
            if row is None:
                row = json.dumps(order.row()).encode()
                if order.ended:
                    self._shown[order.order_id] = row
            rows.append(row)
        return b"[" + b",".join(rows) + b"]"

    def trades(self) -> bytes:
        """The day's trades as JSON."""
        return json.dumps([trade for order in self.orders for trade in order.trades()]).encode()

    def positions(self) -> bytes:
        """What it holds, as JSON."""
        return json.dumps([self.held.row(self.client_id, PRICE)] if self.held.net else []).encode()

    def trade(self, order: BrokerOrder, now: datetime) -> None:
        """An order trades in full."""
        fill = Fill(f"T{order.order_id}", QUANTITY, order.terms.price, now)
        order.fills.append(fill)
        order.status, order.updated = "TRADED", now
        order.filled, order.value = QUANTITY, QUANTITY * order.terms.price
        self.held.take("BUY", fill)
