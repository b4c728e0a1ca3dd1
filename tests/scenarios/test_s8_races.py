"""Scenarios 8: races between requests, and hostile messages."""

import pytest

from tests.scenarios.house import HALF, LEADER, RELIANCE, SAME, TCS, House
from tests.waiting import eventually

scenario = pytest.mark.scenario

_HOSTILE: list[str | bytes] = [
    "",
    "null",
    "{",
    '{"Type":"order_alert"}',
    '{"Type":"order_alert","Data":null}',
    '{"Type":"order_alert","Data":{"orderNo":"9","quantity":"NaN"}}',
    '{"Type":"order_alert","Data":{"orderNo":"9","quantity":-1e400}}',
    '{"Type":"order_alert","Data":' + '{"a":' * 3000,
    "[" * 100_000,
    "<html>502 Bad Gateway</html>",
    "\u0000\ud7ff\ufffd",
    b"\x00\x01\xff",
    "x" * 1_000_000,
]


@scenario("8.1")
def test_a_change_while_the_place_is_in_flight_is_applied_after_it(house: House) -> None:
    house.price(RELIANCE, 2500)
    house.control.fault(SAME.client_id, "place", "delay", ms=500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.waits(order, HALF, orderStatus="PENDING")
    house.changes(order, price=2411, quantity=30)
    house.waits(order, SAME, price=2411.0, quantity=30, orderStatus="PENDING")


@scenario("8.2")
def test_a_cancel_before_the_place_leaves_nothing(house: House) -> None:
    """All permits of the follower are used, so the place waits; the cancel overtakes it."""
    house.price(TCS, 3500)
    house.control.fault(SAME.client_id, "place", "throttle", times=1)
    order = house.places(TCS, "BUY", 10, price=3300)
    house.waits(order, HALF, orderStatus="PENDING")
    house.cancels(order)
    house.waits(order, HALF, orderStatus="CANCELLED")
    eventually(lambda: house.copy(order, SAME)["in_step"])
    assert house.orders(order, SAME) == []


@scenario("8.2")
@pytest.mark.parametrize("after", [False, True])
def test_a_cancel_during_the_place_leaves_no_orphan(house: House, after: bool) -> None:
    house.price(RELIANCE, 2500)
    house.control.fault(SAME.client_id, "place", "delay", ms=600, after=after)
    asked = house.requests(SAME, "POST")
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.waits(order, HALF, orderStatus="PENDING")
    eventually(lambda: house.requests(SAME, "POST") > asked, why="the place is not on its way")
    house.cancels(order)
    house.waits(order, HALF, orderStatus="CANCELLED")
    house.waits(order, SAME, orderStatus="CANCELLED", filledQty=0)


@scenario("8.4")
def test_two_orders_in_one_symbol_at_once_are_both_copied(house: House) -> None:
    house.price(RELIANCE, 2500)
    one = house.places(RELIANCE, "BUY", 10, price=2400)
    two = house.places(RELIANCE, "BUY", 20, price=2400)
    for order, quantity in ((one, 10), (two, 20)):
        house.waits(order, SAME, quantity=quantity, orderStatus="PENDING")
        house.waits(order, HALF, quantity=quantity // 2, orderStatus="PENDING")


@scenario("8.9")
def test_hostile_frames_are_skipped_and_the_feed_goes_on(house: House) -> None:
    house.price(RELIANCE, 2500)
    for frame in _HOSTILE:
        house.control.send(LEADER, frame)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")
    genuine = house.control.events(LEADER, order)[-1]
    house.control.send(LEADER, f"42\n{genuine}{genuine}\n{{broken" + genuine)
    house.changes(order, price=2402)
    house.all_wait(order, orderStatus="PENDING", price=2402.0)
    assert "Skipped a feed message" in house.output()


@scenario("8.9")
@pytest.mark.parametrize("shape", [{"pascal": True}, {"frames": "joined"}, {"frames": "lines"}])
def test_every_shape_of_frames_is_understood(house: House, shape: dict[str, object]) -> None:
    house.price(RELIANCE, 2500)
    house.control.set_account(LEADER, **shape)  # type: ignore[arg-type]  # one key each
    try:
        order = house.places(RELIANCE, "BUY", 10, price=2403)
        house.all_wait(order, orderStatus="PENDING")
    finally:
        house.control.set_account(LEADER, pascal=False, frames="single")
