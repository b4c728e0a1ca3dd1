"""The engine compares each account with its copies on a timer, and tells a difference once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actors.settings import FollowerSettings
from ledger.reader import Reader
from tests.actors.shop import LEADER, ONE, TWO, Shop
from tests.waiting import eventually

scenario = pytest.mark.scenario


@dataclass
class Watchful(Shop):
    """A shop where accounts are compared three times a second."""

    def settings(self, account: str, **more: Any) -> FollowerSettings:
        return super().settings(account, drift_seconds=0.3, **more)

    def drifts(self) -> list[tuple[str, str]]:
        """Of which follower which difference was told, by the board."""
        alerts = self.engine.view().alerts
        return [(alert.where, alert.what) for alert in alerts if alert.what.startswith("drift")]

    def comparisons(self) -> int:
        """How often the positions of the first account were asked for."""
        return sum(one["path"].endswith("/positions") for one in self.control.requests(ONE))

    def compares(self, times: int) -> None:
        """Wait for so many comparisons more."""
        until = self.comparisons() + times
        eventually(lambda: self.comparisons() >= until, why="the positions are not read")


def by_hand(shop: Shop, account: str, side: str, quantity: int, price: int = 0) -> str:
    """The account's owner trades RELIANCE in the app, at the market unless a price is given."""
    return shop.control.place(
        account,
        segment="NSE_EQ",
        security_id="2885",
        side=side,
        quantity=quantity,
        order_type="LIMIT" if price else "MARKET",
        price=price,
    )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Watchful]:
    """A watchful shop that was started."""
    built = Watchful(tmp_path)
    try:
        built.start()
        built.control.price("NSE_EQ", "2885", 2500)
        yield built
    finally:
        built.close()


def test_a_copy_that_was_cancelled_by_hand_is_told_once_and_kept(shop: Watchful) -> None:
    order = shop.buys(2400)
    mine = shop.waits(order, ONE, orderStatus="PENDING")
    shop.waits(order, TWO, orderStatus="PENDING")
    shop.control.cancel(ONE, str(mine["orderId"]))
    eventually(shop.drifts, why="the difference is not told")
    shop.compares(4)
    ((follower, what),) = shop.drifts()
    assert follower == "one"
    assert "cancelled, though the leader's order is open" in what
    with Reader.open(shop.folder / "shop.db") as reader:
        kept = [told.alert for told in reader.alerts(50) if told.alert.what == what]
    assert [alert.fix.startswith("entry: BUY 10 ") for alert in kept] == [True]
    assert len(shop.orders(order, ONE)) == 1


def test_own_trades_and_own_orders_are_left_alone(shop: Watchful) -> None:
    order = shop.buys(2510)
    for account in (ONE, TWO):
        shop.waits(order, account, orderStatus="TRADED")
    by_hand(shop, ONE, "BUY", 7)
    by_hand(shop, TWO, "SELL", 20)
    resting = by_hand(shop, ONE, "BUY", 3, 2300)
    shop.compares(5)
    assert shop.drifts() == []
    assert [row for row in shop.control.book(ONE) if row["orderId"] == resting]


@scenario("3.5")
def test_what_the_leader_never_got_is_told_with_the_way_out(shop: Watchful) -> None:
    order = shop.buys(2490)
    for account in (ONE, TWO):
        shop.waits(order, account, orderStatus="PENDING")
    shop.control.fault(ONE, "modify", "status", times=-1, after=False)
    shop.control.modify(LEADER, order, price=2480)
    shop.waits(order, TWO, price=2480.0)
    shop.control.price("NSE_EQ", "2885", 2485)
    shop.waits(order, ONE, orderStatus="TRADED")
    shop.control.cancel(LEADER, order)
    eventually(shop.drifts, why="the position is not told")
    ((follower, what),) = shop.drifts()
    assert (follower, "position is +10, the copies imply +0" in what) == ("one", True)
    (fix,) = [alert.fix for alert in shop.engine.view().alerts if alert.what == what]
    assert fix.startswith("exit: SELL 10 ")
    by_hand(shop, ONE, "SELL", 10)
    shop.compares(4)
    assert len(shop.drifts()) == 1
