"""Scenarios 7: lost feeds, doubled and shuffled events, bursts, throttling, kills."""

import json
import random

import pytest

from tests.scenarios.conftest import Build
from tests.scenarios.house import HALF, HDFCBANK, LEADER, RELIANCE, SAME, TCS, House
from tests.waiting import eventually

scenario = pytest.mark.scenario


@scenario("7.1")
@pytest.mark.parametrize("with_close", [True, False])
def test_a_lost_feed_comes_back(house: House, with_close: bool) -> None:
    house.price(RELIANCE, 2500)
    house.control.cut(LEADER, with_close=with_close)
    eventually(lambda: house.control.sockets(LEADER) == 1)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(order, orderStatus="PENDING")


@scenario("7.2")
def test_what_happened_while_the_feed_was_silent_is_caught_up(house: House) -> None:
    """The socket stays open and says nothing: only the order book tells."""
    house.price(TCS, 3500)
    house.control.silence(LEADER)
    orders = [house.places(TCS, "BUY", 10, price=3400 + n) for n in range(10)]
    for order in orders[:5]:
        eventually(lambda o=order: house.leader_order(o)["orderStatus"] == "PENDING")  # type: ignore[misc]
        house.changes(order, price=3390)
    for order in orders[5:8]:
        house.cancels(order)
    house.price(TCS, 3409)
    house.price(TCS, 3500)
    for order in orders[:5]:
        house.all_wait(order, orderStatus="PENDING", price=3390.0)
    for order in orders[5:8]:
        for member in house.members:
            rows = house.orders(order, member)
            assert len(rows) <= 1
            assert all(row["orderStatus"] == "CANCELLED" for row in rows)
    house.control.silence(LEADER, on=False)


@scenario("7.3")
def test_the_same_event_many_times_is_one_copy(house: House) -> None:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.control.resend(LEADER, order, times=5)
    house.all_wait(order, orderStatus="PENDING")
    house.control.resend(LEADER, order, times=10)
    follow_up = house.places(RELIANCE, "BUY", 10, price=2401)
    house.all_wait(follow_up, orderStatus="PENDING")
    assert all(len(house.orders(order, member)) == 1 for member in house.members)


@scenario("7.4")
@pytest.mark.parametrize("seed", range(3))
def test_events_in_any_order_end_the_same(house: House, seed: int) -> None:
    house.price(RELIANCE, 2500)
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    eventually(lambda: house.leader_order(order)["orderStatus"] == "PENDING")
    house.changes(order, price=2410)
    house.changes(order, quantity=20)
    frames = house.control.events(LEADER, order)
    random.Random(seed).shuffle(frames)
    for frame in frames:
        house.control.send(LEADER, frame)
    house.waits(order, SAME, orderStatus="PENDING", price=2410.0, quantity=20)
    house.waits(order, HALF, orderStatus="PENDING", price=2410.0, quantity=10)


@scenario("7.5")
def test_ten_orders_in_a_second_keep_the_limits(house: House) -> None:
    house.price(HDFCBANK, 1700)
    orders = [house.places(HDFCBANK, "BUY", 2, price=1600 + n) for n in range(10)]
    for order in orders:
        house.all_wait(order, orderStatus="PENDING")
    assert all(house.control.throttled(member.client_id) == 0 for member in house.members)


@scenario("7.6")
def test_a_throttled_account_backs_off_alone_and_completes(house: House) -> None:
    house.price(RELIANCE, 2500)
    house.control.fault(SAME.client_id, "place", "throttle", times=3)
    order = house.places(RELIANCE, "BUY", 10, price=2405)
    house.waits(order, HALF, orderStatus="PENDING")
    house.waits(order, SAME, orderStatus="PENDING", timeout=20)


@scenario("7.6")
def test_a_burst_that_is_throttled_is_one_pause(house: House) -> None:
    """What was on its way when the broker said so first does not make the pause longer."""
    house.price(RELIANCE, 2500)
    house.control.fault(SAME.client_id, "place", "throttle", times=8)
    orders = [house.places(RELIANCE, "BUY", 10, price=2300 + n) for n in range(8)]
    for order in orders:
        house.waits(order, SAME, orderStatus="PENDING", timeout=12)


@scenario("7.7")
def test_a_killed_process_loses_and_doubles_nothing(build: Build) -> None:
    house = build(more="[recovery]\nsweep_seconds = 1\nsettle_seconds = 2").start()
    house.price(RELIANCE, 2500)
    before = [house.places(RELIANCE, "BUY", 10, price=2400 + n) for n in range(5)]
    for order in before:
        house.all_wait(order, orderStatus="PENDING")
    house.control.fault(SAME.client_id, "place", "hang", times=1, after=True)
    last = house.places(RELIANCE, "BUY", 10, price=2410)
    eventually(lambda: house.orders(last, SAME), why="the hanging request never acted")
    house.kill()
    house.changes(before[0], price=2395)
    house.cancels(before[1])
    after = house.places(RELIANCE, "BUY", 10, price=2420)
    house.control.clear_faults()
    house.start()
    house.all_wait(before[0], price=2395.0, orderStatus="PENDING")
    house.all_wait(before[1], orderStatus="CANCELLED")
    for order in (*before[2:], last, after):
        for member in house.members:
            house.waits(order, member, timeout=30, orderStatus="PENDING")
    names = [json.dumps(row["correlationId"]) for row in house.control.book(SAME.client_id)]
    assert len(names) == len(set(names)) == 7
