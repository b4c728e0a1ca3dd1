"""The leader's hand and the market on a random day.

By day the leader only buys, or only sells, in each instrument, so that every size follows from the
multiplier; on the way home it leaves what it holds, in two or more orders for each position.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from simulator.client import ControlError
from tests.scenarios.house import HDFCBANK, LEADER, NIFTY_CALL, RELIANCE, TCS, House

PRICES = {RELIANCE: 2500, HDFCBANK: 1650, TCS: 3400, NIFTY_CALL: 120}
_PRODUCTS = {NIFTY_CALL: "MARGIN"}
_STEPS = {NIFTY_CALL[1]: 390}  # six lots: half of it is whole, thrice four are three slices
_STEP = 10
_MOST_STEPS = 4  # so that the leader's own stay under the freeze quantity

_Key = tuple[str, str]


class LeadersHand:
    """What the leader and the market do; `did` counts it. `exits` are the ids of the orders that
    leave a position."""

    def __init__(self, chance: random.Random, house: House) -> None:
        self._chance, self._house = chance, house
        self._sides = {key: chance.choice(("BUY", "SELL")) for key in PRICES}
        self._to_leave: list[Callable[[], None]] | None = None
        self.did = Counter[str]()
        self.exits: set[str] = set()

    def act(self) -> None:
        """Do one thing of a trading day, or on the way home."""
        if self._to_leave is None:
            self._chance.choice(_ACTS)(self)
        elif self._to_leave:
            self._to_leave.pop()()

    def turn_home(self) -> int:
        """Do nothing from now on but leave all positions, each by some orders that trade at once,
        at the market or at a price beyond it; so many acts."""
        self._to_leave = []
        for row in self._house.control.positions(LEADER):
            key = (str(row["exchangeSegment"]), str(row["securityId"]))
            net = int(str(row["netQty"]))
            parts = _parts(key, abs(net))
            self._to_leave += [partial(self._leaves, key, net, part) for part in parts]
        self._chance.shuffle(self._to_leave)
        return len(self._to_leave)

    def _place(self) -> None:
        """Place an order of any kind."""
        key = self._chance.choice(list(PRICES))
        price = round(PRICES[key] * self._chance.uniform(0.97, 1.03))
        kind = self._chance.choice(("LIMIT", "LIMIT", "LIMIT", "MARKET", "STOP_LOSS", "IOC"))
        more: dict[str, Any] = {}
        if kind == "IOC":
            more |= {"validity": "IOC", "price": price}
        elif kind == "STOP_LOSS":
            beyond = 1 if self._sides[key] == "BUY" else -1
            trigger = round(PRICES[key] * (1 + 0.05 * beyond))
            more |= {"order_type": kind, "trigger": trigger, "price": trigger + beyond}
        else:
            more |= {"order_type": kind, "price": price if kind == "LIMIT" else 0}
        self._places(key, self._sides[key], _step(key[1]) * self._chance.randint(1, 4), **more)
        self.did[f"{kind} orders"] += 1

    def _move_market(self) -> None:
        """Trade at another price, sometimes only half of each order."""
        key = self._chance.choice(list(PRICES))
        price = round(PRICES[key] * self._chance.uniform(0.98, 1.02))
        part = self._chance.choice((None, None, 0.5))
        self._house.price(key, price, part=part)
        if part is not None:
            self.did["part fills"] += sum(
                row["orderStatus"] == "PART_TRADED" for row in self._open_orders()
            )

    def cancel_all(self) -> None:
        """Cancel whatever is open."""
        for row in self._open_orders():
            self._cancels(row)

    def _leaves(self, key: _Key, net: int, quantity: int) -> None:
        side, through = ("SELL", 0.98) if net > 0 else ("BUY", 1.02)
        kind = self._chance.choice(("LIMIT", "MARKET"))
        price = round(PRICES[key] * through) if kind == "LIMIT" else 0
        self.exits.add(self._places(key, side, quantity, order_type=kind, price=price))
        self.did["exit orders"] += 1

    def _places(self, key: _Key, side: str, quantity: int, **more: Any) -> str:
        product = _PRODUCTS.get(key, "INTRADAY")
        self.did["orders"] += 1
        return self._house.places(key, side, quantity, product=product, **more)

    def _open_orders(self) -> list[dict[str, Any]]:
        rows = self._house.control.book(LEADER)
        return [row for row in rows if row["orderStatus"] in ("PENDING", "PART_TRADED")]

    def _change(self) -> None:
        for row in self._chosen():
            changes: dict[str, Any] = {}
            if row["orderType"] == "LIMIT":
                changes["price"] = round(row["price"] * self._chance.uniform(0.98, 1.02))
            step = _step(str(row["securityId"]))
            if self._chance.random() < 0.4 or not changes:
                more = row["filledQty"] // step * step + step * self._chance.randint(1, 5)
                changes["quantity"] = min(more, step * _MOST_STEPS)
            self._try(lambda: self._house.changes(row["orderId"], **changes), "changes")  # noqa: B023

    def _cancel(self) -> None:
        for row in self._chosen():
            self._cancels(row)

    def _cancels(self, row: dict[str, Any]) -> None:
        self._try(lambda: self._house.control.cancel(LEADER, row["orderId"]), "cancels")

    def _chosen(self) -> list[dict[str, Any]]:
        rows = self._open_orders()
        return [self._chance.choice(rows)] if rows else []

    def _burst(self) -> None:
        for _ in range(4):
            self._place()

    def _try(self, act: Callable[[], None], name: str) -> None:
        """Do what the broker may refuse by now."""
        try:
            act()
        except ControlError:
            return
        self.did[name] += 1


def _parts(key: _Key, held: int) -> Iterator[int]:
    """A position in two parts, or in more where these would be too large for one order of a
    follower who holds more than three times as much."""
    lot = 65 if key == NIFTY_CALL else 1
    most = min(_step(key[1]) * _MOST_STEPS // 2, max(lot, held // 2 // lot * lot))
    while held:
        yield min(most, held)
        held -= min(most, held)


def _step(security_id: str) -> int:
    return _STEPS.get(security_id, _STEP)


_ACTS: tuple[Callable[[LeadersHand], None], ...] = (
    LeadersHand._place,
    LeadersHand._place,
    LeadersHand._place,
    LeadersHand._change,
    LeadersHand._change,
    LeadersHand._cancel,
    LeadersHand._move_market,
    LeadersHand._move_market,
    LeadersHand._burst,
)
