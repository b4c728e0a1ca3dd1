"""Scenarios 5: rejected leaders and rejected copies."""

import pytest

from tests.scenarios.house import HALF, LEADER, RELIANCE, SAME, SBIN, House
from tests.waiting import eventually

scenario = pytest.mark.scenario


@scenario("5.1")
def test_a_rejected_leader_order_is_not_copied(house: House) -> None:
    order = house.places(SBIN, "BUY", 10, price=950)
    eventually(lambda: house.leader_order(order)["orderStatus"] == "REJECTED")
    copy = house.comes_to(order, SAME, "skipped")
    assert "Circuit" in str(copy["reason"])
    assert all(house.orders(order, member) == [] for member in house.members)


@scenario("5.1")
def test_copies_of_an_order_that_is_rejected_late_are_cancelled(house: House) -> None:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    house.control.reject(LEADER, order, "RMS: order rejected by the exchange")
    house.all_wait(order, orderStatus="CANCELLED", filledQty=0)


@scenario("5.2")
def test_a_rejected_copy_keeps_its_reason_and_is_not_repeated(house: House) -> None:
    house.price(RELIANCE, 2500)
    house.control.set_account(HALF.client_id, funds=1000)
    order = house.places(RELIANCE, "BUY", 10, price=2400, product="CNC")
    house.waits(order, SAME, orderStatus="PENDING")
    row = house.waits(order, HALF, orderStatus="REJECTED")
    copy = house.comes_to(order, HALF, "rejected")
    assert "Insufficient" in str(copy["reason"])
    assert copy["order_ids"] == [row["orderId"]]
    house.changes(order, price=2401)
    house.waits(order, SAME, price=2401.0)
    assert len(house.orders(order, HALF)) == 1
    house.control.set_account(HALF.client_id, funds=100_000_000)


@scenario("5.6")
def test_a_copy_rejected_at_the_circuit_says_so_and_is_not_repeated(house: House) -> None:
    house.price(SBIN, 800)
    order = house.places(SBIN, "BUY", 10, price=780)
    house.all_wait(order, orderStatus="PENDING")
    mine = house.only(order, SAME)["orderId"]
    reason = "Order Price needs to be Circuit Limits of 781.00 to 880.00"
    house.control.reject(SAME.client_id, mine, reason)
    house.waits(order, SAME, orderStatus="REJECTED")
    copy = house.comes_to(order, SAME, "rejected")
    assert copy["reason"] == reason
    house.changes(order, price=785, quantity=20)
    house.waits(order, HALF, price=785.0, quantity=10)
    assert house.only(order, SAME)["orderId"] == mine


@scenario("5.2")
def test_a_refusal_that_passes_is_tried_again(house: House) -> None:
    """A 429 was not carried out: it is asked again after a pause, once it may help."""
    house.price(RELIANCE, 2500)
    house.control.fault(SAME.client_id, "place", "throttle", times=1)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.waits(order, SAME, orderStatus="PENDING", quantity=10)
