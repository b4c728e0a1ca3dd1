"""The scripted trading day of the paper broker: a leader's hand-made orders, through every step
of an order's life. Each part yields a caption after each thing that the leader, or the market,
does; whoever runs it lets the followers catch up there."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypedDict, Unpack

from simulator.client import Control

_Key = tuple[str, str]

_FILL_SECONDS = 2.0
_LOOK_SECONDS = 0.01

RELIANCE: _Key = ("NSE_EQ", "2885")
HDFCBANK: _Key = ("NSE_EQ", "1333")
TCS: _Key = ("NSE_EQ", "11536")
SBIN: _Key = ("NSE_EQ", "3045")
NIFTY_CALL: _Key = ("NSE_FNO", "40001")


class _More(TypedDict, total=False):
    """What of an order goes without saying most of the time."""

    order_type: str
    product: str
    validity: str
    trigger: float


class _Changes(TypedDict, total=False):
    """What of an order can be changed."""

    order_type: str
    quantity: int
    price: float
    trigger: float


@dataclass(frozen=True, slots=True)
class Leader:
    """The leader's hand in the Dhan app, and the market's moves; prices in rupees."""

    control: Control
    client_id: str

    def buys(self, key: _Key, quantity: int, price: float = 0, **more: Unpack[_More]) -> str:
        """Place a buy order, LIMIT unless `more` says otherwise; its id."""
        return self._places(key, "BUY", quantity, price, more)

    def sells(self, key: _Key, quantity: int, price: float = 0, **more: Unpack[_More]) -> str:
        """Place a sell order; its id."""
        return self._places(key, "SELL", quantity, price, more)

    def changes(self, order_id: str, **changes: Unpack[_Changes]) -> None:
        """Change an open order."""
        self.control.modify(self.client_id, order_id, **changes)

    def cancels(self, order_id: str) -> None:
        """Cancel what is open of an order."""
        self.control.cancel(self.client_id, order_id)

    def market(self, key: _Key, price: float, part: float | None = None) -> None:
        """Trade at a price; `part` fills only that share of every order."""
        self.control.price(*key, price, part=part)

    def waits_for(self, order_id: str) -> None:
        """Let the order fill before anything else happens."""
        deadline = time.monotonic() + _FILL_SECONDS
        while time.monotonic() < deadline:
            rows = self.control.book(self.client_id)
            if any(row["orderId"] == order_id and row["orderStatus"] == "TRADED" for row in rows):
                return
            time.sleep(_LOOK_SECONDS)

    def _places(self, key: _Key, side: str, quantity: int, price: float, more: _More) -> str:
        segment, security_id = key
        return self.control.place(
            self.client_id,
            segment=segment,
            security_id=security_id,
            side=side,
            quantity=quantity,
            price=price,
            **more,
        )


Part = Callable[[Leader], Iterator[str]]


def limit_order(leader: Leader) -> Iterator[str]:
    leader.buys(RELIANCE, 100, 2490)
    yield "The leader buys 100 RELIANCE at 2,490"
    leader.market(RELIANCE, 2489.50)
    yield "RELIANCE trades at 2,489.50: filled everywhere"


def market_order(leader: Leader) -> Iterator[str]:
    order = leader.buys(HDFCBANK, 40, order_type="MARKET", product="CNC")
    leader.waits_for(order)
    leader.market(HDFCBANK, 1650.40)
    yield "The leader buys 40 HDFCBANK at the market, to keep"


def changed_order(leader: Leader) -> Iterator[str]:
    order = leader.buys(NIFTY_CALL, 130, 118, product="MARGIN")
    yield "The leader bids 118 for two lots of a NIFTY call"
    leader.changes(order, price=119.05)
    yield "... and raises the price to 119.05"
    leader.changes(order, quantity=260)
    yield "... and the quantity to four lots"
    for paise in range(10, 60, 10):
        leader.changes(order, price=119 + paise / 100)
    yield "... and changes the price five times at once: the last one counts"
    leader.market(NIFTY_CALL, 119.20)
    yield "The call trades at 119.20"


def part_fills(leader: Leader) -> Iterator[str]:
    order = leader.buys(TCS, 200, 3380)
    yield "The leader bids 3,380 for 200 TCS"
    leader.market(TCS, 3379, part=0.25)
    yield "A quarter trades at 3,379"
    leader.market(TCS, 3378.50, part=0.25)
    yield "A quarter trades at 3,378.50"
    leader.cancels(order)
    yield "The leader cancels the rest; the fills stay"
    leader.market(TCS, 3400)
    leader.sells(TCS, 100, 3390)
    yield "The leader sells them at 3,390 or better"


def stop_losses(leader: Leader) -> Iterator[str]:
    stop = leader.sells(RELIANCE, 100, 2470, order_type="STOP_LOSS", trigger=2475)
    yield "A stop-loss protects the RELIANCE position: trigger 2,475"
    leader.changes(stop, trigger=2480, price=2474)
    yield "... and follows the market: trigger 2,480"
    leader.market(RELIANCE, 2479)
    yield "RELIANCE falls to 2,479: stopped out"
    leader.buys(RELIANCE, 20, order_type="STOP_LOSS_MARKET", trigger=2500)
    yield "A stop-loss-market to buy back above 2,500 (a protected stop in every follower)"
    leader.market(RELIANCE, 2501)
    yield "RELIANCE trades at 2,501: bought back"
    leader.sells(RELIANCE, 20, order_type="MARKET")
    yield "... and sold at the market"


def at_once_or_not(leader: Leader) -> Iterator[str]:
    leader.buys(HDFCBANK, 20, 1660, validity="IOC")
    yield "An IOC order above the market fills at once"
    leader.buys(HDFCBANK, 20, 1600, validity="IOC")
    yield "An IOC order below the market is gone at once"


def limit_to_market(leader: Leader) -> Iterator[str]:
    order = leader.sells(HDFCBANK, 40, 1700, product="CNC")
    yield "The leader offers 40 HDFCBANK at 1,700"
    leader.changes(order, order_type="MARKET", price=0)
    yield "... loses patience and makes it a market order"


def refused_and_small(leader: Leader) -> Iterator[str]:
    leader.buys(SBIN, 10, 950)
    yield "An order above the circuit limit is rejected: nobody copies it"
    order = leader.buys(NIFTY_CALL, 65, 100, product="MARGIN")
    yield "One lot: too small to halve, and said so"
    leader.cancels(order)
    yield "... cancelled"


def lost_feed(leader: Leader) -> Iterator[str]:
    gone = leader.buys(RELIANCE, 40, 2440)
    yield "The leader bids 2,440 for 40 RELIANCE"
    leader.control.cut(leader.client_id)
    leader.cancels(gone)
    order = leader.buys(RELIANCE, 60, 2450)
    yield "The order feed is cut; a cancel and a new order while nobody listens, found by the sweep"
    leader.cancels(order)
    yield "... cancelled too"


def many_at_once(leader: Leader) -> Iterator[str]:
    orders = [leader.buys(RELIANCE, 10, 2400 + number) for number in range(8)]
    yield "Eight orders at once, within Dhan's ten a second"
    for order in orders:
        leader.cancels(order)
    yield "... and all of them cancelled"


def close(leader: Leader) -> Iterator[str]:
    leader.sells(NIFTY_CALL, 260, order_type="MARKET", product="MARGIN")
    leader.sells(HDFCBANK, 20, order_type="MARKET")
    yield "The leader goes flat"
    leader.buys(TCS, 10, 3300)
    yield "A last bid that nobody takes"
    leader.control.market("end_day")
    yield "The market closes; what was open expires"


DAY: tuple[Part, ...] = (
    limit_order,
    market_order,
    changed_order,
    part_fills,
    stop_losses,
    at_once_or_not,
    limit_to_market,
    refused_and_small,
    lost_feed,
    many_at_once,
    close,
)
