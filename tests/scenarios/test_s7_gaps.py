"""Scenario 7.2 in full: what becomes of orders that nobody watched, by the rules that
ARCHITECTURE.md states. Lockstep is down for the gap; one follower takes entries of any age, the
other none that are older than a second."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import pytest

from domain.copies import CopyState
from domain.messages import CopyReport
from domain.orders import Side
from ledger.reader import MissedEntry, Reader
from tests.scenarios.conftest import Build
from tests.scenarios.house import HDFCBANK, LEADER, RELIANCE, SBIN, TCS, House, Member
from tests.waiting import eventually

scenario = pytest.mark.scenario

PATIENT = Member("patient", "1000000002", more=["max_age_seconds = 3600"])
HASTY = Member("hasty", "1000000003", more=["max_age_seconds = 1"])


def ages(since: float) -> None:
    """Wait until everything of the gap is too old for the hasty one."""
    eventually(lambda: time.monotonic() > since + 2.5, why="time stands still")


def decided(house: House, order_id: str, member: Member) -> CopyReport:
    """The copy, once anything was decided about it."""

    def found() -> CopyReport | None:
        with Reader.open(house.folder / "copy_trading.db") as reader:
            copies = reader.copies(member.name, order_id)
        return copies[0] if copies and copies[0].state is not CopyState.HELD else None

    return eventually(found, 20, why="nothing is decided")


def missed(house: House, order_id: str) -> MissedEntry:
    """What the hasty one is told to have missed, once it skipped the order for its age."""
    copy = decided(house, order_id, HASTY)
    assert copy.state is CopyState.SKIPPED
    assert "too old" in copy.reason
    assert house.orders(order_id, HASTY) == []
    with Reader.open(house.folder / "copy_trading.db") as reader:
        (entry,) = reader.missed(order=order_id)
    assert entry.follower == HASTY.name
    assert entry.missed.age > entry.missed.allowed == timedelta(seconds=1)
    return entry


def rests(house: House, order_id: str) -> str:
    """The order, once it is at the exchange."""
    eventually(lambda: house.leader_order(order_id)["orderStatus"] == "PENDING")
    return order_id


def fills(house: House, order_id: str) -> str:
    """The order, once it has traded."""
    eventually(lambda: house.leader_order(order_id)["orderStatus"] == "TRADED")
    return order_id


@dataclass(frozen=True, slots=True)
class Gap:
    """The house after it, and the leader's orders: those that had open copies before, and those
    that nobody saw."""

    house: House
    withdrawn: str
    grown: str
    came_and_went: str
    part_filled: str
    changed: str
    bought: str
    sold: str


@pytest.fixture(scope="module")
def gap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gap]:
    """Everything happens at once while Lockstep is down; the book begins with the newest."""
    with closing(House(tmp_path_factory.mktemp("gap"), members=(PATIENT, HASTY))) as house:
        house.control.set_account(LEADER, newest_first=True)
        for key, price in ((RELIANCE, 2500), (TCS, 3500), (HDFCBANK, 1700), (SBIN, 800)):
            house.price(key, price)
        house.start()
        withdrawn = house.places(RELIANCE, "BUY", 10, price=2400)
        grown = house.places(HDFCBANK, "BUY", 10, price=1600)
        for order in (withdrawn, grown):
            house.all_wait(order, orderStatus="PENDING")
        assert house.stop() == 0
        began = time.monotonic()
        house.cancels(withdrawn)
        came_and_went = house.places(RELIANCE, "BUY", 10, price=2401)
        house.cancels(came_and_went)
        part_filled = rests(house, house.places(TCS, "BUY", 10, price=3490))
        house.price(TCS, 3490, volume=4)
        house.cancels(part_filled)
        house.price(TCS, 3490)
        changed = rests(house, house.places(RELIANCE, "BUY", 10, price=2402))
        for step in range(1, 9):
            house.changes(grown, price=1600 + step, quantity=10 + step)
            house.changes(changed, price=2402 + step, quantity=10 + step)
        bought = fills(house, house.places(SBIN, "BUY", 10, price=800))
        second = int(time.time())
        eventually(lambda: int(time.time()) > second)
        sold = fills(house, house.places(SBIN, "SELL", 10, price=800))
        ages(began)
        house.start()
        yield Gap(house, withdrawn, grown, came_and_went, part_filled, changed, bought, sold)


@scenario("7.2")
def test_open_copies_follow_whatever_became_of_their_orders_however_late(gap: Gap) -> None:
    """Age is asked of entries only. Of many changes the last one counts."""
    house = gap.house
    house.all_wait(gap.withdrawn, orderStatus="CANCELLED")
    house.all_wait(gap.grown, orderStatus="PENDING", price=1608.0, quantity=18)
    assert house.requests(PATIENT, "PUT") == house.requests(HASTY, "PUT") == 1


@scenario("7.2")
def test_an_order_that_came_and_went_without_a_fill_is_not_copied(gap: Gap) -> None:
    for member in gap.house.members:
        copy = decided(gap.house, gap.came_and_went, member)
        assert copy.state is CopyState.SKIPPED
        assert "closed without a fill" in copy.reason
        assert gap.house.orders(gap.came_and_went, member) == []


@scenario("7.2")
def test_what_an_order_traded_that_came_and_went_is_copied_or_missed(gap: Gap) -> None:
    house = gap.house
    house.waits(gap.part_filled, PATIENT, orderStatus="TRADED", filledQty=4, quantity=4)
    rest = missed(house, gap.part_filled)
    assert (rest.side, rest.missed.quantity, rest.terms.price) == (Side.BUY, 4, 349_000)
    assert (rest.terms.quantity, rest.filled, rest.traded_value) == (10, 4, 4 * 349_000)


@scenario("7.2")
def test_an_order_that_changed_many_times_is_copied_as_it_is_now(gap: Gap) -> None:
    gap.house.waits(gap.changed, PATIENT, orderStatus="PENDING", price=2410.0, quantity=18)
    assert missed(gap.house, gap.changed).missed.quantity == 18


@scenario("7.2")
def test_a_round_trip_is_made_in_the_same_order(gap: Gap) -> None:
    """Whoever sold first would be short for a while."""
    house = gap.house
    into = house.waits(gap.bought, PATIENT, orderStatus="TRADED", filledQty=10)
    out = house.waits(gap.sold, PATIENT, orderStatus="TRADED", filledQty=10)
    ids = [row["orderId"] for row in house.control.book(PATIENT.client_id)]
    assert ids.index(into["orderId"]) < ids.index(out["orderId"])
    missed(house, gap.bought)
    assert decided(house, gap.sold, HASTY).state is CopyState.SKIPPED
    assert house.orders(gap.sold, HASTY) == []


@scenario("7.2")
def test_an_exit_of_what_was_built_on_another_day_is_never_too_old(build: Build) -> None:
    house = build(members=(PATIENT, HASTY))
    house.price(RELIANCE, 2500)
    house.start()
    bought = house.places(RELIANCE, "BUY", 10, price=2500, product="CNC")
    house.all_wait(bought, orderStatus="TRADED")
    eventually(lambda: decided(house, bought, HASTY).state is CopyState.FILLED)
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
