"""Recovery beside a broker: trades where the book says too little, and orders that are gone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.post import RECOVERY
from domain.orders import Order, Status
from ledger.leaders import WATERMARK
from ledger.reader import Reader
from tests.actors.shop import LEADER, ONE, Shop
from tests.waiting import eventually

LARGE = 30_000
VALUE = 10_000 * 240_005 + 20_000 * 240_000


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Shop]:
    """A shop that is not started, where the leader may ask as often as it likes."""
    built = Shop(tmp_path, accounts=(ONE,))
    built.control.set_account(LEADER, funds=10**9)
    built.control.price("NSE_EQ", "2885", 2500)
    try:
        yield built
    finally:
        built.close()


def reads(shop: Shop, path: str) -> int:
    """How often the leader's orders or trades were asked for."""
    return sum(one["path"] == f"/v2/{path}" for one in shop.control.requests(LEADER))


def sweeps(shop: Shop, times: int) -> None:
    """Wait for so many sweeps more."""
    until = reads(shop, "orders") + times
    eventually(lambda: reads(shop, "orders") >= until, why="the book is not read")


def known(shop: Shop, order_id: str) -> Order | None:
    """The leader's order as the board shows it."""
    return next((one for one in shop.engine.view().orders if one.order_id == order_id), None)


def knows(shop: Shop, order_id: str, what: Callable[[Order], bool]) -> Order:
    """The leader's order as the board shows it, once it is as wanted."""

    def found() -> Order | None:
        order = known(shop, order_id)
        return order if order is not None and what(order) else None

    return eventually(found, why=f"the board never shows order {order_id} so")


def fills(shop: Shop, order_id: str) -> None:
    """The leader's order fills in two parts at prices whose average Dhan rounds."""
    eventually(lambda: row(shop, order_id)["orderStatus"] == "PENDING")
    shop.control.price("NSE_EQ", "2885", 2400.05, volume=10_000)
    shop.control.price("NSE_EQ", "2885", 2400)
    assert row(shop, order_id)["averageTradedPrice"] == 2400.0167


def row(shop: Shop, order_id: str) -> dict[str, Any]:
    """The leader's order in its book."""
    rows = shop.control.book(LEADER)
    return next(dict(one) for one in rows if one["orderId"] == order_id)


def kept(shop: Shop, order_id: str) -> tuple[str, int, int]:
    """Status, filled shares and their cost, as the ledger has them of the leader's order."""
    with Reader.open(shop.folder / "shop.db") as reader:
        sql = "SELECT status, filled, traded_value FROM order_states WHERE order_id = ?"
        found = reader.rows(f"{sql} AND role = 'leader'", order_id)
    return tuple(found[0]) if found else ("", 0, 0)


def alerts(shop: Shop) -> list[str]:
    """What the operator is told of the leader."""
    return [alert.what for alert in shop.engine.view().alerts if alert.where == "leader"]


def test_the_trades_of_before_the_start_are_exact(still: Shop) -> None:
    order = still.buys(2401, LARGE)
    fills(still, order)
    still.start()
    exact = knows(still, order, lambda one: one.exact)
    assert (exact.filled, exact.traded_value) == (LARGE, VALUE)
    eventually(lambda: kept(still, order) == ("TRADED", LARGE, VALUE))
    eventually(lambda: still.control.sockets(LEADER), why="the feed is not up")
    sweeps(still, 4)
    assert reads(still, "trades") <= 2, "at the start, and once more if the feed came up after it"


def test_trades_are_read_again_at_a_reconnect(still: Shop) -> None:
    still.start()
    eventually(lambda: reads(still, "trades") == 1)
    still.control.cut(LEADER)
    eventually(lambda: reads(still, "trades") == 2, 15)


def test_fills_without_a_price_are_looked_up(still: Shop) -> None:
    still.control.set_account(LEADER, unpriced=True)
    still.start()
    eventually(lambda: reads(still, "trades") == 1)
    order = still.buys(2401, LARGE)
    fills(still, order)
    exact = knows(still, order, lambda one: one.traded_value > 0)
    assert (exact.filled, exact.traded_value, exact.status) == (LARGE, VALUE, Status.TRADED)
    eventually(lambda: kept(still, order) == ("TRADED", LARGE, VALUE))


def test_trades_that_hang_hold_up_no_sweep(still: Shop) -> None:
    still.control.set_account(LEADER, unpriced=True)
    still.control.fault(LEADER, "trades", "hang", times=-1)
    still.start()
    eventually(lambda: reads(still, "trades") == 1)
    still.control.silence(LEADER)
    order = still.buys(2400)
    still.waits(order, ONE, orderStatus="PENDING")
    sweeps(still, 4)
    assert reads(still, "trades") == 1, "one at a time"


@pytest.mark.parametrize("kind", ["status", "garbage", "throttle"])
def test_trades_that_cannot_be_read_are_asked_for_again(still: Shop, kind: str) -> None:
    order = still.buys(2401, LARGE)
    fills(still, order)
    still.control.fault(LEADER, "trades", kind, times=1)
    still.start()
    assert knows(still, order, lambda one: one.exact).traded_value == VALUE
    assert reads(still, "trades") == 2


def test_until_when_everything_is_known_is_kept(still: Shop) -> None:
    still.start()
    order = still.buys(2400)
    still.waits(order, ONE, orderStatus="PENDING")

    def marked() -> bool:
        with Reader.open(still.folder / "shop.db") as reader:
            mark = reader.setting(WATERMARK)
        newest = knows(still, order, lambda one: one.status is Status.PENDING).stamp.updated_at
        return mark == str(int(newest.timestamp()))

    eventually(marked, why="the watermark is not that of the last change")


@pytest.mark.parametrize("crash", [True, False], ids=["actor", "process"])
def test_an_open_order_that_the_book_has_lost_is_told(still: Shop, crash: bool) -> None:
    still.start()
    order = still.buys(2400)
    copy = still.waits(order, ONE, orderStatus="PENDING")
    eventually(lambda: kept(still, order)[0] == "PENDING")
    if crash:
        still.control.silence(LEADER)
        still.control.market("next_day")
        still.control.market("open")
        still.crash(RECOVERY)
    else:
        still.engine.stop()
        still.control.market("next_day")
        still.control.market("open")
        still.engine = still._engine()
        still.start()
    told = eventually(lambda: alerts(still), why="nobody is told")
    assert told == [f"leader orders that were open are not in the order book any more: {order}"]
    sweeps(still, 3)
    assert alerts(still) == told
    assert kept(still, order)[0] == "PENDING"
    assert copy["orderStatus"] == "PENDING"


def test_an_open_order_of_yesterday_has_expired(still: Shop) -> None:
    still.control.clock(offset_seconds=-86_400)
    still.start()
    order = still.buys(2400)
    eventually(lambda: kept(still, order)[0] == "PENDING")
    sweeps(still, 2)
    still.engine.stop()
    still.control.clock(offset_seconds=0)
    still.control.market("next_day")
    still.control.market("open")
    still.engine = still._engine()
    still.start()
    eventually(lambda: kept(still, order)[0] == "EXPIRED", why="it counts as open for ever")
    assert alerts(still) == []
    assert known(still, order) is None
