"""Scenarios 2: what the leader changes, every copy changes."""

import pytest

from tests.scenarios.house import DOUBLE, HALF, NIFTY_CALL, RELIANCE, SAME, TCS, House
from tests.waiting import eventually

scenario = pytest.mark.scenario


def _rests(house: House, quantity: int = 50, price: float = 2400, **more: object) -> str:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", quantity, price=price, **more)
    house.all_wait(order, orderStatus="PENDING", price=float(price))
    return order


@scenario("2.1")
def test_the_quantity_is_rescaled_from_the_new_total(house: House) -> None:
    order = _rests(house)
    house.changes(order, quantity=100)
    house.waits(order, HALF, quantity=50)
    house.waits(order, SAME, quantity=100)
    house.waits(order, DOUBLE, quantity=200, orderStatus="PENDING")
    house.changes(order, quantity=30)
    house.waits(order, HALF, quantity=15)
    house.waits(order, DOUBLE, quantity=60, orderStatus="PENDING", filledQty=0)


@scenario("2.1")
def test_whole_lots_stay_whole_lots(house: House) -> None:
    order = house.places(NIFTY_CALL, "BUY", 130, price=90, product="MARGIN")
    house.waits(order, HALF, quantity=65, orderStatus="PENDING")
    house.changes(order, quantity=195)
    house.waits(order, SAME, quantity=195)
    house.changes(order, quantity=260)
    house.waits(order, HALF, quantity=130, orderStatus="PENDING")


@scenario("2.2")
def test_the_limit_price_follows(house: House) -> None:
    order = _rests(house)
    house.changes(order, price=2410.35)
    house.all_wait(order, price=2410.35, orderStatus="PENDING")


@scenario("2.3")
def test_the_trigger_follows(house: House) -> None:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "SELL", 10, order_type="STOP_LOSS", trigger=2450, price=2440)
    house.all_wait(order, orderStatus="PENDING", triggerPrice=2450.0)
    house.changes(order, trigger=2460, price=2455.5)
    house.all_wait(order, triggerPrice=2460.0, price=2455.5, orderStatus="PENDING")


@scenario("2.4")
def test_a_limit_turned_market_trades(house: House) -> None:
    order = _rests(house, quantity=10)
    house.changes(order, order_type="MARKET", price=0)
    house.waits(order, HALF, orderStatus="TRADED", filledQty=5)
    house.waits(order, DOUBLE, orderStatus="TRADED", filledQty=20)
    assert all(len(house.orders(order, member)) == 1 for member in house.members)


@scenario("2.5")
def test_a_day_order_turned_ioc_becomes_ioc(house: House) -> None:
    order = _rests(house, quantity=10)
    house.changes(order, validity="IOC", price=2510)
    house.all_wait(order, validity="IOC", price=2510.0, orderStatus="TRADED")
    missed = _rests(house, quantity=10)
    house.changes(missed, validity="IOC")
    house.all_wait(missed, orderStatus="CANCELLED", filledQty=0)


@scenario("2.6")
def test_many_quick_changes_end_at_the_last_values(house: House) -> None:
    order = _rests(house)
    for step in range(1, 21):
        house.changes(order, price=2400 + step, quantity=50 + step)
    house.waits(order, HALF, price=2420.0, quantity=35, orderStatus="PENDING")
    house.waits(order, SAME, price=2420.0, quantity=70, orderStatus="PENDING")
    house.waits(order, DOUBLE, price=2420.0, quantity=140, orderStatus="PENDING")


@scenario("2.6")
def test_past_the_cap_of_changes_the_copy_is_cancelled_and_placed_anew(house: House) -> None:
    """Dhan takes 25 modifications of one order by its API; in the app there may be more."""
    order = _rests(house, quantity=10, price=2300)
    for price in range(2301, 2327):
        house.changes(order, price=price)
        eventually(lambda: house.orders(order, SAME)[-1]["price"] == price)  # noqa: B023
    first, second = house.orders(order, SAME)
    assert (first["modifications"], first["price"]) == (25, 2325.0)
    assert (first["orderStatus"], first["filledQty"]) == ("CANCELLED", 0)
    assert (second["price"], second["quantity"]) == (2326.0, 10)
    eventually(lambda: house.orders(order, SAME)[-1]["orderStatus"] == "PENDING")
    house.cancels(order)
    for member in house.members:
        eventually(lambda: house.orders(order, member)[-1]["orderStatus"] == "CANCELLED")  # noqa: B023
        assert all(row["filledQty"] == 0 for row in house.orders(order, member))


@scenario("2.7")
def test_after_a_part_fill_only_the_rest_changes(house: House) -> None:
    house.price(TCS, 3500)
    order = house.places(TCS, "BUY", 100, price=3400)
    house.all_wait(order, orderStatus="PENDING")
    house.price(TCS, 3399, part=0.2)
    house.waits(order, HALF, filledQty=10, orderStatus="PART_TRADED")
    house.waits(order, DOUBLE, filledQty=40, orderStatus="PART_TRADED")
    house.price(TCS, 3500)
    house.changes(order, quantity=60, price=3390)
    house.waits(order, HALF, quantity=30, filledQty=10, price=3390.0)
    house.waits(order, SAME, quantity=60, filledQty=20, price=3390.0)
    house.waits(order, DOUBLE, quantity=120, filledQty=40, price=3390.0)
    house.price(TCS, 3389)
    house.waits(order, HALF, filledQty=30, orderStatus="TRADED")
    house.waits(order, DOUBLE, filledQty=120, orderStatus="TRADED")
