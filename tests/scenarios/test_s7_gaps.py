"""Scenario 7.2 in full: what becomes of orders that nobody watched, by the rules that
ARCHITECTURE.md states. Lockstep is down for the gap; one follower takes entries of any age, the
other none that are older than a second."""

import time

import pytest

from tests.scenarios.conftest import Build
from tests.scenarios.house import HDFCBANK, LEADER, RELIANCE, TCS, House, Member, Row
from tests.waiting import eventually

scenario = pytest.mark.scenario

PATIENT = Member("patient", "1000000002", more=["max_age_seconds = 3600"])
HASTY = Member("hasty", "1000000003", more=["max_age_seconds = 1"])


@pytest.fixture
def house(build: Build) -> House:
    """Two followers, and the leader's book read every second."""
    built = build(members=(PATIENT, HASTY), more="[recovery]\nsweep_seconds = 1")
    built.price(RELIANCE, 2500)
    built.price(TCS, 3500)
    return built.start()


def ages(since: float) -> None:
    """Wait until everything of the gap is too old for the hasty one."""
    eventually(lambda: time.monotonic() > since + 2.5, why="time stands still")


def decided(house: House, order_id: str, member: Member) -> Row:
    """The copy, once anything was decided about it."""

    def found() -> Row | None:
        rows = house.ask("copies", "--order", order_id, "--follower", member.name)
        return rows[0] if rows else None

    return eventually(found, why="nothing is decided")


def rests(house: House, order_id: str) -> None:
    """Wait until the leader's order is at the exchange."""
    eventually(lambda: house.leader_order(order_id)["orderStatus"] == "PENDING")


def missed(house: House, order_id: str) -> Row:
    """What the hasty one is told to have missed, once it skipped the order for its age."""

    def skipped() -> Row | None:
        rows = house.ask("copies", "--order", order_id, "--follower", HASTY.name)
        return rows[0] if rows and rows[0]["state"] == "skipped" else None

    row = eventually(skipped, why="it is not skipped")
    assert "too old" in row["reason"]
    assert house.orders(order_id, HASTY) == []
    (listed,) = house.ask("copies", "--missed", "--order", order_id)
    assert (listed["follower"], listed["max_age_seconds"]) == (HASTY.name, 1.0)
    assert listed["age_seconds"] > 1
    listed_row: Row = listed
    return listed_row


@scenario("7.2")
def test_an_exit_of_what_was_built_on_another_day_is_never_too_old(house: House) -> None:
    bought = house.places(RELIANCE, "BUY", 10, price=2500, product="CNC")
    house.all_wait(bought, orderStatus="TRADED")
    eventually(lambda: house.copy(bought, HASTY)["state"] == "filled")
    assert house.stop() == 0
    house.control.market("next_day")
    house.control.market("open")
    assert house.control.book(LEADER) == []
    began = time.monotonic()
    leaving = house.places(RELIANCE, "SELL", 10, price=2600, product="CNC")
    more = house.places(RELIANCE, "BUY", 10, price=2400, product="CNC")
    ages(began)
    house.start()
    house.all_wait(leaving, orderStatus="PENDING", quantity=10)
    house.waits(more, PATIENT, orderStatus="PENDING")
    missed(house, more)


@scenario("7.2")
def test_an_order_that_came_and_went_in_the_gap_without_a_fill_is_not_copied(house: House) -> None:
    house.stop()
    order = house.places(RELIANCE, "BUY", 10, price=2400)
    house.cancels(order)
    house.start()
    other = house.places(RELIANCE, "BUY", 10, price=2401)
    house.all_wait(other, orderStatus="PENDING")
    for member in house.members:
        copy = decided(house, order, member)
        assert copy["state"] == "skipped"
        assert "closed without a fill" in copy["reason"]
        assert house.orders(order, member) == []


@scenario("7.2")
def test_what_an_order_traded_that_came_and_went_in_the_gap_is_copied(house: House) -> None:
    house.stop()
    began = time.monotonic()
    order = house.places(RELIANCE, "BUY", 10, price=2500, order_type="LIMIT")
    eventually(lambda: house.leader_order(order)["filledQty"] == 10)
    part = house.places(TCS, "BUY", 10, price=3490)
    rests(house, part)
    house.price(TCS, 3490, volume=4)
    house.cancels(part)
    assert house.leader_order(part)["filledQty"] == 4
    house.price(TCS, 3490)
    ages(began)
    house.start()
    house.waits(order, PATIENT, orderStatus="TRADED", filledQty=10)
    house.waits(part, PATIENT, orderStatus="TRADED", filledQty=4, quantity=4)
    whole, rest = missed(house, order), missed(house, part)
    assert (whole["side"], whole["quantity"], whole["limit"]) == ("BUY", 10, "2500.00")
    assert (rest["quantity"], rest["leader_quantity"], rest["leader_filled"]) == (4, 10, 4)
    assert rest["leader_average_price"] == "3490.00"
    house.price(TCS, 3501.5)
    again = missed(house, part)
    assert (again["price"], again["price_source"]) == ("3501.50", "quote")


@scenario("7.2")
@pytest.mark.parametrize("newest_first", [True, False])
def test_a_round_trip_in_the_gap_is_made_in_the_same_order(
    house: House, newest_first: bool
) -> None:
    """Whoever sold first would be short for a while."""
    house.stop()
    house.control.set_account(LEADER, newest_first=newest_first)
    began = time.monotonic()
    into = house.places(RELIANCE, "BUY", 10, price=2500)
    eventually(lambda: house.leader_order(into)["filledQty"] == 10)
    second = int(time.time())
    eventually(lambda: int(time.time()) > second)
    out = house.places(RELIANCE, "SELL", 10, price=2500)
    eventually(lambda: house.leader_order(out)["filledQty"] == 10)
    ages(began)
    house.start()
    house.waits(into, PATIENT, orderStatus="TRADED", filledQty=10)
    house.waits(out, PATIENT, orderStatus="TRADED", filledQty=10)
    sides = [row["transactionType"] for row in house.control.book(PATIENT.client_id)]
    assert sides == ["BUY", "SELL"]
    assert decided(house, out, HASTY)["state"] == "skipped"
    missed(house, into)
    assert house.control.book(HASTY.client_id) == []


@scenario("7.2")
def test_an_order_that_changed_many_times_in_the_gap_is_copied_as_it_is_now(house: House) -> None:
    resting = house.places(RELIANCE, "BUY", 10, price=2400)
    house.all_wait(resting, orderStatus="PENDING")
    house.stop()
    new = house.places(TCS, "BUY", 10, price=3400)
    for order, start in ((resting, 2400), (new, 3400)):
        rests(house, order)
        for step in range(1, 9):
            house.changes(order, price=start + step, quantity=10 + step)
    house.start()
    house.all_wait(resting, orderStatus="PENDING", price=2408.0, quantity=18)
    assert house.requests(PATIENT, "PUT") == house.requests(HASTY, "PUT") == 1
    house.waits(new, PATIENT, orderStatus="PENDING", price=3408.0, quantity=18)


@scenario("7.2")
def test_an_open_copy_follows_whatever_became_of_its_order_however_late(house: House) -> None:
    """Age is asked of entries only."""
    cancelled = house.places(RELIANCE, "BUY", 10, price=2400)
    grown = house.places(HDFCBANK, "BUY", 10, price=1600)
    for order in (cancelled, grown):
        house.all_wait(order, orderStatus="PENDING")
    house.stop()
    began = time.monotonic()
    house.cancels(cancelled)
    house.changes(grown, quantity=30)
    ages(began)
    house.start()
    house.all_wait(cancelled, orderStatus="CANCELLED")
    house.all_wait(grown, orderStatus="PENDING", quantity=30)


@scenario("7.2")
def test_orders_of_before_the_first_start_are_taken_by_their_age(build: Build) -> None:
    house = build(members=(PATIENT, HASTY))
    house.price(RELIANCE, 2500)
    began = time.monotonic()
    resting = house.places(RELIANCE, "BUY", 10, price=2400)
    ages(began)
    house.start()
    house.waits(resting, PATIENT, orderStatus="PENDING")
    missed(house, resting)
    house.changes(resting, price=2410)
    house.waits(resting, PATIENT, price=2410.0)
    assert house.orders(resting, HASTY) == [], "a change makes it no younger"
