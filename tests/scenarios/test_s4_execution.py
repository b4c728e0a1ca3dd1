"""Scenarios 4: fills, on both sides, each once, and what they cost against the leader's."""

from typing import Any

import pytest

from tests.scenarios.house import HALF, HDFCBANK, RELIANCE, SAME, SBIN, TCS, House
from tests.waiting import eventually

scenario = pytest.mark.scenario


def _copy(house: House, order: str, **wanted: Any) -> dict[str, Any]:
    """The copy of `same` as the ledger shows it, once it is as wanted."""

    def found() -> dict[str, Any] | None:
        copy = house.copy(order, SAME)
        return copy if all(copy[key] == value for key, value in wanted.items()) else None

    return eventually(found, why=f"the ledger never shows {wanted}")


@scenario("4.1")
def test_a_full_fill_is_recorded_with_its_price(house: House) -> None:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2495)
    house.all_wait(order, orderStatus="PENDING")
    house.price(RELIANCE, 2494.35)
    house.all_wait(order, orderStatus="TRADED")
    copy = _copy(house, order, state="filled", leader_average_price="2494.35")
    assert (copy["filled"], copy["quantity"]) == (10, 10)
    assert copy["average_price"] == "2494.35"
    assert copy["dispatch_us"] > 0


@scenario("4.2")
def test_a_part_fill_shows_filled_and_remaining(house: House) -> None:
    house.price(TCS, 3500)
    order = house.places(TCS, "SELL", 40, price=3550)
    house.all_wait(order, orderStatus="PENDING")
    house.price(TCS, 3555, part=0.25)
    house.waits(order, HALF, filledQty=5, remainingQuantity=15, orderStatus="PART_TRADED")
    copy = _copy(house, order, state="part_filled", filled=10)
    assert copy["quantity"] == 40
    assert copy["average_price"] == "3555.00"


@scenario("4.3")
def test_several_fills_count_once_each(house: House) -> None:
    house.price(TCS, 3500)
    order = house.places(TCS, "BUY", 40, price=3450)
    house.all_wait(order, orderStatus="PENDING")
    for price in (3450, 3449, 3448, 3445):
        house.price(TCS, price, part=0.25)
        house.price(TCS, 3500)
    row = house.waits(order, SAME, orderStatus="TRADED", filledQty=40)
    assert [fill["quantity"] for fill in row["fills"]] == [10, 10, 10, 10]
    for _ in range(5):
        house.control.resend(SAME.client_id, str(row["orderId"]))
    copy = _copy(house, order, state="filled", filled=40)
    assert copy["average_price"] == "3448.00"


@scenario("4.4")
@pytest.mark.parametrize(("side", "moved"), [("BUY", 1651.65), ("SELL", 1648.35)])
def test_slippage_is_positive_when_worse_for_the_follower(
    house: House, side: str, moved: float
) -> None:
    house.price(HDFCBANK, 1650)
    house.control.fault(SAME.client_id, "place", "delay", ms=400, after=False)
    order = house.places(HDFCBANK, side, 100, order_type="MARKET")
    eventually(lambda: house.leader_order(order)["orderStatus"] == "TRADED")
    house.price(HDFCBANK, moved)
    house.waits(order, SAME, orderStatus="TRADED")
    copy = _copy(house, order, state="filled", leader_average_price="1650.00")
    assert copy["slippage_paise"] == 16_500
    assert copy["slippage_bps"] == pytest.approx(10.0)


@scenario("4.4")
def test_slippage_is_negative_when_better(house: House) -> None:
    house.price(HDFCBANK, 1650)
    house.control.fault(SAME.client_id, "place", "delay", ms=400, after=False)
    order = house.places(HDFCBANK, "BUY", 100, order_type="MARKET")
    eventually(lambda: house.leader_order(order)["orderStatus"] == "TRADED")
    house.price(HDFCBANK, 1648.35)
    house.waits(order, SAME, orderStatus="TRADED")
    copy = _copy(house, order, state="filled")
    assert copy["slippage_paise"] == -16_500


@scenario("4.5")
def test_a_copy_that_lags_is_reported(house: House) -> None:
    """The market runs away from the protected price: the copy is chased, then reported."""
    house.price(HDFCBANK, 1650)
    house.control.fault(SAME.client_id, "place", "delay", ms=400, after=False)
    order = house.places(HDFCBANK, "BUY", 100, order_type="MARKET")
    eventually(lambda: house.leader_order(order)["orderStatus"] == "TRADED")
    house.price(HDFCBANK, 1760)
    eventually(
        lambda: house.orders(order, SAME) and house.orders(order, SAME)[0]["modifications"] >= 2,
        20,
        "not chased",
    )
    eventually(lambda: _lag_line(house, order), 20, "not reported")
    house.price(HDFCBANK, 1650)
    house.waits(order, SAME, orderStatus="TRADED")


@scenario("4.5")
@pytest.mark.parametrize("part", [100, 40])
def test_what_was_not_bought_is_not_sold(house: House, part: int) -> None:
    """The leader leaves all or a part before the copy of the entry has traded."""
    house.price(SBIN, 800)
    house.control.fault(SAME.client_id, "place", "delay", ms=400, after=False)
    bought = house.places(SBIN, "BUY", 100, order_type="MARKET")
    eventually(lambda: house.leader_order(bought)["orderStatus"] == "TRADED")
    house.price(SBIN, 870)
    house.waits(bought, SAME, orderStatus="PENDING")
    sold = [house.places(SBIN, "SELL", part, order_type="MARKET")]
    if part == 100:
        house.waits(bought, SAME, orderStatus="CANCELLED", filledQty=0)
        _copy(house, bought, reason="the leader has left what it was to enter")
        _copy(house, sold[0], state="skipped")
    else:
        eventually(lambda: house.ask("copies", "--order", sold[0], "--follower", SAME.name))
        _copy(house, sold[0], state="held", reason="the copy of what it leaves is to trade first")
        house.price(SBIN, 800)
        house.waits(bought, SAME, orderStatus="TRADED", filledQty=100)
        house.price(SBIN, 870)
        house.waits(sold[0], SAME, orderStatus="TRADED", filledQty=40)
        sold.append(house.places(SBIN, "SELL", 60, order_type="MARKET"))
        house.waits(sold[1], SAME, orderStatus="TRADED", filledQty=60)
    assert sum(len(house.orders(one, SAME)) for one in sold) == len(sold) - (part == 100)
    for one in (bought, *sold):
        _copy(house, one, in_step=True)


def _lag_line(house: House, order: str) -> str | None:
    """The log line that says so."""
    told = (f"the copy of order {order} lags", "traded in full")
    lines = house.output().splitlines()
    return next((line for line in lines if all(words in line for words in told)), None)
