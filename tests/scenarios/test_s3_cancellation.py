"""Scenarios 3: what the leader cancels, every copy cancels."""

import pytest

from tests.scenarios.house import HALF, HDFCBANK, LEADER, RELIANCE, SAME, SBIN, TCS, House, Row
from tests.waiting import eventually

scenario = pytest.mark.scenario


@scenario("3.1")
def test_a_pending_order_is_cancelled_everywhere(house: House) -> None:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    house.cancels(order)
    house.all_wait(order, orderStatus="CANCELLED", filledQty=0)
    copy = house.comes_to(order, SAME, "cancelled")
    assert copy["filled"] == 0


@scenario("3.2")
def test_the_rest_of_a_part_filled_order_is_cancelled_and_fills_stay(house: House) -> None:
    house.price(TCS, 3500)
    order = house.places(TCS, "BUY", 100, price=3400)
    house.all_wait(order, orderStatus="PENDING")
    house.price(TCS, 3399.5, part=0.4)
    house.waits(order, HALF, filledQty=20)
    house.cancels(order)
    house.waits(order, HALF, orderStatus="CANCELLED", filledQty=20)
    house.waits(order, SAME, orderStatus="CANCELLED", filledQty=40)
    copy = house.comes_to(order, SAME, "cancelled")
    assert (copy["filled"], copy["average_price"]) == (40, "3399.50")
    assert copy["in_step"] is True


@scenario("3.3")
def test_all_is_cancelled_and_cancels_go_first(house: House) -> None:
    """Ten orders rest; the leader cancels all while new ones come: with few permits left, the
    cancels leave before the places."""
    house.price(SBIN, 800)
    orders = [house.places(SBIN, "BUY", 2, price=760 + n) for n in range(10)]
    for order in orders:
        house.all_wait(order, orderStatus="PENDING")
    late = [house.places(SBIN, "BUY", 2, price=740 + n) for n in range(6)]
    for order in orders:
        house.control.cancel(LEADER, order)
    for order in orders:
        house.all_wait(order, orderStatus="CANCELLED")
    for order in late:
        house.all_wait(order, orderStatus="PENDING")
        house.cancels(order)
    for order in late:
        house.all_wait(order, orderStatus="CANCELLED")
    assert all(house.control.throttled(member.client_id) == 0 for member in house.members)


@scenario("3.4")
def test_only_the_copies_of_the_cancelled_order_go(house: House) -> None:
    house.price(RELIANCE, 2500)
    kept, gone = (house.places(RELIANCE, "BUY", 10, price=price) for price in (2410, 2420))
    for order in (kept, gone):
        house.all_wait(order, orderStatus="PENDING")
    house.cancels(gone)
    house.all_wait(gone, orderStatus="CANCELLED")
    house.all_wait(kept, orderStatus="PENDING")


@scenario("3.5")
@scenario("8.3")
def test_a_copy_that_has_filled_is_left_alone_and_shown_as_drift(house: House) -> None:
    house.price(RELIANCE, 2500)
    order = _fills_before_the_leaders(house, RELIANCE, 2490)
    cancels = house.requests(SAME, "DELETE")
    house.cancels(order)
    house.waits(order, HALF, orderStatus="CANCELLED")
    copy = eventually(lambda: _out_of_step(house, order))
    assert "filled 10" in str(copy["reason"])
    assert house.requests(SAME, "DELETE") == cancels
    house.control.clear_faults()


@scenario("3.5")
def test_what_filled_before_a_cancel_is_drift_until_the_leader_leaves(house: House) -> None:
    """The exit takes it too, and then nothing is amiss any more."""
    house.price(HDFCBANK, 1650)
    entered = house.places(HDFCBANK, "BUY", 10, price=1660)
    house.all_wait(entered, orderStatus="TRADED")
    order = _fills_before_the_leaders(house, HDFCBANK, 1640)
    house.cancels(order)
    house.waits(order, HALF, orderStatus="CANCELLED")
    house.control.clear_faults()
    (amiss,) = eventually(lambda: _drift(house))
    assert "day's position is +20, the copies imply +10" in amiss["what"]
    left = house.places(HDFCBANK, "SELL", 10, price=1630)
    house.waits(left, HALF, orderStatus="TRADED", filledQty=5)
    house.waits(left, SAME, orderStatus="TRADED", filledQty=20)
    assert house.comes_to(left, SAME, "filled")["filled"] == 20
    eventually(lambda: not _drift(house))


def _fills_before_the_leaders(house: House, key: tuple[str, str], price: float) -> str:
    """The follower's change never arrives, so its order fills at the old price, before the
    leader's."""
    order = house.places(key, "BUY", 10, price=price)
    house.all_wait(order, orderStatus="PENDING")
    house.control.fault(SAME.client_id, "modify", "status", times=-1, after=False)
    house.changes(order, price=price - 10)
    house.waits(order, HALF, price=float(price - 10))
    house.price(key, price - 5)
    house.waits(order, SAME, orderStatus="TRADED", filledQty=10)
    assert house.comes_to(order, SAME, "filled")["filled"] == 10
    return order


def _drift(house: House) -> list[Row]:
    rows: list[Row] = house.ask("drift", "--follower", SAME.name)
    return [row for row in rows if row["security_id"] == HDFCBANK[1]]


def _out_of_step(house: House, order: str) -> dict[str, object] | None:
    copy = house.copy(order, SAME)
    return None if copy["in_step"] else copy
