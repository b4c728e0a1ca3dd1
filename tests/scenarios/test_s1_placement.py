"""Scenarios 1: what the leader places, every follower places."""

from decimal import Decimal

import pytest

from tests.scenarios.house import (
    DOUBLE,
    HALF,
    HDFCBANK,
    LEADER,
    NIFTY_CALL,
    RELIANCE,
    SAME,
    TCS,
    House,
    Row,
)

scenario = pytest.mark.scenario


@scenario("1.1.1")
@pytest.mark.parametrize(("side", "limit"), [("BUY", 1666.5), ("SELL", 1633.5)])
def test_a_market_order_becomes_a_protected_limit(house: House, side: str, limit: float) -> None:
    house.price(HDFCBANK, 1650)
    segment, security_id = HDFCBANK
    for client_id in (LEADER, *(member.client_id for member in house.members)):
        house.control.hold(
            client_id, segment=segment, security_id=security_id, quantity=80, average=1600
        )
    order = house.places(HDFCBANK, side, 40, order_type="MARKET", product="CNC")
    house.waits(order, HALF, quantity=20, orderStatus="TRADED")
    house.waits(order, DOUBLE, quantity=80, orderStatus="TRADED")
    row = house.waits(order, SAME, quantity=40, orderStatus="TRADED", averageTradedPrice=1650.0)
    assert (row["orderType"], row["price"]) == ("LIMIT", limit)
    assert (row["transactionType"], row["productType"]) == (side, "CNC")


@scenario("1.1.2")
@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_limit_order_keeps_its_price(house: House, side: str) -> None:
    house.price(RELIANCE, 2500)
    price = 2490.05 if side == "BUY" else 2510.95
    order = house.places(RELIANCE, side, 101, price=price)
    common: Row = {"orderStatus": "PENDING", "orderType": "LIMIT", "price": price}
    house.waits(order, HALF, quantity=50, **common)
    house.waits(order, SAME, quantity=101, **common)
    row = house.waits(order, DOUBLE, quantity=202, **common)
    assert (row["transactionType"], row["securityId"]) == (side, "2885")
    assert row["exchangeSegment"] == "NSE_EQ"


@scenario("1.1.3")
@pytest.mark.parametrize(
    ("side", "trigger", "price"), [("SELL", 2475, 2470.5), ("BUY", 2525, 2530.25)]
)
def test_a_stop_loss_keeps_trigger_and_price(
    house: House, side: str, trigger: float, price: float
) -> None:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, side, 10, order_type="STOP_LOSS", trigger=trigger, price=price)
    common: Row = {"orderType": "STOP_LOSS", "triggerPrice": float(trigger), "price": price}
    house.waits(order, HALF, quantity=5, orderStatus="PENDING", **common)
    house.waits(order, DOUBLE, quantity=20, orderStatus="PENDING", **common)


@scenario("1.1.4")
@pytest.mark.parametrize(
    ("side", "trigger", "limit"), [("SELL", 2450, 2425.5), ("BUY", 2550, 2575.5)]
)
def test_a_stop_loss_market_becomes_a_protected_stop(
    house: House, side: str, trigger: float, limit: float
) -> None:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, side, 10, order_type="STOP_LOSS_MARKET", trigger=trigger)
    row = house.waits(order, SAME, quantity=10, orderStatus="PENDING")
    assert row["orderType"] == "STOP_LOSS"
    assert (row["triggerPrice"], row["price"]) == (float(trigger), limit)
    assert Decimal(str(row["price"])) % Decimal("0.05") == 0


@pytest.mark.parametrize(
    "product",
    [
        pytest.param("INTRADAY", marks=scenario("1.2.1")),
        pytest.param("CNC", marks=scenario("1.2.2")),
        pytest.param("MARGIN", marks=scenario("1.2.3")),
        pytest.param("MTF", marks=scenario("1.2.3")),
    ],
)
def test_the_product_is_kept(house: House, product: str) -> None:
    house.price(TCS, 3400)
    key = NIFTY_CALL if product == "MARGIN" else TCS
    price, quantity = (100, 130) if product == "MARGIN" else (3300, 4)
    order = house.places(key, "BUY", quantity, price=price, product=product)
    house.waits(order, HALF, productType=product, orderStatus="PENDING", quantity=quantity // 2)
    house.waits(order, SAME, productType=product, orderStatus="PENDING", quantity=quantity)


@scenario("1.3.1")
def test_a_day_order_stays_a_day_order(house: House) -> None:
    house.price(TCS, 3400)
    order = house.places(TCS, "BUY", 2, price=3350, validity="DAY")
    house.all_wait(order, validity="DAY", orderStatus="PENDING")


@scenario("1.3.2")
def test_an_ioc_order_is_ioc_and_never_day(house: House) -> None:
    house.price(TCS, 3400)
    filled = house.places(TCS, "BUY", 2, price=3410, validity="IOC")
    house.all_wait(filled, validity="IOC", orderStatus="TRADED")
    missed = house.places(TCS, "BUY", 2, price=3350, validity="IOC")
    for member in house.members:
        rows = house.orders(missed, member)
        assert all(row["validity"] == "IOC" for row in rows)
    assert house.comes_to(filled, SAME, "filled")["filled"] == 2


@scenario("8.7")
def test_less_than_a_lot_is_skipped_with_the_reason(house: House) -> None:
    order = house.places(NIFTY_CALL, "BUY", 65, price=100, product="MARGIN")
    house.waits(order, SAME, quantity=65, orderStatus="PENDING")
    assert house.orders(order, HALF) == []
    copy = house.comes_to(order, HALF, "skipped")
    assert "under one lot" in copy["reason"]
    assert "lot 65" in copy["reason"]


@scenario("8.8")
def test_a_market_order_without_a_price_is_fine(house: House) -> None:
    house.price(HDFCBANK, 1650)
    for price in (0, "0.00"):
        order = house.places(HDFCBANK, "BUY", 2, order_type="MARKET", price=price)
        house.waits(order, SAME, orderStatus="TRADED", filledQty=2)
