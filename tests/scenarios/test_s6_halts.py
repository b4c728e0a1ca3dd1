"""Scenario 6.6 where no calendar knows of the halt: the exchange takes nothing, though its hours
say that it is open."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.scenarios.house import LEADER, NIFTY_CALL, House, Member
from tests.scenarios.trading_day import NIFTY_PUT
from tests.waiting import eventually

scenario = pytest.mark.scenario
PATIENT = Member("patient", "1000000002", more=["max_age_seconds = 60"])
HASTY = Member("hasty", "1000000003", more=["max_age_seconds = 3"])
_WAY_MS = 400


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Orders take long enough to the exchange for it to halt meanwhile."""
    folder = tmp_path_factory.mktemp("halts")
    built = House(folder, members=(PATIENT, HASTY), transit_ms=_WAY_MS)
    try:
        yield built.start()
    finally:
        built.close()


def shut_out(house: House, order: str, member: Member) -> bool:
    copy = house.copy(order, member)
    return copy["state"] == "held" and "Market is Closed" in str(copy["reason"])


@scenario("6.6")
@scenario("5.2")
def test_what_a_halt_shuts_out_is_held_and_placed_when_trading_resumes_or_dropped_by_age(
    house: House,
) -> None:
    order = house.places(NIFTY_CALL, "BUY", 65, price=100)
    for member in house.members:
        eventually(partial(house.orders, order, member))
    house.control.market("closed")
    eventually(lambda: shut_out(house, order, PATIENT), every=0.05)
    eventually(lambda: "3 s allowed" in house.output(), every=0.05)
    assert house.requests(PATIENT, "POST") <= 4, "the broker is not hammered"
    house.control.market("open")
    placed = eventually(lambda: _pending(house, order, PATIENT), 20)
    assert len(placed) == 1
    assert _pending(house, order, HASTY) == []
    (missed,) = house.ask("copies", "--missed", "--follower", HASTY.name)
    assert missed["leader_order_id"] == order
    house.cancels(order)
    eventually(lambda: not _pending(house, order, PATIENT))


@scenario("6.6")
def test_a_cancel_in_a_halt_is_asked_for_at_once_and_then_more_rarely(house: House) -> None:
    order = house.places(NIFTY_PUT, "BUY", 65, price=100)
    house.all_wait(order, orderStatus="PENDING")
    house.control.market("closed")
    before = house.requests(PATIENT, "DELETE")
    house.control.reject(LEADER, order, "the exchange has cancelled it")
    eventually(lambda: house.requests(PATIENT, "DELETE") >= before + 2)
    house.control.market("open")
    house.all_wait(order, orderStatus="CANCELLED")
    assert house.requests(PATIENT, "DELETE") <= before + 4


def _pending(house: House, order: str, member: Member) -> list[object]:
    rows = house.orders(order, member)
    return [row for row in rows if row["orderStatus"] == "PENDING"]
