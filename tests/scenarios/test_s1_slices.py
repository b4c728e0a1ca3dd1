"""A copy above the exchange's freeze quantity, through its whole life and a crash."""

import pytest

from tests.scenarios.conftest import Build
from tests.scenarios.house import DOUBLE, HALF, NIFTY_CALL, SAME, House
from tests.waiting import eventually

_MOST = 1755  # 27 lots of 65; the exchange freezes 1,756


def _open(house: House, order: str) -> list[tuple[int, float]]:
    """Quantity and price of what of the copy is open, the largest first."""
    rows = house.orders(order, DOUBLE)
    open_ = [row for row in rows if row["orderStatus"] == "PENDING"]
    return sorted(((row["quantity"], row["price"]) for row in open_), reverse=True)


@pytest.mark.scenario("1.8")
def test_a_copy_above_the_freeze_quantity_is_sliced_and_followed_as_one(build: Build) -> None:
    house = build(more="[recovery]\nsweep_seconds = 1\nmax_age_seconds = 600").start()
    eventually(house.has_master)
    house.price(NIFTY_CALL, 120)
    order = house.places(NIFTY_CALL, "BUY", _MOST, price=100, product="MARGIN")
    house.waits(order, SAME, quantity=_MOST, orderStatus="PENDING")
    house.waits(order, HALF, quantity=845, orderStatus="PENDING")
    eventually(lambda: _open(house, order) == [(_MOST, 100.0)] * 2)
    house.changes(order, price=101)
    eventually(lambda: _open(house, order) == [(_MOST, 101.0)] * 2)
    house.kill()
    house.changes(order, quantity=1300)
    house.start()
    eventually(lambda: _open(house, order) == [(_MOST, 101.0), (845, 101.0)], 20)
    eventually(lambda: house.copy(order, DOUBLE)["in_step"])
    copy = house.copy(order, DOUBLE)
    assert (copy["state"], copy["quantity"], len(copy["order_ids"])) == ("open", 2600, 2)
    house.price(NIFTY_CALL, 100)
    copy = house.comes_to(order, DOUBLE, "filled")
    assert (copy["filled"], copy["in_step"]) == (2600, True)
    sold = house.places(NIFTY_CALL, "SELL", 1300, order_type="MARKET", product="MARGIN")
    house.comes_to(sold, DOUBLE, "filled")
    rows = house.control.positions(DOUBLE.client_id)
    assert [row["netQty"] for row in rows] == [0]
    assert sorted(row["quantity"] for row in house.orders(sold, DOUBLE)) == [845, _MOST]
